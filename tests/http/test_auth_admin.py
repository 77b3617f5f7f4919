"""/auth/v1/admin/users and `rowgate user`: users as an administrator sees them. And that nobody else sees them."""
import json
import pathlib
import subprocess
import time
import uuid

import pytest

import harness
from test_auth_sessions import PASSWORD, auth, claims, login, post, refresh, refused, user  # noqa: F401


def rowgate(stack, *words, stdin=None):
    done = subprocess.run([harness.REPO / harness.BUILD / 'rowgate', *words, '-c', stack.var / 'rowgate.conf'],
                          input=stdin, capture_output=True, text=True, start_new_session=True)
    return done.returncode, done.stdout, done.stderr


def admin(stack, method, path, data=None, token=None):
    return stack.rq(method, '/auth/v1/admin/' + path, None, data, token or stack.service_key)


@pytest.mark.parametrize('method, path', [('GET', 'users'), ('POST', 'users'), ('GET', f'users/{uuid.uuid4()}'),
                                          ('PUT', f'users/{uuid.uuid4()}'), ('DELETE', f'users/{uuid.uuid4()}'),
                                          ('GET', f'users/{uuid.uuid4()}/sessions')])
def test_only_the_service_role(stack, auth, user, method, path):  # noqa: F811
    refused(stack.rq(method, '/auth/v1/admin/' + path), 401, 'no_authorization')
    for token in (stack.anon_key, login(auth, user['email'])['access_token'], stack.token('spec_reader')):
        refused(admin(stack, method, path, None, token), 403, 'not_admin')
    refused(admin(stack, method, path, None, stack.service_key[:-4] + 'AAAA'), 403, 'bad_jwt')


def test_create_and_read(stack):
    email = f'{uuid.uuid4().hex}@example.com'
    made = admin(stack, 'POST', 'users', {'email': email, 'password': PASSWORD, 'email_confirm': True,
                                          'role': 'wages_analyst', 'app_metadata': {'team': 'x'},
                                          'user_metadata': {'name': 'é'}}).json()
    assert made['email'] == email and made['role'] == 'wages_analyst' and made['email_confirmed_at']
    assert made['app_metadata'] == {'provider': 'email', 'providers': ['email'], 'team': 'x'}
    assert 'password_hash' not in made and 'banned_until' not in made
    assert admin(stack, 'GET', 'users/' + made['id']).json() == made
    refused(admin(stack, 'POST', 'users', {'email': email.upper()}), 422, 'email_exists')


@pytest.mark.parametrize('body, status, code', [
    ({}, 400, 'validation_failed'),
    ({'email': 'x'}, 400, 'email_address_invalid'),
    ({'email': 'é@example.com'}, 400, 'email_address_invalid'),
    ({'email': 'a b@example.com'}, 400, 'email_address_invalid'),
    ({'email': 'a@b@c.d'}, 400, 'email_address_invalid'),
    ({'email': 'w@example.com', 'password': 'short'}, 422, 'weak_password'),
    ({'email': 'w@example.com', 'role': 'a\nb'}, 422, 'validation_failed'),
    ({'email': 'w@example.com', 'user_metadata': 'x'}, 400, 'validation_failed'),
    ({'email': 'w@example.com', 'ban_duration': 'soon'}, 400, 'validation_failed'),
])
def test_bad_users(stack, body, status, code):
    refused(admin(stack, 'POST', 'users', body), status, code)
    assert stack.sql("SELECT COUNT(*) FROM rowgate.auth_user WHERE email = 'w@example.com'") == ((0,),)


