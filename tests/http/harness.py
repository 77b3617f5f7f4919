"""
Rowgate as its users start it, for the tests: one instance by `make up` on the server under test
(ROWGATE_TEST_SERVER=mariadb or mysql), the fixture databases `spec` and `spec2` in it, and cheap variants of it:
more workers and another nginx on the same database, with other settings.

The tests see HTTP. What they need besides - SQL as the administrator, pids, logs - is here.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse

import jwt
import pymysql

REPO = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = pathlib.Path(__file__).resolve().parent / 'fixtures'
FOLDER = pathlib.Path(os.environ.get('ROWGATE_TEST_DIR', REPO / 'var-test'))
BUILD = os.environ.get('BUILD', 'build')
SCHEMAS = 'spec, spec2, wages, incidents'


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_until(test, seconds=30, pause=.05):
    """What test() gives as soon as it is true; None when it does not become true."""
    end = time.monotonic() + seconds
    while True:
        value = test()
        if value or time.monotonic() > end:
            return value or None
        time.sleep(pause)


def encode(path):
    """A path as a client library sends it: what may not stand in a request line is percent-encoded."""
    return urllib.parse.quote(path, safe="%/?#[]@!$&'()*+,;=:-._~{}|\\^`<>")


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode('utf-8')

    def json(self):
        return json.loads(self.body)

    def rows(self):
        """The rows of a good answer."""
        assert self.status in (200, 206), self
        return self.json()

    def error(self):
        """(status, code) of a refusal in the form all have."""
        body = self.json()
        assert isinstance(body, dict) and sorted(body) == ['code', 'details', 'hint', 'message'], self
        return self.status, body['code']

    def __repr__(self):
        return f'<{self.status} {self.headers.get("Content-Range", "")} {self.body[:600]!r}>'


class Http:
    """One kept connection to a TLS port."""

    def __init__(self, url, ca, timeout=100):
        self.address = urllib.parse.urlsplit(url)
        self.context = ssl.create_default_context(cafile=ca)
        self.timeout = timeout
        self.connection = None

    def connect(self):
        self.connection = http.client.HTTPSConnection(self.address.hostname, self.address.port, context=self.context,
                                                      timeout=self.timeout)

    def send(self, method, path, headers, data):
        c = self.connection
        c.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            c.putheader(name, value)
        if data is not None:
            c.putheader('Content-Length', str(len(data)))
        c.endheaders(data)
        return c.getresponse()

    def request(self, method, path, headers=None, data=None, token=None):
        """headers: a dict, or a list of pairs where a name repeats."""
        headers = list(headers.items() if isinstance(headers, dict) else headers or [])
        if token is not None:
            headers.append(('Authorization', 'Bearer ' + token))
        if isinstance(data, (dict, list)):
            data = json.dumps(data)
            if not any(name.lower() == 'content-type' for name, _ in headers):
                headers.append(('Content-Type', 'application/json'))
        if isinstance(data, str):
            data = data.encode()
        for attempt in (1, 2):
            if self.connection is None:
                self.connect()
                attempt = 2
            try:
                answer = self.send(method, encode(path), headers, data)
                body = answer.read()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError,
                    http.client.CannotSendRequest, ssl.SSLError):
                # The server may close a kept connection at any time.
                self.close()
                if attempt == 2:
                    raise
            except BaseException:
                self.close()
                raise
        if answer.will_close:
            self.close()
        return Response(answer.status, answer.headers, body)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def started_at(pid):
    try:
        fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return None
    return None if fields[0] in 'ZX' else fields[19]


def proc(pid, name):
    """A file of /proc about a worker, or the names in a folder: others than root may not look into workers."""
    path = pathlib.Path(f'/proc/{pid}/{name}')
    command = ['ls' if path.is_dir() else 'cat', str(path)]
    if os.getuid() != 0:
        command = ['sudo', '-n', *command]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def end(pid, seconds=20):
    """TERM, then KILL, to a process of ours."""
    start = started_at(pid)
    for name, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5)):
        if start is None or started_at(pid) != start:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, name)
        wait_until(lambda: started_at(pid) != start, patience)


class Instance:
    """What serves HTTP: workers and an nginx, with their folder."""

    def __init__(self, stack, folder, url):
        self.stack, self.folder, self.url = stack, pathlib.Path(folder), url
        self.ca = str(stack.var / 'tls/ca.pem')
        self.http = Http(url, self.ca)

    def rq(self, method, path, headers=None, data=None, token=None):
        return self.http.request(method, path, headers, data, token)

    def get(self, path, headers=None, token=None):
        return self.rq('GET', '/rest/v1' + path, headers, None, token)

    @property
    def pool(self):
        return int((self.folder / 'run/pool.started').read_text().split()[0])

    def workers(self):
        pool = self.pool
        return sorted(map(int, pathlib.Path(f'/proc/{pool}/task/{pool}/children').read_text().split()))

    def log(self):
        """The lines of the workers' log, parsed; those of libraries are left out."""
        lines = (self.folder / 'log/rowgate.log').read_text(errors="replace").split("\n")
        return [json.loads(line) for line in lines if line.startswith('{')]

    def log_of(self, response):
        """The line about one request."""
        wanted = response.headers['X-Request-Id']
        found = wait_until(lambda: [x for x in self.log() if wanted in x.values()], 5)
        assert found, 'no line in the log'
        return found[-1]

    def hup(self):
        for pid in self.workers():
            os.kill(pid, signal.SIGHUP)

    def set_conf(self, conf):
        set_conf(self.folder / 'rowgate.conf', conf)


