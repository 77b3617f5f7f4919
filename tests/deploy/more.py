"""What test_bad_input.py and test_tls.py share: processes in the hosts' network, certificates, a MariaDB elsewhere."""
import os
import re
import shutil
import signal
import subprocess
import time

import hosts as lib

CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
RIGHTS = ('SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, CREATE TEMPORARY TABLES,'
          ' LOCK TABLES, EXECUTE, REPLICATION SLAVE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER')


def said(out):
    """The last refusal, as it is read."""
    return re.findall(r'"msg": "((?:[^"\\]|\\.)*)"', out)[-1].replace('\\"', '"')


def wait_until(true, seconds=120):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def provisioned(host, *words):
    """A host that serves, with a database of its own, whatever was before."""
    try:
        if host.status('b1')['active'] and 'db-socket' in host.ssh('b1', 'cat /etc/rowgate/live/rowgate.conf'):
            return
    except lib.Failed:
        pass
    host.play('provision', *words)


class Process:
    """In the hosts' network; ended by its own number, for between us and it stands a script."""
    def __init__(self, host, name, command, **more):
        self.file = host.folder / f'{name}.pid'
        self.file.unlink(missing_ok=True)
        self.script = subprocess.Popen([lib.HERE / 'hosts/test-host.sh', host.folder, 'run', 'sh', '-c', 'echo $$ >"$0"; exec "$@"', self.file, *command],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **{'stderr': subprocess.DEVNULL, **more})

    def stop(self):
        if self.script.poll() is None:
            wait_until(lambda: self.file.exists() and self.file.read_text().strip())
            os.kill(int(self.file.read_text()), signal.SIGTERM)
        self.script.wait(120)


class Authority:
    """Certificates of an authority in a folder."""
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.openssl('req', '-x509', *CURVE, '-days', '2', '-subj', f'/CN={folder.name}', '-keyout', 'ca.key', '-out', 'ca.pem')

    def openssl(self, *words):
        subprocess.run(['openssl', *map(str, words)], cwd=self.folder, check=True, capture_output=True)

    def sign(self, name, *names, days=2):
        """name.pem, with the authority after it, and name.key."""
        (self.folder / 'names').write_text(f'subjectAltName = {", ".join(f"DNS:{n}" for n in names)}\n')
        self.openssl('req', *CURVE, '-subj', f'/CN={name}', '-keyout', f'{name}.key', '-out', f'{name}.csr')
        self.openssl('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', time.time_ns(), '-days', days,
                     '-extfile', 'names', '-out', f'{name}.pem')
        certificate = self.folder / f'{name}.pem'
        certificate.write_text(certificate.read_text() + (self.folder / 'ca.pem').read_text())
        (self.folder / f'{name}.key').chmod(0o644)
        return certificate


class Elsewhere:
    """A MariaDB at db.test: TLS is demanded, its administrator has no SUPER."""
    def __init__(self, host):
        self.host, self.folder, self.process = host, host.folder / 'elsewhere', None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.authority = Authority(self.folder)
        Authority(self.folder / 'other')
        subprocess.run(['mariadb-install-db', '--no-defaults', '--user=mysql', f'--datadir={self.folder}/data', '--skip-test-db'],
                       check=True, capture_output=True)
        self.authority.sign('server', 'db.test')
        (self.folder / 'init').write_text(f"CREATE USER IF NOT EXISTS admin@'%' IDENTIFIED BY 'the right one';\n"
                                          f"GRANT {RIGHTS} ON *.* TO admin@'%' WITH GRANT OPTION;\n")

    def start(self, *more):
        program = shutil.which('mariadbd', path=os.environ['PATH'] + ':/usr/sbin')
        log = self.folder / 'log'
        self.process = Process(
            self.host, 'elsewhere', [program, '--no-defaults', '--user=mysql', f'--datadir={self.folder}/data', f'--socket={self.folder}/data/s',
             f'--pid-file={self.folder}/data/pid', '--bind-address=10.77.0.1', '--port=3306', '--require-secure-transport=ON',
             f'--ssl-ca={self.folder}/ca.pem', f'--ssl-cert={self.folder}/server.pem', f'--ssl-key={self.folder}/server.key', '--log-bin=b',
             '--log-bin-trust-function-creators=1', '--innodb-flush-log-at-trx-commit=0', f'--init-file={self.folder}/init', *more],
            stderr=log.open('w'))
        try:
            wait_until(lambda: 'ready for connections' in log.read_text(errors='replace') or self.process.script.poll() is not None)
            assert self.process.script.poll() is None
        except AssertionError:
            raise lib.Failed(log.read_text(errors='replace')[-2000:]) from None

    def stop(self):
        if self.process:
            self.process.stop()
