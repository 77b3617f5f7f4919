"""/auth/v1 as somebody uses it who wants what is not theirs."""
import concurrent.futures
import json
import uuid

import jwt
import pytest

import harness
from test_auth_sessions import PASSWORD, auth, claims, login, post, refresh, refused, user  # noqa: F401


def me(on, session):
    return post(on, 'user', method='GET', token=session['access_token']).json()


# --- mass assignment: what PUT user may change is the password and the user's own metadata ---

ABOVE = [
    {'role': 'service_role'}, {'app_metadata': {'admin': True}}, {'id': str(uuid.UUID(int=1))}, {'aud': 'x'},
    {'banned_until': None}, {'ban_duration': 'none'}, {'email_confirm': True}, {'email_confirmed_at': '2000-01-01'},
    {'password_hash': '$y$j9T$x'}, {'is_super_admin': True}, {'created_at': '2000-01-01'}, {'phone': '1'},
    {'user_metadata': {'x': 1}}, {'raw_app_meta_data': {'admin': True}}, {'identities': []}, {'factors': []},
    {'data': {}, 'role': 'service_role', 'app_metadata': {'x': 1}}, {'ROLE': 'service_role'}, {'Role': 'service_role'},
]


@pytest.mark.parametrize('more', ABOVE, ids=lambda more: '-'.join(more))
def test_nobody_raises_themselves(stack, auth, user, more):  # noqa: F811
    session = login(auth, user['email'])
    before = me(auth, session)
    answer = post(auth, 'user', more, session['access_token'], method='PUT')
    assert answer.status < 500
    after = me(auth, session)
    assert {k: v for k, v in after.items() if k != 'updated_at'} == {k: v for k, v in before.items() if k != 'updated_at'}
    again = login(auth, user['email'])
    assert claims(again)['role'] == 'authenticated' and claims(again)['app_metadata'] == {'provider': 'email', 'providers': ['email']}
    refused(stack.rq('GET', '/auth/v1/admin/users', None, None, again['access_token']), 403, 'not_admin')


def test_metadata_is_no_claim(auth, user):  # noqa: F811
    """Names of claims in one's metadata stay in it."""
    session = login(auth, user['email'])
    data = {'role': 'service_role', 'sub': str(uuid.UUID(int=1)), 'exp': 2 ** 40, 'iss': 'x', 'aud': 'x', 'session_id': 'x',
            '"},"role':  'service_role', '__proto__': {'role': 'service_role'}, 'app_metadata': {'admin': 1}}
    assert post(auth, 'user', {'data': data}, session['access_token'], method='PUT').status == 200
    again = refresh(auth, session['refresh_token']).json()
    said = claims(again)
    assert said['role'] == 'authenticated' and said['sub'] == user['id'] and said['exp'] - said['iat'] == 900
    assert said['user_metadata'] == {'name': 'Zoë', **data} and 'admin' not in said['app_metadata']
    assert post(auth, 'user', method='GET', token=again['access_token']).status == 200


@pytest.mark.parametrize('data, status', [
    ({'x': 'y' * 16500}, 422), ({'x': 'y' * 70000}, 413), ({str(i): i for i in range(3000)}, 422), ({'x': '\x00'}, 400), ([], 400),
    ('x', 400), (7, 400), ({'x': '"' * 9000}, 422), ({'x': '\U0001f600' * 4000}, 200), ({'x': {'y': [1, 2.5, True, None]}}, 200)])
def test_size_and_kind_of_metadata(auth, user, data, status):  # noqa: F811
    session = login(auth, user['email'])
    answer = post(auth, 'user', {'data': data}, session['access_token'], method='PUT')
    assert answer.status == status, answer
    assert me(auth, session)['user_metadata'] == ({'name': 'Zoë', **data} if status == 200 else {'name': 'Zoë'})
    # Whatever it is, the token stays one that is taken.
    token = refresh(auth, session['refresh_token']).json()['access_token']
    assert len(token) <= 8192 and post(auth, 'user', method='GET', token=token).status == 200


def test_deep_and_repeated_json(auth, user):  # noqa: F811
    session = login(auth, user['email'])
    for body in ('{"data":' + '{"a":' * 40 + '1' + '}' * 41, '{"data":{"a":1,"a":2}}', '{"data":{"a":1,"\\u0061":2}}', '{"data":{"\\u0000":1}}',
                 '{"password":"x","p\\u0061ssword":"another one"}', '{"data":{"a":NaN}}', '{"data":{}}x', '\ufeff{}'):
        refused(post(auth, 'user', body, session['access_token'], {'Content-Type': 'application/json'}, 'PUT'), 400, 'bad_json')
    assert me(auth, session)['user_metadata'] == {'name': 'Zoë'}
    login(auth, user['email'])