def set_conf(path, conf):
    lines = [line for line in path.read_text().splitlines() if line.split('=')[0].strip() not in conf]
    path.write_text('\n'.join(lines + [f'{name} = {value}' for name, value in conf.items()]) + '\n')


class Variant(Instance):
    """Further workers and an nginx of their own on the database of stack, with some settings changed."""

    def __init__(self, stack, number, conf, workers, environment):
        folder = stack.var.parent / f'v{number}'
        port = free_port()
        super().__init__(stack, folder, f'https://127.0.0.1:{port}')
        for name in ('run/nginx/tmp', 'run/nginx/rowgate', 'log'):
            (folder / name).mkdir(parents=True)
        for name in ('tls', 'keys', 'mysql.sock'):
            (folder / name).symlink_to(stack.var / name)
        (folder / 'run/shared').write_bytes(b'')
        shutil.copy(stack.var / 'rowgate.conf', folder / 'rowgate.conf')
        set_conf(folder / 'rowgate.conf', {'shared-file': 'run/shared', **conf})
        self.drop = []
        if os.getuid() == 0:
            owner = (stack.var / 'run/shared').stat().st_uid
            os.chown(folder / 'run/shared', owner, owner)
            if owner:
                self.drop = ['-u', str(owner), '-g', str(owner), '-U', str(owner), '-G', str(owner)]
        self.environment = environment
        self.nworkers = workers
        self.start_pool()
        self.start_nginx(port)

    def spawn(self, name, log, command):
        with open(self.folder / 'log' / log, 'ab') as out:
            child = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     start_new_session=True, env={**os.environ, **self.environment})
        (self.folder / 'run' / (name + '.started')).write_text(f'{child.pid} {started_at(child.pid)}\n')
        return child

    def start_pool(self):
        self.pool_process = self.spawn(
            'pool', 'rowgate.log', ['spawn-fcgi', '-n', '-s', f'{self.folder}/run/live.sock', '-b', '1024', '-M', '0660',
                                    *self.drop, '--', shutil.which('multiwatch'), '-f', str(self.nworkers), '-r', '1000000',
                                    '-s', 'TERM', '--', str((REPO / BUILD / 'rowgate').resolve()),
                                    'serve', '-c', f'{self.folder}/rowgate.conf'])

    def start_nginx(self, port):
        source = self.stack.var / 'run/nginx'
        for name in (source / 'rowgate').glob('*.conf'):
            shutil.copy(name, self.folder / 'run/nginx/rowgate')
        text = (source / 'nginx.conf').read_text().replace(str(self.stack.var) + '/', str(self.folder) + '/')
        text = re.sub(r'listen 127\.0\.0\.1:\d+', f'listen 127.0.0.1:{port}', text)
        (self.folder / 'run/nginx/nginx.conf').write_text(text)
        self.nginx_process = self.spawn('nginx', 'nginx.log', ['nginx', '-e', f'{self.folder}/log/nginx.log', '-p',
                                                               str(self.folder), '-c', 'run/nginx/nginx.conf'])

    def wait_ready(self):
        def ready():
            assert self.pool_process.poll() is None, (self.folder / 'log/rowgate.log').read_text()[-2000:]
            assert self.nginx_process.poll() is None, (self.folder / 'log/nginx.log').read_text()[-2000:]
            with contextlib.suppress(OSError):
                return self.rq('GET', '/health/ready').status == 200
        assert wait_until(ready), (self.folder / 'log/rowgate.log').read_text()[-2000:]

    def close(self):
        self.http.close()
        for process in (self.nginx_process, self.pool_process):
            if process.poll() is None:
                end(process.pid)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)


