"""Who may do what: the two logins, and each role."""
import contextlib
import re

import pymysql
import pytest

from conftest import run

DENIED = {1044, 1045, 1142, 1143, 1227, 1370}


def refused(connection, statement):
    with pytest.raises(pymysql.err.Error) as caught:
        run(connection, statement)
    assert caught.value.args[0] in DENIED, caught.value


@pytest.fixture(scope='module')
def later(admin):
    """A database that comes after the accounts."""
    for statement in ('CREATE DATABASE later_one', 'CREATE TABLE later_one.parent (id INT PRIMARY KEY, body JSON, CHECK (id > 0))',
                      'CREATE TABLE later_one.child (parent INT, KEY (parent), FOREIGN KEY (parent) REFERENCES later_one.parent (id))',
                      'CREATE VIEW later_one.both_ids AS SELECT parent.id AS one FROM later_one.parent',
                      'CREATE PROCEDURE later_one.act(IN how INT) SELECT how',
                      'CREATE TRIGGER later_one.inserted AFTER INSERT ON later_one.parent FOR EACH ROW SET @how = NEW.id',
                      'INSERT INTO later_one.parent (id) VALUES (1)'):
        run(admin, statement)
    yield
    run(admin, 'DROP DATABASE later_one')


@pytest.mark.parametrize('query, expected', [
    ("SELECT table_name FROM information_schema.tables WHERE table_schema = 'later_one' ORDER BY 1",
     ['both_ids', 'child', 'parent']),
    ("SELECT column_name FROM information_schema.columns WHERE table_schema = 'later_one' ORDER BY 1",
     ['body', 'id', 'one', 'parent']),
    ("SELECT index_name FROM information_schema.statistics WHERE table_schema = 'later_one' ORDER BY 1",
     ['parent', 'PRIMARY']),
    ("SELECT referenced_column_name FROM information_schema.key_column_usage WHERE table_schema = 'later_one'"
     " AND referenced_table_name = 'parent'", ['id']),
    ("SELECT referenced_table_name FROM information_schema.referential_constraints"
     " WHERE constraint_schema = 'later_one'", ['parent']),
    ("SELECT COUNT(*) FROM information_schema.check_constraints WHERE constraint_schema = 'later_one'"
     " AND check_clause LIKE '%`id` > 0%'", [1]),
    ("SELECT rowgate.view_definition(table_schema, table_name) FROM information_schema.views"
     " WHERE table_schema = 'later_one'", ['select `later_one`.`parent`.`id` AS `one` from `later_one`.`parent`']),
    ("SELECT JSON_UNQUOTE(JSON_EXTRACT(rowgate.view_columns('later_one', 'both_ids'), '$[0][3]'))", ['one']),
    ("SELECT rowgate.trigger_matches('later_one', '@how')", [1]), ("SELECT rowgate.trigger_matches('later_one', '@why')", [0]),
    ("SELECT routine_definition FROM information_schema.routines WHERE routine_schema = 'later_one'", ['SELECT how']),
    ("SELECT parameter_name FROM information_schema.parameters WHERE specific_schema = 'later_one'", ['how']),
    ("SELECT DISTINCT user FROM mysql.columns_priv WHERE db = 'wages'", ['authenticated']),
    ("SELECT user FROM mysql.procs_priv WHERE routine_name = 'ingest_incident' ORDER BY 1",
     ['dispatcher', 'service_role']),
    ("SELECT select_priv FROM mysql.user WHERE user = 'anon'", ['N']),
])
def test_catalogue_reads_definitions(database, later, query, expected):
    assert [row[0] for row in run(database.catalogue(), query)] == expected


def test_catalogue_reads_views_in_one_go(database, later):
    """In a schema that is named, and in no other."""
    text = 'select `later_one`.`parent`.`id` AS `one` from `later_one`.`parent`'
    rows = run(database.catalogue(), """CALL rowgate.view_definitions('later_one')""")
    assert [tuple(row) for row in rows] == [('later_one', 'both_ids', text, 'YES')]
    assert not run(database.catalogue(), """CALL rowgate.view_definitions('later')""")


def test_catalogue_tells_json_columns(database, later):
    catalogue = database.catalogue()
    if database.kind == 'mysql':
        assert run(catalogue, "SELECT column_name FROM information_schema.columns WHERE table_schema = 'later_one'"
                              " AND data_type = 'json'") == [('body',)]
    else:
        assert run(catalogue, "SELECT check_clause FROM information_schema.check_constraints"
                              " WHERE constraint_schema = 'later_one' AND constraint_name = 'body'") == [
                                  ('json_valid(`body`)',)]


