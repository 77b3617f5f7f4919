"""
What is wrong on a bare host, or with a database that is elsewhere, is said in one sentence before anything is done, and once
it is mended the same run completes. A MariaDB in the hosts' network plays RDS: TLS demanded, an administrator without SUPER.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

import hosts as lib
from test_deploy import changed, clone, first, recap  # noqa: F401

KEEP = os.environ.get('DEPLOY_KEEP')
reason = lib.impossible()
RIGHTS = ('SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, CREATE TEMPORARY TABLES,'
          ' LOCK TABLES, EXECUTE, REPLICATION SLAVE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER')


@pytest.fixture(scope='module')
def host(first):  # noqa: F811
    if reason:
        pytest.skip(f'no hosts can be booted here: {reason}')
    made = lib.Hosts(KEEP and f'{KEEP}/bad')
    try:
        made.up('b1')
        made.inventory.write_text(made.inventory.read_text() + f'rowgate_release={first}\n')
        made.ssh('b1', "id plain || { sudo useradd -m -s /bin/bash plain && sudo cp -r /home/admin/.ssh /home/plain/ && sudo chown -R plain: /home/plain/.ssh; }")
        made.ssh('b1', "grep db.test /etc/hosts || echo '10.77.0.1 db.test' | sudo tee -a /etc/hosts")
        yield made
    finally:
        if not KEEP:
            made.close()


class Process:
    """In the hosts' network; ended by its own number, for between us and it stands a script."""
    def __init__(self, host, name, command, **more):  # noqa: F811
        self.file = host.folder / f'{name}.pid'
        self.file.unlink(missing_ok=True)
        self.script = subprocess.Popen([lib.HERE / 'hosts/test-host.sh', host.folder, 'run', 'sh', '-c', 'echo $$ >"$0"; exec "$@"', self.file, *command],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **{'stderr': subprocess.DEVNULL, **more})

    def stop(self):
        if self.script.poll() is None:
            os.kill(int(self.file.read_text()), signal.SIGTERM)
        self.script.wait(120)


class Elsewhere:
    """A MariaDB at db.test."""
    def __init__(self, host):  # noqa: F811
        self.host, self.folder, self.process = host, host.folder / 'elsewhere', None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.folder.chmod(0o755)
        subprocess.run(['mariadb-install-db', '--no-defaults', '--user=mysql', f'--datadir={self.folder}/data', '--skip-test-db'],
                       check=True, capture_output=True)
        for name in ('ca', 'other'):
            self.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', f'/CN={name}',
                         '-keyout', f'{name}.key', '-out', f'{name}.pem')
        self.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=db.test', '-keyout', 'server.key',
                     '-out', 'server.csr')
        (self.folder / 'names').write_text('subjectAltName = DNS:db.test\n')
        self.openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', '7', '-days', '2', '-extfile', 'names',
                     '-out', 'server.pem')
        (self.folder / 'server.key').chmod(0o644)
        (self.folder / 'init').write_text(f"CREATE USER IF NOT EXISTS admin@'%' IDENTIFIED BY 'the right one';\n"
                                          f"GRANT {RIGHTS} ON *.* TO admin@'%' WITH GRANT OPTION;\n")

    def openssl(self, *words):
        subprocess.run(['openssl', *words], cwd=self.folder, check=True, capture_output=True)

    def start(self, *more):
        program = shutil.which('mariadbd', path=os.environ['PATH'] + ':/usr/sbin')
        self.process = Process(
            self.host, 'elsewhere', [program, '--no-defaults', '--user=mysql',
             f'--datadir={self.folder}/data', f'--socket={self.folder}/data/s', f'--pid-file={self.folder}/data/pid', '--bind-address=10.77.0.1',
             '--port=3306', '--require-secure-transport=ON', f'--ssl-ca={self.folder}/ca.pem', f'--ssl-cert={self.folder}/server.pem',
             f'--ssl-key={self.folder}/server.key', '--log-bin=b', '--log-bin-trust-function-creators=1', f'--init-file={self.folder}/init', *more],
            stderr=(self.folder / 'log').open('w'))
        deadline = time.monotonic() + 120
        while 'ready for connections' not in (self.folder / 'log').read_text(errors='replace'):
            assert time.monotonic() < deadline and self.process.script.poll() is None, (self.folder / 'log').read_text(errors='replace')[-2000:]
            time.sleep(0.2)

    def stop(self):
        if self.process:
            self.process.stop()


