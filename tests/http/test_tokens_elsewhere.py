"""
Good tokens in the wrong place: another issuer's, another audience's, taken back, of a key that went, at another time.
Cases J23, J27 to J29, J38 to J40, J43 of security.md; the rest is in test_tokens.py and test_auth_keys.py.
"""
import json
import os
import pathlib
import time
import uuid

import pytest

import harness
from test_auth_admin import rowgate
from test_auth_sessions import login, post, refused as auth_refused, user  # noqa: F401
from test_tokens import (HS256, NO_KEY, PATH, b64, claims, hs, jwk, keys, public, refused, signing,  # noqa: F401
                         with_keys, workers_live)

A, B = 'https://a.example', 'https://b.example'
NOT_ITS = 'JWT not from the expected issuer'


# --- J27: issuers, each with its own keys ---

@pytest.fixture(scope='module')
def two(keys, with_keys):  # noqa: F811
    """A signs with RSA and a secret, B with EC and a key of the same name as one of A's; one key is nobody's own."""
    return with_keys([jwk(keys['rsa'], kid='one', iss=A), jwk('a' * 64, kid='h', alg='HS256', iss=A),
                      jwk(keys['p256'], kid='e', iss=B), jwk(keys['rsa2'], kid='one', iss=B), jwk(keys['p384'], kid='free')])


def by(keys, name, iss, **more):  # noqa: F811
    body = claims(iss=iss, **more)
    return {'rsa': lambda: public('RS256', keys['rsa'], body, kid='one'),
            'secret': lambda: hs({**HS256, 'kid': 'h'}, body, 'a' * 64),
            'ec': lambda: public('ES256', keys['p256'], body, kid='e'),
            'rsa2': lambda: public('RS256', keys['rsa2'], body, kid='one'),
            'free': lambda: public('ES384', keys['p384'], body, kid='free')}[name]()


@pytest.mark.parametrize('name, issuer', [('rsa', A), ('secret', A), ('ec', B), ('rsa2', B), ('free', None), ('free', A), ('free', B)])
def test_each_issuer_with_its_key(keys, two, name, issuer):  # noqa: F811
    for _ in range(2):
        assert two.rq('GET', PATH, token=by(keys, name, issuer)).status == 200


@pytest.mark.parametrize('name, issuer', [
    ('rsa', B), ('secret', B), ('ec', A), ('rsa2', A), ('rsa', None), ('ec', None), ('rsa', A + '/'), ('rsa', A + '.evil'),
    ('ec', B.upper()), ('rsa', [A]), ('rsa', [A, B]), ('ec', 7), ('ec', ''), ('secret', {'iss': A})])
def test_an_issuer_with_anothers_key(keys, two, name, issuer):  # noqa: F811
    refused(two.rq('GET', PATH, token=by(keys, name, issuer)), NOT_ITS, ['PGRST303'])


def test_an_issuer_without_kid(keys, two):  # noqa: F811
    """Whatever key the signature fits, its issuer counts."""
    assert two.rq('GET', PATH, token=public('RS256', keys['rsa2'], claims(iss=B))).status == 200
    refused(two.rq('GET', PATH, token=public('RS256', keys['rsa2'], claims(iss=A))), NOT_ITS, ['PGRST303'])
    refused(two.rq('GET', PATH, token=public('RS256', keys['rsa'], claims(iss=B), kid='e')), NO_KEY)


