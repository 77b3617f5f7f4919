"""Row policies written by administrators: admin/policies and `rowgate policy`. What would not do is refused and changes
nothing; what is written is in force at once; and whoever writes an expression learns no more than its role may."""
import json
import subprocess
import urllib.parse

import pytest

import harness
from test_auth_admin import admin
from test_auth_sessions import refused

RULE = {'schema': 'admin_rows', 'table': 'note', 'role': 'authenticated', 'name': 'own'}
PROFILE = {'Accept-Profile': 'admin_rows'}


@pytest.fixture(scope='module')
def notes(stack):
    """An instance with a table of its own, which the tests close and open."""
    stack.sql('DROP DATABASE IF EXISTS admin_rows')
    stack.sql('DROP DATABASE IF EXISTS admin_rows_hidden')
    for statement in ('CREATE DATABASE admin_rows', 'CREATE DATABASE admin_rows_hidden',
                      'CREATE TABLE admin_rows.note (id INT PRIMARY KEY, owner VARCHAR(40) NOT NULL, text VARCHAR(40))',
                      "INSERT INTO admin_rows.note VALUES (1, 'ann', 'a'), (2, 'bob', 'b'), (3, 'ann', NULL)",
                      'CREATE TABLE admin_rows.team (owner VARCHAR(40) PRIMARY KEY, boss VARCHAR(40))',
                      "INSERT INTO admin_rows.team VALUES ('bob', 'ann')",
                      'CREATE TABLE admin_rows_hidden.secret (word VARCHAR(40))',
                      "INSERT INTO admin_rows_hidden.secret VALUES ('swordfish')",
                      'CREATE TABLE admin_rows_hidden.called (n INT)',
                      'GRANT SELECT, INSERT, UPDATE, DELETE ON admin_rows.note TO authenticated, service_role',
                      'GRANT SELECT ON admin_rows.team TO authenticated'):
        stack.sql(statement)
    if not stack.is_mysql:
        stack.sql('CREATE FUNCTION admin_rows_hidden.mark() RETURNS INT DETERMINISTIC MODIFIES SQL DATA SQL SECURITY INVOKER'
                  ' BEGIN INSERT INTO admin_rows_hidden.called VALUES (1); RETURN 1; END')
    one = stack.variant({'db-schemas': 'admin_rows, wages', 'db-schema-poll': '60'}, workers=3, fresh=True)
    yield one
    stack.forget(one)
    stack.sql("DELETE FROM rowgate.policy WHERE schema_name = 'admin_rows'")
    stack.sql('DROP DATABASE admin_rows')
    stack.sql('DROP DATABASE admin_rows_hidden')


@pytest.fixture
def clean(stack, notes):
    for p in policies(stack, notes):
        if p['schema'] == 'admin_rows':
            assert admin(notes, 'DELETE', at(p), None, stack.service_key).json() == {}
    return notes


def rowgate(on, *words):
    done = subprocess.run([harness.REPO / harness.BUILD / 'rowgate', *words, '-c', on.folder / 'rowgate.conf'],
                          capture_output=True, text=True, start_new_session=True)
    return done.returncode, done.stdout, done.stderr


def policies(stack, notes):
    return admin(notes, 'GET', 'policies', None, stack.service_key).json()['policies']


def at(p):
    return 'policies/' + '/'.join(urllib.parse.quote(p[k], safe='') for k in ('schema', 'table', 'role', 'name'))


def seen(stack, notes, who='ann', role='authenticated', times=6):
    """The same by every worker, as far as some requests tell."""
    found = {json.dumps([r['id'] for r in notes.get('/note?order=id', PROFILE, stack.token(role, sub=who)).json()]) for _ in range(times)}
    assert len(found) == 1, found
    return json.loads(found.pop())


def test_add_change_delete_and_in_force_at_once(stack, clean):
    """db-schema-poll is a minute here: it is not what brings it."""
    assert seen(stack, clean) == [1, 2, 3]
    made = admin(clean, 'POST', 'policies', {**RULE, 'using': 'owner = :user', 'comment': 'é'}, stack.service_key)
    assert made.json() == {**RULE, 'verbs': ['select', 'insert', 'update', 'delete'], 'using': 'owner = :user', 'check': None,
                           'comment': 'é', 'valid': True}, made
    assert seen(stack, clean) == [1, 3] and seen(stack, clean, 'bob') == [2]
    assert seen(stack, clean, role='service_role') == []
    assert made.json() in policies(stack, clean)
    refused(admin(clean, 'POST', 'policies', {**RULE, 'using': 'TRUE'}, stack.service_key), 409, 'policy_exists')
    assert seen(stack, clean) == [1, 3]
    changed = admin(clean, 'PUT', at(RULE), {'using': 'owner = :user AND text IS NOT NULL', 'verbs': ['select']}, stack.service_key)
    assert changed.json()['verbs'] == ['select'] and changed.json()['comment'] == 'é'
    assert seen(stack, clean) == [1]
    assert admin(clean, 'DELETE', at(RULE), None, stack.service_key).json() == {}
    assert seen(stack, clean) == [1, 2, 3]
    for method, body in (('PUT', {'using': 'TRUE'}), ('DELETE', None)):
        refused(admin(clean, method, at(RULE), body, stack.service_key), 404, 'policy_not_found')


