"""/auth/v1: signing in, refreshing, signing out, as @supabase/auth-js does it."""
import concurrent.futures
import json
import time
import uuid

import jwt
import pytest

import harness

PASSWORD = 'correct horse battery'


def post(on, path, data=None, token=None, headers=None, method='POST'):
    return on.rq(method, '/auth/v1/' + path, headers, data, token)


def refused(response, status, code):
    body = response.json()
    assert (response.status, body['code'], body['error_code']) == (status, status, code), response
    assert isinstance(body['msg'], str) and body['msg']
    return response


def login(on, email, password=PASSWORD, **more):
    response = post(on, 'token?grant_type=password', {'email': email, 'password': password}, **more)
    assert response.status == 200, response
    return response.json()


def refresh(on, token, headers=None):
    return post(on, 'token?grant_type=refresh_token', {'refresh_token': token}, headers=headers)


def claims(session):
    return jwt.decode(session['access_token'], options={'verify_signature': False})


@pytest.fixture(scope='module')
def auth(stack):
    """Without the throttle of wrong passwords, which has tests of its own."""
    return stack.variant({'auth-login-attempts': '0'}, workers=4)


@pytest.fixture
def user(stack):
    """A user of their own for each test."""
    email = f'u{uuid.uuid4().hex[:12]}@example.com'
    made = post(stack, 'admin/users', {'email': email, 'password': PASSWORD, 'role': 'authenticated',
                                       'user_metadata': {'name': 'Zoë'}}, stack.service_key)
    assert made.status == 200, made
    return made.json()


def test_a_session(stack, auth, user):
    session = login(auth, user['email'].upper())
    assert sorted(session) == ['access_token', 'expires_at', 'expires_in', 'refresh_token', 'token_type', 'user']
    assert session['token_type'] == 'bearer' and session['expires_in'] == 900
    assert abs(session['expires_at'] - time.time() - 900) < 10
    assert session['user']['id'] == user['id'] and session['user']['user_metadata'] == {'name': 'Zoë'}
    assert session['user']['last_sign_in_at'] > user['created_at']
    said = claims(session)
    assert said['sub'] == user['id'] and said['role'] == 'authenticated' and said['email'] == user['email']
    assert said['exp'] - said['iat'] == 900 and said['aal'] == 'aal1' and said['amr'][0]['method'] == 'password'
    uuid.UUID(said['session_id'])
    header = jwt.get_unverified_header(session['access_token'])
    keys = post(auth, '.well-known/jwks.json', method='GET').json()['keys']
    key = next(k for k in keys if k['kid'] == header['kid'])
    assert header['alg'] == key['alg'] == 'ES256' and not {'d', 'k'} & set(key)
    jwt.decode(session['access_token'], jwt.PyJWK(key).key, algorithms=['ES256'], audience='authenticated')
    assert post(auth, 'user', method='GET', token=session['access_token']).json()['email'] == user['email']
    assert auth.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'},
                    session['access_token']).status == 200
    # A pool that reads another key file would not have made it: the same one does.
    assert stack.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'},
                     session['access_token']).status == 200


def test_wrong_password_and_nobody_are_the_same(auth, user):
    wrong = post(auth, 'token?grant_type=password', {'email': user['email'], 'password': 'x' * 12})
    nobody = post(auth, 'token?grant_type=password', {'email': 'nobody@example.com', 'password': 'x' * 12})
    refused(wrong, 400, 'invalid_credentials')
    assert wrong.body == nobody.body and wrong.status == nobody.status
    assert sorted(wrong.headers.keys()) == sorted(nobody.headers.keys())


def test_nobody_is_refused_like_a_wrong_password(auth, user):
    """The same words, and a hash is worked out for nobody too; how near the times are is tests/bench/refusals.py's to say."""
    took, said = {user['email']: [], 'nobody@example.com': []}, set()
    for i in range(20):
        for email, times in took.items():
            start = time.perf_counter()
            answer = post(auth, 'token?grant_type=password', {'email': email, 'password': f'wrong {i}'})
            times.append(time.perf_counter() - start)
            refused(answer, 400, 'invalid_credentials')
            said.add((answer.text, tuple(sorted(answer.headers))))
    assert len(said) == 1, said
    known, nobody = (min(times) for times in took.values())
    assert known / 2 < nobody < known * 2, took


