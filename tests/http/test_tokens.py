"""
Bearer tokens from outside: cases J01 to J41 of security.md, each a request. A refusal is 401, with the four-key body
that says no more than the message, and WWW-Authenticate; the token is in no log, and every worker lives on.
"""
import base64
import hmac
import json
import socket
import ssl
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

PATH = '/rest/v1/clients?limit=1'
HS256 = {'alg': 'HS256', 'typ': 'JWT'}
HASHES = {'256': hashes.SHA256, '384': hashes.SHA384, '512': hashes.SHA512}
FIELD = {'ES256': 32, 'ES384': 48, 'ES512': 66}

BROKEN = 'JWT cryptographic operation failed'
NO_KEY = 'No suitable key or wrong key type'
WRONG_ALG = 'Wrong or unsupported encoding algorithm'
WRONG_TYPE = 'Unsupported token type'
NO_CLAIMS = 'Parsing claims failed'
ROLE = 'The JWT role claim must be a string'


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def as_bytes(part):
    """Text as it stands, anything else as JSON."""
    if isinstance(part, bytes):
        return part
    return part.encode() if isinstance(part, str) else json.dumps(part).encode()


def signing(header, claims):
    return f'{b64(as_bytes(header))}.{b64(as_bytes(claims))}'


def hs(header, claims, secret, digest='sha256'):
    text = signing(header, claims)
    return f'{text}.{b64(hmac.new(as_bytes(secret), text.encode(), digest).digest())}'


def signature(key, alg, text):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text.encode(), padding.PKCS1v15(), HASHES[alg[2:]]())
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(HASHES[alg[2:]]())))
    return r.to_bytes(FIELD[alg], 'big') + s.to_bytes(FIELD[alg], 'big')


def public(alg, key, claims, **header):
    text = signing({'alg': alg, 'typ': 'JWT', **header}, claims)
    return f'{text}.{b64(signature(key, alg, text))}'