def test_unusual_names(stack, clean):
    rule = {**RULE, 'role': '*', 'name': "a/b %2F ?x=é'`\""}
    assert admin(clean, 'POST', 'policies', {**rule, 'using': 'owner = :user'}, stack.service_key).status == 200
    assert seen(stack, clean) == [1, 3]
    assert admin(clean, 'PUT', at(rule), {'using': 'FALSE'}, stack.service_key).json()['name'] == rule['name']
    assert seen(stack, clean) == []
    assert admin(clean, 'DELETE', at(rule), None, stack.service_key).json() == {}


# What an administrator may try who wants to get out of the parentheses, or to more than the role has.
ATTACKS = [
    '1) OR (1', '1)) OR ((1', 'TRUE) UNION SELECT (1', ') OR 1=1 -- ', '1; DROP TABLE admin_rows.note', 'TRUE; SELECT 1',
    'TRUE -- x', 'TRUE # x', 'TRUE /* x */', '/*!50000 TRUE */', '/*M! TRUE */', "owner = 'x' OR '1'='1' --", "owner = '\\' OR 1=1 '",
    'owner = @x', '@@version IS NOT NULL', '(SELECT @a := 1)', 'owner = ?', 'owner = :nobody', '(((', ')))', "'", '`', '"', '',
    'TRUE INTO OUTFILE \'/tmp/x\'', 'TRUE FOR UPDATE', 'TRUE LIMIT 1', 'EXISTS (SELECT 1 INTO OUTFILE \'/tmp/x\')',
    "LOAD_FILE('/etc/passwd') IS NULL", "load_file ('/etc/passwd') IS NULL", 'SLEEP(1) = 0', 'benchmark(1, 1) = 0', "text LIKE 'a' ESCAPE BENCHMARK(9, 1)", 'DELETE FROM admin_rows.note', 'no_column = 1',
    'EXISTS (SELECT 1 FROM admin_rows_hidden.secret)', "(SELECT word FROM admin_rows_hidden.secret) = 'swordfish'",
    'EXISTS (SELECT 1 FROM mysql.user)', 'EXISTS (SELECT 1 FROM rowgate.auth_user)', 'EXISTS (TABLE rowgate.auth_user)',
    'owner = (SELECT password_hash FROM rowgate.auth_user LIMIT 1)', 'EXISTS (SELECT 1 FROM rowgate.policy)',
    'owner = rowgate.view_definition(1, 2)', 'sys.version_major() > 1', 'owner = `rowgate` . `view_definition` (1, 2)',
]


@pytest.mark.parametrize('member', ['using', 'check'])
@pytest.mark.parametrize('text', ATTACKS)
def test_no_way_out_of_the_expression(stack, clean, text, member):
    rule = {**RULE, 'using': 'TRUE', member: text}
    if not text and member == 'check':
        pytest.skip('no check is none')
    before = stack.sql('SELECT COUNT(*) FROM rowgate.policy')
    answer = refused(admin(clean, 'POST', 'policies', rule, stack.service_key), 400, 'policy_invalid')
    assert 'swordfish' not in answer.text and 'root:' not in answer.text
    tried = admin(clean, 'POST', 'policies/check', rule, stack.service_key).json()
    assert tried['valid'] is False and tried['fault'] == answer.json()['msg']
    assert stack.sql('SELECT COUNT(*) FROM rowgate.policy') == before
    assert seen(stack, clean, times=2) == [1, 2, 3]


def test_a_change_that_would_not_do_changes_nothing(stack, clean):
    assert admin(clean, 'POST', 'policies', {**RULE, 'using': 'owner = :user'}, stack.service_key).status == 200
    for body in ({'using': '1) OR (1'}, {'using': None}, {'check': 'nothing = 1'}, {'using': 'TRUE', 'check': '(('}):
        refused(admin(clean, 'PUT', at(RULE), body, stack.service_key), 400, 'policy_invalid')
        assert seen(stack, clean, times=3) == [1, 3]