@pytest.mark.parametrize('number', ['18446744073709551616', '-9223372036854775809', '1e400', '0.1', '123456789012345678901234567890', '-0.5e-3',
                                    '9223372036854775807', '-9223372036854775808', '18446744073709551615'])
def test_numbers_stay_what_they_are(auth, user, number):  # noqa: F811
    """A number is kept as it was written, or refused: never another one."""
    session = login(auth, user['email'])
    answer = post(auth, 'user', '{"data":{"n":' + number + '}}', session['access_token'], {'Content-Type': 'application/json'}, 'PUT')
    if answer.status == 200:
        # MySQL may write what it stores another way.
        assert float(answer.json()['user_metadata']['n']) == float(number) and str(answer.json()['user_metadata']['n']) in (number, str(float(number))), answer
    else:
        refused(answer, 400, 'bad_json')


# --- addresses ---

@pytest.mark.parametrize('email', [
    "' OR 1=1 -- @example.com", "x'@example.com", 'x"@example.com', 'x\\@example.com', 'x;DROP TABLE auth_user@example.com',
    'x%00@example.com', 'x\n@example.com', 'x\r\nBcc: y@example.com', '@', 'x@', '@example.com', 'a' * 250 + '@x.y', '',
    'ａdmin@example.com', 'аdmin@example.com', 'admin@example.com\u200b', 'admın@example.com', 'ADMİN@example.com', 'admin@exämple.com',
    'admin@example.com ', ' admin@example.com', 'admin@example.com\t', 'adm\u00adin@example.com', 'ſ@example.com', 'K@example.com'])
def test_odd_addresses(stack, auth, email):  # noqa: F811
    """Nobody's when signing in; nothing that could be taken for another's is made."""
    answer = post(auth, 'token?grant_type=password', {'email': email, 'password': PASSWORD})
    assert answer.status == 400 and answer.json()['error_code'] in ('invalid_credentials', 'validation_failed')
    users = stack.sql('SELECT COUNT(*) FROM rowgate.auth_user')
    made = stack.rq('POST', '/auth/v1/admin/users', None, {'email': email, 'password': PASSWORD}, stack.service_key)
    if made.status == 200:
        # Odd, and yet an address in ASCII: its own account, and no other's.
        assert email.isascii() and made.json()['email'] == email.lower()
        assert stack.rq('DELETE', f'/auth/v1/admin/users/{made.json()["id"]}', None, None, stack.service_key).status == 200
    else:
        assert made.json()['error_code'] in ('email_address_invalid', 'validation_failed', 'email_exists')
    assert stack.sql('SELECT COUNT(*) FROM rowgate.auth_user') == users


def test_case_is_one_account(stack, auth, user):  # noqa: F811
    login(auth, user['email'].upper())
    refused(stack.rq('POST', '/auth/v1/admin/users', None, {'email': user['email'].title(), 'password': PASSWORD}, stack.service_key),
            422, 'email_exists')


def test_letters_beyond_ascii_are_told_so(stack):
    answer = stack.rq('POST', '/auth/v1/admin/users', None, {'email': 'zoë@example.com'}, stack.service_key)
    assert 'beyond ASCII' in refused(answer, 400, 'email_address_invalid').json()['msg']


# --- races ---

def at_once(n, work):
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return [f.result() for f in [pool.submit(work, i) for i in range(n)]]


def connection(on):
    return harness.Http(on.url, on.ca)


def test_one_refresh_token_many_thieves(auth, user):  # noqa: F811
    """Ten at once with one token: within the window all get one of the same session, and the session is one."""
    session = login(auth, user['email'])

    def work(_):
        return connection(auth).request('POST', '/auth/v1/token?grant_type=refresh_token', None, {'refresh_token': session['refresh_token']})
    answers = at_once(10, work)
    assert all(answer.status in (200, 429, 503) for answer in answers), answers
    got = [answer.json() for answer in answers if answer.status == 200]
    assert got and len({claims(one)['session_id'] for one in got}) == 1
    assert len({one['refresh_token'] for one in got}) == len(got)
    assert len(post(auth, 'sessions', token=got[0]['access_token'], method='GET').json()) == 1