@pytest.mark.parametrize('grant, body, status, code', [
    ('password', '{', 400, 'bad_json'),
    ('password', '', 400, 'bad_json'),
    ('password', '[]', 400, 'bad_json'),
    ('password', '{"email":"a@b.c","email":"d@e.f","password":"x"}', 400, 'bad_json'),
    ('password', '{"email":1,"password":"x"}', 400, 'validation_failed'),
    ('password', '{"email":"a@b.c","password":{}}', 400, 'validation_failed'),
    ('password', '{"password":"x"}', 400, 'validation_failed'),
    ('password', '{"phone":"123","password":"x"}', 400, 'phone_provider_disabled'),
    ('password', '{"email":"no address","password":"x"}', 400, 'invalid_credentials'),
    ('password', '{"email":"\' OR 1=1 -- @x.y","password":"x"}', 400, 'invalid_credentials'),
    ('password', '{"email":"a@b.c"}', 400, 'invalid_credentials'),
    ('password', json.dumps({'email': 'a@b.c', 'password': 'p' * 5000}), 400, 'invalid_credentials'),
    ('refresh_token', '{}', 400, 'validation_failed'),
    ('refresh_token', '{"refresh_token":"no such thing"}', 400, 'refresh_token_not_found'),
    ('refresh_token', '{"refresh_token":7}', 400, 'validation_failed'),
    ('pkce', '{}', 400, 'validation_failed'),
    ('', '{}', 400, 'validation_failed'),
])
def test_bad_requests(auth, grant, body, status, code):
    response = post(auth, f'token?grant_type={grant}', body, headers={'Content-Type': 'application/json'})
    refused(response, status, code)
    assert response.headers['Cache-Control'] == 'no-store'


def test_an_empty_password_is_none(stack, auth):
    email = f'{uuid.uuid4().hex}@example.com'
    assert post(stack, 'admin/users', {'email': email}, stack.service_key).status == 200
    for password in ('', '*', '!'):
        refused(post(auth, 'token?grant_type=password', {'email': email, 'password': password}), 400,
                'invalid_credentials')


def test_refresh_rotates(auth, user):
    first = login(auth, user['email'])
    second = refresh(auth, first['refresh_token']).json()
    third = refresh(auth, second['refresh_token']).json()
    assert len({s['refresh_token'] for s in (first, second, third)}) == 3
    assert claims(third)['session_id'] == claims(first)['session_id']
    assert claims(third)['jti'] != claims(second)['jti']
    then, now = claims(first)['amr'], claims(third)['amr']
    # One is the worker's clock, the other the database's, in seconds.
    assert [a['method'] for a in now] == [a['method'] for a in then] and abs(now[0]['timestamp'] - then[0]['timestamp']) <= 1
    assert third['user']['id'] == user['id']


def test_refresh_twice_within_the_window(auth, user):
    """Two tabs, or an answer that was lost."""
    first = login(auth, user['email'])
    one = refresh(auth, first['refresh_token']).json()
    other = refresh(auth, first['refresh_token']).json()
    assert one['refresh_token'] != other['refresh_token']
    for session in (one, other):
        assert refresh(auth, session['refresh_token']).status == 200


def test_refresh_at_the_same_time(auth, user):
    token = login(auth, user['email'])['refresh_token']
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        connections = [harness.Http(auth.url, auth.ca) for _ in range(8)]
        answers = list(pool.map(lambda c: c.request('POST', '/auth/v1/token?grant_type=refresh_token', None,
                                                    {'refresh_token': token}), connections))
    assert [a.status for a in answers] == [200] * 8, answers
    assert refresh(auth, answers[-1].json()['refresh_token']).status == 200


def test_an_old_refresh_token_ends_the_family(stack, auth, user):
    first = login(auth, user['email'])
    other = login(auth, user['email'])
    second = refresh(auth, first['refresh_token']).json()
    third = refresh(auth, second['refresh_token']).json()
    refused(refresh(auth, first['refresh_token']), 400, 'refresh_token_already_used')
    refused(refresh(auth, third['refresh_token']), 400, 'refresh_token_not_found')
    refused(post(auth, 'user', method='GET', token=third['access_token']), 403, 'session_not_found')
    assert auth.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'}, third['access_token']).status == 401
    assert refresh(auth, other['refresh_token']).status == 200


