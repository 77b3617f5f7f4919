"""Bodies that are large, packed or no rows at all: bulk imports as people have them, and files."""
import collections
import csv
import gzip
import io
import json
import os
import statistics

import pytest

from harness import REPO

WAGES = REPO.parent / 'shared/data/wages'
SHOW = {'Prefer': 'return=representation'}
OCTETS = {'Content-Type': 'application/octet-stream'}


@pytest.fixture
def w(stack):
    for table in ('w_employee', 'w_salary', 'w_file', 'w_one'):
        stack.sql(f'DELETE FROM spec.{table}')

    def ask(method, path, data=None, headers=None):
        return stack.rq(method, '/rest/v1' + path, headers, data, stack.token('service_role'))
    ask.sql = stack.sql
    return ask


# ---- the real wages ----

def box(values):
    return [min(values), *statistics.quantiles(values, n=4, method='inclusive'), max(values)]


def latest(employees, salaries):
    """The last salary of each person, by division."""
    last = {}
    for number, (eid, date, salary) in enumerate(salaries):
        last[eid] = max(last.get(eid, ('',)), (date, number, salary))
    found = collections.defaultdict(list)
    for eid, (_, _, salary) in last.items():
        found[employees[eid]].append(salary)
    return {division: (len(values), box(values)) for division, values in found.items()}


@pytest.mark.skipif(not WAGES.exists(), reason='needs ../shared/data')
@pytest.mark.parametrize('packed', [False, True])
def test_the_real_wages_go_in_as_they_are(w, packed):
    headers = {'Content-Type': 'text/csv; date-format="%m/%d/%y"', 'Prefer': 'count=exact', **({'Content-Encoding': 'gzip'} if packed else {})}
    for table, name, count in (('w_employee', 'employee_directory', 500), ('w_salary', 'salary_history', 2131)):
        data = (WAGES / f'{name}.csv').read_bytes()
        response = w('POST', f'/{table}', gzip.compress(data) if packed else data, headers)
        assert (response.status, response.headers['Content-Range']) == (201, f'*/{count}')
    employees = {row['eid']: row['division'] for row in w('GET', '/w_employee?select=eid,division').json()}
    salaries = [(row['eid'], row['date'], row['salary']) for row in w('GET', '/w_salary?select=eid,date,salary&order=id').json()]
    plots = latest(employees, salaries)
    assert plots['HR'] == (41, [55558, 95413, 131465, 198242, 332100])
    assert len(plots) == 12 and sum(n for n, _ in plots.values()) == 500


@pytest.mark.skipif(not WAGES.exists(), reason='needs ../shared/data')
def test_without_the_date_format_every_date_is_told(w):
    response = w('POST', '/w_salary', (WAGES / 'salary_history.csv').read_bytes(), {'Content-Type': 'text/csv'})
    assert response.error() == (400, '22007')
    lines = response.json()['details'].split('\n')
    assert len(lines) == 100 and lines[0].startswith('Row 1 (line 2), column "date", value "12/8/17": ')
    assert response.json()['hint'].startswith('2131 rows cannot be written')
    assert w('GET', '/w_salary').json() == []


# ---- CSV as spreadsheets write it ----

def test_csv_of_spreadsheets(w):
    text = '\ufeff' + 'id;name;n\r\n1;"a;b";-\r\n2;"line 1\r\nline ""2""";5\r\n3;;6\r\n'
    response = w('POST', '/w_one?columns=id,name', text.encode(), {'Content-Type': 'text/csv; delimiter=";"; null="-"', **SHOW})
    assert [r['name'] for r in response.json()] == ['a;b', 'line 1\r\nline "2"', '']


def test_a_ragged_line_is_named(w):
    response = w('POST', '/w_one', 'id,name\n1,"a\nb"\n2\n', {'Content-Type': 'text/csv'})
    assert response.error() == (400, 'PGRST102') and '4' in response.json()['details']
    assert w.sql('SELECT COUNT(*) FROM spec.w_one') == ((0,),)


# ---- many rows ----

def lines(n, row=lambda i: {'id': i, 'name': f'name {i}', 'n': i % 7}):
    return (row(i) for i in range(n))


