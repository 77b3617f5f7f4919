"""/auth/v1/admin beside users: roles, signing keys, tokens, revocations, statements, the pool. And that nobody else gets in."""
import json
import os
import time
import uuid

import jwt
import pytest

import harness
from test_auth_admin import admin
from test_auth_sessions import auth, login, refresh, refused, user  # noqa: F401

ENDPOINTS = [('GET', 'roles'), ('POST', 'roles'), ('GET', 'keys'), ('POST', 'keys'), ('DELETE', 'keys/x'), ('POST', 'tokens'),
             ('GET', 'revocations'), ('POST', 'revocations'), ('GET', 'policies'), ('POST', 'policies'),
             ('POST', 'policies/check'), ('PUT', 'policies/a/b/c/d'), ('DELETE', 'policies/a/b/c/d'), ('GET', 'statements'),
             ('DELETE', 'statements'), ('GET', 'pool'), ('GET', 'metrics'), ('POST', 'reload'),
             ('DELETE', f'users/{uuid.uuid4()}/sessions/{uuid.uuid4()}')]
WAGES = {'Accept-Profile': 'wages'}


@pytest.mark.parametrize('method, path', ENDPOINTS)
def test_only_the_service_role(stack, method, path):
    """No token, other roles, forged ones; a refresh cookie is no token, whichever page sends it."""
    url = '/auth/v1/admin/' + path
    refused(stack.rq(method, url), 401, 'no_authorization')
    cookie = {'Cookie': '__Secure-rowgate-refresh=' + 'x' * 40, 'X-Client-Session': 'cookie', 'Origin': 'https://evil.example'}
    refused(stack.rq(method, url, cookie), 401, 'no_authorization')
    for token in (stack.anon_key, stack.token('authenticated'), stack.token('hr'), stack.token('Service_Role'),
                  stack.token('authenticated', app_metadata={'role': 'service_role'})):
        refused(admin(stack, method, path, None, token), 403, 'not_admin')
    forged = jwt.encode({'role': 'service_role', 'exp': int(time.time()) + 60}, 'x' * 40, 'HS256')
    none = jwt.encode({'role': 'service_role'}, None, 'none')
    for token in (forged, none, stack.service_key[:-4] + 'AAAA', stack.token('service_role', exp=int(time.time()) - 60)):
        refused(admin(stack, method, path, None, token), 403, 'bad_jwt')


@pytest.mark.parametrize('path, body', [
    ('roles', {'name': 'x', 'superuser': True}), ('keys', {'key': 'x'}), ('tokens', {'role': 'hr', 'exp': 1}),
    ('revocations', {'jti': 'x', 'expires': 1}), ('policies', {'sql': 'x'})])
def test_members_that_mean_nothing(stack, path, body):
    refused(admin(stack, 'POST', path, body), 400, 'validation_failed')


# --- roles ---

def roles(stack):
    return {r['name']: r for r in admin(stack, 'GET', 'roles').json()['roles']}


def test_roles_and_what_they_may(stack):
    found = roles(stack)
    assert found['anon']['anonymous'] and found['service_role']['admin'] and not found['hr']['admin']
    tables = {(t['schema'], t['table']): t for t in found['hr']['tables']}
    assert set(tables['wages', 'salary_history']['rights']) == {'select', 'insert', 'update', 'delete'}
    own = {(t['schema'], t['table']): t for t in found['employee']['tables']}['wages', 'compensation']
    assert own['rights'] == own['policies'] == ['select']
    assert tables['wages', 'compensation']['policies'] == []
    some = {(t['schema'], t['table']): t for t in found['anon']['tables']}['spec', 'private_columns']
    assert some['columns'] == {'select': ['id', 'open_text']}
    assert {'schema': 'spec', 'name': 'not_for_anon'} in found['service_role']['routines']
    assert {'schema': 'spec', 'name': 'not_for_anon'} not in found['anon']['routines']
    assert not any(t['schema'] in ('rowgate', 'mysql') for r in found.values() for t in r['tables'])


def test_a_new_role(stack):
    name = 'r' + uuid.uuid4().hex[:12]
    made = admin(stack, 'POST', 'roles', {'name': name})
    assert made.status == 200 and made.json() == {'name': name, 'anonymous': False, 'admin': False, 'tables': [],
                                                  'routines': []}
    assert stack.get('/items?limit=1', None, stack.token(name)).error() == (403, '42501')
    stack.sql(f'GRANT SELECT ON spec.items TO `{name}`')
    assert [t['table'] for t in roles(stack)[name]['tables']] == ['items']
    assert harness.wait_until(lambda: stack.get('/items?limit=1', None, stack.token(name)).status == 200)
    refused(admin(stack, 'POST', 'roles', {'name': name}), 409, 'role_exists')
    # Nobody can log in by it.
    if stack.is_mysql:
        assert stack.sql('SELECT account_locked FROM mysql.user WHERE User = %s', name) == (('Y',),)
    else:
        assert stack.sql('SELECT is_role FROM mysql.user WHERE User = %s', name) == (('Y',),)
    stack.sql(f'DROP ROLE `{name}`')