def test_the_window_closes(stack, user):
    quick = stack.variant({'auth-login-attempts': '0', 'auth-refresh-reuse': '0'})
    first = login(quick, user['email'])
    second = refresh(quick, first['refresh_token']).json()
    refused(refresh(quick, first['refresh_token']), 400, 'refresh_token_already_used')
    refused(refresh(quick, second['refresh_token']), 400, 'refresh_token_not_found')


def test_a_session_that_nobody_used_ends(stack, auth, user):
    first = login(auth, user['email'])
    stack.sql("UPDATE rowgate.auth_session SET refreshed_at = refreshed_at - INTERVAL 31 DAY WHERE user_id = %s",
              user['id'])
    refused(refresh(auth, first['refresh_token']), 400, 'session_expired')


def test_tokens_are_stored_as_hashes(stack, auth, user):
    session = login(auth, user['email'])
    rows = stack.sql("SELECT t.hash, s.address FROM rowgate.auth_refresh_token t JOIN rowgate.auth_session s"
                     " ON s.id = t.session_id WHERE s.user_id = %s", user['id'])
    import hashlib
    assert rows == ((hashlib.sha256(session['refresh_token'].encode()).digest(), '127.0.0.1'),)
    hashed, = stack.sql("SELECT password_hash FROM rowgate.auth_user WHERE id = %s", user['id'])[0]
    assert hashed.startswith('$y$j9T$') and PASSWORD not in hashed


@pytest.mark.parametrize('scope, ended, alive', [
    ('?scope=local', [0], [1, 2]),
    ('?scope=others', [1, 2], [0]),
    ('?scope=global', [0, 1, 2], []),
    ('', [0, 1, 2], []),
])
def test_logout(auth, user, scope, ended, alive):
    sessions = [login(auth, user['email']) for _ in range(3)]
    listed = post(auth, 'sessions', method='GET', token=sessions[0]['access_token']).json()
    assert sorted(s['id'] for s in listed) == sorted(claims(s)['session_id'] for s in sessions)
    assert all(s['address'] == '127.0.0.1' for s in listed)
    assert post(auth, 'logout' + scope, token=sessions[0]['access_token']).status == 204
    for i in ended:
        refused(refresh(auth, sessions[i]['refresh_token']), 400, 'refresh_token_not_found')
        assert auth.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'},
                        sessions[i]['access_token']).error() == (401, 'PGRST303')
    for i in alive:
        assert refresh(auth, sessions[i]['refresh_token']).status == 200
        assert auth.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'},
                        sessions[i]['access_token']).status == 200


def test_logout_of_an_unknown_scope(auth, user):
    token = login(auth, user['email'])['access_token']
    refused(post(auth, 'logout?scope=galaxy', token=token), 400, 'validation_failed')
    assert post(auth, 'user', method='GET', token=token).status == 200


def test_who_is_asked_for(stack, auth):
    refused(post(auth, 'user', method='GET'), 401, 'no_authorization')
    refused(post(auth, 'user', method='GET', token=stack.anon_key), 403, 'bad_jwt')
    refused(post(auth, 'user', method='GET', token='x.y.z'), 403, 'bad_jwt')
    refused(post(auth, 'user', method='GET', token=stack.token(exp=int(time.time()) - 60)), 403, 'bad_jwt')
    refused(post(auth, 'user', method='GET', token=stack.token(sub=str(uuid.uuid4()))), 403, 'user_not_found')
    refused(post(auth, 'user', method='GET', headers={'apikey': stack.anon_key}), 403, 'bad_jwt')


def test_change_of_password(auth, user):
    one, other = login(auth, user['email']), login(auth, user['email'])

    def put(body, token=one['access_token']):
        return post(auth, 'user', body, token, method='PUT')
    weak = refused(put({'password': 'short'}), 422, 'weak_password')
    assert weak.json()['weak_password'] == {'reasons': ['length']}
    refused(put({'password': PASSWORD}), 422, 'same_password')
    refused(put({'password': 'p' * 1025}), 422, 'validation_failed')
    assert put({'password': 'another horse'}).json()['id'] == user['id']
    # The session that changed it goes on, the others are ended.
    assert refresh(auth, one['refresh_token']).status == 200
    refused(refresh(auth, other['refresh_token']), 400, 'refresh_token_not_found')
    refused(post(auth, 'user', method='GET', token=other['access_token']), 403, 'session_not_found')
    refused(post(auth, 'token?grant_type=password', {'email': user['email'], 'password': PASSWORD}), 400,
            'invalid_credentials')
    login(auth, user['email'], 'another horse')


