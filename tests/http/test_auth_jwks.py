"""rowgate-jwks: the keys of another identity provider, fetched by a program of its own."""
import base64
import http.server
import json
import os
import ssl
import subprocess
import threading
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import harness
from test_auth_keys import READ, WAGES

PROGRAM = harness.REPO / harness.BUILD / 'rowgate-jwks'


class Provider(http.server.BaseHTTPRequestHandler):
    answers = {}
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        status, headers, body = self.answers[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope='module')
def provider(stack):
    built = subprocess.run(['make', '-s', '-C', harness.REPO, f'BUILD={harness.BUILD}', 'jwks'], capture_output=True,
                           text=True, env={**os.environ, 'MAKEFLAGS': ''})
    if built.returncode:
        pytest.skip('there is no libcurl to build rowgate-jwks with')
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Provider)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stack.var / 'tls/server.pem', stack.var / 'tls/server.key')
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'https://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


@pytest.fixture
def fetching(stack, provider, tmp_path):
    """fetch(answers): what the provider answers at which path; the exit status, and what was said."""
    # Where the workers' account can read.
    folder = stack.var / f'jwks-{uuid.uuid4().hex[:8]}'
    folder.mkdir(0o755)

    class Fetching:
        files = folder

        def __call__(self, answers, **conf):
            Provider.answers = {path: (200, {}, a) if isinstance(a, bytes) else a for path, a in answers.items()}
            path = tmp_path / 'rowgate.conf'
            path.write_text((stack.var / 'rowgate.conf').read_text())
            harness.set_conf(path, {'jwt-jwks-folder': folder, 'jwt-jwks-ca': stack.ca,
                                    'jwt-jwks-urls': ', '.join(provider + p for p in answers), **conf})
            done = subprocess.run([PROGRAM, '-c', path], capture_output=True, text=True, timeout=60)
            return done.returncode, done.stderr
    return Fetching()


def text(number, size):
    return base64.urlsafe_b64encode(number.to_bytes(size, 'big')).rstrip(b'=').decode()


def jwk(private, kid, alg):
    n = private.public_key().public_numbers()
    public = ({'kty': 'RSA', 'n': text(n.n, 256), 'e': 'AQAB'} if isinstance(private, rsa.RSAPrivateKey) else
              {'kty': 'EC', 'crv': 'P-256', 'x': text(n.x, 32), 'y': text(n.y, 32)})
    return {**public, 'kid': kid, 'alg': alg, 'use': 'sig'}


def jwks(*keys):
    return json.dumps({'keys': keys}).encode()


def test_keys_are_believed_and_rotate(stack, fetching):
    one, other = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    assert fetching({'/certs': jwks(jwk(one, 'a', 'ES256'))}) == (0, '')
    at = stack.variant({'jwt-jwks-folder': str(fetching.files)}, workers=2, fresh=True)
    body = {'role': 'hr', 'exp': int(time.time()) + 600}
    first = jwt.encode(body, one, 'ES256', {'kid': 'a'})
    second = jwt.encode(body, other, 'RS256', {'kid': 'b'})
    assert at.get(READ, WAGES, first).status == 200
    assert at.get(READ, WAGES, second).error() == (401, 'PGRST301')
    assert at.get(READ, WAGES, stack.service_key).status == 200
    assert fetching({'/certs': jwks(jwk(other, 'b', 'RS256'))}) == (0, '')
    # An unknown key sends the worker to look; one that went is gone within a second.
    assert at.get(READ, WAGES, second).status == 200
    time.sleep(1.5)
    for _ in range(8):
        assert at.get(READ, WAGES, first).error() == (401, 'PGRST301')
    # By its public key as a secret, nobody signs.
    public = jwk(other, 'b', 'RS256')
    forged = jwt.encode(body, public['n'], 'HS256', {'kid': 'b'})
    assert at.get(READ, WAGES, forged).error() == (401, 'PGRST301')
    stack.forget(at)


@pytest.mark.parametrize('answer, why', [
    ((302, {'Location': '/good'}, b''), '302'),
    ((404, {}, b'{}'), '404'),
    ((500, {}, b''), '500'),
    (b'', 'not a JWKS'),
    (b'<html>', 'not a JWKS'),
    (b'{"keys":[', 'broken JSON'),
    (b'{"keys":[]}', 'no key in it'),
    (b'{"keys":[{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","kid":"a"}]}', 'no key in it'),
    (b'{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"a"}]}', 'the answer'),
    (None, ''),
])
def test_the_last_good_copy_stays(fetching, answer, why):
    good = jwks(jwk(ec.generate_private_key(ec.SECP256R1()), 'a', 'ES256'))
    if answer is None:
        answer = good[:-1] + b',"x":"' + b'x' * 300000 + b'"}'
    assert fetching({'/certs': good}) == (0, '')
    before = {p.name: (p.read_bytes(), p.stat().st_ino) for p in fetching.files.iterdir()}
    Provider.asked.clear()
    status, said = fetching({'/certs': answer})
    assert status == 1 and why in said and 'last good copy' in said
    assert Provider.asked == ['/certs']
    assert {p.name: (p.read_bytes(), p.stat().st_ino) for p in fetching.files.iterdir()} == before
    # The same again is not written again.
    assert fetching({'/certs': good}) == (0, '')
    assert {p.name: (p.read_bytes(), p.stat().st_ino) for p in fetching.files.iterdir()} == before


@pytest.mark.parametrize('url', ['http://127.0.0.1:1/x', 'file:///etc/passwd', 'ftp://127.0.0.1/x', 'https://169.254.169.254/x',
                                 'https://[fe80::1]/x', 'https://[::ffff:169.254.169.254]/x'])
def test_urls_that_are_never_asked(fetching, url):
    start = time.monotonic()
    status, said = fetching({}, **{'jwt-jwks-urls': url})
    assert status == 1 and url in said and not list(fetching.files.iterdir())
    assert time.monotonic() - start < 4


def test_an_unknown_authority(fetching, tmp_path):
    status, said = fetching({'/certs': jwks()}, **{'jwt-jwks-ca': ''})
    assert status == 1 and not list(fetching.files.iterdir())