def test_pages(stack):
    for _ in range(3):
        admin(stack, 'POST', 'users', {'email': f'{uuid.uuid4().hex}@example.com'})
    whole = admin(stack, 'GET', 'users?per_page=1000')
    total = len(whole.json()['users'])
    assert int(whole.headers['X-Total-Count']) == total >= 3
    pages = []
    page = 1
    while page:
        answer = admin(stack, 'GET', f'users?page={page}&per_page=2')
        pages += answer.json()['users']
        page = page + 1 if 'rel="next"' in answer.headers['Link'] else 0
    assert [u['id'] for u in pages] == [u['id'] for u in whole.json()['users']]
    assert whole.json()['aud'] == 'authenticated'
    for bad in ('page=0', 'page=x', 'per_page=0', 'per_page=100000', 'page=-1'):
        refused(admin(stack, 'GET', 'users?' + bad), 400, 'validation_failed')


def test_update(stack, auth, user):  # noqa: F811
    session = login(auth, user['email'])
    changed = admin(stack, 'PUT', 'users/' + user['id'], {'user_metadata': {'x': 1}, 'app_metadata': {'y': 2}}).json()
    assert changed['user_metadata'] == {'name': 'Zoë', 'x': 1} and changed['app_metadata']['y'] == 2
    assert refresh(auth, session['refresh_token']).status == 200
    email = 'new-' + user['email']
    assert admin(stack, 'PUT', 'users/' + user['id'], {'email': email}).json()['email'] == email
    # A new role is in force at once: tokens that name the old one are not believed.
    session = login(auth, email)
    admin(stack, 'PUT', 'users/' + user['id'], {'role': 'wages_analyst'})
    time.sleep(3)
    assert auth.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'}, session['access_token']).error() == (401, 'PGRST303')
    again = refresh(auth, session['refresh_token']).json()
    assert claims(again)['role'] == 'wages_analyst'
    assert auth.get('/compensation?limit=1', {'Accept-Profile': 'wages'}, again['access_token']).status == 200
    # A new password ends all sessions.
    admin(stack, 'PUT', 'users/' + user['id'], {'password': 'a brand new one'})
    refused(refresh(auth, again['refresh_token']), 400, 'refresh_token_not_found')
    login(auth, email, 'a brand new one')
    refused(admin(stack, 'PUT', f'users/{uuid.uuid4()}', {'role': 'x'}), 404, 'user_not_found')
    refused(admin(stack, 'PUT', 'users/none', {'role': 'x'}), 404, 'validation_failed')


def test_ban(stack, auth, user):  # noqa: F811
    session = login(auth, user['email'])
    banned = admin(stack, 'PUT', 'users/' + user['id'], {'ban_duration': '24h'}).json()
    assert banned['banned_until'] > banned['updated_at']
    refused(refresh(auth, session['refresh_token']), 400, 'user_banned')
    refused(post(auth, 'token?grant_type=password', {'email': user['email'], 'password': PASSWORD}), 400,
            'user_banned')
    refused(post(auth, 'token?grant_type=password', {'email': user['email'], 'password': 'wrong one'}), 400,
            'invalid_credentials')
    time.sleep(3)
    assert auth.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'}, session['access_token']).error() == (401, 'PGRST303')
    assert 'banned_until' not in admin(stack, 'PUT', 'users/' + user['id'], {'ban_duration': 'none'}).json()
    again = login(auth, user['email'])
    assert auth.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'}, again['access_token']).status == 200


def test_delete(stack, auth, user):  # noqa: F811
    session = login(auth, user['email'])
    refused(admin(stack, 'DELETE', 'users/' + user['id'], {'should_soft_delete': True}), 422, 'validation_failed')
    assert admin(stack, 'DELETE', 'users/' + user['id'], {'should_soft_delete': False}).json() == {}
    refused(admin(stack, 'GET', 'users/' + user['id']), 404, 'user_not_found')
    refused(refresh(auth, session['refresh_token']), 400, 'refresh_token_not_found')
    time.sleep(3)
    assert auth.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'}, session['access_token']).status == 401
    assert stack.sql('SELECT COUNT(*) FROM rowgate.auth_session WHERE user_id = %s', user['id']) == ((0,),)


