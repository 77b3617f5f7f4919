#!/usr/bin/python3
"""
Whether the time of a refusal tells more than its text: CPU of the worker (/proc/PID/schedstat, so as root) for one request.

tokens     every case J01 to J44 of security.md in several variants, those of tests/http/test_tokens.py among them, in turn
           in each round; beside each its ratio to the refusal of a token with a forged signature (J44) of its algorithm.
passwords  sign-ins with a wrong password, of nobody, of a banned user, of one without a password.

    make up VAR=/tmp/v PORT=18888 WORKERS=1; tests/bench/refusals.py /tmp/v tokens [ROUNDS [PATTERN]] | passwords [ROUNDS]

The instance gets keys and limits of its own; it is for this alone.
"""
import collections
import json
import pathlib
import random
import re
import statistics
import subprocess
import sys
import time
import uuid

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO / 'tests/http'), str(REPO / 'tests/bench')]
import harness  # noqa: E402
import test_tokens as t  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils  # noqa: E402
from token_cost import cpu, rowgate, workers  # noqa: E402

EACH = 20
PATH = '/rest/v1/incident?limit=1&select=incident_number'
SECRET = 's' * 64
ISSUER = 'https://a.example'


def keys():
    return {'rsa': rsa.generate_private_key(65537, 2048), 'p256': ec.generate_private_key(ec.SECP256R1()),
            'p384': ec.generate_private_key(ec.SECP384R1()), 'other': ec.generate_private_key(ec.SECP256R1()),
            'rsa2': rsa.generate_private_key(65537, 2048)}


def jwks(k):
    return {'keys': [t.jwk(SECRET, kid='h', alg='HS256'), t.jwk(k['rsa'], kid='r', alg='RS256'), t.jwk(k['p256'], kid='e', alg='ES256')]}


def good(**more):
    return t.claims(**{'aud': 'here', 'iss': ISSUER, 'sub': 'somebody', 'jti': uuid.uuid4().hex, 'iat': int(time.time()) - 9, **more})


def hs(header=None, body=None, secret=SECRET, digest='sha256'):
    return t.hs({'alg': 'HS256', 'typ': 'JWT', 'kid': 'h'} if header is None else header, body or good(), secret, digest)


def of_the_tests():
    """The variants that the tests know, signed with the right secret."""
    for case, header, _ in t.HEADERS:
        header = {'kid': 'h', **header} if isinstance(header, dict) and case not in ('J15', 'J16', 'J17', 'J18', 'J19') else header
        yield case, str(header)[:40], hs(header)
    now = int(time.time())
    for case, more, _ in t.TIMES:
        more = {name: now + v[1] if isinstance(v, tuple) else v for name, v in more.items()}
        yield case, str(more)[:40], hs(body=good(**more))
    for case, text in t.PAYLOADS:
        members = f'"role":"authenticated","aud":"here","iss":"{ISSUER}","exp":{now + 3600}'
        yield case, repr(text[:40]), hs(body=text.replace('%s', members))


def bytes_and_parts():
    whole = hs()
    head, body, tail = whole.split('.')
    for name, token in (('J01', '{}.{}.'), ('J04', '{}.{}.AAAA')):
        yield name, 'unsigned', token.format(*t.signing({'alg': 'none'}, good()).split('.'))
    yield 'J03', 'none with a signature', t.hs({'alg': 'none'}, good(), SECRET)
    for n in (1, 2, 4, 5):
        yield 'J35', f'{n} parts', '.'.join([head, body, tail, 'x', 'y'][:n])
    yield 'J20', 'five parts', '.'.join([head, body, tail, tail, tail])
    for token in ('..', f'.{body}.{tail}', f'{head}..{tail}', f'{head}.{body}.'):
        yield 'J35', 'empty part', token
    for token in (whole + '=', f'{head}.{body}.+{tail[1:]}', f'{head}.{body}.{tail[:-1]}', f'{head}=.{body}.{tail}'):
        yield 'J31', 'not base64url', token
    yield 'J30', '8193 bytes', 'A' * 8193
    yield 'J30', '8192 bytes, forged', forged(hs(body=good(pad='x' * 5700)))
    yield 'J34', '300 members, forged', forged(hs(body=good(**{f'm{i}': i for i in range(300)})))


def forged(token, at=-9):
    return token[:at] + ('A' if token[at] != 'A' else 'B') + token[at + 1:]