@pytest.mark.parametrize('name', ['root', 'ADMIN', 'rowgate_identity', 'authenticator', 'hr', 'Rowgate_Catalogue'])
def test_what_is_there_is_not_made_a_role(stack, name):
    """Else an account with rights could be named by tokens."""
    before = stack.sql("SELECT COUNT(*) FROM information_schema.APPLICABLE_ROLES")
    there = stack.sql('SELECT COUNT(*) FROM mysql.user WHERE LOWER(User) = LOWER(%s)', name)[0][0]
    if not there:
        pytest.skip('there is no such account here')
    refused(admin(stack, 'POST', 'roles', {'name': name}), 409, 'role_exists')
    assert stack.sql("SELECT COUNT(*) FROM information_schema.APPLICABLE_ROLES") == before


@pytest.mark.parametrize('name', ['', 'a b', 'a`b', "a'b", 'a;b', 'none', 'NONE', 'public', 'é', 'x' * 33, 'a@b', '%', 'a\nb', 7])
def test_no_name_for_a_role(stack, name):
    refused(admin(stack, 'POST', 'roles', {'name': name}), 400, 'validation_failed')


# --- keys ---

def no_secret(response):
    text = response.body.decode()
    assert 'PRIVATE' not in text and '"d"' not in text and '"key"' not in text and '"k"' not in text
    return response


def test_keys_that_the_workers_may_not_write(stack):
    """As in the hardened unit: the file is another's. It is told, with what to do instead."""
    if os.getuid() != 0:
        pytest.skip('the workers are the owner here')
    shown = no_secret(admin(stack, 'GET', 'keys')).json()
    assert not shown['writable'] and 'rowgate key new' in shown['hint']
    assert [k for k in shown['keys'] if k['signs']][0]['state'] == 'active'
    before = (stack.var / 'keys/signing.json').read_bytes()
    assert 'rowgate key' in refused(admin(stack, 'POST', 'keys', {}), 409, 'not_possible_here').json()['hint']
    refused(admin(stack, 'DELETE', 'keys/none'), 404, 'key_not_found')
    refused(admin(stack, 'DELETE', 'keys/' + shown['keys'][0]['kid']), 409, 'last_key')
    assert (stack.var / 'keys/signing.json').read_bytes() == before


@pytest.fixture(scope='module')
def own_keys(stack):
    """Workers who own their keys' folder."""
    folder = stack.base / ('keys-' + uuid.uuid4().hex[:8])
    folder.mkdir(mode=0o700)
    if os.getuid() == 0:
        owner = (stack.var / 'run/shared').stat().st_uid
        os.chown(folder, owner, owner)
    one = stack.variant({'auth-signing-keys': str(folder / 'signing.json')}, fresh=True)
    yield one
    stack.forget(one)


def test_rotation_by_the_endpoint(stack, own_keys, user):  # noqa: F811
    def signed_by():
        return jwt.get_unverified_header(login(own_keys, user['email'])['access_token'])['kid']

    first, = admin(own_keys, 'GET', 'keys', None, stack.service_key).json()['keys']
    assert admin(own_keys, 'GET', 'keys', None, stack.service_key).json()['writable']
    session = login(own_keys, user['email'])
    refused(admin(own_keys, 'DELETE', 'keys/' + first['kid'], None, stack.service_key), 409, 'last_key')
    made = no_secret(admin(own_keys, 'POST', 'keys', {'alg': 'ES384'}, stack.service_key)).json()
    assert made['state'] == 'active' and made['alg'] == 'ES384' and made['signs']
    assert harness.wait_until(lambda: signed_by() == made['kid'])
    later = admin(own_keys, 'POST', 'keys', {'activate_in': 3600}, stack.service_key).json()
    assert later['state'] == 'waiting' and not later['signs'] and later['active_at'] > later['created_at']
    retired = no_secret(admin(own_keys, 'DELETE', 'keys/' + first['kid'], None, stack.service_key)).json()
    assert retired['state'] == 'retired' and retired['until'] > retired['created_at']
    # Its tokens are believed until they have expired.
    assert own_keys.get('/employee_directory?select=name&limit=1', WAGES, session['access_token']).status == 200
    assert admin(own_keys, 'DELETE', f'keys/{first["kid"]}?now=true', None, stack.service_key).json() == {}
    assert harness.wait_until(lambda: own_keys.get('/employee_directory?select=name&limit=1', WAGES,
                                                   session['access_token']).status == 401)