def test_sessions_of_a_user(stack, auth, user):  # noqa: F811
    session = login(auth, user['email'])
    assert [s['id'] for s in admin(stack, 'GET', f'users/{user["id"]}/sessions').json()] == [
        claims(session)['session_id']]
    assert admin(stack, 'DELETE', f'users/{user["id"]}/sessions').status == 204
    refused(refresh(auth, session['refresh_token']), 400, 'refresh_token_not_found')


def test_rest_never_reads_them(stack):
    """By no role, and not even when somebody publishes the database."""
    for role in ('anon', 'authenticated', 'service_role', 'spec_reader', 'hr'):
        token = stack.token(role)
        for path in ('/auth_user', '/auth_session', '/auth_refresh_token', '/auth_revocation', '/auth_state'):
            for profile in ({}, {'Accept-Profile': 'rowgate'}):
                assert stack.get(path, profile, token).status in (404, 406)
    grants = stack.sql("SELECT DISTINCT User FROM mysql.tables_priv WHERE Db = 'rowgate' AND Table_name LIKE 'auth%%'")
    assert {g[0] for g in grants} == {'rowgate_identity', 'rowgate_catalogue'}
    assert rowgate(stack, 'check')[0] == 0
    conf = stack.var / 'published.conf'
    conf.write_text((stack.var / 'rowgate.conf').read_text())
    harness.set_conf(conf, {'db-schemas': 'wages, rowgate'})
    done = subprocess.run([harness.REPO / harness.BUILD / 'rowgate', 'check', '-c', conf], capture_output=True,
                          text=True)
    assert done.returncode == 1 and "'rowgate' is never published" in done.stdout
    conf.unlink()


def test_the_token_of_the_identity_account_is_no_role(stack):
    assert stack.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'},
                     stack.token('rowgate_identity')).error() == (401, '22023')


# --- rowgate user ---

@pytest.fixture
def secret(tmp_path):
    path = tmp_path / 'secret'
    path.touch(0o600)
    path.write_text(PASSWORD + '\n')
    return path


def test_user_commands(stack, auth, secret):  # noqa: F811
    email = f'{uuid.uuid4().hex}@example.com'
    status, out, _ = rowgate(stack, 'user', 'add', email, '--role', 'hr', '--password-file', secret, '--json')
    made = json.loads(out)
    assert status == 0 and made['email'] == email and made['role'] == 'hr'
    session = login(auth, email)
    assert rowgate(stack, 'user', 'add', email, '--password-file', secret)[0] == 1
    assert rowgate(stack, 'user', 'add', email, '--if-absent', '--password-file', secret)[0] == 0
    assert email in rowgate(stack, 'user', 'list')[1]
    assert made['id'] in [json.loads(line)['id'] for line in rowgate(stack, 'user', 'list', '--json', '--per-page',
                                                                     '1000')[1].splitlines()]
    assert claims(session)['session_id'] in rowgate(stack, 'user', 'sessions', email)[1]
    assert rowgate(stack, 'user', 'passwd', made['id'], '--password-file', '-', stdin='second password\n')[0] == 0
    refused(refresh(auth, session['refresh_token']), 400, 'refresh_token_not_found')
    session = login(auth, email, 'second password')
    status, out, _ = rowgate(stack, 'user', 'ban', email, '--for', '90m', '--json')
    assert status == 0 and json.loads(out)['banned_until']
    refused(refresh(auth, session['refresh_token']), 400, 'user_banned')
    assert rowgate(stack, 'user', 'ban', email, '--lift')[0] == 0
    assert refresh(auth, session['refresh_token']).status == 200
    assert rowgate(stack, 'user', 'delete', email)[0] == 0
    assert rowgate(stack, 'user', 'show', email)[0] == 3