def test_refresh_against_logout(auth, user):  # noqa: F811
    """Whoever comes first: after a logout no token of the session is good, also those of refreshes under way."""
    for _ in range(4):
        session = login(auth, user['email'])

        def work(i):
            if i == 0:
                return connection(auth).request('POST', '/auth/v1/logout?scope=local', None, None, session['access_token'])
            return connection(auth).request('POST', '/auth/v1/token?grant_type=refresh_token', None, {'refresh_token': session['refresh_token']})
        answers = at_once(6, work)
        assert answers[0].status == 204
        for answer in answers[1:]:
            if answer.status == 200:
                refused(refresh(auth, answer.json()['refresh_token']), 400, 'refresh_token_not_found')
                assert harness.wait_until(lambda: post(auth, 'user', method='GET', token=answer.json()['access_token']).status == 403, 30)


def test_refresh_against_a_new_password(auth, user):  # noqa: F811
    session, other = login(auth, user['email']), login(auth, user['email'])

    def work(i):
        if i == 0:
            return connection(auth).request('PUT', '/auth/v1/user', None, {'password': 'another password 1'}, session['access_token'])
        return connection(auth).request('POST', '/auth/v1/token?grant_type=refresh_token', None, {'refresh_token': other['refresh_token']})
    answers = at_once(6, work)
    assert answers[0].status == 200, answers[0]
    for answer in answers[1:]:
        if answer.status == 200:
            refused(refresh(auth, answer.json()['refresh_token']), 400, 'refresh_token_not_found')
    assert me(auth, session)['id'] == user['id']


def test_the_same_address_at_once(stack):
    email = f'race{uuid.uuid4().hex[:8]}@example.com'

    def work(i):
        return connection(stack).request('POST', '/auth/v1/admin/users', None,
                                         {'email': email if i % 2 else email.upper()}, stack.service_key)
    answers = at_once(8, work)
    assert sorted(answer.status for answer in answers) == [200] + [422] * 7


def test_metadata_at_once(auth, user):  # noqa: F811
    """Each change is laid over what the others did: none is lost."""
    session = login(auth, user['email'])

    def work(i):
        for _ in range(5):
            answer = connection(auth).request('PUT', '/auth/v1/user', None, {'data': {f'k{i}': i}}, session['access_token'])
            if answer.status == 200:
                return
    at_once(6, work)
    assert me(auth, session)['user_metadata'] == {'name': 'Zoë', **{f'k{i}': i for i in range(6)}}


# --- whose token, whose session ---

def test_sessions_of_others(stack, auth, user):  # noqa: F811
    """A token that says another's session, or none's, is nobody's here; signed well all the same."""
    other = stack.rq('POST', '/auth/v1/admin/users', None, {'email': f'o{uuid.uuid4().hex[:8]}@example.com', 'password': PASSWORD},
                     stack.service_key).json()
    mine, theirs = login(auth, user['email']), login(auth, other['email'])
    for session_id in (claims(theirs)['session_id'], str(uuid.uuid4()), 'x', "' OR 1=1", claims(mine)['session_id'].upper() + ' '):
        forged = stack.token(sub=user['id'], session_id=session_id)
        refused(post(auth, 'user', method='GET', token=forged), 403, 'session_not_found')
    for sub in (None, '', 'x', "' OR 1=1", str(uuid.uuid4()), user['id'] + ' ', user['id'][:-1]):
        answer = post(auth, 'user', method='GET', token=stack.token(sub=sub))
        assert answer.status == 403 and answer.json()['error_code'] in ('bad_jwt', 'user_not_found'), (sub, answer)
    post(auth, 'logout?scope=others', token=mine['access_token'])
    assert me(auth, theirs)['id'] == other['id']


@pytest.mark.parametrize('tail', ['{id}/', '{id}/sessions/x', '{id}%00', '../users', '%2e%2e/users/{id}', '{id}?x=1&id={other}', '{id};x',
                                  "{id}' OR '1'='1", '{upper}', '*', '%25', '{id}\\'])
def test_paths_of_users(stack, auth, user, tail):  # noqa: F811
    """One id is one user; what is no id finds nobody. And nothing without the role."""
    path = '/auth/v1/admin/users/' + tail.format(id=user['id'], other=uuid.UUID(int=2), upper=user['id'].upper())
    answer = stack.rq('GET', path, None, None, stack.service_key)
    assert answer.status in (200, 400, 404, 405), answer
    if answer.status == 200:
        assert answer.json().get('id') == user['id'] or 'users' in answer.json()
    low = stack.rq('GET', path, None, None, login(auth, user['email'])['access_token'])
    assert low.status in (400, 403, 404), low