def number(n, length=None):
    return b64(n.to_bytes(length or (n.bit_length() + 7) // 8, 'big'))


def jwk(key, **more):
    if isinstance(key, (bytes, str)):
        return {'kty': 'oct', 'k': b64(as_bytes(key)), **more}
    numbers = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        return {'kty': 'RSA', 'n': number(numbers.n), 'e': number(numbers.e), **more}
    curve, length = {'secp256r1': ('P-256', 32), 'secp384r1': ('P-384', 48), 'secp521r1': ('P-521', 66)}[key.curve.name]
    return {'kty': 'EC', 'crv': curve, 'x': number(numbers.x, length), 'y': number(numbers.y, length), **more}


def pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def der(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def claims(**more):
    """Good claims for an hour; those given as None are left out."""
    body = {'role': 'authenticated', 'exp': int(time.time()) + 3600, **more}
    return {k: v for k, v in body.items() if v is not None}


def numbered(rows):
    return [f'{row[0]}-{i}' for i, row in enumerate(rows)]


def refused(answer, message=None, codes=('PGRST301', 'PGRST303')):
    status, code = answer.error()
    body = answer.json()
    assert (status, code in codes) == (401, True), answer
    assert body['details'] is None and body['hint'] is None
    assert answer.headers['WWW-Authenticate'] == f'Bearer error="invalid_token", error_description="{body["message"]}"'
    if message is not None:
        assert body['message'].startswith(message), answer


@pytest.fixture(scope='module')
def keys():
    return {'rsa': rsa.generate_private_key(65537, 2048), 'rsa2': rsa.generate_private_key(65537, 2048),
            'p256': ec.generate_private_key(ec.SECP256R1()), 'p384': ec.generate_private_key(ec.SECP384R1()),
            'p521': ec.generate_private_key(ec.SECP521R1()), 'p256b': ec.generate_private_key(ec.SECP256R1())}


@pytest.fixture(scope='module')
def with_keys(stack):
    """with_keys([jwk, ...], **settings): workers whose keys are these."""
    def made(jwks, **settings):
        return stack.variant({'jwt-secret-file': '', 'jwt-secret': json.dumps({'keys': jwks}, separators=(',', ':')),
                              **settings}, workers=1)
    return made


@pytest.fixture(autouse=True)
def workers_live(stack):
    before = {at: at.workers() for at in [stack, *stack.variants.values()]}
    yield
    for at, pids in before.items():
        assert at.workers() == pids


@pytest.fixture
def raw(stack):
    """Sends a request's bytes as they are; the status and what else came back."""
    def send(*lines):
        host, port = '127.0.0.1', int(stack.url.rpartition(':')[2])
        context = ssl.create_default_context(cafile=stack.ca)
        head = [f'GET {PATH} HTTP/1.1'.encode(), b'Host: 127.0.0.1', b'Connection: close', *lines, b'', b'']
        with socket.create_connection((host, port), 20) as plain, context.wrap_socket(plain, server_hostname=host) as s:
            out = b''
            try:
                s.sendall(b'\r\n'.join(head))
                while chunk := s.recv(65536):
                    out += chunk
            except (ConnectionError, ssl.SSLError):
                pass
        return (int(out.split(b' ', 2)[1]) if out else None), out
    return send


# ---- what is accepted ----

def test_good_tokens(stack, rq):
    for header in ({'alg': 'HS256'}, HS256, {'alg': 'HS256', 'typ': 'jwt'}, {'alg': 'HS256', 'typ': 'at+jwt'},
                   {'alg': 'HS256', 'x5t': 'abc'}):
        token = hs(header, claims(), stack.secret)
        for _ in range(6):
            assert rq('GET', PATH, token=token).status == 200
    for digest in ('384', '512'):
        assert len(stack.secret) >= 64
        assert rq('GET', PATH, token=hs({'alg': 'HS' + digest}, claims(), stack.secret, 'sha' + digest)).status == 200


def test_scheme_in_any_case(stack, rq):
    for scheme in ('Bearer', 'bearer', 'BEARER'):
        assert rq('GET', PATH, {'Authorization': f'{scheme} {stack.token()}'}).status == 200


def test_without_token_and_without_role_claim(stack, rq):
    assert rq('GET', PATH).status == 200
    assert rq('GET', PATH, token=stack.token(role=None)).status == 200


def test_apikey_counts_when_it_is_alone(stack, rq):
    good, bad = stack.token(), stack.token(exp=1)
    assert rq('GET', PATH, {'apikey': good}).status == 200
    assert rq('GET', PATH, {'apikey': stack.anon_key}, token=good).status == 200
    assert rq('GET', PATH, {'apikey': 'sb_publishable_x'}, token=good).status == 200
    refused(rq('GET', PATH, {'apikey': bad}), 'JWT expired')
    refused(rq('GET', PATH, {'apikey': good}, token=bad), 'JWT expired')
    refused(rq('GET', PATH, {'apikey': 'sb_publishable_x'}), 'Expected 3 parts in JWT; got 1')


def test_public_keys_by_kid(keys, with_keys):
    at = with_keys([jwk(keys['rsa'], kid='r', alg='RS256', use='sig'), jwk(keys['p256'], kid='e256'),
                    jwk(keys['p384'], kid='e384'), jwk(keys['p521'], kid='e521'), jwk(keys['rsa2'], kid='r5', alg='RS512')])
    for alg, key, kid in (('RS256', 'rsa', 'r'), ('ES256', 'p256', 'e256'), ('ES384', 'p384', 'e384'),
                          ('ES512', 'p521', 'e521'), ('RS512', 'rsa2', 'r5')):
        for header in ({'kid': kid}, {}, {'kid': kid, 'typ': 'at+jwt'}):
            for _ in range(2):
                assert at.rq('GET', PATH, token=public(alg, keys[key], claims(), **header)).status == 200
    # A key is only found under its own name and its own algorithm.
    refused(at.rq('GET', PATH, token=public('RS256', keys['rsa'], claims(), kid='r5')), NO_KEY)
    refused(at.rq('GET', PATH, token=public('RS512', keys['rsa'], claims())), NO_KEY)
    refused(at.rq('GET', PATH, token=public('RS256', keys['rsa2'], claims())), NO_KEY)
    refused(at.rq('GET', PATH, token=public('ES256', keys['p256b'], claims(), kid='e256')), NO_KEY)


def test_pem_as_base64(stack, keys):
    at = stack.variant({'jwt-secret-file': '', 'jwt-secret': base64.b64encode(pem(keys['rsa'])).decode(),
                        'jwt-secret-is-base64': 'true'}, workers=1)
    assert at.rq('GET', PATH, token=public('RS256', keys['rsa'], claims())).status == 200
    refused(at.rq('GET', PATH, token=public('RS384', keys['rsa'], claims())), NO_KEY)


def test_no_secret_at_all(stack):
    at = stack.variant({'jwt-secret-file': '', 'auth-signing-keys': ''}, workers=1)
    assert at.rq('GET', PATH).status == 200
    answer = at.rq('GET', PATH, token=stack.token())
    assert answer.error() == (500, 'PGRST300')


def test_no_anonymous_role(stack):
    at = stack.variant({'db-anon-role': ''}, workers=1)
    answer = at.rq('GET', PATH)
    assert answer.error() == (401, 'PGRST302')
    assert answer.json()['message'] == 'Anonymous access is disabled'
    assert answer.headers['WWW-Authenticate'] == 'Bearer'
    assert at.rq('GET', PATH, token=stack.token()).status == 200
    assert at.rq('GET', PATH, token=stack.token(role=None)).error() == (401, 'PGRST302')


# ---- the header of a token ----

HEADERS = [
    ('J01', {'alg': 'none'}, WRONG_ALG), ('J02', {'alg': 'None'}, WRONG_ALG), ('J02', {'alg': 'nOnE'}, WRONG_ALG),
    ('J02', {'alg': 'NONE'}, WRONG_ALG), ('J03', {'alg': ''}, WRONG_ALG),
    ('J08', {'alg': 'hs256'}, WRONG_ALG), ('J08', {'alg': 'HS512'}, BROKEN), ('J09', {'alg': 'PS256'}, WRONG_ALG),
    ('J09', {'alg': 'EdDSA'}, WRONG_ALG), ('J09', {'alg': 'RS256'}, BROKEN), ('J10', {'alg': 'ES256'}, BROKEN),
    ('J12', {'alg': 256}, WRONG_ALG), ('J12', {'alg': ['HS256']}, WRONG_ALG), ('J12', {'alg': None}, WRONG_ALG),
    ('J12', {'alg': {'HS256': 1}}, WRONG_ALG), ('J12', {}, WRONG_ALG),
    ('J15', {**HS256, 'kid': '../../dev/null'}, NO_KEY), ('J16', {**HS256, 'kid': "' OR 1=1 -- "}, NO_KEY),
    ('J17', {**HS256, 'kid': 'k' * 4000}, NO_KEY), ('J18', {**HS256, 'kid': ['a']}, NO_KEY),
    ('J18', {**HS256, 'kid': 7}, NO_KEY), ('J18', {**HS256, 'kid': None}, NO_KEY),
    ('J18', {**HS256, 'kid': 'a\0b'}, BROKEN), ('J19', {**HS256, 'kid': 'unknown'}, NO_KEY),
    ('J20', {**HS256, 'zip': 'DEF'}, WRONG_TYPE), ('J20', {**HS256, 'enc': 'A128GCM'}, WRONG_TYPE),
    ('J21', {**HS256, 'crit': ['http://x']}, WRONG_TYPE), ('J21', {**HS256, 'crit': []}, WRONG_TYPE),
    ('J21', {**HS256, 'crit': ['b64'], 'b64': False}, WRONG_TYPE), ('J21', {**HS256, 'b64': False}, WRONG_TYPE),
    ('J26', {'alg': 'HS256', 'typ': 'id_token'}, WRONG_TYPE), ('J26', {'alg': 'HS256', 'typ': None}, WRONG_TYPE),
    ('J26', {'alg': 'HS256', 'typ': ['JWT']}, WRONG_TYPE), ('J26', {'alg': 'HS256', 'typ': 'logout+jwt'}, WRONG_TYPE),
    ('J32', '{"alg":"none","alg":"HS256"}', BROKEN), ('J32', '{"alg":"HS256","\\u0061lg":"HS256"}', BROKEN),
    ('J32', '{"alg":"HS256","kid":"a","kid":"b"}', BROKEN),
    ('J31', b'\xef\xbb\xbf{"alg":"HS256"}', BROKEN), ('J31', b'{"alg":"HS256","x":"\xff"}', BROKEN),
    ('J36', '["HS256"]', BROKEN), ('J36', 'null', BROKEN), ('J36', '{"alg":"HS256"} x', BROKEN),
    ('J36', b'{"alg":"HS256"}\0', BROKEN),
]


@pytest.mark.parametrize('case,header,message', HEADERS, ids=numbered(HEADERS))
def test_header(stack, rq, case, header, message):
    """Signed with the right secret, and yet refused."""
    refused(rq('GET', PATH, token=hs(header, claims(), stack.secret)), message, ['PGRST301'])


@pytest.mark.parametrize('alg', ['none', 'None', 'HS256'])
@pytest.mark.parametrize('tail', ['', 'AAAA', 'A' * 43])
def test_unsigned(rq, alg, tail):
    """J01 to J04"""
    refused(rq('GET', PATH, token=f'{signing({"alg": alg}, claims(role="service_role"))}.{tail}'), None, ['PGRST301'])


def test_no_connection_for_a_header(stack, rq):
    """J41: jku, x5u, jwk and x5c are refused, and nobody calls the address in them."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        url = f'http://127.0.0.1:{listener.getsockname()[1]}/keys'
        for more in ({'jku': url}, {'x5u': url}, {'jwk': jwk(stack.secret)}, {'x5c': ['AA']}, {'jku': url, 'kid': 'k'}):
            refused(rq('GET', PATH, token=hs({**HS256, **more}, claims(), stack.secret)), WRONG_TYPE)
        listener.settimeout(.5)
        with pytest.raises(TimeoutError):
            listener.accept()


# ---- keys ----

def test_public_key_as_secret(keys, with_keys):
    """J05, J06: HS256 under what everybody may know."""
    for name in ('rsa', 'p256'):
        key = keys[name]
        at = with_keys([jwk(key)])
        for secret in (pem(key), pem(key).rstrip(b'\n'), pem(key) + b'\n', der(key), json.dumps(jwk(key)),
                       json.dumps(jwk(key), separators=(',', ':')), json.dumps({'keys': [jwk(key)]})):
            refused(at.rq('GET', PATH, token=hs(HS256, claims(), secret)), NO_KEY)


def test_other_secrets(stack, rq):
    """J07, J27"""
    for secret in ('', 'secret', stack.secret[:-1], stack.secret + '\n', stack.secret + '\0', stack.secret.swapcase(), 'x' * 64):
        refused(rq('GET', PATH, token=hs(HS256, claims(), secret)), NO_KEY)


def test_one_algorithm_a_key(keys, with_keys):
    """J08 to J11: also a key whose JWK names no algorithm has only one."""
    secret = 's' * 64
    at = with_keys([jwk(secret, alg='HS256', kid='h'), jwk(keys['rsa'], kid='r'), jwk(keys['p256'], kid='e')])
    assert at.rq('GET', PATH, token=hs(HS256, claims(), secret)).status == 200
    assert at.rq('GET', PATH, token=public('RS256', keys['rsa'], claims())).status == 200
    refused(at.rq('GET', PATH, token=hs({'alg': 'HS512'}, claims(), secret, 'sha512')), NO_KEY)
    refused(at.rq('GET', PATH, token=hs({'alg': 'HS384', 'kid': 'h'}, claims(), secret, 'sha384')), NO_KEY)
    refused(at.rq('GET', PATH, token=public('RS512', keys['rsa'], claims())), NO_KEY)
    refused(at.rq('GET', PATH, token=public('RS384', keys['rsa'], claims(), kid='r')), NO_KEY)
    refused(at.rq('GET', PATH, token=public('ES384', keys['p384'], claims())), NO_KEY)
    text = signing({'alg': 'PS256'}, claims())
    pss = keys['rsa'].sign(text.encode(), padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    refused(at.rq('GET', PATH, token=f'{text}.{b64(pss)}'), WRONG_ALG)


def test_ec_signatures(keys, with_keys):
    """J13, J14"""
    at = with_keys([jwk(keys['p256'])])
    order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
    text = signing({'alg': 'ES256'}, claims())
    raw = signature(keys['p256'], 'ES256', text)
    r, s = int.from_bytes(raw[:32], 'big'), int.from_bytes(raw[32:], 'big')
    asn1 = utils.encode_dss_signature(r, s)
    assert at.rq('GET', PATH, token=f'{text}.{b64(raw)}').status == 200

    def pair(a, b):
        return a.to_bytes(32, 'big') + b.to_bytes(32, 'big')
    for bad in (pair(0, 0), pair(r, 0), pair(0, s), pair(order, order), pair(r, order), pair(1, 1), pair(s, r), asn1, raw[:63],
                raw + b'\0', r.to_bytes(48, 'big') + s.to_bytes(48, 'big')):
        refused(at.rq('GET', PATH, token=f'{text}.{b64(bad)}'))


def test_key_rotation(stack):
    """J39: both keys while they overlap, then only the new one, although the old token was used before."""
    old, new = 'o' * 64, 'n' * 64
    pair, single = [jwk(old, kid='old'), jwk(new, kid='new')], [jwk(new, kid='new')]
    with_old, with_new = hs({**HS256, 'kid': 'old'}, claims(), old), hs({**HS256, 'kid': 'new'}, claims(), new)

    def setting(jwks):
        return {'jwt-secret-file': '', 'jwt-secret': json.dumps({'keys': jwks}, separators=(',', ':'))}
    at = stack.variant(setting(pair), workers=1, fresh=True)
    for _ in range(2):
        assert at.rq('GET', PATH, token=with_old).status == 200
        assert at.rq('GET', PATH, token=with_new).status == 200
    at.set_conf(setting(single))
    at.hup()
    end = time.monotonic() + 10
    while at.rq('GET', PATH, token=with_old).status == 200 and time.monotonic() < end:
        time.sleep(.1)
    refused(at.rq('GET', PATH, token=with_old), NO_KEY)
    assert at.rq('GET', PATH, token=with_new).status == 200


# ---- claims ----

HOUR = 3600
TIMES = [
    ('J28', {'exp': None}, "The JWT 'exp' claim is required"), ('J28', {'exp': 'soon'}, "The JWT 'exp' claim must be a number"),
    ('J28', {'exp': str(2 ** 31)}, "The JWT 'exp' claim must be a number"), ('J28', {'exp': True}, "The JWT 'exp' claim must be a"),
    ('J28', {'exp': [2 ** 31]}, "The JWT 'exp' claim must be a number"), ('J28', {'exp': 2 ** 31 + .5}, "The JWT 'exp' claim must be"),
    ('J28', {'exp': -1}, "The JWT 'exp' claim must be a number"), ('J28', {'exp': 1e300}, None), ('J28', {'exp': 2 ** 63}, None),
    ('J28', {'exp': 2 ** 64}, None), ('J28', {'exp': 10 ** 40}, None), ('J28', {'exp': 0}, 'JWT expired'),
    ('J29', {'exp': ('now', -32)}, 'JWT expired'), ('J29', {'exp': ('now', -HOUR)}, 'JWT expired'),
    ('J29', {'nbf': ('now', 34)}, 'JWT not yet valid'), ('J29', {'nbf': ('now', HOUR)}, 'JWT not yet valid'),
    ('J29', {'iat': ('now', 34)}, 'JWT issued at future'), ('J29', {'iat': ('now', HOUR)}, 'JWT issued at future'),
    ('J29', {'nbf': 'x'}, "The JWT 'nbf' claim must be a number"), ('J29', {'iat': 'x'}, "The JWT 'iat' claim must be a number"),
    ('J23', {'sub': 7}, "The JWT 'sub' claim must be a string"), ('J23', {'sub': 's' * 4096}, "The JWT 'sub' claim is longer"),
    ('J24', {'role': ['authenticated']}, ROLE), ('J24', {'role': 7}, ROLE), ('J24', {'role': ''}, ROLE),
    ('J24', {'role': {'role': 'anon'}}, ROLE), ('J24', {'role': 'a\nb'}, ROLE), ('J24', {'role': 'r' * 129}, ROLE),
    ('J25', {'aud': 7}, "The JWT 'aud' claim must be a string or an array of strings"),
    ('J25', {'aud': [['x']]}, "The JWT 'aud' claim must be a string or an array of strings"),
]


@pytest.mark.parametrize('case,more,message', TIMES, ids=numbered(TIMES))
def test_claim(stack, rq, case, more, message):
    now = int(time.time())
    more = {k: now + v[1] if isinstance(v, tuple) else v for k, v in more.items()}
    codes = ['PGRST303'] if message else ['PGRST301', 'PGRST303']
    refused(rq('GET', PATH, token=hs(HS256, claims(**more), stack.secret)), message, codes)


def test_leeway(stack, rq):
    """J29: thirty seconds are forgiven."""
    now = int(time.time())
    for more in ({'exp': now - 1}, {'exp': now - 20}, {'nbf': now + 25}, {'iat': now + 25}):
        assert rq('GET', PATH, token=hs(HS256, claims(**more), stack.secret)).status == 200


def test_cached_token_expires(stack):
    """A token that every worker knows is refused as soon as it is over."""
    at = stack.variant({'jwt-leeway': '0'}, workers=1)
    token = hs(HS256, claims(exp=int(time.time()) + 2), stack.secret)
    for _ in range(3):
        assert at.rq('GET', PATH, token=token).status == 200
    time.sleep(3.1)
    refused(at.rq('GET', PATH, token=token), 'JWT expired')


def test_unknown_role(stack, rq):
    """J24: a role nobody granted, and one that is SQL. Refused by the database, with its own code."""
    for role in ('no_such_role', "anon'; DROP TABLE clients; --", 'root', 'anon`', 'r' * 128, 'none', 'NONE', 'DEFAULT', 'ALL'):
        answer = rq('GET', PATH, token=stack.token(role=role))
        assert answer.error() == (401, '22023'), role
    assert rq('GET', PATH).status == 200


def test_issuer(stack):
    """J22"""
    issuer = 'https://a.example'
    at = stack.variant({'jwt-issuer': issuer}, workers=1)
    assert at.rq('GET', PATH, token=stack.token(iss=issuer)).status == 200
    for iss in (None, 'https://b.example', [issuer], issuer + '.evil', issuer[:-1], issuer + '/', 7, ''):
        refused(at.rq('GET', PATH, token=stack.token(iss=iss)), 'JWT not from the expected issuer', ['PGRST303'])


def test_audience(stack):
    """J25, J40"""
    at = stack.variant({'jwt-aud': 'https://api.example'}, workers=1)
    for aud in ('https://api.example', ['x', 'https://api.example']):
        assert at.rq('GET', PATH, token=stack.token(aud=aud)).status == 200
    for bad in ({}, {'aud': []}, {'aud': 'x'}, {'aud': ['x']}, {'aud': 'https://api.example/'}, {'aud': ''}):
        refused(at.rq('GET', PATH, token=stack.token(**bad)), 'JWT not in audience', ['PGRST303'])
    for bad in (7, {'https://api.example': 1}, [['https://api.example']], ['https://api.example', 7]):
        refused(at.rq('GET', PATH, token=stack.token(aud=bad)), "The JWT 'aud' claim must be", ['PGRST303'])
    null = hs(HS256, {**claims(), 'aud': None}, stack.secret)
    refused(at.rq('GET', PATH, token=null), 'JWT not in audience', ['PGRST303'])


def test_role_by_path(stack):
    at = stack.variant({'jwt-role-claim-key': '.app."the role"[1]', 'db-anon-role': ''}, workers=1)
    good = {'app': {'the role': ['x', 'authenticated']}, 'role': None}
    assert at.rq('GET', PATH, token=stack.token(**good)).status == 200
    assert at.rq('GET', PATH, token=stack.token()).error() == (401, 'PGRST302')


def test_required_claims(stack):
    at = stack.variant({'jwt-required-claims': 'none'}, workers=1)
    assert at.rq('GET', PATH, token=stack.token(exp=None)).status == 200
    refused(at.rq('GET', PATH, token=stack.token(exp=1)), 'JWT expired')


# ---- the bytes ----

def test_parts(stack, rq):
    """J35, J20"""
    good = stack.token()
    head, body, tail = good.split('.')
    for token, n in (('x', 1), (f'{head}.{body}', 2), (good + '.', 4), ('.' + good, 4), (good + '.x.y', 5), ('...', 4)):
        refused(rq('GET', PATH, token=token), f'Expected 3 parts in JWT; got {n}', ['PGRST301'])
    for token in ('..', f'.{body}.{tail}', f'{head}..{tail}', f'{head}.{body}.'):
        refused(rq('GET', PATH, token=token), BROKEN, ['PGRST301'])


def test_base64(stack, rq):
    """J31"""
    good = stack.token()
    head, body, tail = good.split('.')
    letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    twin = letters[letters.index(tail[-1]) ^ 1]
    for token in (good + '=', good + '==', f'{head}=.{body}.{tail}', f'{head}.{body}=.{tail}', f'{head}.{body}.{tail[:-1]}',
                  f'{head}.{body}.{tail[:-1]}{twin}', f'{head}.{body}.+{tail[1:]}', f'{head}.{body}./{tail[1:]}',
                  f'{head[:5]} {head[5:]}.{body}.{tail}', f'{head}.{body}.{tail}A', f'\xef\xbb\xbf{good}'):
        refused(rq('GET', PATH, token=token), BROKEN, ['PGRST301'])


def test_every_part_counts(stack, rq):
    """J43: a good token is known to all workers; what differs in one place is not."""
    good = stack.token(sub='s' * 40)
    for _ in range(16):
        assert rq('GET', PATH, token=good).status == 200
    for at in range(0, len(good), 7):
        other = 'A' if good[at] != 'A' else 'B'
        refused(rq('GET', PATH, token=good[:at] + other + good[at + 1:]))
    assert rq('GET', PATH, token=good).status == 200


def test_size(stack, rq, raw):
    """J30"""
    pad = 'x' * 5800
    while len(token := hs(HS256, claims(pad=pad), stack.secret)) <= 8188:
        pad += 'x'
    assert rq('GET', PATH, token=token).status == 200
    while len(token := hs(HS256, claims(pad=pad), stack.secret)) <= 8192:
        pad += 'x'
    refused(rq('GET', PATH, token=token), 'JWT is longer than 8192 bytes')
    refused(rq('GET', PATH, token='A' * 20000), None)
    for size in (65536, 9000000):
        status, _ = raw(b'Authorization: Bearer ' + b'A' * size)
        assert status in (400, 401, 414, 431, None)


PAYLOADS = [
    ('J32', '{%s,"role":"anon"}'), ('J32', '{%s,"\\u0072ole":"anon"}'), ('J32', '{%s,"exp":1}'), ('J32', '{%s,"sub":"a","sub":"b"}'),
    ('J33', '{%s,"a\\u0000b":1}'), ('J33', '{%s,"sub":"a\\u0000"}'), ('J33', '{%s}\0{'), ('J33', '{%s,"x":"a\0b"}'),
    ('J34', '{%s,"x":' + '[' * 40 + ']' * 40 + '}'), ('J34', '{%s,"x":' + '[' * 2500 + ']' * 2500 + '}'), ('J34', '{%s,"x":' + '9' * 3000 + '}'),
    ('J36', '[%s]'), ('J36', '[{%s}]'), ('J36', '"x"'), ('J36', '7'), ('J36', 'null'), ('J36', 'true'), ('J36', ' '), ('J36', '{%s'),
    ('J36', '{%s,}'), ('J36', '{%s} x'), ('J36', "{'role':'anon'}"), ('J36', '{%s,"x":NaN}'), ('J36', '{%s,"x":-Infinity}'),
    ('J36', '{%s,"x":01}'), ('J36', '{%s,"x":"\\ud800"}'), ('J36', '{%s/* c */}'),
]


@pytest.mark.parametrize('case,text', PAYLOADS, ids=numbered(PAYLOADS))
def test_payload(stack, rq, case, text):
    members = f'"role":"authenticated","exp":{int(time.time()) + 600}'
    token = hs(HS256, text.replace('%s', members), stack.secret)
    refused(rq('GET', PATH, token=token), NO_CLAIMS, ['PGRST303'])


def test_invalid_utf8(stack, rq):
    for bad in (b'\xff', b'\xc0\xaf', b'\xed\xa0\x80', b'\xc3'):
        body = b'{"role":"anon","exp":%d,"x":"%s"}' % (int(time.time()) + 600, bad)
        refused(rq('GET', PATH, token=hs(HS256, body, stack.secret)), NO_CLAIMS)


def test_many_members(stack, rq):
    """J34: as many as fit."""
    token = hs(HS256, claims(**{f'm{i}': i for i in range(300)}), stack.secret)
    assert len(token) < 8192
    assert rq('GET', PATH, token=token).status == 200


# ---- the Authorization header ----

def test_schemes(stack, rq, raw):
    """J37"""
    good = stack.token()
    basic = base64.b64encode(b'user:' + good.encode()).decode()
    for value in (f'Bearer  {good}', f'Bearer\t{good}', good, f'Basic {basic}', f'Token {good}', f'Bearer={good}', f'Bearer,{good}',
                  f'Digest username="{good}"', f'Bearer {good}, Bearer {good}', f'Bearer {good} x'):
        refused(rq('GET', PATH, {'Authorization': value}), None, ['PGRST301'])
    for value in ('Bearer', 'Bearer '):
        refused(rq('GET', PATH, {'Authorization': value}), 'Empty JWT is sent in Authorization header', ['PGRST301'])


def test_two_headers(stack, raw):
    """J37: newer versions of nginx refuse this themselves."""
    good, other = stack.token().encode(), stack.token(role='anon').encode()
    for lines in ([b'Authorization: Bearer ' + good] * 2, [b'Authorization: Bearer ' + good, b'authorization: Bearer ' + other],
                  [b'Authorization: Basic eA==', b'Authorization: Bearer ' + good]):
        status, answer = raw(*lines)
        assert status in (400, 401), answer


def test_elsewhere_is_no_token(stack, rq):
    """J37: in the query or a cookie a token is nothing: the request is anonymous, or asks for a column of that name."""
    good = stack.token(role='service_role')
    closed = '/rest/v1/private_columns?select=*'
    assert rq('GET', closed, token=good).status == 200
    for headers in ({'Cookie': f'access_token={good}; token={good}; sb-access-token={good}'}, {'X-Authorization': f'Bearer {good}'},
                    {'X-Api-Key': good}):
        assert rq('GET', closed, headers).status == 401
    for name in ('access_token', 'apikey', 'token', 'jwt'):
        assert rq('GET', f'{closed}&{name}={good}').status >= 400


@pytest.mark.parametrize('byte', [b'\0', b'\x01', b'\n', b'\x7f', b'\x80'])
def test_odd_bytes(stack, raw, byte):
    good = stack.token().encode()
    status, answer = raw(b'Authorization: Bearer ' + good[:30] + byte + good[30:])
    assert status in (400, 401), answer


def test_no_token_in_the_log(stack, rq):
    good, bad = stack.token(sub='somebody'), hs(HS256, claims(sub='else'), 'x' * 64)
    assert rq('GET', PATH, token=good).status == 200
    answer = rq('GET', PATH, token=bad)
    refused(answer, NO_KEY)
    stack.log_of(answer)
    for file in (stack.folder / 'log').iterdir():
        text = file.read_text(errors='replace')
        for token in (good, bad):
            assert token not in text and token.split('.')[2] not in text, file
        assert stack.secret not in text, file