@pytest.fixture(scope='module')
def elsewhere(host):
    if not shutil.which('mariadb-install-db'):
        pytest.skip('no MariaDB here to play RDS')
    made = Elsewhere(host)
    yield made
    made.stop()


def said(out):
    """The last refusal, as it is read."""
    return re.findall(r'"msg": "((?:[^"\\]|\\.)*)"', out)[-1]


def packages(host):
    return host.ssh('b1', "dpkg-query -W | wc -l; ls /etc/systemd/system | wc -l").split()


# ---- a bare host ----

@pytest.mark.parametrize('words, sentence', [
    (['-e', 'ansible_user=plain'], 'b1: plain does not become root there'),
    (['-e', 'ansible_become=false'], 'b1: admin does not become root there'),
    (['-e', 'common_disk_needed=999999999'], 'are needed: make room'),
])
def test_a_host_that_is_not_fit(host, words, sentence):
    before = packages(host)
    out = host.play('provision', *words, fails=True)
    assert sentence in said(out) and recap(out)['b1']['changed'] == '0'
    assert packages(host) == before


def test_a_full_disk(host):
    """Of the file systems that something is put on, the least one counts."""
    host.ssh('b1', 'sudo mount -t tmpfs -o size=3m tmpfs /opt')
    try:
        out = host.play('provision', fails=True)
        assert '/opt has 3 MiB left and 1024 are needed' in said(out) and recap(out)['b1']['changed'] == '0'
    finally:
        host.ssh('b1', 'sudo umount /opt')


def test_the_port_is_taken(host):
    host.ssh('b1', 'sudo systemd-run -q --unit=squatter python3 -m http.server 443')
    try:
        deadline = time.monotonic() + 30
        while ':443' not in host.ssh('b1', 'ss -Hltn'):
            assert time.monotonic() < deadline
        before = packages(host)
        out = host.play('provision', fails=True)
        assert "another process has nginx's port: 0.0.0.0:443" in said(out) and 'python3' in said(out)
        assert recap(out)['b1']['changed'] == '0' and packages(host) == before
    finally:
        host.ssh('b1', 'sudo systemctl stop squatter')


def test_no_way_to_the_mirror(host):
    host.ssh('b1', "sudo mv /etc/apt/apt.conf.d/99test-host /root/ && echo 'Acquire::http::Proxy \"http://10.77.0.1:9/\"; Acquire::Retries \"0\";'"
             ' | sudo tee /etc/apt/apt.conf.d/99nowhere')
    try:
        out = host.play('provision', fails=True)
        assert 'b1: no package lists' in said(out) and 'Does the host reach the mirrors' in said(out)
        assert recap(out)['b1']['changed'] == '0'
    finally:
        host.ssh('b1', 'sudo rm /etc/apt/apt.conf.d/99nowhere && sudo mv /root/99test-host /etc/apt/apt.conf.d/')


def test_a_check_of_a_bare_host(host):
    before = packages(host)
    host.play('provision', '--check')
    assert packages(host) == before


# ---- a database elsewhere ----

def settings(elsewhere, **more):
    given = {'database_host': 'db.test', 'database_admin_password': "'the right one'", 'database_ca_file': elsewhere.folder / 'ca.pem', **more}
    return [w for name, value in given.items() for w in ('-e', f'{name}={value}')]


