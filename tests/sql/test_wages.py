"""The wages data set, and the real files in it."""
import collections
import csv
import datetime
import subprocess

import pymysql
import pytest

from conftest import REPO, SHARED, run

FILES = SHARED / 'wages'

# Linear interpolation between the two nearest of n ordered values, at 1 + p (n - 1): R's type 7, Excel's QUARTILE.INC.
BOX_PLOT = """
WITH ranked AS (
    SELECT division, salary, ROW_NUMBER() OVER (PARTITION BY division ORDER BY salary) AS place,
           COUNT(*) OVER (PARTITION BY division) AS people
      FROM compensation WHERE salary IS NOT NULL),
point (p) AS (SELECT 0 UNION ALL SELECT 0.25 UNION ALL SELECT 0.5 UNION ALL SELECT 0.75 UNION ALL SELECT 1)
SELECT division, people, p,
       MAX(CASE WHEN place = 1 + FLOOR(p * (people - 1)) THEN salary END)
           + (p * (people - 1) - FLOOR(p * (people - 1)))
           * (MAX(CASE WHEN place = LEAST(people, 2 + FLOOR(p * (people - 1))) THEN salary END)
              - MAX(CASE WHEN place = 1 + FLOOR(p * (people - 1)) THEN salary END)) AS value
  FROM ranked JOIN point GROUP BY division, people, p ORDER BY division, p"""


@pytest.fixture(scope='module')
def real(database, admin):
    """A second database with the same tables, made from the same files."""
    run(admin, 'CREATE DATABASE wages_real CHARACTER SET utf8mb4 COLLATE utf8mb4_bin')
    connection = database.connect(database='wages_real')
    for change in ('employee_directory', 'salary_history', 'compensation'):
        run(connection, (REPO / f'sql/wages/deploy/{change}.sql').read_text().strip().rstrip(';').replace('%', '%%'))
    yield connection
    run(admin, 'DROP DATABASE wages_real')


def load(database, folder):
    return subprocess.run([REPO / 'sql/wages/load_csv.sh', folder, 'wages_real', *database.server.client()],
                          capture_output=True, text=True)


needs_files = pytest.mark.skipif(not FILES.exists(), reason='needs ../shared/data')


def date(text):
    return datetime.datetime.strptime(text, '%m/%d/%y').date()


def quantile(values, p):
    values = sorted(values)
    at = p * (len(values) - 1)
    low = int(at)
    return values[low] + (at - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def latest_salaries():
    """By division, from the files alone."""
    with open(FILES / 'employee_directory.csv', newline='') as f:
        division = {row['eid']: row['division'] for row in csv.DictReader(f)}
    latest = {}
    with open(FILES / 'salary_history.csv', newline='') as f:
        for place, row in enumerate(csv.DictReader(f)):
            latest[row['eid']] = max(latest.get(row['eid'], (datetime.date.min,)), (date(row['date']), place, int(row['salary'])))
    found = collections.defaultdict(list)
    for eid, (_, _, salary) in latest.items():
        found[division[eid]].append(salary)
    return found


@needs_files
def test_real_files(database, real):
    for _ in range(2):
        done = load(database, FILES)
        assert (done.returncode, done.stdout, done.stderr) == (0, '500 employees\n2131 salaries\n', '')
    assert run(real, 'SELECT hire_date, annual_benefits_value FROM employee_directory WHERE eid = 1') == [
        (datetime.date(2017, 12, 8), 9471)]
    assert run(real, 'SELECT name, salary, salary_date FROM compensation WHERE eid = 500') == [
        ('Ornolf Redwing', 343303, datetime.date(2020, 1, 1))]


@needs_files
def test_box_plot(database, real):
    assert load(database, FILES).returncode == 0
    plots = collections.defaultdict(list)
    for division, people, _, value in run(real, BOX_PLOT):
        plots[division, people].append(float(value))
    assert plots['HR', 41] == [55558, 95413, 131465, 198242, 332100]
    expected = {(division, len(values)): [quantile(values, p / 4) for p in range(5)]
                for division, values in latest_salaries().items()}
    assert len(expected) == 12 and sum(people for _, people in expected) == 500
    assert plots == expected


@pytest.mark.parametrize('line, message', [
    ('1,Ann,F,2017-12-08,D,V,R1,Bo,Meets,1', 'is no date'),
    ('1,Ann,F,12/8/17,D,V,R1,Bo,Meets', 'not 10 fields'),
    ('1,"Ann,F,12/8/17,D,V,R1,Bo,Meets,1', 'a quote that does not end'),
    ('1,Ann,Q,12/8/17,D,V,R1,Bo,Meets,1', 'employee_directory_gender_check'),
    ('1,Ann,F,12/8/17,D,V,R1,Bo,Splendid,1', 'performance'),
    ('x,Ann,F,12/8/17,D,V,R1,Bo,Meets,1', 'eid'),
])
def test_bad_file_changes_nothing(database, real, tmp_path, line, message):
    run(real, 'DELETE FROM salary_history')
    run(real, 'DELETE FROM employee_directory')
    header = 'eid,name,gender,hire_date,department,division,job_code,manager,performance,annual_benefits_value\n'
    (tmp_path / 'salary_history.csv').write_text('eid,salary,date\n')
    good = '7,"O\'Neill, \\ ""Jo""",F,2/29/16,D,V,R1,,Meets,1'
    (tmp_path / 'employee_directory.csv').write_text(header + good + '\r\n')
    assert load(database, tmp_path).returncode == 0
    assert run(real, 'SELECT name, manager FROM employee_directory') == [('O\'Neill, \\ "Jo"', None)]
    (tmp_path / 'employee_directory.csv').write_text(header + line + '\n')
    done = load(database, tmp_path)
    assert done.returncode != 0 and message in done.stderr
    assert run(real, 'SELECT eid FROM employee_directory') == [(7,)]


def test_latest_salary_is_by_date_then_number(real):
    run(real, 'DELETE FROM salary_history')
    run(real, 'DELETE FROM employee_directory')
    run(real, "INSERT INTO employee_directory (eid, name, hire_date, department, division, job_code)"
              " VALUES (1, 'A', '2020-01-01', 'D', 'V', 'R1'), (2, 'B', '2020-01-01', 'D', 'V', 'R1')")
    run(real, "INSERT INTO salary_history (id, eid, salary, date) VALUES (1, 1, 30, '2021-01-01'), (2, 1, 20, '2021-01-01'),"
              " (3, 1, 40, '2020-01-01')")
    assert run(real, 'SELECT eid, salary, salary_date FROM compensation ORDER BY eid') == [
        (1, 20, datetime.date(2021, 1, 1)), (2, None, None)]


@pytest.mark.parametrize('statement, number', [
    ("INSERT INTO salary_history (eid, salary, date) VALUES (99, 1, '2020-01-01')", 1452),
    ("INSERT INTO employee_directory (eid, name, hire_date, department, division, job_code, gender)"
     " VALUES (50, 'A', '2020-01-01', 'D', 'V', 'R1', 'Q')", (4025, 3819)),
])
def test_constraints(real, statement, number):
    with pytest.raises(pymysql.err.MySQLError) as caught:
        run(real, statement)
    assert caught.value.args[0] in (number if isinstance(number, tuple) else (number,))