def test_an_existing_table_and_one_that_is_not_get_the_same_answer(stack, clean):
    said = {refused(admin(clean, 'POST', 'policies', {**RULE, 'using': f'EXISTS (SELECT 1 FROM admin_rows_hidden.{name})'},
                          stack.service_key), 400, 'policy_invalid').json()['msg'].replace(name, 'X') for name in ('secret', 'nothing')}
    assert len(said) == 1, said


@pytest.mark.parametrize('text', ['EXTRACTVALUE(1, CONCAT(0x7e, VERSION())) = 1', "text REGEXP CONCAT('(', VERSION())"])
def test_the_servers_words_do_not_hand_out_values(stack, clean, text):
    """Some servers work out what is constant when a statement is prepared, and say it in the error."""
    answer = admin(clean, 'POST', 'policies', {**RULE, 'using': text}, stack.service_key)
    assert answer.status in (200, 400) and stack.sql('SELECT VERSION()')[0][0] not in answer.text


def test_functions_are_not_called_with_more_rights_than_the_role_has(stack, clean):
    if stack.is_mysql:
        pytest.skip('there is no such function here')
    for text in ('EXTRACTVALUE(1, admin_rows_hidden.mark()) = 1', "text LIKE 'a' ESCAPE admin_rows_hidden.mark()",
                 'id = admin_rows_hidden . mark ( )', 'id = `admin_rows_hidden`.`mark`()'):
        refused(admin(clean, 'POST', 'policies', {**RULE, 'using': text}, stack.service_key), 400, 'policy_invalid')
    assert stack.sql('SELECT COUNT(*) FROM admin_rows_hidden.called') == ((0,),)


def test_functions_of_rowgates_own_are_nobodys(stack, clean):
    """The procedure that tries expressions stands in the same database, and would find them by their bare names."""
    found = stack.sql("SELECT r.ROUTINE_NAME, COUNT(p.ORDINAL_POSITION) FROM information_schema.ROUTINES AS r"
                      " LEFT JOIN information_schema.PARAMETERS AS p ON p.SPECIFIC_SCHEMA = r.ROUTINE_SCHEMA"
                      " AND p.SPECIFIC_NAME = r.SPECIFIC_NAME AND p.ORDINAL_POSITION > 0"
                      " WHERE r.ROUTINE_SCHEMA = 'rowgate' AND r.ROUTINE_TYPE = 'FUNCTION' GROUP BY r.ROUTINE_NAME")
    assert len(found) >= 3
    for name, n in found:
        for text in (f'{name}({", ".join("1" * n)}) IS NULL', f'`{name.upper()}` ({", ".join("1" * n)}) IS NULL'):
            answer = admin(clean, 'POST', 'policies/check', {**RULE, 'using': text}, stack.service_key)
            assert answer.json()['valid'] is False, (text, answer)


def test_what_the_role_may_read_may_be_read(stack, clean):
    text = 'owner = :user OR owner IN (SELECT t.owner FROM admin_rows.team AS t WHERE t.boss = :user)'
    assert admin(clean, 'POST', 'policies', {**RULE, 'using': text}, stack.service_key).status == 200
    assert seen(stack, clean) == [1, 2, 3] and seen(stack, clean, 'bob') == [2]


@pytest.mark.parametrize('change, status, code', [
    ({'table': 'nothing'}, 400, 'policy_invalid'), ({'schema': 'mysql', 'table': 'user'}, 400, 'policy_invalid'),
    ({'schema': 'rowgate', 'table': 'auth_user'}, 400, 'policy_invalid'), ({'role': 'nobody_is_that'}, 400, 'policy_invalid'),
    ({'role': 'root'}, 400, 'policy_invalid'), ({'name': ''}, 400, 'validation_failed'), ({'name': 'x' * 65}, 400, 'validation_failed'),
    ({'verbs': []}, 400, 'validation_failed'), ({'verbs': ['drop']}, 400, 'validation_failed'), ({'verbs': 'select'}, 400, 'validation_failed'),
    ({'using': 5}, 400, 'validation_failed'), ({'using': None}, 400, 'policy_invalid'), ({'comment': 'x' * 1025}, 400, 'validation_failed'),
    ({'table': "note` WHERE 1 OR `x"}, 400, 'policy_invalid')])
def test_bad_policies(stack, clean, change, status, code):
    before = stack.sql('SELECT COUNT(*) FROM rowgate.policy')
    refused(admin(clean, 'POST', 'policies', {**RULE, 'using': 'TRUE', **change}, stack.service_key), status, code)
    assert stack.sql('SELECT COUNT(*) FROM rowgate.policy') == before