def test_catalogue_reads_the_roles_of_the_login(database):
    statement = ("SELECT from_user FROM mysql.role_edges WHERE to_user = 'authenticator'" if database.kind == 'mysql'
                 else "SELECT role FROM mysql.roles_mapping WHERE user = 'authenticator'")
    assert sorted(row[0] for row in run(database.catalogue(), statement)) == [
        'anon', 'authenticated', 'dispatcher', 'employee', 'hr', 'manager', 'service_role', 'wages_analyst']


@pytest.mark.parametrize('statement', [
    'SELECT * FROM later_one.parent', 'SELECT COUNT(*) FROM later_one.parent', 'SELECT 1 FROM later_one.both_ids',
    'SELECT eid FROM wages.employee_directory', 'SELECT salary FROM wages.compensation',
    'SELECT document FROM incidents.incident_document', 'CALL later_one.act(1)', 'INSERT INTO later_one.parent (id) VALUES (2)',
    'CREATE TABLE later_one.more (id INT)', 'DROP TABLE later_one.child', 'SELECT authentication_string FROM mysql.user',
    'SELECT * FROM mysql.user', 'CREATE TRIGGER later_one.t BEFORE INSERT ON later_one.parent FOR EACH ROW SET NEW.id = 1',
])
def test_catalogue_reads_no_row_and_writes_nothing(database, later, statement):
    refused(database.catalogue(), statement)


def test_catalogue_sees_no_password_hash(database):
    if database.kind == 'mariadb':
        refused(database.catalogue(), 'SELECT * FROM mysql.global_priv')


def test_authenticator_owns_nothing(database):
    """But the routines by which a write keeps its answer, whatever the role."""
    connection = database.as_role('NONE')
    assert [row[0] for row in run(connection, 'SHOW DATABASES')
            if row[0] not in ('information_schema', 'performance_schema')] == ['rowgate']
    for table in ('rowgate.idempotency_key', 'rowgate.idempotency_room', 'wages.employee_directory', 'incidents.incident', 'rowgate_sqitch.changes', 'mysql.user'):
        refused(connection, f'SELECT 1 FROM {table}')
    assert run(connection, 'SELECT CURRENT_ROLE()')[0][0] in (None, 'NONE')


def test_authenticator_starts_without_a_role(database):
    assert run(database.as_role(None), 'SELECT CURRENT_ROLE()')[0][0] in (None, 'NONE')


def test_authenticator_ends_its_own_queries(database):
    one, other = database.as_role('anon'), database.as_role('anon')
    run(other, f'KILL {one.thread_id()}')
    with pytest.raises(pymysql.err.OperationalError):
        run(one, 'SELECT 1')


def test_other_roles_are_refused(database):
    with pytest.raises(pymysql.err.Error) as caught:
        database.as_role('root')
    assert caught.value.args[0] in (1959, 3530)


def test_a_new_password_takes_effect(database, tmp_path):
    new = tmp_path / 'password'
    new.write_text('another one')
    assert database.deploy('deploy', CATALOGUE_PASSWORD_FILE=str(new))[0] == 0
    with pytest.raises(pymysql.err.OperationalError):
        database.catalogue()
    database.connect('rowgate_catalogue', 'another one').close()
    assert database.deploy('deploy')[0] == 0
    database.catalogue().close()


def test_the_old_password_may_stay_for_a_while(database, tmp_path):
    """Workers still know the old one while those with the new one start; several deploys in between change nothing."""
    logins = {'authenticator': 'AUTHENTICATOR', 'rowgate_catalogue': 'CATALOGUE', 'rowgate_identity': 'IDENTITY'}
    changed, before = {}, {}
    for login, setting in logins.items():
        before[login] = database.environment[setting + '_PASSWORD_FILE']
        new = tmp_path / login
        new.write_text(f"new of {login}, with ' and \\\n")
        changed[setting + '_PASSWORD_FILE'] = str(new)
    both = {**changed, **{setting + '_OLD_PASSWORD_FILE': before[login] for login, setting in logins.items()}}

    def known(login, file):
        try:
            database.connect(login, open(file).read().rstrip('\n')).close()
        except pymysql.err.OperationalError:
            return False
        return True

    for verb, settings, old in (('deploy', both, True), ('deploy', both, True), ('accounts', both, True),
                                ('accounts', changed, False)):
        assert database.deploy(verb, **settings)[0] == 0
        for login, setting in logins.items():
            assert known(login, changed[setting + '_PASSWORD_FILE'])
            assert known(login, before[login]) is old, (verb, login)
    assert database.deploy('accounts')[0] == 0
    for login in logins:
        assert known(login, before[login])


