"""sql/deploy.sh: projects, sample data, errors of one line, and a revert that leaves nothing."""
import pytest

from conftest import run

PROJECTS = ('core', 'wages', 'incidents')


def test_again_changes_nothing(database):
    assert database.deploy('deploy') == (0, [*(f'{p}: up to date' for p in PROJECTS),
                                             'accounts: authenticator and rowgate_catalogue',
                                             'accounts: rowgate_identity'], [])


def test_status_and_verify(database):
    status, lines, errors = database.deploy('status', 'verify')
    assert (status, errors) == (0, [])
    assert lines == [*(f'{p}: Nothing to deploy (up-to-date)' for p in PROJECTS), *(f'{p}: verified' for p in PROJECTS)]


def test_verify_sees_a_missing_grant(database, admin):
    run(admin, 'REVOKE SELECT ON incidents.unit_status FROM anon')
    status, _, errors = database.deploy('verify')
    run(admin, 'GRANT SELECT ON incidents.unit_status TO anon')
    assert status == 1 and errors == ['deploy.sh: incidents: sqitch verify failed: anon or authenticated lacks a table']


def test_everything_has_a_comment(admin):
    assert run(admin, "SELECT table_name FROM information_schema.tables WHERE table_schema IN ('wages', 'incidents')"
                      " AND table_type = 'BASE TABLE' AND table_comment = ''") == []
    assert run(admin, "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables"
                      " USING (table_schema, table_name) WHERE table_schema IN ('wages', 'incidents')"
                      " AND table_type = 'BASE TABLE' AND column_comment = ''") == []
    assert run(admin, "SELECT routine_name FROM information_schema.routines WHERE routine_comment = ''"
                      " AND routine_schema IN ('rowgate', 'wages', 'incidents')") == []


# The same numbers on every server: the sample is the same everywhere and always.
@pytest.mark.parametrize('query, expected', [
    ("SELECT COUNT(*), COUNT(DISTINCT name), SUM(manager IS NULL), COUNT(DISTINCT division), BIT_XOR(CRC32(CONCAT_WS('|',"
     " eid, name, gender, hire_date, division, job_code, manager, performance, annual_benefits_value)))"
     " FROM wages.employee_directory", (500, 500, 11, 10, 2038962756)),
    ("SELECT COUNT(*), BIT_XOR(CRC32(CONCAT_WS('|', id, eid, salary, date))) FROM wages.salary_history",
     (2008, 542440350)),
    ("SELECT COUNT(*), COUNT(DISTINCT type), COUNT(DISTINCT hour_of_day), COUNT(DISTINCT utc_offset),"
     " BIT_XOR(CRC32(CONCAT_WS('|', incident_number, subtype, address_line1, day_of_week, hour_of_day,"
     " UNIX_TIMESTAMP(event_opened), response_time, latitude, longitude))) FROM incidents.incident"
     " WHERE fd_id = '99001'", (300, 6, 24, 2, None)),
    ("SELECT COUNT(*), COUNT(DISTINCT unit_type), COUNT(DISTINCT station) FROM incidents.apparatus"
     " WHERE incident_number LIKE 'P25%%'", (727, 6, 6)),
])
def test_sample(admin, query, expected):
    found = run(admin, query.replace('%%', '%'))[0]
    assert [int(a) for a, b in zip(found, expected) if b is not None] == [b for b in expected if b is not None]


def test_sample_times_are_in_order(admin):
    assert run(admin, "SELECT COUNT(*) FROM incidents.apparatus"
                      " JOIN incidents.unit_status d ON d.apparatus_id = id AND d.status = 'dispatched'"
                      " JOIN incidents.unit_status e ON e.apparatus_id = id AND e.status = 'enroute'"
                      " JOIN incidents.unit_status v ON v.apparatus_id = id AND v.status = 'available'"
                      " LEFT JOIN incidents.unit_status a ON a.apparatus_id = id AND a.status = 'arrived'"
                      " WHERE incident_number LIKE 'P25%' AND d.timestamp < e.timestamp"
                      " AND e.timestamp < COALESCE(a.timestamp, v.timestamp)"
                      " AND COALESCE(a.timestamp, e.timestamp) < v.timestamp")[0][0] == 727


def test_sample_leaves_rows_alone(database, admin):
    before = run(admin, 'SELECT * FROM wages.employee_directory WHERE eid = 7')
    run(admin, "UPDATE wages.employee_directory SET name = 'Somebody Else' WHERE eid = 7")
    assert database.deploy('sample')[0] == 0
    assert run(admin, 'SELECT COUNT(*), SUM(name = %s) FROM wages.employee_directory', 'Somebody Else') == [(500, 1)]
    run(admin, 'UPDATE wages.employee_directory SET name = %s WHERE eid = 7', before[0][1])


@pytest.mark.parametrize('verb, settings, message', [
    ('deploy', {'DB_SOCKET': '', 'DB_HOST': '127.0.0.1', 'DB_PORT': '1'}, '127.0.0.1:1: '),
    ('deploy', {'DB_SOCKET': '', 'DB_HOST': ''}, 'set DB_SOCKET, or DB_HOST and DB_PORT'),
    ('deploy', {'DB_USER': 'nobody_at_all'}, 'Access denied'),
    ('deploy', {'DB_CA': '/no/such/file'}, "DB_CA: the file '/no/such/file' cannot be read"),
    ('deploy', {'AUTHENTICATOR_PASSWORD_FILE': ''}, 'AUTHENTICATOR_PASSWORD_FILE is not set'),
    ('deploy', {'CATALOGUE_PASSWORD_FILE': '/dev/null'}, 'is empty'),
    ('explode', {}, 'no such verb: explode'),
])
def test_errors_are_one_line(database, verb, settings, message):
    status, lines, errors = database.deploy(verb, **settings)
    assert status == 1 and lines == [] and len(errors) == 1
    assert errors[0].startswith('deploy.sh: ') and message in errors[0]


def test_revert_and_back(database):
    assert database.deploy('revert') == (0, [f'{p}: reverted' for p in reversed(PROJECTS)], [])
    connection = database.connect()
    assert run(connection, "SELECT schema_name FROM information_schema.schemata"
                           " WHERE schema_name IN ('rowgate', 'wages', 'incidents')") == []
    assert run(connection, "SELECT user FROM mysql.user WHERE user IN ('anon', 'authenticated', 'service_role', 'hr',"
                           " 'wages_analyst', 'dispatcher', 'manager', 'employee', 'authenticator', 'rowgate_catalogue', 'rowgate_identity')") == []
    assert run(connection, "SELECT user FROM mysql.db WHERE db IN ('rowgate', 'wages', 'incidents')") == []
    status, _, errors = database.deploy('deploy', 'sample')
    assert (status, errors) == (0, [])