def test_the_issuer_of_a_whole_set(stack, keys):  # noqa: F811
    one = {'iss': A, 'keys': [jwk(keys['rsa'], kid='r'), jwk(keys['p256'], kid='e', iss=B)]}
    at = stack.variant({'jwt-secret-file': '', 'jwt-secret': json.dumps(one, separators=(',', ':')), 'jwt-issuer': 'https://c.example'},
                       workers=1)
    assert at.rq('GET', PATH, token=public('RS256', keys['rsa'], claims(iss=A), kid='r')).status == 200
    refused(at.rq('GET', PATH, token=public('RS256', keys['rsa'], claims(iss='https://c.example'), kid='r')), NOT_ITS, ['PGRST303'])
    for issuer in (A, B):
        refused(at.rq('GET', PATH, token=public('RS256', keys['rsa'], claims(iss=B if issuer == A else 'x'), kid='r')), NOT_ITS,
                ['PGRST303'])
    # Without jwt-secret-file nothing but these keys and our own.
    assert at.rq('GET', PATH, token=public('ES256', keys['p256'], claims(iss=B), kid='e')).status in (200, 401)


@pytest.mark.parametrize('bad', [7, '', [A], 'x' * 1025, None])
def test_an_issuer_that_is_none(stack, keys, tmp_path, bad):  # noqa: F811
    """A key whose issuer cannot be read is refused at start, not believed for everybody."""
    conf = stack.var / f'issuer-{uuid.uuid4().hex[:6]}.conf'
    conf.write_text((stack.var / 'rowgate.conf').read_text())
    harness.set_conf(conf, {'jwt-secret-file': '', 'jwt-secret': json.dumps({'keys': [jwk(keys['p256'], iss=bad)]}, separators=(',', ':'))})
    import subprocess
    done = subprocess.run([harness.REPO / harness.BUILD / 'rowgate', 'check', '-c', conf], capture_output=True, text=True)
    conf.unlink()
    assert done.returncode == 1 and "'iss' must be a text" in done.stdout + done.stderr


@pytest.fixture
def folder(stack):
    made = stack.var / f'jwks-{uuid.uuid4().hex[:8]}'
    made.mkdir(0o755)
    return made


def stored(folder, url, *jwks):
    """As rowgate-jwks stores what it fetched."""
    import hashlib
    file = folder / (hashlib.sha256(url.encode()).hexdigest()[:16] + '.json')
    file.write_text(json.dumps({'keys': jwks}))
    file.chmod(0o644)


def test_the_issuer_of_a_url(stack, keys, folder):  # noqa: F811
    """What the configuration says of a provider counts, whatever the provider says of its keys."""
    stored(folder, A + '/keys', jwk(keys['p256'], kid='a', iss=B), jwk(keys['p384'], kid='a3'))
    stored(folder, B + '/keys', jwk(keys['rsa'], kid='b', iss=A))
    at = stack.variant({'jwt-jwks-folder': str(folder), 'jwt-jwks-urls': f'{A}/keys issuer={A}, {B}/keys  issuer={B}'}, workers=1,
                       fresh=True)

    def sent(name, alg, kid, issuer):
        return at.rq('GET', PATH, token=public(alg, keys[name], claims(iss=issuer), kid=kid))
    assert [sent('p256', 'ES256', 'a', A).status, sent('p384', 'ES384', 'a3', A).status, sent('rsa', 'RS256', 'b', B).status] == [200] * 3
    for answer in (sent('p256', 'ES256', 'a', B), sent('p384', 'ES384', 'a3', B), sent('rsa', 'RS256', 'b', A),
                   sent('rsa', 'RS256', 'b', None)):
        refused(answer, NOT_ITS, ['PGRST303'])
    stack.forget(at)


def test_a_provider_has_no_say_over_our_users(stack, keys, folder, user):  # noqa: F811
    """Its subjects are its own: one that equals a user's id reads, changes and ends nothing under /auth/v1."""
    stored(folder, B, jwk(keys['p256'], kid='b'))
    at = stack.variant({'jwt-jwks-folder': str(folder)}, workers=1, fresh=True)
    mine = login(at, user['email'])
    for more in ({}, {'session_id': post(at, 'sessions', token=mine['access_token'], method='GET').json()[0]['id']}):
        forged = public('ES256', keys['p256'], claims(sub=user['id'], **more), kid='b')
        assert at.rq('GET', PATH, token=forged).status == 200
        auth_refused(post(at, 'user', method='GET', token=forged), 403, 'bad_jwt')
        auth_refused(post(at, 'user', {'password': 'taken over 1'}, token=forged, method='PUT'), 403, 'bad_jwt')
        auth_refused(post(at, 'sessions', method='GET', token=forged), 403, 'bad_jwt')
        auth_refused(post(at, 'logout', token=forged), 403, 'bad_jwt')
    login(at, user['email'])
    assert post(at, 'user', token=mine['access_token'], method='GET').status == 200
    stack.forget(at)