def signatures(k):
    """What may tell of keys: which there are, what they are called, which bytes of a signature are right."""
    first = hs().rpartition('.')[0].__len__() + 1
    for at in (0, 12, 40):
        yield 'J44', f'HS256 forged, byte {at} of 43', forged(hs(), first + at)
    yield 'J43', 'forged, without kid', forged(hs({'alg': 'HS256', 'typ': 'JWT'}))
    yield 'J43', 'forged, at+jwt', forged(hs({'alg': 'HS256', 'typ': 'at+jwt', 'kid': 'h'}))
    yield 'J07', 'HS256 of an empty key', hs(secret='')
    for name in ('h', 'x', 'r', 'e', 'no-such-key'):
        yield 'J19', f'HS256 forged, kid {name}', forged(hs({'alg': 'HS256', 'typ': 'JWT', 'kid': name}))
    for secret in (t.pem(k['rsa']), t.der(k['rsa']), t.pem(k['p256']), t.der(k['p256']), json.dumps(t.jwk(k['rsa']))):
        yield 'J06' if len(secret) < 300 else 'J05', 'HS256 of a public key', hs(secret=secret)
    yield 'J08', 'an HS256 key for HS512', hs({'alg': 'HS512', 'typ': 'JWT', 'kid': 'h'}, digest='sha512')
    for name in ('r', 'x'):
        yield 'J19', f'RS256 forged, kid {name}', forged(t.public('RS256', k['rsa'], good(), kid=name))
    yield 'J27', 'RS256 of another key', t.public('RS256', k['rsa2'], good(), kid='r')
    yield 'J09', 'an RS256 key for RS512', t.public('RS512', k['rsa'], good(), kid='r')
    yield 'J11', 'RS256 without kid, forged', forged(t.public('RS256', k['rsa'], good()))
    for name in ('e', 'x'):
        yield 'J19', f'ES256 forged, kid {name}', forged(t.public('ES256', k['p256'], good(), kid=name))
    yield 'J27', 'ES256 of another key', t.public('ES256', k['other'], good(), kid='e')
    yield 'J10', 'an ES256 key for ES384', t.public('ES384', k['p384'], good(), kid='e')
    text = t.signing({'alg': 'ES256', 'typ': 'JWT', 'kid': 'e'}, good())
    raw = t.signature(k['p256'], 'ES256', text)
    r, s = int.from_bytes(raw[:32], 'big'), int.from_bytes(raw[32:], 'big')
    yield 'J13', 'ES256, r = s = 0', f'{text}.{t.b64(bytes(64))}'
    yield 'J14', 'ES256, s >= n', f'{text}.{t.b64(raw[:32] + bytes([255]) * 32)}'
    yield 'J14', 'DER', f'{text}.{t.b64(utils.encode_dss_signature(r, s))}'


def claims_of_good_tokens(var, http, k):
    for alg, make in (('HS256', hs), ('RS256', lambda body: t.public('RS256', k['rsa'], body, kid='r')),
                      ('ES256', lambda body: t.public('ES256', k['p256'], body, kid='e'))):
        make_it = make if alg != 'HS256' else (lambda body: hs(body=body))
        yield 'J29', f'{alg}, expired', make_it(good(exp=9))
        yield 'J29', f'{alg}, forged and expired', forged(make_it(good(exp=9)))
        gone = good()
        rowgate(var, 'token', 'revoke', '--jti', gone['jti'])
        yield 'J38', f'{alg}, taken back by jti', make_it(gone)
        yield 'J38', f'{alg}, taken back, forged', forged(make_it(gone))
    for kind in ('sub', 'session'):
        name = {'sub': 'sub', 'session': 'session_id'}[kind]
        value = str(uuid.uuid4())
        rowgate(var, 'token', 'revoke', f'--{kind}', value)
        yield 'J38', f'HS256, taken back by {kind}', hs(body=good(**{name: value}))
    for more in ({'iss': None}, {'iss': 'https://b.example'}, {'iss': [ISSUER]}, {'iss': ISSUER + '.evil'}):
        yield 'J22', str(more), hs(body=good(**more))
    for more in ({'aud': None}, {'aud': []}, {'aud': 'x'}, {'aud': ['x']}):
        yield 'J25' if more['aud'] != 'x' else 'J40', str(more), hs(body=good(**more))
    yield 'J39', 'HS256 of a key that went', hs({'alg': 'HS256', 'typ': 'JWT', 'kid': 'gone'}, secret='g' * 64)


def of_headers():
    """Case, name, the whole header: what is no token at all."""
    token = hs()
    for value in (f'Bearer  {token}', token, f'Basic {token}', f'Token {token}', f'Bearer {token} x', 'Bearer'):
        yield 'J37', value[:12], value


def measured(http, pids, ask, n=EACH):
    before, at = cpu(pids), time.monotonic()
    for _ in range(n):
        ask()
    return (cpu(pids) - before) / n / 1000, (time.monotonic() - at) / n * 1e6