def test_change_of_metadata(auth, user):
    token = login(auth, user['email'])['access_token']

    def put(body):
        return post(auth, 'user', body, token, method='PUT')
    assert put({'data': {'a': 1, 'b': {'c': [True, None]}}}).json()['user_metadata'] == {
        'name': 'Zoë', 'a': 1, 'b': {'c': [True, None]}}
    assert put({'data': {'name': None, 'a': 2}}).json()['user_metadata'] == {'a': 2, 'b': {'c': [True, None]}}
    refused(put({'data': [1]}), 400, 'validation_failed')
    refused(put({'data': {'x': 'y' * 20000}}), 422, 'validation_failed')
    refused(put({'email': 'else@example.com'}), 422, 'validation_failed')
    # What only an administrator may change stays.
    same = put({'role': 'service_role', 'app_metadata': {'admin': True}, 'banned_until': None, 'id': 'x'}).json()
    assert (same['role'], same['app_metadata']) == ('authenticated', {'provider': 'email', 'providers': ['email']})


def test_large_metadata_is_left_out_of_the_token(auth, user):
    session = login(auth, user['email'])
    post(auth, 'user', {'data': {'x': 'y' * 9000}}, session['access_token'], method='PUT')
    again = login(auth, user['email'])
    assert len(again['access_token']) < 2048 and 'user_metadata' not in claims(again)
    assert auth.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'}, again['access_token']).status == 200


COOKIE = {'X-Client-Session': 'cookie'}


def test_the_refresh_token_in_a_cookie(auth, user):
    answer = post(auth, 'token?grant_type=password', {'email': user['email'], 'password': PASSWORD}, headers=COOKIE)
    session = answer.json()
    assert session['refresh_token'] == 'cookie'
    cookie, *rules = answer.headers['Set-Cookie'].split('; ')
    assert cookie.startswith('__Secure-rowgate-refresh=')
    assert sorted(rules) == ['HttpOnly', 'Max-Age=2592000', 'Path=/auth/v1/', 'SameSite=Strict', 'Secure']
    again = refresh(auth, 'cookie', {**COOKIE, 'Cookie': f'other=1; {cookie}; more=2'})
    assert again.status == 200 and again.json()['refresh_token'] == 'cookie'
    cookie = again.headers['Set-Cookie'].split('; ')[0]
    # A page of another site cannot send the header, so the cookie alone is nothing.
    refused(refresh(auth, 'cookie', {'Cookie': cookie}), 400, 'refresh_token_not_found')
    refused(refresh(auth, '', {'Cookie': cookie}), 400, 'validation_failed')
    out = post(auth, 'logout?scope=local', token=again.json()['access_token'], headers={'Cookie': cookie})
    assert out.status == 204 and 'Max-Age=0' in out.headers['Set-Cookie']
    gone = refused(refresh(auth, 'cookie', {**COOKIE, 'Cookie': cookie}), 400, 'refresh_token_not_found')
    assert 'Max-Age=0' in gone.headers['Set-Cookie']


def test_no_cookie_unless_asked_for(auth, user):
    answer = post(auth, 'token?grant_type=password', {'email': user['email'], 'password': PASSWORD})
    assert 'Set-Cookie' not in answer.headers


def test_signup_is_off(auth):
    refused(post(auth, 'signup', {'email': 'new@example.com', 'password': PASSWORD}), 422, 'signup_disabled')
    assert post(auth, 'settings', method='GET').json()['disable_signup'] is True


def test_signup(stack):
    on = stack.variant({'auth-signup-enabled': 'true', 'auth-login-attempts': '1000'})
    assert post(on, 'settings', method='GET').json()['disable_signup'] is False
    email = f'{uuid.uuid4().hex}@Example.com'
    made = post(on, 'signup', {'email': email, 'password': PASSWORD, 'data': {'a': 1}, 'role': 'service_role',
                               'app_metadata': {'x': 1}})
    session = made.json()
    assert made.status == 200 and session['user']['email'] == email.lower()
    assert session['user']['role'] == 'authenticated' and session['user']['user_metadata'] == {'a': 1}
    assert 'x' not in session['user']['app_metadata']
    assert refresh(on, session['refresh_token']).status == 200
    refused(post(on, 'signup', {'email': email, 'password': PASSWORD}), 422, 'user_already_exists')
    refused(post(on, 'signup', {'email': 'x' + email, 'password': 'short'}), 422, 'weak_password')
    refused(post(on, 'signup', {'email': 'x' + email}), 422, 'validation_failed')
    refused(post(on, 'signup', {'email': 'no address', 'password': PASSWORD}), 400, 'email_address_invalid')