@pytest.mark.skipif(os.getuid() != 0, reason='workers of another user')
def test_keys_that_others_may_write(stack, keys, folder):  # noqa: F811
    stored(folder, A, jwk(keys['p256'], kid='a'))
    at = stack.variant({'jwt-jwks-folder': str(folder)}, workers=1, fresh=True)
    token = public('ES256', keys['p256'], claims(), kid='a')
    assert at.rq('GET', PATH, token=token).status == 200
    bad = folder / 'more.json'
    bad.write_text(json.dumps({'keys': [jwk(keys['p384'], kid='x')]}))
    bad.chmod(0o666)
    os.utime(folder)
    time.sleep(1.5)
    # The file is not believed; what was known before serves on.
    refused(at.rq('GET', PATH, token=public('ES384', keys['p384'], claims(), kid='x')), NO_KEY)
    assert at.rq('GET', PATH, token=token).status == 200
    assert 'lets others write' in (at.folder / 'log/rowgate.log').read_text()
    stack.forget(at)


# --- J19: an unknown kid makes no worker ask anybody ---

def test_unknown_kids_ask_nobody(stack, keys):  # noqa: F811
    """Workers fetch nothing, ever: a thousand unknown names are a thousand refusals, and the keys are read no more often."""
    before = sum(line['msg'] == 'keys read again' for line in stack.log())
    for i in range(200):
        refused(stack.rq('GET', PATH, token=public('ES256', keys['p256'], claims(), kid=f'k{i}')), NO_KEY)
    assert sum(line['msg'] == 'keys read again' for line in stack.log()) - before <= len(stack.workers())


# --- J23, J25: asked for and absent ---

@pytest.mark.parametrize('name', ['sub', 'jti', 'iat'])
def test_a_claim_that_is_asked_for(stack, name):
    at = stack.variant({'jwt-required-claims': 'exp, sub, jti, iat'}, workers=1)
    body = {'sub': 's', 'jti': 'j', 'iat': int(time.time())}
    assert at.rq('GET', PATH, token=stack.token(**body)).status == 200
    for value in (None, 'null'):
        given = {**claims(**body), name: None} if value else claims(**{**body, name: None})
        refused(at.rq('GET', PATH, token=hs(HS256, given, stack.secret)), f"The JWT '{name}' claim is required", ['PGRST303'])


# --- J29: the clock steps ---

FAKETIME = pathlib.Path('/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1')


