"""Signing keys and their rotation; tokens that are taken back, seen by workers that share nothing with who did it."""
import contextlib
import json
import os
import re
import threading
import time
import uuid

import jwt
import pytest

import harness
from test_auth_admin import rowgate
from test_auth_sessions import PASSWORD, auth, claims, login, post, refresh, refused, user  # noqa: F401

READ = '/employee_directory?select=name&limit=1'
WAGES = {'Accept-Profile': 'wages'}


def may_read(on, token):
    return on.get(READ, WAGES, token).status


def kid(session):
    return jwt.get_unverified_header(session['access_token'])['kid']


def published(on):
    return {k['kid']: k for k in post(on, '.well-known/jwks.json', method='GET').json()['keys']}


def key(stack, *words):
    status, out, errors = rowgate(stack, 'key', *words, '--json')
    assert status == 0, errors
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def keys(stack):
    """The file as it was, afterwards."""
    path = stack.var / 'keys/signing.json'
    before, mode = path.read_bytes(), path.stat()
    yield path
    path.write_bytes(before)
    os.utime(path)
    assert (path.stat().st_mode, path.stat().st_gid) == (mode.st_mode, mode.st_gid)
    time.sleep(1.2)


def test_a_kid_is_a_word_on_the_command_line(stack, keys):
    made, = key(stack, 'new')
    assert re.fullmatch('[0-9a-f]{24}', made['kid'])
    assert rowgate(stack, 'key', 'retire', '--pKAb3')[0] == 2
    status, _, errors = rowgate(stack, 'key', 'retire', '--json', '--', '--pKAb3')
    assert status not in (0, 2) and '--pKAb3' in errors


def test_the_file_is_closed_to_others(stack):
    assert (stack.var / 'keys/signing.json').stat().st_mode & 0o137 == 0


@pytest.mark.parametrize('alg', ['ES256', 'ES384', 'ES512', 'RS256', 'RS512', 'HS256', 'HS512'])
def test_every_algorithm(stack, auth, user, keys, alg):  # noqa: F811
    made, = key(stack, 'new', '--alg', alg)
    assert made['state'] == 'active' and made['alg'] == alg
    time.sleep(1.2)
    session = login(auth, user['email'])
    header = jwt.get_unverified_header(session['access_token'])
    assert (header['kid'], header['alg']) == (made['kid'], alg)
    assert may_read(auth, session['access_token']) == 200
    if alg.startswith('HS'):
        assert made['kid'] not in published(auth)
    else:
        public = published(auth)[made['kid']]
        assert set(public) <= {'kty', 'kid', 'alg', 'use', 'key_ops', 'crv', 'x', 'y', 'n', 'e'}
        jwt.decode(session['access_token'], jwt.PyJWK(public).key, algorithms=[alg], audience='authenticated')
    # A signature by another key under this kid is none.
    forged = jwt.encode({'role': 'service_role', 'exp': int(time.time()) + 60}, stack.secret, 'HS256',
                        headers={'kid': made['kid']})
    assert auth.get(READ, WAGES, forged).error() == (401, 'PGRST301')


def test_rotation_step_by_step(stack, auth, user, keys):  # noqa: F811
    old = login(auth, user['email'])
    made, = key(stack, 'new', '--activate-in', '3')
    assert made['state'] == 'waiting'
    time.sleep(1.2)
    assert kid(login(auth, user['email'])) == kid(old) and made['kid'] in published(auth)
    time.sleep(3)
    new = login(auth, user['email'])
    assert kid(new) == made['kid'] != kid(old)
    # Both are believed, by a pool that was started with the old one as well.
    for pool in (stack, auth):
        assert [may_read(pool, s['access_token']) for s in (old, new)] == [200, 200]
    retired, = key(stack, 'retire', kid(old))
    assert retired['state'] == 'retired' and retired['until'] >= time.time() + 900
    time.sleep(1.2)
    assert may_read(auth, old['access_token']) == 200 and kid(old) in published(auth)
    # A key that leaked goes at once, its tokens with it; sessions go on.
    key(stack, 'retire', kid(old), '--now')
    time.sleep(1.2)
    assert auth.get(READ, WAGES, old['access_token']).error() == (401, 'PGRST301')
    assert kid(old) not in published(auth)
    assert kid(refresh(auth, old['refresh_token']).json()) == made['kid']