@pytest.mark.parametrize('method, path, status, code', [
    ('GET', 'nowhere', 404, 'not_found'),
    ('POST', 'otp', 404, 'not_found'),
    ('GET', 'token', 405, 'method_not_allowed'),
    ('DELETE', 'user', 405, 'method_not_allowed'),
    ('GET', 'admin/users/', 404, 'not_found'),
    ('GET', 'user/../../rest/v1/', None, None),
])
def test_paths(auth, method, path, status, code):
    response = post(auth, path, method=method)
    if status:
        refused(response, status, code)
    else:
        assert response.status == 404 or response.headers['Content-Type'].startswith('application/json')


def test_health(auth):
    assert post(auth, 'health', method='GET').json()['name'] == 'Rowgate'


def test_cors(auth):
    asked = auth.rq('OPTIONS', '/auth/v1/token?grant_type=password', {
        'Origin': 'https://app.example.com', 'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'apikey,authorization,content-type,x-client-info,x-supabase-api-version'})
    assert asked.status == 200 and asked.headers['Access-Control-Allow-Origin'] == '*'
    assert 'x-supabase-api-version' in asked.headers['Access-Control-Allow-Headers']
    answer = post(auth, 'token?grant_type=password', {'email': 'a@b.c', 'password': 'x'},
                  headers={'Origin': 'https://app.example.com'})
    assert answer.headers['Access-Control-Allow-Origin'] == '*'


def test_a_body_too_large(auth):
    assert post(auth, 'token?grant_type=password', '{"email":"' + 'x' * 70000 + '"}').status == 413


def test_nothing_secret_in_the_log(auth, user):
    session = login(auth, user['email'])
    refresh(auth, session['refresh_token'])
    refused(post(auth, 'token?grant_type=password', {'email': user['email'], 'password': 'canary-password'}), 400,
            'invalid_credentials')
    log = (auth.folder / 'log/rowgate.log').read_text()
    for secret in (PASSWORD, session['refresh_token'], session['access_token'], 'canary-password'):
        assert secret not in log


def test_not_offered_without_the_account(stack):
    bare = stack.variant({'db-identity-user': ''})
    refused(post(bare, 'token?grant_type=password', {'email': 'a@b.c', 'password': 'x'}), 404, 'not_found')
    assert bare.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'}, stack.service_key).status == 200


@pytest.mark.parametrize('session', ['é' * 20, 'x', "' OR 1=1 -- ", '\\', 'x' * 1000, str(uuid.uuid4())])
def test_sessions_that_are_none(stack, auth, user, session):
    """In a token of another issuer that we trust."""
    token = stack.token(sub=user['id'], session_id=session)
    refused(post(auth, 'user', method='GET', token=token), 403, 'session_not_found')
    refused(post(auth, 'logout?scope=local', token=token), 403, 'session_not_found')


@pytest.mark.parametrize('agent', [b'\xff\xfe', 'é'.encode() * 400, b'x' * 4000, b'\t"\\', b'\xf0\x9f\x98\x80' * 100, b''])
def test_what_a_client_calls_itself(auth, user, agent):
    session = login(auth, user['email'], headers={'User-Agent': agent})
    listed = post(auth, 'sessions', method='GET', token=session['access_token']).json()
    assert len(listed) == 1 and len(listed[0]['user_agent']) <= 255


def test_many_sessions(stack, auth, user):
    """Who signs in and never out keeps 200 of them, the last ones."""
    first = login(auth, user['email'])
    stack.sql('INSERT INTO rowgate.auth_session (id, user_id, created_at, refreshed_at) SELECT UUID(), %s, UTC_TIMESTAMP(6),'
              ' UTC_TIMESTAMP(6) - INTERVAL eid SECOND FROM wages.employee_directory WHERE eid <= 300', user['id'])
    last = login(auth, user['email'])
    kept = post(auth, 'sessions', method='GET', token=last['access_token']).json()
    assert len(kept) == 200
    assert {claims(first)['session_id'], claims(last)['session_id']} <= {s['id'] for s in kept}
    assert post(auth, 'logout?scope=global', token=last['access_token']).status == 204