@pytest.mark.parametrize('body', [{'alg': 'none'}, {'alg': 'PS256'}, {'alg': 1}, {'activate_in': -1}, {'activate_in': 'x'},
                                  {'activate_in': 10 ** 12}, {'activate_in': 1.5}])
def test_bad_keys(stack, own_keys, body):
    refused(admin(own_keys, 'POST', 'keys', body, stack.service_key), 400, 'validation_failed')


# --- tokens ---

def test_a_token_for_somebody(stack):
    made = admin(stack, 'POST', 'tokens', {'role': 'employee', 'sub': 'bob', 'ttl': 120,
                                           'claims': {'app_metadata': {'eid': 3}, 'note': None}}).json()
    said = jwt.decode(made['token'], options={'verify_signature': False})
    assert said['role'] == made['role'] == 'employee' and said['sub'] == 'bob' and said['jti'] == made['jti']
    assert said['exp'] - said['iat'] == 120 and said['app_metadata'] == {'eid': 3} and said['note'] is None
    rows = stack.get('/compensation?select=eid', WAGES, made['token'])
    assert rows.json() == [{'eid': 3}], rows
    # By its own words it can be taken back.
    gone = admin(stack, 'POST', 'revocations', {'token': made['token']}).json()
    assert gone['kind'] == 'token' and gone['value'] == made['jti'] and gone['expires_at'] > made['expires_at']
    assert harness.wait_until(lambda: stack.get('/compensation?select=eid', WAGES, made['token']).status == 401)


@pytest.mark.parametrize('body', [
    {}, {'role': 'nobody_is_that'}, {'role': 'root'}, {'role': 'hr', 'ttl': 0}, {'role': 'hr', 'ttl': 86401}, {'role': 'hr', 'ttl': '60'},
    {'role': 'hr', 'sub': 7}, {'role': 'hr', 'sub': 'x' * 1025}, {'role': 'hr', 'claims': []}, {'role': 'hr', 'claims': {'exp': 1}},
    {'role': 'hr', 'claims': {'role': 'service_role'}}, {'role': 'hr', 'claims': {'session_id': 'x'}},
    {'role': 'hr', 'claims': {'x': 'y' * 9000}}])
def test_bad_tokens(stack, body):
    refused(admin(stack, 'POST', 'tokens', body), 400, 'validation_failed')


def test_revocations(stack):
    sub = 'u-' + uuid.uuid4().hex
    old = stack.token('authenticated', sub=sub, iat=int(time.time()) - 1000)
    new = stack.token('authenticated', sub=sub, iat=int(time.time()) - 100)

    def status(token):
        return stack.get('/employee_directory?select=name&limit=1', WAGES, token).status

    assert status(old) == status(new) == 200
    before = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - 500))
    gone = admin(stack, 'POST', 'revocations', {'sub': sub, 'issued_before': before}).json()
    assert gone['kind'] == 'subject' and gone['value'] == sub and gone['issued_before'] == before
    assert harness.wait_until(lambda: status(old) == 401)
    assert status(new) == 200
    admin(stack, 'POST', 'revocations', {'sub': sub})
    assert harness.wait_until(lambda: status(new) == 401)
    token = stack.token('authenticated', jti=sub, session_id=str(uuid.uuid4()))
    admin(stack, 'POST', 'revocations', {'jti': sub})
    assert harness.wait_until(lambda: status(token) == 401)
    listed = admin(stack, 'GET', 'revocations?per_page=2')
    assert [(r['kind'], r['value']) for r in listed.json()['revocations']] == [('token', sub), ('subject', sub)]
    assert int(listed.headers['X-Total-Count']) >= 3 and 'admin/revocations?page=2' in listed.headers['Link']


@pytest.mark.parametrize('body', [
    {}, {'jti': 'a', 'sub': 'b'}, {'jti': ''}, {'jti': 1}, {'all': False}, {'all': 'true'}, {'sub': 'x' * 1025}, {'token': 'a.b.c'},
    {'sub': 'x', 'issued_before': 'yesterday'}, {'sub': 'x', 'issued_before': -1}, {'sub': 'x', 'issued_before': '2026-13-01T00:00:00Z'}])