def test_those_that_cannot_be_applied_are_told(stack, clean):
    """Written by SQL, past the endpoint's look at them."""
    stack.sql("INSERT INTO rowgate.policy (schema_name, table_name, role, name, using_expression) VALUES"
              " ('admin_rows', 'note', 'authenticated', 'broken', 'no_such_column = 1'),"
              " ('admin_rows', 'gone', 'authenticated', 'stray', 'TRUE')")
    found = {p['name']: p for p in policies(stack, clean) if p['schema'] == 'admin_rows'}
    assert not found['broken']['valid'] and 'no_such_column' in found['broken']['fault']
    assert not found['stray']['valid'] and 'no such table' in found['stray']['fault']
    assert clean.get('/note', PROFILE, stack.token('authenticated')).error() == (503, 'PGRSTX05')
    status, out, _ = rowgate(clean, 'policy', 'list', 'admin_rows.note', '--json')
    assert status == 1 and [p['name'] for p in map(json.loads, out.splitlines()) if not p['valid']] == ['broken']


# --- at a terminal ---

def command(clean, *words):
    status, out, errors = rowgate(clean, 'policy', *words)
    return status, out, '\n'.join(line for line in errors.splitlines() if not line.startswith('{'))


def test_the_command(stack, clean):
    words = ('admin_rows.note', 'authenticated', 'own')
    assert command(clean, 'check', *words, '--using', 'owner = :user')[0] == 0
    status, _, errors = command(clean, 'check', *words, '--using', '1) OR (1')
    assert status == 1 and errors
    status, out, errors = command(clean, 'add', *words, '--using', 'owner = :user', '--verbs', 'select', '--json')
    assert status == 0 and json.loads(out) == {**RULE, 'verbs': ['select'], 'using': 'owner = :user', 'check': None, 'comment': '',
                                               'valid': True}, errors
    status, _, errors = command(clean, 'add', *words, '--using', 'TRUE')
    assert status == 1 and 'There is a policy of that name' in errors
    status, out, _ = command(clean, 'list', 'admin_rows.note')
    assert status == 0 and out == 'admin_rows.note authenticated "own" ["select"] using (owner = :user)\n'
    assert command(clean, 'delete', *words)[0] == 0
    assert command(clean, 'delete', *words)[0] == 3
    for bad in ((), ('add',), ('list', 'a', 'b'), ('drop', *words), ('add', *words, '--sql', 'x')):
        assert command(clean, *bad)[0] == 2
    assert command(clean, 'add', 'note', 'authenticated', 'own', '--using', 'TRUE')[0] == 1


def test_schema_as_json(stack, clean):
    admin(clean, 'POST', 'policies', {**RULE, 'using': 'owner = :user'}, stack.service_key)
    status, out, errors = rowgate(clean, 'schema', '--json')
    assert status == 0, errors
    told = json.loads(out)
    tables = {(t['schema'], t['table']): t for t in told['tables']}
    note = tables['admin_rows', 'note']
    assert note['primary_key'] == ['id'] and [c['name'] for c in note['columns']] == ['id', 'owner', 'text']
    assert note['policies'][0]['using'] == 'owner = :user' and note['policies'][0]['valid']
    assert any(r['table'] == 'employee_directory' for r in tables['wages', 'salary_history']['relations'])
    mine = {r['name']: r for r in told['roles']}['authenticated']
    assert {'schema': 'admin_rows', 'table': 'note', 'view': False, 'rights': ['select', 'insert', 'update', 'delete'],
            'policies': ['select', 'insert', 'update', 'delete']} in mine['tables']
    status, text, _ = rowgate(clean, 'schema')
    assert status == 0 and '    key (id)\n' in text and 'policy "own" for authenticated' in text
    part = text[text.index('admin_rows.note'):text.index('admin_rows.team')]
    assert 'insert: authenticated, service_role\n' in part
    assert rowgate(clean, 'schema', 'x')[0] == 2


def test_check_looks_for_the_idempotency_routines(stack, clean):
    assert 'writes with an Idempotency-Key can be kept' in rowgate(clean, 'check')[1]
    grant = "ON PROCEDURE rowgate.idempotency_store {} authenticator@'%'"
    stack.sql('REVOKE EXECUTE ' + grant.format('FROM'))
    try:
        status, out, _ = rowgate(clean, 'check')
    finally:
        stack.sql('GRANT EXECUTE ' + grant.format('TO'))
    assert status == 1 and 'rowgate.idempotency_store' in out
