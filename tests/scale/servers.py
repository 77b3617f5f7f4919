"""
Several database servers for one instance: a writer with a replica, and a Galera cluster, both on loopback with own data.
MariaDB is this machine's; Oracle MySQL the one of tests/servers. Before them an endpoint, as clouds have it: a name that
leads somewhere else after a failover.
"""
import contextlib
import os
import pathlib
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

import pymysql

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'http'))
import harness  # noqa: E402
from harness import FOLDER, REPO, started_at, wait_until  # noqa: E402

PATIENCE = 180


def free_port():
    """Below those that connections get, for it is used some time after it was found."""
    while True:
        port = random.randrange(12000, 32000)
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(('127.0.0.1', port))
            return port


def ended(server):
    with contextlib.suppress(Exception):
        server.close()


class Endpoint:
    """A port that leads to another, until it is said to lead elsewhere (target None: it refuses)."""

    def __init__(self, target):
        self.target, self.pairs, self.lock = target, set(), threading.Lock()
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                if self.target is None:
                    raise OSError
                server = socket.create_connection(('127.0.0.1', self.target), 5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.pairs.add((client, server))
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    @staticmethod
    def copy(a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                b.sendall(data)
        for s in (a, b):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """Ends what goes through it."""
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            for s in pair:
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)
                s.close()

    def close(self):
        self.listener.close()
        self.cut()


class Server:
    """One MariaDB of this machine. Its administrator is 'admin', by TCP."""

    def __init__(self, folder, number, options=(), password=None, empty=False):
        self.folder, self.number, self.options = pathlib.Path(folder), number, list(options)
        self.port = free_port()
        self.password = password or secrets.token_hex(16)
        self.folder.mkdir(parents=True)
        self.user = 'mysql' if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            shutil.chown(self.folder, 'mysql', 'mysql')
        if empty:
            (self.folder / 'data').mkdir()
            if os.getuid() == 0:
                shutil.chown(self.folder / 'data', 'mysql', 'mysql')
            return
        with open(self.folder / 'init.log', 'wb') as log:
            subprocess.run(['mariadb-install-db', '--no-defaults', '--force', f'--user={self.user}',
                            f'--datadir={self.folder}/data', '--auth-root-authentication-method=normal', '--skip-test-db',
                            '--innodb-log-file-size=16M'], stdout=log, stderr=log, check=True)

    def start(self, *more, wait=True):
        with open(self.folder / 'out.log', 'ab') as log:
            self.process = subprocess.Popen(
                ['mariadbd', '--no-defaults', f'--user={self.user}', f'--datadir={self.folder}/data', f'--port={self.port}',
                 '--bind-address=127.0.0.1', f'--socket={self.folder}/s', f'--pid-file={self.folder}/pid',
                 f'--tmpdir={self.folder}', f'--log-error={self.folder}/error.log', f'--server-id={self.number}',
                 '--skip-name-resolve', '--character-set-server=utf8mb4', '--innodb-buffer-pool-size=64M',
                 '--innodb-log-file-size=16M', '--performance-schema=OFF', '--max-connections=300',
                 '--innodb-flush-log-at-trx-commit=2', *self.options, *more],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        if wait:
            assert wait_until(self.answers, PATIENCE), (self.folder / 'error.log').read_text()[-2000:]

    def answers(self):
        assert self.process.poll() is None, (self.folder / 'error.log').read_text()[-2000:]
        with contextlib.suppress(pymysql.err.MySQLError):
            return self.local('SELECT 1')

    def local(self, statement):
        """As root by the socket."""
        with contextlib.closing(pymysql.connect(unix_socket=f'{self.folder}/s', user='root', autocommit=True)) as c, c.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    sql = local

    def row(self, statement):
        with contextlib.closing(pymysql.connect(unix_socket=f'{self.folder}/s', user='root', autocommit=True,
                                                cursorclass=pymysql.cursors.DictCursor)) as c, c.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()

    def make_admin(self):
        self.local(f"CREATE USER admin@'%' IDENTIFIED BY '{self.password}'")
        self.local("GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION")

    def signal(self, name):
        os.kill(self.process.pid, name)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        self.process.wait(30)

    def close(self):
        if getattr(self, 'process', None) and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.kill()


class OracleServer:
    """One Oracle MySQL in its chroot, with a binary log."""

    def __init__(self, folder, number, options, like=None):
        self.folder, self.number = pathlib.Path(folder), number
        self.port = free_port()
        self.folder.mkdir(parents=True)
        self.environment = {'ROWGATE_MYSQL_ROOT': str(FOLDER / 'mysql97'), **os.environ, 'MYSQLD_OPTIONS': ' '.join(
            [f'--server-id={number}', *options])}
        if like:
            shutil.copytree(like.folder / 'tls', self.folder / 'tls')
        self.run('start', str(self.port))

    def run(self, *arguments):
        subprocess.run([harness.MySQL.script, self.folder, *arguments], check=True, env=self.environment,
                       stdout=subprocess.DEVNULL)

    @property
    def pid(self):
        return int((self.folder / 'mysqld.started').read_text().split()[0])

    def login(self):
        return {'host': '127.0.0.1', 'port': self.port, 'user': 'admin', 'ssl': {'ca': str(self.folder / 'tls/ca.pem')},
                'password': (self.folder / 'password').read_text().strip()}

    def row(self, statement):
        with contextlib.closing(pymysql.connect(**self.login(), autocommit=True, cursorclass=pymysql.cursors.DictCursor)) as c, \
                c.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()

    def sql(self, statement):
        with contextlib.closing(pymysql.connect(**self.login(), autocommit=True)) as c, c.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def signal(self, name):
        os.kill(self.pid, name)

    def kill(self):
        self.run('stop', 'KILL')

    def start(self):
        self.run('again', str(self.port))

    def close(self):
        self.run('stop', 'KILL')
        self.run('destroy')


class Pair:
    """A writer and its replica, semi-synchronous: what was acknowledged is on both. The face of a server for the harness."""

    def __init__(self, folder, kind):
        self.kind, self.folder = kind, folder
        self.oracle = kind == 'mysql'
        self.made = []
        try:
            (self.make_oracle if self.oracle else self.make_mariadb)()
        except BaseException:
            self.end_servers()
            raise
        self.promoted = False
        self.endpoint, self.reader = Endpoint(self.a.port), Endpoint(self.b.port)
        (folder / 'password').touch(0o600)
        (folder / 'password').write_text(self.password)

    def make_mariadb(self):
        log = ['--log-bin=bin', '--binlog-format=ROW', '--log-bin-trust-function-creators=ON']
        self.a = self.keep(Server(self.folder / 'a', 1, log))
        self.b = self.keep(Server(self.folder / 'b', 2, log))
        self.password = self.a.password
        for server in (self.a, self.b):
            server.start()
        self.a.sql("CREATE USER repl@'%' IDENTIFIED BY 'repl'")
        self.a.sql("GRANT REPLICATION SLAVE ON *.* TO repl@'%'")
        self.follow()
        self.a.make_admin()

    def make_oracle(self):
        log = ['--log-bin=bin', '--sync-binlog=0', '--gtid-mode=ON', '--enforce-gtid-consistency=ON',
               '--log-bin-trust-function-creators=ON', '--plugin-load-add=semisync_source.so',
               '--plugin-load-add=semisync_replica.so']
        self.a = self.keep(OracleServer(self.folder / 'a', 1, log))
        self.b = self.keep(OracleServer(self.folder / 'b', 2, log, like=self.a))
        self.password = self.a.login()['password']
        self.a.sql("CREATE USER repl@'%' IDENTIFIED BY 'repl' REQUIRE SSL")
        self.a.sql("GRANT REPLICATION SLAVE ON *.* TO repl@'%'")
        self.follow()

    def keep(self, server):
        self.made.append(server)
        return server

    def end_servers(self):
        for server in self.made:
            ended(server)

    # --- what the harness asks of a server ---

    def settings(self):
        more = {'DB_CA': str(self.a.folder / 'tls/ca.pem')} if self.oracle else {}
        return {'DB': f'127.0.0.1:{self.endpoint.port}', 'DB_USER': 'admin', 'DB_PASSWORD_FILE': str(self.folder / 'password'), **more}

    def login(self):
        found = {'host': '127.0.0.1', 'port': self.endpoint.port, 'user': 'admin', 'password': self.password}
        return {**found, 'ssl': {'ca': str(self.a.folder / 'tls/ca.pem')}} if self.oracle else found

    def client(self):
        options = self.folder / 'client.cnf'
        if not options.exists():
            options.touch(0o600)
            options.write_text(f'[client]\npassword={self.password}\n')
        tls = [f'--ssl-ca={self.a.folder}/tls/ca.pem', '--ssl-verify-server-cert'] if self.oracle else []
        return ['mariadb', f'--defaults-file={options}', '--protocol=tcp', '--host=127.0.0.1', f'--port={self.endpoint.port}',
                '--user=admin', *tls]

    # --- replication ---

    def follow(self):
        """b becomes a's replica, and a waits for it with each commit."""
        self.b.sql('SET GLOBAL read_only = ON')
        if self.oracle:
            self.b.sql('SET GLOBAL rpl_semi_sync_replica_enabled = ON')
            self.b.sql(f"CHANGE REPLICATION SOURCE TO source_host='127.0.0.1', source_port={self.a.port}, source_user='repl',"
                       " source_password='repl', source_auto_position=1, source_ssl=1, source_connect_retry=1")
            self.b.sql('START REPLICA')
            self.a.sql('SET GLOBAL rpl_semi_sync_source_timeout = 60000')
            self.a.sql('SET GLOBAL rpl_semi_sync_source_enabled = ON')
            return
        self.b.sql('SET GLOBAL rpl_semi_sync_slave_enabled = ON')
        self.b.sql(f"CHANGE MASTER TO master_host='127.0.0.1', master_port={self.a.port}, master_user='repl',"
                   " master_password='repl', master_use_gtid=slave_pos, master_connect_retry=1")
        self.b.sql('START SLAVE')
        self.a.sql('SET GLOBAL rpl_semi_sync_master_timeout = 60000')
        self.a.sql("SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_SYNC'")
        self.a.sql('SET GLOBAL rpl_semi_sync_master_enabled = ON')

    def swap(self):
        """After b was promoted: the old writer, which had nothing that b has not, becomes its replica."""
        self.a, self.b = self.b, self.a
        if self.oracle:
            self.b.sql('SET GLOBAL rpl_semi_sync_source_enabled = OFF')
            self.a.sql('SET GLOBAL rpl_semi_sync_replica_enabled = OFF')
        else:
            self.b.sql('SET GLOBAL rpl_semi_sync_master_enabled = OFF')
            self.a.sql('SET GLOBAL rpl_semi_sync_slave_enabled = OFF')
            self.b.sql('SET GLOBAL gtid_slave_pos = @@GLOBAL.gtid_current_pos')
        self.follow()
        assert self.caught_up(), self.b.row('SHOW REPLICA STATUS' if self.oracle else 'SHOW SLAVE STATUS')
        self.reader.target = self.b.port
        self.promoted = False

    def hold(self):
        """b goes on taking, and acknowledging, what a writes, but shows none of it."""
        self.b.sql(f"STOP {'REPLICA' if self.oracle else 'SLAVE'} SQL_THREAD")

    def go_on(self):
        self.b.sql(f"START {'REPLICA' if self.oracle else 'SLAVE'} SQL_THREAD")

    def acknowledges(self):
        """Does a wait for b with each commit?"""
        name = 'source' if self.oracle else 'master'
        state = dict(self.a.sql(f"SHOW STATUS LIKE 'Rpl_semi_sync_{name}_%'"))
        return state[f'Rpl_semi_sync_{name}_status'] == 'ON' and state[f'Rpl_semi_sync_{name}_clients'] == '1'

    def caught_up(self):
        if self.oracle:
            done = self.a.sql('SELECT @@GLOBAL.gtid_executed')[0][0].replace('\n', '')
            return self.b.sql(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{done}', {PATIENCE})")[0][0] == 0
        return self.b.sql(f"SELECT MASTER_GTID_WAIT('{self.a.sql('SELECT @@GLOBAL.gtid_binlog_pos')[0][0]}', {PATIENCE})")[0][0] == 0

    def promote(self):
        """b takes all that it has received, then writes. The moment from which on it accepts."""
        if self.oracle:
            self.b.sql('STOP REPLICA IO_THREAD')
            got = self.b.row('SHOW REPLICA STATUS')['Retrieved_Gtid_Set'].replace('\n', '')
            assert not got or self.b.sql(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{got}', {PATIENCE})")[0][0] == 0
            self.b.sql('STOP REPLICA')
            self.b.sql('RESET REPLICA ALL')
        else:
            self.b.sql('STOP SLAVE IO_THREAD')
            got = self.b.row('SHOW SLAVE STATUS')['Gtid_IO_Pos']
            assert self.b.sql(f"SELECT MASTER_GTID_WAIT('{got}', {PATIENCE})")[0][0] == 0
            self.b.sql('STOP SLAVE')
            self.b.sql('RESET SLAVE ALL')
        self.b.sql('SET GLOBAL read_only = OFF')
        self.promoted = True
        return time.monotonic()

    def close(self):
        for endpoint in (self.endpoint, self.reader):
            endpoint.close()
        self.end_servers()


class Group:
    """Three members of MySQL's Group Replication, one of them primary. The face of a server for the harness: the first member."""
    kind, oracle = 'mysql', True
    login, client_options = Pair.login, Pair.client

    def __init__(self, folder):
        self.folder, self.name, self.nodes = folder, str(uuid.uuid4()), []
        self.group = [free_port() for _ in range(3)]
        try:
            for i in range(3):
                self.nodes.append(OracleServer(folder / f'n{i}', i + 1, self.options(i), like=self.nodes[0] if i else None))
            self.begin()
        except BaseException:
            self.close()
            raise
        self.password = self.a.login()['password']
        (folder / 'password').touch(0o600)
        (folder / 'password').write_text(self.password)

    def options(self, i):
        seeds = ','.join(f'127.0.0.1:{port}' for port in self.group)
        return ['--log-bin=bin', '--sync-binlog=0', '--gtid-mode=ON', '--enforce-gtid-consistency=ON', '--log-bin-trust-function-creators=ON',
                '--report-host=127.0.0.1', '--plugin-load-add=group_replication.so', f'--group-replication-group-name={self.name}',
                '--group-replication-start-on-boot=OFF', f'--group-replication-local-address=127.0.0.1:{self.group[i]}',
                f'--group-replication-group-seeds={seeds}', '--group-replication-ip-allowlist=127.0.0.1/32',
                '--group-replication-recovery-use-ssl=ON']

    def begin(self):
        self.a.sql("CREATE USER repl@'%' IDENTIFIED BY 'repl' REQUIRE SSL")
        self.a.sql("GRANT REPLICATION SLAVE, CONNECTION_ADMIN ON *.* TO repl@'%'")
        self.a.sql('SET GLOBAL group_replication_bootstrap_group = ON')
        for node in self.nodes:
            node.sql("CHANGE REPLICATION SOURCE TO source_user='repl', source_password='repl' FOR CHANNEL 'group_replication_recovery'")
            node.sql('START GROUP_REPLICATION')
            self.a.sql('SET GLOBAL group_replication_bootstrap_group = OFF')
            assert wait_until(lambda n=len(self.nodes[:node.number]): self.online() == n, PATIENCE)

    def online(self):
        return self.a.sql("SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE member_state = 'ONLINE'")[0][0]

    def primary(self):
        """The one that accepts writes."""
        for node in self.nodes:
            with contextlib.suppress(pymysql.err.MySQLError, OSError):
                if node.sql('SELECT @@GLOBAL.read_only')[0][0] == 0:
                    return node

    @property
    def a(self):
        return self.nodes[0]

    endpoint = a

    def hosts(self, *order):
        return ', '.join(f'127.0.0.1:{self.nodes[i].port}' for i in order)

    def settings(self):
        return {'DB': f'127.0.0.1:{self.a.port}', 'DB_USER': 'admin', 'DB_PASSWORD_FILE': str(self.folder / 'password'),
                'DB_CA': str(self.a.folder / 'tls/ca.pem')}

    def client(self):
        # Some tables of the fixtures have no key, and none is written to here without one.
        return [*self.client_options(), '--init-command=SET SESSION sql_generate_invisible_primary_key = ON']

    def close(self):
        for node in self.nodes:
            ended(node)


def galera_library():
    return next((p for p in ('/usr/lib/galera/libgalera_smm.so', '/usr/lib/libgalera_smm.so') if os.path.exists(p)), None)


def galera_missing():
    """Why there is no cluster, after an attempt to install what it needs (Debian's mariadb-server brings all); None where there is."""
    if os.getuid() != 0:
        return 'a cluster is started as root'
    needed = ('mariadbd', 'rsync', 'lsof', 'ss')
    if not all(map(shutil.which, needed)) or not galera_library():
        subprocess.run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', 'galera-4', 'rsync',
                        'lsof', 'iproute2'], env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}, stdin=subprocess.DEVNULL,
                       capture_output=True)
    absent = [p for p in needed if not shutil.which(p)]
    if absent or not galera_library():
        return f'no {", ".join(absent) or "galera-4"} here'
    return None


class Cluster:
    """Three nodes of Galera. The face of a server for the harness: the first node."""
    kind = 'mariadb'

    def __init__(self, folder):
        self.folder = folder
        self.group = [free_port() for _ in range(9)]
        self.password = secrets.token_hex(16)
        self.nodes = [Server(folder / f'n{i}', i + 1, self.options(i), self.password, empty=i > 0) for i in range(3)]
        try:
            self.begin()
        except BaseException:
            self.close()
            raise
        (folder / 'password').touch(0o600)
        (folder / 'password').write_text(self.password)

    def begin(self):
        self.nodes[0].start('--wsrep-new-cluster')
        self.nodes[0].make_admin()
        for node in self.nodes[1:]:
            node.start()
        assert wait_until(self.whole, PATIENCE)

    def options(self, i):
        g, ist, sst = self.group[3 * i:3 * i + 3]
        peers = ','.join(f'127.0.0.1:{self.group[3 * k]}' for k in range(3))
        return ['--binlog-format=ROW', '--log-bin-trust-function-creators=ON', '--innodb-autoinc-lock-mode=2', '--wsrep-on=ON', f'--wsrep-provider={galera_library()}',
                '--wsrep-cluster-name=test', f'--wsrep-cluster-address=gcomm://{peers}', f'--wsrep-node-name=n{i}',
                f'--wsrep-node-address=127.0.0.1:{g}', '--wsrep-sst-method=rsync', f'--wsrep-sst-receive-address=127.0.0.1:{sst}',
                f'--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{g};ist.recv_addr=127.0.0.1:{ist};gcache.size=32M']

    @staticmethod
    def status(node, name):
        with contextlib.suppress(pymysql.err.MySQLError, AssertionError):
            return dict(node.local(f"SHOW STATUS LIKE '{name}'"))[name]

    def whole(self, size=3):
        return all(self.status(n, 'wsrep_local_state_comment') == 'Synced' and self.status(n, 'wsrep_cluster_size') == str(size)
                   for n in self.nodes if n.process.poll() is None)

    def hosts(self, *order):
        return ', '.join(f'127.0.0.1:{self.nodes[i].port}' for i in order)

    def settings(self):
        return {'DB': f'127.0.0.1:{self.nodes[0].port}', 'DB_USER': 'admin', 'DB_PASSWORD_FILE': str(self.folder / 'password')}

    def login(self):
        return {'host': '127.0.0.1', 'port': self.nodes[0].port, 'user': 'admin', 'password': self.password}

    client = Pair.client
    oracle = False

    @property
    def endpoint(self):
        return self.nodes[0]

    def close(self):
        for node in self.nodes:
            ended(node)


__all__ = ['Cluster', 'Endpoint', 'Group', 'Pair', 'REPO', 'galera_missing', 'started_at']