def test_rights_are_given_where_passwords_stay(database, admin):
    """A pool of a new release needs them before the old one ends: passwords are the same then, and named as the old ones."""
    settings = {f'{name}_OLD_PASSWORD_FILE': database.environment[f'{name}_PASSWORD_FILE']
                for name in ('AUTHENTICATOR', 'CATALOGUE', 'IDENTITY')}
    lost = (("EXECUTE ON PROCEDURE rowgate.heartbeat_beat", "rowgate_catalogue@'%'"), ('SELECT ON rowgate.auth_state', "rowgate_identity@'%'"))
    for right, login in lost:
        run(admin, f'REVOKE {right} FROM {login}')
    assert database.deploy('deploy', **settings)[0] == 0
    with contextlib.closing(database.catalogue()) as catalogue, contextlib.closing(database.identity()) as identity:
        run(catalogue, 'CALL rowgate.heartbeat_beat()')
        run(identity, 'SELECT 1 FROM rowgate.auth_state')


def test_rights_are_given_where_no_password_is(database, admin):
    """The login is there from before: a routine that was made anew is for it again."""
    run(admin, "REVOKE EXECUTE ON PROCEDURE rowgate.role_add FROM rowgate_identity@'%'")
    assert database.deploy('deploy', IDENTITY_PASSWORD_FILE='')[0] == 0
    with contextlib.closing(database.identity()) as identity, pytest.raises(pymysql.err.MySQLError) as refused:
        run(identity, 'CALL rowgate.role_add(%s)', 'no name')
    assert refused.value.args[0] == 1210


@pytest.mark.parametrize('login, call', [('catalogue', 'heartbeat_beat()'), ('catalogue', 'idempotency_expire(0)'),
                                         ('identity', "role_add('made_meanwhile')")])
def test_routines_leave_a_read_only_server_alone(database, admin, login, call):
    """Although who defined them may write there: what a demoted writer takes now is lost."""
    run(admin, 'SET GLOBAL read_only = ON')
    try:
        with contextlib.closing(getattr(database, login)()) as connection, pytest.raises(pymysql.err.MySQLError) as refused:
            run(connection, f'CALL rowgate.{call}')
        assert refused.value.args[0] == 1290
    finally:
        run(admin, 'SET GLOBAL read_only = OFF')
    with contextlib.closing(getattr(database, login)()) as connection:
        run(connection, f'CALL rowgate.{call}')
    run(admin, 'DROP ROLE IF EXISTS made_meanwhile')


def test_routines_know_the_words_of_read_only(database, admin):
    """MariaDB 12 has OFF, ON, NO_LOCK, NO_LOCK_NO_ADMIN there, which as numbers are all 0."""
    texts = dict(run(admin, "SELECT routine_name, routine_definition FROM information_schema.routines"
                            " WHERE routine_schema = 'rowgate' AND routine_definition LIKE '%@@GLOBAL.read_only%'"))
    assert sorted(texts) == ['heartbeat_beat', 'idempotency_expire', 'role_add']
    for text in texts.values():
        condition = re.search(r'IF (.*@@GLOBAL.read_only.*) THEN', text).group(1)
        for value, expected in (('0', 0), ('1', 1), ("'OFF'", 0), ("'ON'", 1), ("'NO_LOCK'", 1), ("'NO_LOCK_NO_ADMIN'", 1)):
            assert run(admin, f"SELECT {condition.replace('@@GLOBAL.read_only', value)}") == [(expected,)]


READ = {
    'employee_directory': 'SELECT eid, name, gender, hire_date, department, division, job_code, manager FROM wages.employee_directory',
    'performance': 'SELECT performance FROM wages.employee_directory',
    'benefits': 'SELECT annual_benefits_value FROM wages.employee_directory',
    'salary_history': 'SELECT * FROM wages.salary_history',
    'compensation': 'SELECT * FROM wages.compensation',
    'incident': 'SELECT * FROM incidents.incident',
    'apparatus': 'SELECT * FROM incidents.apparatus',
    'unit_status': 'SELECT * FROM incidents.unit_status',
    'fire_department': 'SELECT * FROM incidents.fire_department',
    'document': 'SELECT * FROM incidents.incident_document',
}
WRITE = {
    'raise': 'UPDATE wages.salary_history SET salary = salary WHERE id = 1',
    'move': "UPDATE incidents.incident SET city = city WHERE incident_number = ''",
    'ingest': "CALL incidents.ingest_incident('[]')",
}
INCIDENTS = {'incident', 'apparatus', 'unit_status', 'fire_department'}
WAGES = {'employee_directory', 'performance', 'benefits', 'salary_history', 'compensation'}
MAY = {
    'anon': INCIDENTS,
    'authenticated': INCIDENTS | {'document', 'employee_directory'},
    'service_role': set(READ) | set(WRITE),
    'wages_analyst': WAGES,
    'hr': WAGES | {'raise'},
    'dispatcher': INCIDENTS | {'document', 'ingest'},
    # of these rows Rowgate shows them their own
    'manager': WAGES,
    'employee': WAGES,
}