def test_the_last_key_stays(stack, keys):
    for one in key(stack, 'list')[1:]:
        key(stack, 'retire', one['kid'], '--now')
    last, = key(stack, 'list')
    status, _, errors = rowgate(stack, 'key', 'retire', last['kid'])
    assert status == 1 and 'make one first' in errors
    assert rowgate(stack, 'key', 'retire', 'nobody')[0] == 1
    assert rowgate(stack, 'key', 'new', '--alg', 'none')[0] == 1
    assert key(stack, 'list') == [last]


def test_a_broken_file_changes_nothing(stack, auth, user, keys):  # noqa: F811
    session = login(auth, user['email'])
    keys.write_text('{"keys":[')
    time.sleep(1.2)
    assert may_read(auth, session['access_token']) == 200
    assert kid(login(auth, user['email'])) == kid(session)
    assert rowgate(stack, 'check')[0] == 1


def test_rotation_under_load(stack, auth, user, keys):  # noqa: F811
    """No good token is refused while keys come and go, with and without SIGHUP."""
    bad, done, end = [], [0], threading.Event()

    def client():
        http = harness.Http(auth.url, auth.ca)
        token = refresh_token = None
        while not end.is_set():
            if not token or done[0] % 7 == 0:
                answer = http.request('POST', '/auth/v1/token?grant_type=' + ('refresh_token' if token else 'password'),
                                      None, {'refresh_token': refresh_token} if token else {
                                          'email': user['email'], 'password': PASSWORD})
                if answer.status == 429:
                    continue
                if answer.status != 200:
                    bad.append(answer)
                    return
                token, refresh_token = answer.json()['access_token'], answer.json()['refresh_token']
            answer = http.request('GET', '/rest/v1' + READ, WAGES, None, token)
            done[0] += 1
            if answer.status != 200:
                bad.append(answer)
                return
    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for i in range(6):
            time.sleep(.7)
            made, = key(stack, 'new', '--alg', ('ES256', 'RS256')[i % 2])
            if i % 2:
                auth.hup()
            for old in key(stack, 'list'):
                if old['kid'] != made['kid']:
                    key(stack, 'retire', old['kid'])
    finally:
        end.set()
        for thread in threads:
            thread.join()
    assert bad == [] and done[0] > 100


# --- what is taken back ---

def refused_within(on, token, seconds=15):
    start = time.monotonic()
    assert harness.wait_until(lambda: on.get(READ, WAGES, token).status == 401, seconds, .1), 'still believed'
    assert on.get(READ, WAGES, token).error() == (401, 'PGRST303')
    return time.monotonic() - start


def test_revoke_by_id(stack, auth, user, tmp_path):  # noqa: F811
    one, other = login(auth, user['email']), login(auth, user['email'])
    assert may_read(auth, one['access_token']) == 200    # and in the caches
    assert rowgate(stack, 'token', 'revoke', '--jti', claims(one)['jti'])[0] == 0
    for pool in (auth, stack):
        refused_within(pool, one['access_token'])
        assert may_read(pool, other['access_token']) == 200
    path = tmp_path / 'token'
    path.write_text(other['access_token'] + '\n')
    assert rowgate(stack, 'token', 'inspect', path)[0] == 0
    assert rowgate(stack, 'token', 'revoke', '--token-file', path)[0] == 0
    refused_within(auth, other['access_token'])
    assert rowgate(stack, 'token', 'inspect', path)[0] == 1
    # The session is not ended by that.
    assert may_read(auth, refresh(auth, one['refresh_token']).json()['access_token']) == 200