def set_up(var, conf):
    harness.set_conf(var / 'rowgate.conf', {'jwt-secret-file': 'keys/jwt-secret', 'jwt-secret': '', 'jwt-aud': '', 'jwt-issuer': '', **conf})
    subprocess.run(['make', '-s', 'reload', f'VAR={var}'], cwd=REPO, check=True, capture_output=True)
    env = dict(re.findall(r"^(\w+)='?(.*?)'?$", (var / 'rowgate.env').read_text(), re.M))
    return harness.Http(env['ROWGATE_URL'], env['ROWGATE_CA']), env


def tokens(var, rounds, wanted='.'):
    k = keys()
    http, _ = set_up(var, {'jwt-secret-file': '', 'jwt-secret': json.dumps(jwks(k), separators=(',', ':')), 'jwt-aud': 'here',
                           'jwt-issuer': ISSUER})
    listed = [*signatures(k), *claims_of_good_tokens(var, http, k), *bytes_and_parts(), *of_the_tests()]
    cases = [(case, what, {'Authorization': 'Bearer ' + token, 'Accept-Profile': 'incidents'}) for case, what, token in listed]
    cases += [(case, what, {'Authorization': value, 'Accept-Profile': 'incidents'}) for case, what, value in of_headers()]
    assert harness.wait_until(lambda: b'revoked' in http.request('GET', PATH, next(c[2] for c in cases if 'by jti' in c[1])).body, 30)
    cases = [case for case in cases if re.search(wanted, case[1])]
    texts, took, ratios = {}, collections.defaultdict(list), collections.defaultdict(list)
    for i, (case, what, headers) in enumerate(cases):
        answer = http.request('GET', PATH, headers)
        status, _ = answer.error()
        assert status == 401 and answer.json()['details'] is None, (case, what, answer)
        texts[i] = answer.json()['message']
    pids = workers(var)
    plain = {case[1][:5]: case[2] for case in reversed(cases) if ' forged, ' in case[1]}
    for _ in range(rounds):
        for i in random.sample(range(len(cases)), len(cases)):
            beside = plain.get(cases[i][1][:5], plain['HS256'])
            base = measured(http, pids, lambda: http.request('GET', PATH, beside))[0]  # noqa: B023
            here = measured(http, pids, lambda: http.request('GET', PATH, cases[i][2]))[0]  # noqa: B023
            after = measured(http, pids, lambda: http.request('GET', PATH, beside))[0]  # noqa: B023
            took[i].append(here)
            ratios[i].append(2 * here / (base + after))
    assert workers(var) == pids, 'a worker ended'
    print(f'{len(cases)} variants of {len({case for case, *_ in cases})} cases, {rounds} rounds of {EACH} requests\n')
    print('| text | case | CPU, us | / forged |\n|---|---|---|---|')
    for i in sorted(texts, key=lambda i: (texts[i], statistics.median(ratios[i]))):
        print(f'| {texts[i][:50]} | {cases[i][0]} {cases[i][1]} | {statistics.median(took[i]):.1f} | {statistics.median(ratios[i]):.3f} |')


def passwords(var, rounds):
    http, env = set_up(var, {'auth-login-attempts': '0'})

    def user(**more):
        email = f'{uuid.uuid4().hex[:12]}@example.com'
        made = http.request('POST', '/auth/v1/admin/users', None, {'email': email, **more}, env['ROWGATE_SERVICE_KEY'])
        assert made.status == 200, made
        return email
    cases = {'wrong password': user(password='correct horse'), 'nobody': 'nobody-here0@example.com',
             'banned': user(password='correct horse', ban_duration='24h'), 'without a password': user(),
             'wrong password again': user(password='correct horse', user_metadata={'x': 'y' * 1000})}
    pids, times, clock, bodies = workers(var), collections.defaultdict(list), collections.defaultdict(list), set()

    def ask(email):
        answer = http.request('POST', '/auth/v1/token?grant_type=password', None, {'email': email, 'password': 'wrong battery'})
        bodies.add((answer.status, answer.body, tuple(sorted(n for n in answer.headers if n != 'Date'))))
    for number in range(-1, rounds):
        for name in random.sample(list(cases), len(cases)):
            used, passed = measured(http, pids, lambda name=name: ask(cases[name]), 3)
            if number >= 0:
                times[name].append(used)
                clock[name].append(passed)
    assert len(bodies) == 1, bodies
    print(f'{rounds} rounds of 3 sign-ins, all answered {next(iter(bodies))[:2]}\n')
    print('| sign-in | CPU, ms | / wrong password | clock, ms | / wrong password |\n|---|---|---|---|---|')
    for name in cases:
        row = []
        for table in (times, clock):
            row += [f'{statistics.median(table[name]) / 1000:.2f}',
                    f'{statistics.median(a / b for a, b in zip(table[name], table["wrong password"])):.3f}']
        print(f'| {name} | {" | ".join(row)} |')


if __name__ == '__main__':
    {'tokens': tokens, 'passwords': passwords}[sys.argv[2]](
        pathlib.Path(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 21, *sys.argv[4:])