@pytest.mark.parametrize('role', MAY)
@pytest.mark.parametrize('name', [*READ, *WRITE])
def test_rights(database, role, name):
    connection = database.as_role(role)
    statement = {**READ, **WRITE}[name] + (' LIMIT 1' if name in READ else '')
    if name in MAY[role]:
        run(connection, statement)
    else:
        refused(connection, statement)


@pytest.mark.parametrize('role', MAY)
@pytest.mark.parametrize('statement', [
    'DROP TABLE wages.salary_history', 'CREATE TABLE incidents.more (id INT)', 'SELECT 1 FROM rowgate_sqitch.changes',
    'SELECT 1 FROM rowgate.idempotency_key', 'DELETE FROM rowgate.idempotency_key', 'UPDATE rowgate.idempotency_room SET is_full = TRUE',
    "SELECT rowgate.view_definition('wages', 'compensation')", "CALL rowgate.view_definitions('wages')", "CALL rowgate.role_add('more')", 'SELECT 1 FROM rowgate.policy',
    "UPDATE rowgate.policy SET using_expression = 'TRUE'", 'SELECT 1 FROM mysql.user', 'CALL incidents.store_incident_documents()',
])
def test_no_role_may(database, role, statement):
    refused(database.as_role(role), statement)


AUTH_TABLES = ('auth_user', 'auth_session', 'auth_refresh_token', 'auth_revocation', 'auth_state')


@pytest.mark.parametrize('table', AUTH_TABLES)
def test_no_role_reads_users_and_sessions(database, table):
    for role in ('NONE', 'anon', 'authenticated', 'service_role', 'hr'):
        refused(database.as_role(role), f'SELECT 1 FROM rowgate.{table}')
    if table not in ('auth_revocation', 'auth_state'):
        refused(database.catalogue(), f'SELECT 1 FROM rowgate.{table}')
    refused(database.catalogue(), f'DELETE FROM rowgate.{table}')


def test_the_identity_account_reads_them_and_nothing_else(database):
    connection = database.identity()
    for table in AUTH_TABLES:
        run(connection, f'SELECT 1 FROM rowgate.{table}')
    for table in ('wages.employee_directory', 'incidents.incident', 'rowgate_sqitch.changes', 'mysql.user'):
        refused(connection, f'SELECT 1 FROM {table}')
    refused(connection, 'DROP TABLE rowgate.auth_user')
    refused(connection, 'CREATE ROLE more')
    with pytest.raises(pymysql.err.Error):
        run(connection, "GRANT hr TO rowgate_identity@'%'")
    run(connection, 'SELECT 1 FROM rowgate.policy')
    with pytest.raises(pymysql.err.Error):
        run(connection, 'SET ROLE service_role')


@pytest.mark.parametrize('name', ['root', 'hr', 'HR', 'authenticator', 'rowgate_catalogue'])
def test_what_is_there_is_not_given_to_tokens(database, admin, name):
    if not run(admin, 'SELECT 1 FROM mysql.user WHERE LOWER(User) = LOWER(%s)', name):
        pytest.skip('there is no such account here')
    with pytest.raises(pymysql.err.IntegrityError):
        run(database.identity(), 'CALL rowgate.role_add(%s)', name)


@pytest.mark.parametrize('name', ['', 'a b', 'a`b', "a'b", 'a\\', 'x' * 33, None])
def test_no_name_of_a_role(database, name):
    with pytest.raises(pymysql.err.MySQLError):
        run(database.identity(), 'CALL rowgate.role_add(%s)', name)


def test_a_new_role_is_empty_and_for_tokens(database, admin):
    run(database.identity(), 'CALL rowgate.role_add(%s)', 'brand_new')
    refused(database.as_role('brand_new'), 'SELECT 1 FROM incidents.incident')
    refused(database.as_role('brand_new'), "CALL rowgate.role_add('another')")
    run(admin, 'DROP ROLE brand_new')


def test_emails_are_unique_whatever_their_case(database, admin):
    add = ("INSERT INTO rowgate.auth_user (id, email, user_metadata, app_metadata, created_at, updated_at)"
           " VALUES (UUID(), %s, '{}', '{}', NOW(), NOW())")
    run(admin, add, 'case@example.com')
    with pytest.raises(pymysql.err.IntegrityError):
        run(admin, add, 'CASE@Example.com')
    run(admin, "DELETE FROM rowgate.auth_user WHERE email = 'case@example.com'")