class MariaDB:
    """The private server of `make up`."""
    kind = 'mariadb'

    def __init__(self, folder):
        self.var = folder / 'i'

    def settings(self):
        return {'DB': 'local'}

    def login(self):
        return {'unix_socket': str(self.var / 'mysql.sock'), 'user': 'root'}

    def client(self):
        return ['mariadb', '--no-defaults', f'--socket={self.var}/mysql.sock', '--user=root']

    @property
    def pid(self):
        return int((self.var / 'run/mariadb.started').read_text().split()[0])

    def stop(self, name=signal.SIGTERM):
        self.command = pathlib.Path(f'/proc/{self.pid}/cmdline').read_text().rstrip('\0').split('\0')
        pid, start = self.pid, started_at(self.pid)
        os.kill(pid, name)
        assert wait_until(lambda: started_at(pid) != start, 60)

    def start(self):
        with open(self.var / 'log/mariadb.log', 'ab') as log:
            child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     start_new_session=True)
        (self.var / 'run/mariadb.started').write_text(f'{child.pid} {started_at(child.pid)}\n')

    def close(self):
        pass


class MySQL:
    """Oracle MySQL in its chroot (tests/servers/mysql97.sh)."""
    kind = 'mysql'
    script = REPO / 'tests/servers/mysql97.sh'

    def __init__(self, folder):
        self.folder = folder / 'db'
        self.port = free_port()
        self.environment = {'ROWGATE_MYSQL_ROOT': str(FOLDER / 'mysql97'), **os.environ}
        self.run('start', str(self.port))

    def run(self, *arguments):
        subprocess.run([self.script, self.folder, *arguments], check=True, env=self.environment)

    def settings(self):
        return {'DB': f'127.0.0.1:{self.port}', 'DB_USER': 'admin', 'DB_PASSWORD_FILE': str(self.folder / 'password'),
                'DB_CA': str(self.folder / 'tls/ca.pem')}

    def login(self):
        return {'host': '127.0.0.1', 'port': self.port, 'user': 'admin', 'ssl': {'ca': str(self.folder / 'tls/ca.pem')},
                'password': (self.folder / 'password').read_text().strip()}

    def client(self):
        options = self.folder / 'client.cnf'
        if not options.exists():
            options.touch(0o600)
            options.write_text(f'[client]\npassword={self.login()["password"]}\n')
        return ['mariadb', f'--defaults-file={options}', '--protocol=tcp', '--host=127.0.0.1', f'--port={self.port}',
                '--user=admin', f'--ssl-ca={self.folder}/tls/ca.pem', '--ssl-verify-server-cert']

    @property
    def pid(self):
        return int((self.folder / 'mysqld.started').read_text().split()[0])

    def stop(self, name=signal.SIGTERM):
        self.run('stop', signal.Signals(name).name[3:])

    def start(self):
        self.run('again', str(self.port))

    def close(self):
        self.run('destroy')


def mysql_missing():
    """Why MySQL cannot be tested on this machine, or None."""
    if os.getuid() != 0:
        return 'Oracle MySQL runs from a chroot, which needs root'
    done = subprocess.run([MySQL.script, FOLDER / 'mysql', 'create'], capture_output=True, text=True,
                          env={'ROWGATE_MYSQL_ROOT': str(FOLDER / 'mysql97'), **os.environ})
    if done.returncode == 0:
        return None
    return 'the archives of this machine have no Oracle MySQL: ' + (done.stderr.strip().splitlines() or ['?'])[-1]


