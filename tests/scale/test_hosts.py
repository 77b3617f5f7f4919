"""
What ansible/README.md says of a reader, failover and clusters, on a booted host: two MariaDB with TLS in its network, led to by
names, as clouds have them.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pymysql
import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / 'tests/deploy'))
import hosts as lib  # noqa: E402
from more import RIGHTS, Authority, Process, said  # noqa: E402
from test_deploy import changed, release  # noqa: E402

KEEP = os.environ.get('DEPLOY_KEEP')
reason = lib.impossible() or (None if shutil.which('mariadb-install-db') else 'no MariaDB here to play RDS')
ADDRESS = {'a': '10.77.0.3', 'b': '10.77.0.4'}
FIRST = 10000000
PATIENCE = 180


def wait_until(test, what):
    end = time.monotonic() + PATIENCE
    while not (value := test()):
        assert time.monotonic() < end, what
        time.sleep(.1)
    return value


class Server:
    """A MariaDB at 10.77.0.3 or .4."""

    def __init__(self, host, name):
        self.host, self.name, self.folder, self.process = host, name, host.folder / f'db-{name}', None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.folder.chmod(0o755)
        done = subprocess.run(['mariadb-install-db', '--no-defaults', '--force', '--user=mysql', f'--datadir={self.folder}/data', '--skip-test-db',
                               '--auth-root-authentication-method=normal'], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def start(self, *more):
        tls, program = self.host.folder / 'db-tls', shutil.which('mariadbd', path=os.environ['PATH'] + ':/usr/sbin')
        self.process = Process(
            self.host, self.name, [program, '--no-defaults', '--user=mysql', f'--datadir={self.folder}/data', f'--socket={self.folder}/data/s',
                                   f'--pid-file={self.folder}/data/pid', f'--bind-address={ADDRESS[self.name]}', '--port=3306',
                                   '--require-secure-transport=ON', f'--ssl-ca={tls}/ca.pem', f'--ssl-cert={tls}/server.pem',
                                   f'--ssl-key={tls}/server.key', f'--server-id={ord(self.name)}', '--log-bin=b', '--binlog-format=ROW',
                                   '--log-bin-trust-function-creators=1', '--skip-name-resolve', *more],
            stderr=(self.folder / 'log').open('a'))
        wait_until(self.answers, f'{self.name} does not start')

    def answers(self):
        assert self.process.script.poll() is None, (self.folder / 'log').read_text(errors='replace')[-2000:]
        with contextlib.suppress(pymysql.err.MySQLError):
            return self.sql('SELECT 1')

    def sql(self, statement):
        with contextlib.closing(pymysql.connect(unix_socket=f'{self.folder}/data/s', user='root', autocommit=True)) as c, c.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def status(self, name):
        return dict(self.sql(f"SHOW STATUS LIKE '{name}'"))[name]

    def end(self, name):
        if self.process and self.process.script.poll() is None:
            os.kill(int(self.process.file.read_text()), name)
            self.process.script.wait(120)


class Pair:
    """a writes, b follows; what a has acknowledged b has."""

    def __init__(self, host):
        self.host, self.tls, self.servers = host, host.folder / 'db-tls', {}

    def begin(self):
        for address in ADDRESS.values():
            self.host.script('run', 'ip', 'addr', 'add', f'{address}/24', 'dev', 'br0')
        shutil.rmtree(self.tls, ignore_errors=True)
        Authority(self.tls).sign('server', 'writer.db.test', 'reader.db.test')
        self.servers = {name: Server(self.host, name) for name in ADDRESS}
        self.writer, self.reader = self.servers['a'], self.servers['b']
        self.writer.start()
        self.writer.sql("CREATE USER admin@'%' IDENTIFIED BY 'the right one'")
        self.writer.sql(f"GRANT {RIGHTS} ON *.* TO admin@'%' WITH GRANT OPTION")
        self.writer.sql("CREATE USER repl@'%' IDENTIFIED BY 'repl' REQUIRE SSL")
        self.writer.sql("GRANT REPLICATION SLAVE ON *.* TO repl@'%'")
        self.reader.start()
        self.follow()
        self.lead()

    def follow(self):
        self.reader.sql('SET GLOBAL read_only = ON')
        self.reader.sql('SET GLOBAL rpl_semi_sync_slave_enabled = ON')
        self.reader.sql(f"CHANGE MASTER TO master_host='{ADDRESS[self.writer.name]}', master_port=3306, master_user='repl',"
                        " master_password='repl', master_ssl=1, master_use_gtid=slave_pos, master_connect_retry=1")
        self.reader.sql('START SLAVE')
        self.writer.sql('SET GLOBAL rpl_semi_sync_master_timeout = 600000')
        self.writer.sql("SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_SYNC'")
        self.writer.sql('SET GLOBAL rpl_semi_sync_master_enabled = ON')
        wait_until(lambda: self.writer.status('Rpl_semi_sync_master_clients') == '1', 'the reader does not follow')

    def lead(self, reader=True):
        """The names lead to them, as a DNS would have it."""
        lines = [f'{ADDRESS[self.writer.name]} writer.db.test', f'{ADDRESS[(self.reader if reader else self.writer).name]} reader.db.test']
        # By one rename: a file that is half there is a name that nobody knows.
        self.host.ssh('f1', "(grep -v db.test /etc/hosts; echo '" + '\n'.join(lines) + "') | sudo tee /etc/hosts.new >/dev/null"
                            ' && sudo mv /etc/hosts.new /etc/hosts')

    def promote(self):
        """The reader takes all that it has received, then writes. The moment from which on it accepts."""
        self.reader.sql('STOP SLAVE IO_THREAD')
        columns = self.reader.sql("SELECT @@GLOBAL.gtid_binlog_pos")
        assert columns
        with contextlib.closing(pymysql.connect(unix_socket=f'{self.reader.folder}/data/s', user='root',
                                                cursorclass=pymysql.cursors.DictCursor)) as c, c.cursor() as cursor:
            cursor.execute('SHOW SLAVE STATUS')
            got = cursor.fetchone()['Gtid_IO_Pos']
        assert self.reader.sql(f"SELECT MASTER_GTID_WAIT('{got}', {PATIENCE})")[0][0] == 0
        self.reader.sql('STOP SLAVE')
        self.reader.sql('RESET SLAVE ALL')
        self.reader.sql('SET GLOBAL read_only = OFF')
        self.writer, self.reader = self.reader, self.writer
        return time.monotonic()

    def close(self):
        for server in self.servers.values():
            server.end(signal.SIGKILL)


@pytest.fixture(scope='module')
def host():
    if reason:
        pytest.skip(f'no hosts can be booted here: {reason}')
    made = lib.Hosts(KEEP)
    try:
        made.up('f1')
        made.inventory.write_text(made.inventory.read_text() + f'rowgate_release={release(REPO)}\nrowgate_sample_data=true\n')
        yield made
    finally:
        if not KEEP:
            made.close()


@pytest.fixture(scope='module')
def pair(host):
    made = Pair(host)
    try:
        made.begin()
        yield made
    finally:
        made.close()


def settings(pair, **more):
    given = {'database_host': 'writer.db.test', 'database_admin_password': 'the right one', 'database_ca_file': str(pair.tls / 'ca.pem'),
             'rowgate_settings': {'db-reader-host': 'reader.db.test'}, **more}
    return ['-e', json.dumps(given)]


def metric(host, name):
    """Of the pool that serves."""
    lines = host.ssh('f1', 'curl -sk https://127.0.0.1/metrics').splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def from_reader(host):
    before = metric(host, 'rowgate_reads_total{server="reader"')
    assert host.curl('f1', '/rest/v1/fire_department?limit=1', '-H', 'Accept-Profile: incidents')[0] == 200
    return metric(host, 'rowgate_reads_total{server="reader"') > before


@contextlib.contextmanager
def writing(host, writer, token, count=4):
    """What clients were told that it is there: [[id, sent, answered], ...] of each."""
    done, command = [], [lib.HERE / 'hosts/test-host.sh', host.folder, 'run', lib.PYTHON, REPO / 'tests/scale/write.py', host.address('f1'), '443',
                         'f1', host.folder / 'inventory/tls/f1-ca.pem', token]
    first = max(rows(writer), default=FIRST) + 1
    clients = [subprocess.Popen([*command, str(first + i * 1000000)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for i in range(count)]
    try:
        yield done
    finally:
        for client in clients:
            client.stdin.close()
            client.stdin = None
        done.extend(json.loads(client.communicate(timeout=120)[0]) for client in clients)


def rows(server):
    return {row[0] for row in server.sql(f'SELECT id FROM wages.salary_history WHERE id >= {FIRST}')}


def more_rows(server, n=100):
    before = len(rows(server))
    wait_until(lambda: len(rows(server)) >= before + n, 'nothing is written')


# ---- in this order ----

def test_a_reader(host, pair):
    host.play('provision', *settings(pair))
    wait_until(lambda: from_reader(host), 'the reader is not read from')
    lines, counts = changed(host.play('provision', *settings(pair)))
    assert counts == {'f1': '0'}, lines
    host.play('verify', *settings(pair))


def test_a_deploy_to_what_does_not_write(host, pair):
    out = host.play('deploy', *settings(pair, database_host='reader.db.test'), fails=True)
    assert 'reader.db.test:3306: the server is read-only' in said(out) and "The name in database_host is to be the writer's" in said(out), said(out)
    assert host.curl('f1', '/health/ready')[0] == 200


def test_passwords_change_with_a_reader(host, pair):
    with host.load('f1', 2000) as seen:
        host.play('rotate-secrets', *settings(pair), '--tags', 'database')
    assert seen['failed'] == 0, seen
    wait_until(lambda: from_reader(host), 'the reader is not read from')


@pytest.mark.parametrize('how', ['killed', 'demoted'])
def test_failover(host, pair, how, capsys):
    token = host.folder / 'token'
    token.write_text(host.token('f1'))
    old = pair.writer
    with writing(host, old, token) as done:
        more_rows(old)
        if how == 'killed':
            old.end(signal.SIGKILL)
        else:
            old.sql('SET GLOBAL read_only = ON')
        accepted = pair.promote()
        pair.lead(reader=False)
        moved = time.monotonic()
        more_rows(pair.writer)
    assert all(done)
    acknowledged = {ident for one in done for ident, _, _ in one}
    lost = acknowledged - rows(pair.writer)
    again = max(min(at for _, sent, at in one if sent > accepted) for one in done)
    with capsys.disabled():
        print(f'\n{how}: writes again {again - accepted:.2f} s after the new one accepted, {again - moved:.2f} s after its name led there;'
              f' {len(acknowledged)} acknowledged, {len(lost)} lost')
    assert not lost
    if how == 'demoted':
        assert not rows(old) & {ident for one in done for ident, sent, _ in one if sent > accepted}
    # The old one comes back as the reader.
    if how == 'killed':
        old.start('--read-only=ON')
    else:
        old.sql('SET GLOBAL rpl_semi_sync_master_enabled = OFF')
    old.sql('SET GLOBAL gtid_slave_pos = @@GLOBAL.gtid_current_pos')
    pair.writer.sql('SET GLOBAL rpl_semi_sync_slave_enabled = OFF')
    pair.follow()
    pair.lead()
    wait_until(lambda: from_reader(host), 'the reader is not read from')
    assert rows(old) <= rows(pair.writer)


def test_what_ops_do_afterwards(host, pair):
    lines, counts = changed(host.play('provision', *settings(pair)))
    assert counts == {'f1': '0'}, lines
    host.play('verify', *settings(pair))
    host.play('deploy', *settings(pair, rowgate_settings={'db-reader-host': 'reader.db.test', 'db-max-rows': 7}))
    wait_until(lambda: from_reader(host), 'the reader is not read from')


def test_a_list_of_hosts(host, pair):
    """As a cluster is told: the deploy goes to database_host, the workers to whichever of the list writes."""
    host.play('deploy', *settings(pair, rowgate_settings={'db-host': 'reader.db.test, writer.db.test'}))
    conf = host.ssh('f1', 'cat /etc/rowgate/live/rowgate.conf')
    assert 'db-host = reader.db.test, writer.db.test' in conf
    token = host.folder / 'token'
    token.write_text(host.token('f1'))
    with writing(host, pair.writer, token, 1) as done:
        more_rows(pair.writer, 10)
    assert done[0]