# --- headers ---

def test_cookies_count_only_when_asked_for(auth, user):  # noqa: F811
    """A page of another site can send the cookie (by an old browser) and not the header."""
    asked = post(auth, 'token?grant_type=password', {'email': user['email'], 'password': PASSWORD}, headers={'X-Client-Session': 'cookie'})
    assert asked.json()['refresh_token'] == 'cookie'
    cookie = asked.headers['Set-Cookie'].split(';')[0]
    for headers in ({'Cookie': cookie}, {'Cookie': cookie, 'X-Client-Session': 'body'}, {'Cookie': cookie, 'X-Client-Session': ''}):
        for body in ({}, {'refresh_token': 'cookie'}, {'refresh_token': ''}):
            answer = post(auth, 'token?grant_type=refresh_token', body, headers=headers)
            assert answer.status == 400, (headers, body)
    good = {'Cookie': f'a=b; {cookie}; c=d', 'X-Client-Session': 'cookie'}
    assert post(auth, 'token?grant_type=refresh_token', {}, headers=good).status == 200
    # A cookie with a like name, or the access token in one, is nothing.
    for name in ('rowgate-refresh', '__secure-rowgate-refresh', '__Secure-rowgate-refresh2', '__Host-rowgate-refresh'):
        answer = post(auth, 'token?grant_type=refresh_token', {}, headers={'Cookie': f'{name}={cookie.partition("=")[2]}', 'X-Client-Session': 'cookie'})
        refused(answer, 400, 'validation_failed')
    refused(post(auth, 'user', method='GET', headers={'Cookie': f'access_token={asked.json()["access_token"]}'}), 401, 'no_authorization')


def test_tokens_of_the_wrong_kind(auth, user):  # noqa: F811
    """A refresh token is no access token, and the other way round."""
    session = login(auth, user['email'])
    refused(post(auth, 'user', method='GET', token=session['refresh_token']), 403, 'bad_jwt')
    refused(refresh(auth, session['access_token']), 400, 'refresh_token_not_found')
    for other in (session['refresh_token'].swapcase(), session['refresh_token'][:-1], session['refresh_token'] + 'A',
                  session['refresh_token'] + '\u0000', ' ' + session['refresh_token'], '%', '_' * 40, 'x' * 60000):
        answer = refresh(auth, other)
        assert answer.status == 400 and answer.json()['error_code'] in ('refresh_token_not_found', 'bad_json'), (other[:60], answer)
    assert refresh(auth, session['refresh_token']).status == 200


@pytest.mark.parametrize('headers', [
    {'X-HTTP-Method-Override': 'DELETE'}, {'X-Original-URL': '/auth/v1/admin/users'}, {'X-Rewrite-URL': '/auth/v1/admin/users'},
    {'X-Forwarded-For': '127.0.0.1'}, {'X-Role': 'service_role'}, {'Role': 'service_role'}, {'X-User-Id': 'x'}, {'Prefer': 'role=service_role'}])
def test_headers_that_elsewhere_mean_something(stack, auth, user, headers):  # noqa: F811
    session = login(auth, user['email'])
    assert post(auth, 'user', method='GET', token=session['access_token'], headers=headers).json()['id'] == user['id']
    refused(stack.rq('GET', '/auth/v1/admin/users', headers, None, session['access_token']), 403, 'not_admin')
    assert me(auth, session)['role'] == 'authenticated'


def test_two_tokens(stack, auth, user):  # noqa: F811
    """The apikey never adds rights to a bearer token, nor takes its place when it is bad."""
    session = login(auth, user['email'])
    both = {'apikey': stack.service_key}
    refused(stack.rq('GET', '/auth/v1/admin/users', both, None, session['access_token']), 403, 'not_admin')
    refused(stack.rq('GET', '/auth/v1/admin/users', both, None, session['access_token'][:-4] + 'AAAA'), 403, 'bad_jwt')
    expired = jwt.encode({'role': 'service_role', 'exp': 1}, stack.secret, 'HS256')
    refused(stack.rq('GET', '/auth/v1/admin/users', both, None, expired), 403, 'bad_jwt')