@pytest.mark.skipif(not FAKETIME.exists(), reason='libfaketime is not there')
@pytest.mark.skipif('ROWGATE_SANITIZED' in os.environ, reason='two libraries that want to be the first')
def test_the_clock_steps(stack, monkeypatch):
    """An hour ahead, back, an hour behind: what is over is refused also from the cache, and nothing else dies."""
    folder = stack.base / f'clock-{uuid.uuid4().hex[:6]}'
    folder.mkdir(0o755)
    clock, program = folder / 'clock', folder / 'rowgate'
    clock.write_text('+0\n')
    clock.chmod(0o644)
    # The workers alone, under their own user: spawn-fcgi's would keep them from the library's shared memory.
    program.write_text(f'#!/bin/sh\nexport LD_PRELOAD={FAKETIME} FAKETIME_TIMESTAMP_FILE={clock} FAKETIME_NO_CACHE=1'
                       f' DONT_FAKE_MONOTONIC=1\nexec {(harness.REPO / harness.BUILD / "rowgate").resolve()} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(harness, 'BUILD', str(folder))
    at = stack.variant({}, workers=1, fresh=True)
    now = int(time.time())
    short = hs(HS256, claims(exp=now + 1800), stack.secret)
    dated = hs(HS256, claims(exp=now + 4 * 3600, iat=now, nbf=now), stack.secret)

    def status(token):
        return at.rq('GET', PATH, token=token)
    assert status(short).status == status(dated).status == 200
    clock.write_text('+1h\n')
    refused(status(short), 'JWT expired', ['PGRST303'])
    assert status(dated).status == 200
    clock.write_text('+0\n')
    assert status(short).status == 200
    clock.write_text('-1h\n')
    refused(status(dated), 'JWT not yet valid', ['PGRST303'])
    refused(status(hs(HS256, claims(iat=now), stack.secret)), 'JWT issued at future', ['PGRST303'])
    assert status(short).status == 200
    clock.write_text('+5h\n')
    refused(status(dated), 'JWT expired', ['PGRST303'])
    clock.write_text('+0\n')
    assert status(dated).status == 200
    stack.forget(at)


# --- J38: taken back ---

@pytest.mark.parametrize('words', [('--jti', '{jti}'), ('--sub', '{sub}'), ('--session', '{session_id}'),
                                   ('--sub', '{sub}', '--issued-before', '{later}')])
def test_taken_back(stack, words):
    """A foreign token, in the caches of all workers, is refused by all of them; others of the same kind are not."""
    now = int(time.time())

    def body():
        return {'jti': uuid.uuid4().hex, 'sub': str(uuid.uuid4()), 'session_id': str(uuid.uuid4()), 'iat': now - 100}
    gone, stays = body(), body()
    bad, good = stack.token(**gone), stack.token(**stays)
    for _ in range(12):
        assert stack.rq('GET', PATH, token=bad).status == stack.rq('GET', PATH, token=good).status == 200
    assert rowgate(stack, 'token', 'revoke', *(w.format(**gone, later=now - 50) for w in words))[0] == 0
    assert harness.wait_until(lambda: all(stack.rq('GET', PATH, token=bad).status == 401 for _ in range(12)), 30)
    refused(stack.rq('GET', PATH, token=bad), 'JWT revoked', ['PGRST303'])
    # The same claims in another coat: a new signature by another algorithm, without a type.
    again = hs({'alg': 'HS512'}, claims(**gone), stack.secret, 'sha512')
    refused(stack.rq('GET', PATH, token=again), 'JWT revoked', ['PGRST303'])
    for _ in range(12):
        assert stack.rq('GET', PATH, token=good).status == 200


# --- J39: keys that went, of our own ---

def test_a_key_is_retired(stack, user):  # noqa: F811
    """During the overlap its tokens are good; afterwards, and when retired at once, they are not, in no worker."""
    file = stack.var / 'keys/signing.json'
    before = file.read_bytes()
    try:
        assert rowgate(stack, 'key', 'new')[0] == 0
        old = json.loads(rowgate(stack, 'key', 'list', '--json')[1].splitlines()[0])['kid']

        def signs(kid):
            return json.loads(__import__('base64').urlsafe_b64decode(login(stack, user['email'])['access_token'].split('.')[0] + '=='))['kid'] == kid
        time.sleep(1.5)
        made = json.loads(rowgate(stack, 'key', 'list', '--json')[1].splitlines()[-1])['kid']
        assert harness.wait_until(lambda: signs(made))
        token = login(stack, user['email'])['access_token']
        assert rowgate(stack, 'key', 'new')[0] == 0
        assert rowgate(stack, 'key', 'retire', made)[0] == 0
        time.sleep(1.5)
        for _ in range(12):
            assert stack.rq('GET', PATH, token=token).status == 200
        assert rowgate(stack, 'key', 'retire', made, '--now')[0] == 0
        assert harness.wait_until(lambda: all(stack.rq('GET', PATH, token=token).status == 401 for _ in range(12)), 30)
        refused(stack.rq('GET', PATH, token=token), NO_KEY)
        assert old != made
    finally:
        file.write_bytes(before)
        os.utime(file)
        time.sleep(1.5)


# --- J40: at another host, for another audience ---

def test_replay_elsewhere(stack, user):  # noqa: F811
    """Two services that share a key and not an audience: a token of one is none at the other, whatever a proxy says of the host."""
    one = stack.variant({'jwt-aud': 'https://one.example'}, workers=1)
    other = stack.variant({'jwt-aud': 'https://other.example'}, workers=1)
    token = login(one, user['email'])['access_token']
    assert one.rq('GET', PATH, token=token).status == 200
    for headers in ({}, {'X-Forwarded-Host': 'one.example'}, {'Forwarded': 'host=one.example'}):
        refused(other.rq('GET', PATH, headers, token=token), 'JWT not in audience', ['PGRST303'])
        refused(other.rq('GET', PATH, headers, token=stack.token(aud='https://one.example')), 'JWT not in audience', ['PGRST303'])
    auth_refused(post(other, 'user', method='GET', token=token), 403, 'bad_jwt')


def test_our_keys_are_not_the_key_of_anothers_service(stack, keys):  # noqa: F811
    """A token signed by the key of another machine, for the right audience and by a kid that is known here."""
    kid = json.loads((stack.var / 'keys/signing.json').read_text())['keys'][0]['kid']
    refused(stack.rq('GET', PATH, token=public('ES256', keys['p256'], claims(aud='authenticated', iss='rowgate'), kid=kid)), NO_KEY)


# --- J43: what the cache holds is the whole token ---

def test_twins_of_cached_tokens(stack):
    """The same first 64 bytes, the same header and payload, the same length, the same signature: never a hit."""
    at = stack.variant({'jwt-cache-max-entries': '1'}, workers=1)
    for pool in (stack, at):
        good = stack.token(sub='t' * 60, role='authenticated')
        for _ in range(12):
            assert pool.rq('GET', PATH, token=good).status == 200
        head, body, tail = good.split('.')
        others = [f'{head}.{body}.{b64(bytes(32))}', f'{head}.{body}.{tail[::-1]}',
                  f'{head}.{b64(json.dumps(claims(sub="t" * 60, role="service_role")).encode())}.{tail}', f'{head}.{tail}.{body}',
                  f'{signing({"alg": "HS512", "typ": "JWT"}, claims())}.{tail}', good[:64] + 'A' * (len(good) - 64)]
        for other in others:
            refused(pool.rq('GET', PATH, token=other))
        for at_byte in range(len(head) + len(body) + 2, len(good)):
            swapped = good[:at_byte] + ('A' if good[at_byte] != 'A' else 'B') + good[at_byte + 1:]
            refused(pool.rq('GET', PATH, token=swapped))
        assert pool.rq('GET', PATH, token=good).status == 200


def test_the_cache_forgets_no_refusal(stack):
    """More tokens than it holds, good and bad mixed: each keeps its own verdict and its own role."""
    at = stack.variant({'jwt-cache-max-entries': '4'}, workers=1)
    good = [stack.token('service_role', sub=str(i)) for i in range(6)]
    plain = [stack.token('anon', sub=str(i)) for i in range(6)]
    bad = [token[:-2] + ('AA' if not token.endswith('AA') else 'BB') for token in good]
    closed = '/rest/v1/private_columns?select=*'
    for _ in range(3):
        for one, other, third in zip(good, plain, bad):
            assert at.rq('GET', closed, token=one).status == 200
            assert at.rq('GET', closed, token=other).status == 401
            refused(at.rq('GET', closed, token=third))