def test_user_commands_misused(stack, secret, tmp_path):
    for words in (['user'], ['user', 'add'], ['user', 'dance', 'x'], ['user', 'list', '--password', 'x'],
                  ['user', 'add', 'a@b.c', '--role'], ['key'], ['key', 'retire'], ['role'], ['role', 'add'],
                  ['token'], ['token', 'issue'], ['token', 'revoke'], ['token', 'revoke', '--all', '--jti', 'x']):
        status, out, errors = rowgate(stack, *words)
        assert status == 2 and out == '' and errors, words
    open_file = tmp_path / 'open'
    open_file.write_text(PASSWORD)
    open_file.chmod(0o644)
    status, _, errors = rowgate(stack, 'user', 'add', 'a@b.c', '--password-file', open_file)
    assert status == 1 and 'lets others in' in errors
    # No terminal, no file: nothing to read a password from.
    assert rowgate(stack, 'user', 'add', 'a@b.c')[0] == 1
    assert rowgate(stack, 'user', 'add', 'a@b.c', '--password-file', '-', stdin='short\n')[0] == 1
    assert rowgate(stack, 'user', 'add', 'no address', '--no-password')[0] == 1


def test_role_commands(stack):
    name = 'r' + uuid.uuid4().hex[:8]
    login_options = [] if not stack.is_mysql else ['--db-user', 'admin', '--db-password-file',
                                                   str(pathlib.Path(stack.server.folder) / 'password')]
    if stack.is_mysql:
        (pathlib.Path(stack.server.folder) / 'password').chmod(0o600)
    assert rowgate(stack, 'role', 'add', name, *login_options)[0] == 0
    assert name in rowgate(stack, 'role', 'list')[1].split()
    assert stack.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'},
                     stack.token(name)).error() == (403, '42501')
    assert rowgate(stack, 'role', 'add', 'x`; DROP ROLE anon; --', *login_options)[0] == 1
    assert rowgate(stack, 'role', 'add', name, '--db-user', 'nobody_at_all')[0] == 1
    stack.sql(f'DROP ROLE {name}')


def test_the_administrator_of_make_up(stack, auth):  # noqa: F811
    session = login(auth, stack.env['ROWGATE_ADMIN_EMAIL'], stack.env['ROWGATE_ADMIN_PASSWORD'])
    assert admin(stack, 'GET', 'users', None, session['access_token']).status == 200


def test_the_log_says_who_asked(stack, auth, user):  # noqa: F811
    """Whose token it was, whether they may or not; nothing of the token, and nobody where none was believed."""
    boss = stack.token('service_role', sub='boss "of" Zoë', canary='planted')
    session = login(auth, user['email'])
    bad = stack.service_key[:-4] + 'AAAA'

    def line(answer, status, code=None):
        found = stack.log_of(answer)
        assert (found['status'], found.get('code')) == (status, code), found
        return found['role'], found.get('sub')

    path = '/auth/v1/admin/users/' + user['id']
    assert line(stack.rq('GET', path, token=boss), 200) == ('service_role', 'boss "of" Zoë')
    assert line(stack.rq('PUT', path, {}, {'ban_duration': 'soon'}, boss), 400, 'validation_failed') == ('service_role', 'boss "of" Zoë')
    assert line(stack.rq('GET', path, token=stack.service_key), 200) == ('service_role', None)
    assert line(stack.rq('GET', path, token=session['access_token']), 403, 'not_admin') == ('authenticated', user['id'])
    assert line(stack.rq('GET', '/auth/v1/user', token=session['access_token']), 200) == ('authenticated', user['id'])
    assert line(stack.rq('GET', path, token=bad), 403, 'bad_jwt') == ('', None)
    assert line(stack.rq('GET', path), 401, 'no_authorization') == ('', None)
    assert line(stack.rq('GET', '/auth/v1/health', token=boss), 200) == ('', None)
    assert line(stack.get('/projects?select=id&limit=1', token=boss), 200) == ('service_role', 'boss "of" Zoë')
    log = (stack.folder / 'log/rowgate.log').read_text()
    for secret in (boss, session['access_token'], session['refresh_token'], bad, stack.service_key, 'planted'):
        assert secret not in log