def test_bad_revocations(stack, body):
    before = admin(stack, 'GET', 'revocations').headers['X-Total-Count']
    refused(admin(stack, 'POST', 'revocations', body), 400, 'validation_failed')
    assert admin(stack, 'GET', 'revocations').headers['X-Total-Count'] == before


def test_one_session_ends(stack, auth, user):  # noqa: F811
    one, other = login(auth, user['email']), login(auth, user['email'])
    at = f'users/{user["id"]}/sessions'
    ids = [s['id'] for s in admin(stack, 'GET', at).json()]
    mine = jwt.decode(one['access_token'], options={'verify_signature': False})['session_id']
    assert mine in ids and len(ids) == 2
    assert admin(stack, 'DELETE', f'{at}/{mine}').status == 204
    refused(admin(stack, 'DELETE', f'{at}/{mine}'), 404, 'session_not_found')
    refused(admin(stack, 'DELETE', f'{at}/x'), 404, 'session_not_found')
    refused(admin(stack, 'GET', f'{at}/{mine}'), 405, 'method_not_allowed')
    refused(refresh(auth, one['refresh_token']), 400, 'refresh_token_not_found')
    assert refresh(auth, other['refresh_token']).status == 200
    # Nobody ends another's session by a user of their own choice.
    left = [i for i in ids if i != mine][0]
    refused(admin(stack, 'DELETE', f'users/{uuid.uuid4()}/sessions/{left}'), 404, 'session_not_found')


# --- operation ---

def test_statements_are_counted_without_values(stack):
    one = stack.variant({'db-max-rows': '999'}, workers=2)
    assert admin(one, 'DELETE', 'statements', None, stack.service_key).status == 204
    for i in range(12):
        assert one.get(f'/private_columns?id=in.({",".join(map(str, range(i + 1)))})&open_text=neq.Secret{i}', None, stack.service_key).status == 200
    found = admin(one, 'GET', 'statements?order=count', None, stack.service_key).json()
    mine = [s for s in found['statements'] if '`spec`.`private_columns`' in s['text']]
    assert sum(s['count'] for s in mine) == 12, found
    assert len(mine) <= 2 and all('IN (?,...)' in s['text'] or 'IN (?)' in s['text'] or '=?' in s['text'] for s in mine)
    assert 'Secret' not in json.dumps(found)
    for s in mine:
        assert s['errors'] == 0 and 0 < s['mean_ms'] <= s['max_ms'] <= s['total_ms'] + .001 and s['last_at'] >= found['since']
    assert len(admin(one, 'GET', 'statements?limit=1', None, stack.service_key).json()['statements']) == 1
    for bad in ('order=x', 'limit=0', 'limit=x', 'limit=1001'):
        refused(admin(one, 'GET', 'statements?' + bad, None, stack.service_key), 400, 'validation_failed')


def test_the_pool(stack):
    one = stack.variant({'db-max-rows': '998'}, workers=3)
    shown = admin(one, 'GET', 'pool', None, stack.service_key).json()
    assert sorted(w['pid'] for w in shown['workers']) == one.workers()
    assert shown['connections'] == sum(w['connections'] for w in shown['workers'])
    assert shown['database']['answers'] and ('MySQL' if stack.is_mysql else 'MariaDB') in shown['database']['server']
    assert shown['definitions']['tables'] > 50 and shown['definitions']['loaded_at'] <= shown['now']
    metrics = admin(one, 'GET', 'metrics', None, stack.service_key)
    assert metrics.headers['Content-Type'].startswith('text/plain') and 'rowgate_workers 3' in metrics.body.decode()


def test_a_reload_of_the_whole_pool(stack):
    one = stack.variant({'db-max-rows': '5'}, workers=3, fresh=True)

    def pool():
        return admin(one, 'GET', 'pool', None, stack.service_key).json()

    try:
        assert len(one.get('/items', None, stack.service_key).json()) == 5
        one.set_conf({'db-max-rows': '7'})
        asked = admin(one, 'POST', 'reload', None, stack.service_key)
        assert asked.status == 202
        number = asked.json()['number']
        assert harness.wait_until(lambda: pool()['reload'] == {'number': number, 'done': 3, 'failed': 0})
        assert {len(one.get('/items', None, stack.service_key).json()) for _ in range(6)} == {7}
        # What cannot be read is refused, and everything goes on as it was.
        one.set_conf({'db-max-rows': 'many'})
        refused(admin(one, 'POST', 'reload', None, stack.service_key), 400, 'configuration_invalid')
        assert pool()['reload']['number'] == number
        assert len(one.get('/items', None, stack.service_key).json()) == 7
    finally:
        stack.forget(one)