def test_a_database_that_is_not_fit(host, elsewhere):
    cases = [({}, [], "Can't connect", 'database_host and database_port'),
             ({'database_admin_password': 'wrong'}, None, 'Access denied', 'database_admin_password'),
             ({'database_ca_file': elsewhere.folder / 'other.pem'}, None, 'certificate', 'database_ca_file'),
             ({}, ['--version=10.4.34-MariaDB'], 'the server is 10.4.34-MariaDB', 'MariaDB 10.6 or MySQL 8.0 is the oldest that works')]
    for change, start, reason_of_server, remedy in cases:
        if start:
            elsewhere.stop()
            elsewhere.start(*start)
        out = host.play('provision', *settings(elsewhere, **change), fails=True)
        assert reason_of_server in said(out) and remedy in said(out), said(out)
        assert host.ssh('b1', 'ls /etc/rowgate/live 2>/dev/null || echo none').strip() == 'none'
        if start == []:
            elsewhere.start()


def test_then_the_same_run_completes(host, elsewhere):
    elsewhere.stop()
    elsewhere.start()
    host.play('provision', *settings(elsewhere))
    assert host.curl('b1', '/health/ready') == (200, '{"status":"ready"}')
    lines, counts = changed(host.play('provision', *settings(elsewhere)))
    assert counts == {'b1': '0'}, lines
    host.play('verify', *settings(elsewhere))
    conf = host.ssh('b1', 'cat /etc/rowgate/live/rowgate.conf')
    assert 'db-host = db.test' in conf and 'db-ca = db-ca.pem' in conf
    assert 'mariadbd' not in host.ssh('b1', 'ps -eo comm')


# ---- a run that is cut off, and the keys of others ----

def test_an_interrupted_provision_is_run_again(host, elsewhere):
    words = [*settings(elsewhere), '-e', 'rowgate_workers=5', '-e', 'rowgate_monitoring=true', '-e', 'nginx_rate=7']
    for task in ('rowgate : Settings', 'nginx : Configuration', 'monitoring : Install node exporter'):
        one = subprocess.Popen(host.play_command('provision', *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True)
        for line in one.stdout:
            if line.startswith('TASK') and task in line:
                break
        os.killpg(one.pid, 9)
        one.wait()
        assert one.returncode == -9 and host.curl('b1', '/health/ready')[0] == 200
    host.play('provision', *words)
    assert 'WORKERS=5' in host.ssh('b1', 'cat /etc/rowgate/live/environment')
    assert 'rate=7r/s' in host.ssh('b1', 'sudo nginx -T 2>/dev/null')
    lines, counts = changed(host.play('provision', *words))
    assert counts == {'b1': '0'}, lines


def test_keys_of_another_provider(host, elsewhere):
    """The timer's unit fetches them over TLS from a server that the host trusts."""
    jwks = pathlib.Path(elsewhere.folder / 'www')
    jwks.mkdir(exist_ok=True)
    (jwks / 'jwks.json').write_text('{"keys":[{"kty":"EC","crv":"P-256","kid":"k1","alg":"ES256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",'
                                    '"y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}')
    server = Process(host, 'provider', ['openssl', 's_server', '-accept', '10.77.0.1:8443', '-WWW', '-cert', elsewhere.folder / 'server.pem',
                                        '-key', elsewhere.folder / 'server.key', '-quiet'], cwd=jwks)
    try:
        host.ssh('b1', f"echo '{(elsewhere.folder / 'ca.pem').read_text()}' | sudo tee /usr/local/share/ca-certificates/test.crt"
                 ' && sudo update-ca-certificates')
        host.play('deploy', *settings(elsewhere), '-e', '{"rowgate_settings": {"jwt-jwks-urls": "https://db.test:8443/jwks.json"}}')
        assert host.ssh('b1', 'systemctl is-active rowgate-jwks.timer').strip() == 'active'
        host.ssh('b1', 'sudo systemctl start rowgate-jwks.service')
        assert '"k1"' in host.ssh('b1', 'sudo cat /var/lib/rowgate/jwks/*')
        assert host.curl('b1', '/health/ready')[0] == 200
    finally:
        server.stop()