@pytest.mark.parametrize('kind', ['application/json', 'application/x-ndjson', 'text/csv'])
def test_many_rows(w, kind):
    rows = list(lines(30000))
    if kind == 'text/csv':
        out = io.StringIO()
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        body = out.getvalue()
    elif kind == 'application/json':
        body = json.dumps(rows)
    else:
        body = '\n'.join(json.dumps(row) for row in rows)
    assert w('POST', '/w_one', body, {'Content-Type': kind, 'Prefer': 'count=exact'}).headers['Content-Range'] == '*/30000'
    assert w.sql("SELECT COUNT(*), SUM(n), SUM(name = CONCAT('name ', id)) FROM spec.w_one") == ((30000, sum(r['n'] for r in rows), 30000),)


def test_more_rows_than_one_statement_shows(w):
    rows = list(lines(5000))
    shown = w('POST', '/w_one', rows, SHOW).json()
    assert sorted(r['id'] for r in shown) == list(range(5000)) and {r['name'] for r in shown} == {r['name'] for r in rows}
    assert len(w('PATCH', '/w_one?id=gte.0&select=id', {'n': 9}, SHOW).json()) == 5000
    assert len(w('DELETE', '/w_one?id=gte.0&select=id', None, SHOW).json()) == 5000


def test_too_many_to_show(w):
    body = 'id,n\n' + ''.join(f'{i},1\n' for i in range(70000))
    csv_type = {'Content-Type': 'text/csv'}
    assert w('POST', '/w_one', body, {**csv_type, **SHOW}).error() == (413, '54000')
    assert w.sql('SELECT COUNT(*) FROM spec.w_one') == ((0,),)
    assert w('POST', '/w_one', body, csv_type).status == 201
    assert w('PATCH', '/w_one?id=gte.0', {'n': 2}, SHOW).error() == (413, '54000')
    assert w('PATCH', '/w_one?id=gte.0', {'n': 2}, {'Prefer': 'count=exact'}).headers['Content-Range'] == '0-69999/70000'
    assert w.sql('SELECT DISTINCT n FROM spec.w_one') == ((2,),)


# ---- files ----

def test_files(w):
    data = os.urandom(300000) + b'\0\r\n'
    response = w('POST', '/w_file?columns=data', data, {**OCTETS, 'Prefer': 'return=headers-only'})
    assert response.status == 201
    path = response.headers['Location']
    got = w('GET', f'{path}&select=data', headers={'Accept': 'application/octet-stream'})
    assert (got.status, got.body, got.headers['Content-Type']) == (200, data, 'application/octet-stream')
    assert w('PATCH', f'{path}&columns=data', b'\xff\x00', OCTETS).status == 204
    assert w('GET', f'{path}&select=data,name').json() == [{'data': '\\xff00', 'name': 'file'}]
    assert w('PATCH', f'{path}&columns=data', gzip.compress(b'packed'), {**OCTETS, 'Content-Encoding': 'gzip'}).status == 204
    assert w('GET', f'{path}&select=data', headers={'Accept': 'application/octet-stream'}).body == b'packed'
    assert w('PATCH', f'{path}&columns=data', b'', OCTETS).status == 204
    assert w('GET', f'{path}&select=data').json() == [{'data': '\\x'}]


def test_files_of_text(w):
    assert w('POST', '/w_file?columns=note&select=note', 'grün'.encode(), {**OCTETS, **SHOW}).json() == [{'note': 'grün'}]
    for data in (b'\xff', b'a\0b'):
        assert w('POST', '/w_file?columns=note', data, OCTETS).error() == (400, '22P02')


@pytest.mark.parametrize('path, data, error', [
    ('/w_file', b'x', (400, 'PGRST102')), ('/w_file?columns=data,note', b'x', (400, 'PGRST102')), ('/w_file?columns=nothing', b'x', (400, 'PGRST204')),
    ('/w_file?columns=small', b'12345', (400, '22001'))])
def test_files_that_do_not_fit(w, path, data, error):
    assert w('POST', path, data, OCTETS).error() == error
    assert w.sql('SELECT COUNT(*) FROM spec.w_file') == ((0,),)


def test_one_file_at_a_time(w):
    for name in 'ab':
        assert w('POST', '/w_file', {'name': name, 'data': '\\x00'}).status == 201
    assert w('GET', '/w_file?select=data', headers={'Accept': 'application/octet-stream'}).error() == (406, 'PGRST116')
