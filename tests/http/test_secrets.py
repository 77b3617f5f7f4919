"""
Where secrets must not be: planted ones are looked for in what /proc shows of workers, in logs of the lowest level, in
refusals, and in the memory of a worker that a core dump would hold (its mappings without those that are kept out of
dumps). That the search finds what is there is shown on the mappings that are kept out, where keys belong.
"""
import base64
import contextlib
import json
import os
import pathlib
import re
import secrets
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import serialization

import harness
from test_auth_admin import rowgate
from test_auth_sessions import login, post, refresh, refused

READ = '/employee_directory?select=name&limit=1'
WAGES = {'Accept-Profile': 'wages'}


@pytest.fixture(scope='module')
def talkative(stack):
    return stack.variant({'auth-login-attempts': '0', 'log-level': 'debug'}, workers=1, fresh=True)


def forms(secret):
    """How a secret may lie in memory: as it is, in base64, backwards (numbers of OpenSSL's)."""
    return {secret, secret[::-1], base64.b64encode(secret).rstrip(b'='), base64.urlsafe_b64encode(secret).rstrip(b'=')}


def private_numbers(path):
    """The secret numbers of the signing keys, and what their file says of them line by line."""
    found = {}
    for one in json.loads(path.read_text())['keys']:
        if not one['key'].startswith('-----'):
            found[one['kid']] = one['key'].encode()
            continue
        numbers = serialization.load_pem_private_key(one['key'].encode(), None).private_numbers()
        for name in ('private_value', 'd', 'p', 'q', 'dmp1', 'dmq1', 'iqmp'):
            if n := getattr(numbers, name, None):
                found[f'{one["kid"]} {name}'] = n.to_bytes((n.bit_length() + 7) // 8, 'big')
        for i, line in enumerate(one['key'].strip().splitlines()[1:-1]):
            if len(line) >= 40:
                found[f'{one["kid"]} line {i}'] = line.encode()
    return found


@pytest.fixture(scope='module')
def planted(stack, talkative):
    """name: bytes, of all that has passed through the worker."""
    keys = stack.var / 'keys'
    signing = keys / 'signing.json'
    before = signing.read_bytes()
    password = 'Canary-' + secrets.token_hex(12)
    email = f'canary{secrets.token_hex(4)}@example.com'
    made = post(talkative, 'admin/users', {'email': email, 'password': password, 'role': 'hr'}, stack.service_key)
    assert made.status == 200, made
    session = login(talkative, email, password)
    used = [session['refresh_token']]
    for _ in range(3):
        session = refresh(talkative, used[-1]).json()
        used.append(session['refresh_token'])
    changed = 'Changed-' + secrets.token_hex(12)
    assert post(talkative, 'user', {'password': changed}, session['access_token'], method='PUT').status == 200
    wrong = 'Wrong-' + secrets.token_hex(12)
    refused(post(talkative, 'token?grant_type=password', {'email': email, 'password': wrong}), 400, 'invalid_credentials')
    browser = post(talkative, 'token?grant_type=password', {'email': email, 'password': changed},
                   headers={'X-Client-Session': 'cookie'})
    cookie = re.search(r'refresh=([^;]+)', browser.headers['Set-Cookie'])[1]
    again = post(talkative, 'token?grant_type=refresh_token', {},
                 headers={'X-Client-Session': 'cookie', 'Cookie': f'__Secure-rowgate-refresh={cookie}'})
    assert again.status == 200
    for alg in ('RS256', 'HS256'):
        assert rowgate(stack, 'key', 'new', '--alg', alg)[0] == 0
    time.sleep(1.5)
    assert talkative.get(READ, WAGES, login(talkative, email, changed)['access_token']).status == 200
    assert talkative.get(READ, WAGES, stack.token('hr')).status == 200
    # Requests whose headers lie where those with the cookie lay in libfcgi's buffer.
    for _ in range(3):
        assert talkative.get(READ, {**WAGES, 'Cookie': 'a=' + 'b' * 2000}, stack.token('hr')).status == 200
    talkative.hup()
    assert harness.wait_until(lambda: any(line['msg'] == 'reloaded' for line in talkative.log()))
    assert talkative.get(READ, WAGES, stack.token('hr')).status == 200
    found = {f'database password {p.name}': p.read_text().strip().encode() for p in keys.iterdir()
             if 'password' in p.name and p.name != 'admin-password'}
    conf = talkative.folder / 'rowgate.conf'
    for name in re.findall(r'^db-[a-z-]*password-file *= *(\S+)', conf.read_text(), re.M):
        found[f'database password {name}'] = (conf.parent / name).read_text().strip().encode()
    assert found
    yield {**found, 'jwt-secret': stack.secret.encode(), 'password': password.encode(), 'changed': changed.encode(),
            'wrong': wrong.encode(), 'cookie': cookie.encode(),
            **{f'refresh token {i}': token.encode() for i, token in enumerate(used)},
            **private_numbers(signing)}
    signing.write_bytes(before)
    os.utime(signing)
    time.sleep(1.5)


def mappings(pid):
    """(begin, end, kept out of dumps) of what is readable and private to the process."""
    begin = None
    for line in pathlib.Path(f'/proc/{pid}/smaps').read_text().splitlines():
        if head := re.match(r'([0-9a-f]+)-([0-9a-f]+) (\S+) ', line):
            begin, end, rights = int(head[1], 16), int(head[2], 16), head[3]
        elif line.startswith('VmFlags:') and rights[0] == 'r' and begin is not None:
            if '[vvar' not in line:
                yield begin, end, ' dd' in line
            begin = None


def memory(pid, in_dump):
    parts = []
    with open(f'/proc/{pid}/mem', 'rb', 0) as f:
        for begin, end, kept_out in mappings(pid):
            if kept_out == in_dump:
                continue
            with contextlib.suppress(OSError, ValueError, OverflowError):
                f.seek(begin)
                parts.append(f.read(end - begin))
    return b'\0'.join(parts)


def hits(text, planted):
    return sorted(name for name, secret in planted.items() if any(form in text for form in forms(secret)))


needs_root = pytest.mark.skipif(os.getuid() != 0, reason='to look into workers')
plain = pytest.mark.skipif('ROWGATE_SANITIZED' in os.environ, reason='the sanitizers keep what is freed')


@needs_root
@plain
def test_memory_that_a_core_dump_holds(talkative, planted):
    pid, = talkative.workers()
    assert hits(memory(pid, True), planted) == []


@needs_root
@plain
def test_keys_are_in_memory_kept_out_of_dumps(talkative, planted):
    pid, = talkative.workers()
    there = hits(memory(pid, False), planted)
    assert 'jwt-secret' in there and any('private_value' in name for name in there), there
    # And cannot be swapped out, within the limit there is.
    limit = re.search(r'Max locked memory +(\S+)', pathlib.Path(f'/proc/{pid}/limits').read_text())[1]
    locked = int(re.search(r'VmLck:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text())[1])
    assert locked > 0 or (limit.isdigit() and int(limit) < 1 << 18), (limit, locked)


@needs_root
def test_what_proc_shows(stack, talkative, planted):
    for pid in (*talkative.workers(), talkative.pool, *stack.workers(), stack.pool):
        for name in ('environ', 'cmdline'):
            assert hits(pathlib.Path(f'/proc/{pid}/{name}').read_bytes(), planted) == []


@needs_root
def test_no_core_file_and_no_look_from_outside(talkative):
    """Workers are nobody's to look into but root's."""
    pid, = talkative.workers()
    assert re.search(r'Max core file size +0 +0', pathlib.Path(f'/proc/{pid}/limits').read_text())
    assert os.stat(f'/proc/{pid}/environ').st_uid == 0


def test_logs(stack, talkative, planted):
    for on in (stack, talkative):
        for file in (on.folder / 'log').iterdir():
            assert hits(file.read_bytes(), planted) == [], file


def test_answers(stack, talkative, planted):
    """Refusals of all kinds, with secrets in the request: none comes back."""
    text = {name: secret.decode(errors='replace') for name, secret in planted.items()}
    answers = [
        post(talkative, 'token?grant_type=password', {'email': 'x@example.com', 'password': text['password']}),
        post(talkative, 'token?grant_type=password', '{"email":"x@example.com","password":"' + text['password']),
        post(talkative, 'token?grant_type=password', {'email': ['x'], 'password': text['password']}),
        post(talkative, 'signup', {'email': 'x', 'password': text['password']}),
        post(talkative, 'admin/users', {'email': 'x', 'password': text['password']}, stack.service_key),
        post(talkative, 'user', {'password': text['password']}, method='PUT'),
        refresh(talkative, text['refresh token 0']),
        talkative.get(READ, WAGES, 'x.y.' + text['refresh token 0']),
        talkative.rq('GET', '/nothing', {'apikey': text['refresh token 0']}),
    ]
    assert all(answer.status >= 400 for answer in answers)
    for answer in answers:
        assert hits(answer.body + str(answer.headers).encode(), planted) == []


@needs_root
def test_a_secret_in_the_environment_is_taken_out_of_it(stack):
    """ROWGATE_JWT_SECRET works, also after a reload, and is not in /proc."""
    secret = 'environment-' + secrets.token_hex(24)
    at = stack.variant({'jwt-secret-file': ''}, workers=1, environment={'ROWGATE_JWT_SECRET': secret}, fresh=True)
    import jwt
    token = jwt.encode({'role': 'hr', 'exp': int(time.time()) + 600}, secret, 'HS256')
    assert at.get(READ, WAGES, token).status == 200
    at.hup()
    assert harness.wait_until(lambda: any(line['msg'] == 'reloaded' for line in at.log()))
    assert at.get(READ, WAGES, token).status == 200
    pid, = at.workers()
    assert secret.encode() not in pathlib.Path(f'/proc/{pid}/environ').read_bytes()
    if 'ROWGATE_SANITIZED' not in os.environ:
        assert secret.encode() not in memory(pid, True)
    stack.forget(at)


# --- files ---

def copy_of_keys(stack, tmp_path):
    for file in (stack.var / 'keys').iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
        (tmp_path / file.name).chmod(0o600)
    return tmp_path


SETTINGS = ['jwt-secret-file', 'auth-signing-keys', 'db-password-file', 'db-catalogue-password-file', 'db-identity-password-file']


@pytest.mark.parametrize('setting', SETTINGS)
@pytest.mark.parametrize('mode', [0o644, 0o660, 0o604])
def test_a_file_that_lets_others_in(stack, tmp_path, setting, mode):
    """Refused at start, with the file's name, its mode and what to do."""
    file = tmp_path / 'secret'
    text = (stack.var / 'rowgate.conf').read_text()
    there = re.search(rf'^{setting} *= *(\S+)', text, re.M)
    if not there:
        pytest.skip(f'{setting} is not set')
    file.write_bytes((stack.var / there[1]).read_bytes())
    file.chmod(mode)
    conf = stack.var / f'{tmp_path.name}.conf'
    conf.write_text(text)
    harness.set_conf(conf, {setting: file})
    try:
        for command in ('check', 'serve') if mode == 0o644 else ('check',):
            done = subprocess.run([harness.REPO / harness.BUILD / 'rowgate', command, '-c', conf], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=60)
            assert done.returncode == 1
            said = done.stdout + done.stderr
            assert f'{file}: mode {mode:03o} lets others in; chmod 600 it' in said
        if mode == 0o644:
            file.chmod(0o600)
            done = subprocess.run([harness.REPO / harness.BUILD / 'rowgate', 'check', '-c', conf], capture_output=True, text=True)
            assert 'lets others in' not in done.stdout + done.stderr
    finally:
        conf.unlink()


@needs_root
def test_a_file_of_somebody_else(stack, tmp_path):
    file = tmp_path / 'secret'
    file.write_text('s' * 64)
    file.chmod(0o600)
    os.chown(file, 12345, 12345)
    conf = stack.var / 'other-owner.conf'
    conf.write_text((stack.var / 'rowgate.conf').read_text())
    harness.set_conf(conf, {'jwt-secret-file': file})
    done = subprocess.run([harness.REPO / harness.BUILD / 'rowgate', 'check', '-c', conf], capture_output=True, text=True)
    conf.unlink()
    assert done.returncode == 1 and 'belongs to another user' in done.stdout + done.stderr


@pytest.mark.parametrize('secret', ['', 'short', 'x' * 31])
def test_a_weak_secret(stack, tmp_path, secret):
    """J42, S01: what could be guessed is refused at start."""
    file = tmp_path / 'secret'
    file.write_text(secret)
    file.chmod(0o600)
    conf = stack.var / 'weak.conf'
    conf.write_text((stack.var / 'rowgate.conf').read_text())
    harness.set_conf(conf, {'jwt-secret-file': file})
    done = subprocess.run([harness.REPO / harness.BUILD / 'rowgate', 'check', '-c', conf], capture_output=True, text=True)
    conf.unlink()
    assert done.returncode == 1 and re.search('too short|is empty', done.stdout + done.stderr)


def test_generated_secrets_cannot_be_guessed(stack):
    """J42: at least 256 random bits each, no two alike: no word list holds them."""
    before = (stack.var / 'keys/signing.json').read_bytes()
    made = [json.loads(rowgate(stack, 'key', 'new', '--alg', 'HS256', '--json')[1])['kid'] for _ in range(3)]
    file = stack.var / 'keys/signing.json'
    found = [base64.urlsafe_b64decode(one['key'] + '==') for one in json.loads(file.read_text())['keys'] if one['kid'] in made]
    found.append(base64.b64decode(stack.secret + '=='))
    assert len(set(found)) == 4
    for secret in found:
        assert len(secret) >= 32
        # 32 random bytes have fewer than 20 different values once in 10^8 times.
        assert len(set(secret[:32])) >= 20
    file.write_bytes(before)
    os.utime(file)
    time.sleep(1.5)