class Stack(Instance):
    """The instance, its server and its fixtures."""

    def __init__(self, kind, make_server=None):
        FOLDER.mkdir(exist_ok=True)
        base = FOLDER / f'{kind}-{secrets.token_hex(3)}'
        base.mkdir()
        base.chmod(0o755)
        self.var = base / 'i'
        self.base = base
        self.variants = {}
        self.made = 0
        self.database = None
        self.server = (make_server or (MySQL if kind == 'mysql' else MariaDB))(base)
        self.kind = kind
        self.is_mysql = kind == 'mysql'
        port = free_port()
        self.settings = {'VAR': str(self.var), 'PORT': str(port), 'WORKERS': '4', 'BUILD': BUILD, **self.server.settings()}
        try:
            self.make('up')
            self.env = dict(re.findall(r"^(\w+)='?(.*?)'?$", (self.var / 'rowgate.env').read_text(), re.M))
            super().__init__(self, self.var, self.env['ROWGATE_URL'])
            self.anon_key, self.service_key = self.env['ROWGATE_ANON_KEY'], self.env['ROWGATE_SERVICE_KEY']
            self.secret = (self.var / 'keys/jwt-secret').read_text().rstrip('\n')
            # Every variant has workers of its own.
            self.sql('SET GLOBAL max_connections = 1000')
            self.load('spec.sql')
            self.load('types.sql')
            self.load('write.sql')
            self.load('rpc.sql')
            self.load('stats.sql')
            self.grant()
            set_conf(self.var / 'rowgate.conf', {'db-schemas': SCHEMAS, 'db-schema-poll': '1'})
            self.make('reload')
        except BaseException:
            self.close()
            raise

    def make(self, target):
        done = subprocess.run(['make', '-s', '-C', REPO, target, *(f'{k}={v}' for k, v in self.settings.items())],
                              env={**os.environ, 'SKIP_BUILD': '1', 'MAKEFLAGS': ''}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        assert done.returncode == 0, f'make {target}:\n{done.stdout}{done.stderr}'

    def load(self, name):
        with open(FIXTURES / name, 'rb') as f:
            subprocess.run([*self.server.client(), '--default-character-set=utf8mb4', '--batch'], stdin=f, check=True)

    def connect(self, **more):
        return pymysql.connect(**{**self.server.login(), 'charset': 'utf8mb4', 'autocommit': True, **more})

    def sql(self, statement, *values):
        """As the administrator. The rows."""
        for attempt in (1, 2):
            try:
                if self.database is None:
                    self.database = self.connect()
                with self.database.cursor() as cursor:
                    cursor.execute(statement, values or None)
                    return cursor.fetchall()
            except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as e:
                self.database = None
                if attempt == 2 or e.args[0] not in (0, 2006, 2013):
                    raise

    def grant(self):
        """The roles of the fixtures; anon may read all but what begins with private_ or closed_."""
        for role in ('anon', 'authenticated', 'service_role', 'spec_reader'):
            for schema, table in self.sql("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES"
                                          " WHERE TABLE_SCHEMA IN ('spec', 'spec2')"):
                if role in ('service_role', 'spec_reader') or not table.startswith(('private_', 'closed_')):
                    self.sql(f'GRANT SELECT ON `{schema}`.`{table.replace("`", "``")}` TO `{role}`')
        for table, in self.sql("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'spec' AND TABLE_NAME LIKE 'w\\_%%'"):
            self.sql(f'GRANT INSERT, UPDATE, DELETE ON spec.{table} TO service_role')
        for schema, name, kind in self.sql("SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES"
                                           " WHERE ROUTINE_SCHEMA IN ('spec', 'spec2')"):
            for role in ('anon', 'service_role') if name not in ('not_for_anon', 'twice') else ('service_role',):
                self.sql(f'GRANT EXECUTE ON {kind} `{schema}`.`{name}` TO `{role}`')
        for role in ('anon', 'service_role'):
            self.sql(f'GRANT INSERT, UPDATE ON spec.r_stuff TO {role}')
        self.sql('GRANT SELECT (id, open_text) ON spec.private_columns TO anon')

    def token(self, role='authenticated', **claims):
        """A good token; claims that are None are left out."""
        body = {'role': role, 'exp': int(time.time()) + 3600, **claims}
        return jwt.encode({k: v for k, v in body.items() if v is not None}, self.secret, 'HS256')

    def variant(self, conf=None, workers=2, environment=None, fresh=False, ready=True):
        """An instance with other settings; the same ones give the same instance, unless it is to be fresh."""
        key = json.dumps([conf, workers, environment], sort_keys=True)
        if fresh or key not in self.variants:
            self.made += 1
            made = Variant(self, self.made, conf or {}, workers, environment or {})
            self.variants[f'{key} {self.made}' if fresh else key] = made
            if ready:
                made.wait_ready()
            return made
        return self.variants[key]

    def forget(self, variant):
        """Ends a variant that no other test shall meet."""
        variant.close()
        self.variants = {key: one for key, one in self.variants.items() if one is not variant}

    def forget_all(self):
        for variant in self.variants.values():
            variant.close()
        self.variants = {}

    def queries(self, text):
        """Ids of the running queries that hold text."""
        return [row[0] for row in self.sql("SELECT ID FROM information_schema.PROCESSLIST"
                                           " WHERE INFO LIKE %s AND ID <> CONNECTION_ID() AND COMMAND <> 'Sleep'",
                                           f'%{text}%')]

    def wait_ready(self):
        def ready():
            with contextlib.suppress(OSError):
                return self.rq('GET', '/health/ready').status == 200
        assert wait_until(ready, 60), 'the instance does not become ready again'

    def close(self):
        self.forget_all()
        with contextlib.suppress(Exception):
            if self.database is not None:
                self.database.close()
        with contextlib.suppress(AssertionError):
            self.make('down')
        self.server.close()

    def remove(self):
        shutil.rmtree(self.base, ignore_errors=True)


def assert_rows(response, expected):
    """Status 200 or 206, and the very rows: their order, the order of keys and the kind of values count."""
    rows = response.rows()
    assert json.dumps(rows, ensure_ascii=False) == json.dumps(expected, ensure_ascii=False)


def ids(response, key='id'):
    return [row[key] for row in response.rows()]