def test_revoke_by_subject(stack, auth, user):  # noqa: F811
    session = login(auth, user['email'])
    foreign = stack.token('spec_reader', sub=user['id'], iat=int(time.time()) - 5)
    undated = stack.token('spec_reader', sub=user['id'])
    assert auth.get('/people?limit=1', None, foreign).status in (200, 404)
    assert rowgate(stack, 'token', 'revoke', '--sub', user['id'])[0] == 0
    # A token of the very same second is newer, and good.
    again = refresh(auth, session['refresh_token']).json()
    for token in (session['access_token'], foreign, undated):
        refused_within(auth, token)
    assert may_read(auth, login(auth, user['email'])['access_token']) == 200
    again = refresh(auth, again['refresh_token']).json()
    assert may_read(auth, again['access_token']) == 200


def test_revoke_what_was_issued_before(stack, auth, user):  # noqa: F811
    now = int(time.time())
    subject = str(uuid.uuid4())
    old = stack.token('hr', sub=subject, iat=now - 100)
    new = stack.token('hr', sub=subject, iat=now - 10)
    assert [may_read(auth, t) for t in (old, new)] == [200, 200]
    assert rowgate(stack, 'token', 'revoke', '--sub', subject, '--issued-before', str(now - 50))[0] == 0
    refused_within(auth, old)
    assert may_read(auth, new) == 200
    # Of everybody: older than what this machine's own tokens are.
    ancient, undated = stack.token('hr', iat=now - 10 ** 6), stack.token('hr')
    assert rowgate(stack, 'token', 'revoke', '--all', '--issued-before', str(now - 10 ** 5))[0] == 0
    refused_within(auth, ancient)
    refused_within(auth, undated)
    assert may_read(auth, new) == 200
    stack.sql("DELETE FROM rowgate.auth_revocation WHERE kind = 'all'")
    auth.hup()
    stack.hup()
    assert harness.wait_until(lambda: all(may_read(auth, stack.token('hr')) == 200 for _ in range(8)), 10)


def test_revoke_a_session(stack, auth, user):  # noqa: F811
    session = login(auth, user['email'])
    assert rowgate(stack, 'token', 'revoke', '--session', claims(session)['session_id'])[0] == 0
    refused_within(auth, session['access_token'])


def test_all_workers_know_within_five_seconds(stack, auth, user):  # noqa: F811
    """Many connections meet all workers; after five seconds none believes the token."""
    session = login(auth, user['email'])
    assert all(may_read(auth, session['access_token']) == 200 for _ in range(20))
    admin = stack.rq('DELETE', f'/auth/v1/admin/users/{user["id"]}/sessions', None, None, stack.service_key)
    assert admin.status == 204
    time.sleep(5)
    for _ in range(40):
        assert harness.Http(auth.url, auth.ca).request('GET', '/rest/v1' + READ, WAGES, None,
                                                       session['access_token']).status == 401


def test_revocations_outlive_a_restart(stack, auth, user):  # noqa: F811
    session = login(auth, user['email'])
    assert post(auth, 'logout', token=session['access_token']).status == 204
    fresh = stack.variant({'auth-login-attempts': '0'}, workers=1, fresh=True)
    assert fresh.get(READ, WAGES, session['access_token']).error() == (401, 'PGRST303')
    stack.forget(fresh)


def test_without_knowing_what_is_revoked_no_token_is_believed(stack):
    """Fail closed: the account that reads revocations may not."""
    grant = "SELECT ON rowgate.auth_revocation {} rowgate_catalogue@'%%'"
    stack.sql('REVOKE ' + grant.format('FROM') % ())
    try:
        fresh = stack.variant({}, workers=1, fresh=True, ready=False)

        def lives():
            with contextlib.suppress(OSError):
                return fresh.rq('GET', '/health/live').status == 200
        assert harness.wait_until(lives)
        assert fresh.rq('GET', '/health/ready').status == 503
        answer = fresh.get(READ, WAGES, stack.service_key)
        assert answer.error() == (503, 'PGRST002') and answer.headers['Retry-After']
        stack.forget(fresh)
    finally:
        stack.sql('GRANT ' + grant.format('TO') % ())
