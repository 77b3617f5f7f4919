"""
The data sets of sql/, without HTTP: a scratch server of ROWGATE_TEST_SERVER's kind (mariadb or mysql), deployed to by
sql/deploy.sh as `make up` and the playbooks do.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

import pymysql
import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
SHARED = REPO.parent / 'shared/data'
sys.path.insert(0, str(REPO / 'tests/http'))
import harness  # noqa: E402

KIND = os.environ.get('ROWGATE_TEST_SERVER', 'mariadb')
# A password that would break whatever quotes it badly.
AUTHENTICATOR_PASSWORD = 'it\'s "a" \\secret\\ #1 é'
CATALOGUE_PASSWORD = 'catalogue-1'
IDENTITY_PASSWORD = 'identity-1'


class MariaDB:
    def __init__(self, folder):
        self.socket = str(folder / 's')
        user = ['--user=root'] if os.getuid() == 0 else []
        subprocess.run(['mariadb-install-db', '--no-defaults', *user, f'--datadir={folder}/data', '--skip-test-db',
                        '--auth-root-authentication-method=normal'], check=True, capture_output=True)
        self.process = subprocess.Popen(
            [shutil.which('mariadbd', path=os.environ['PATH'] + ':/usr/sbin'), '--no-defaults', *user,
             f'--datadir={folder}/data', f'--socket={self.socket}', f'--pid-file={folder}/pid', '--skip-networking',
             f'--log-error={folder}/error.log', '--skip-log-bin', '--innodb-flush-log-at-trx-commit=2'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert harness.wait_until(self.answers, 60), (folder / 'error.log').read_text()[-2000:]

    def answers(self):
        assert self.process.poll() is None
        with contextlib.suppress(pymysql.err.OperationalError):
            pymysql.connect(**self.address(), user='root').close()
            return True

    def address(self):
        return {'unix_socket': self.socket}

    def login(self):
        return {**self.address(), 'user': 'root'}

    def settings(self):
        return {'DB_SOCKET': self.socket}

    def client(self):
        return ['--no-defaults', f'--socket={self.socket}', '--user=root']

    def close(self):
        self.process.terminate()
        self.process.wait(60)


class MySQL(harness.MySQL):
    """Over TCP with verified TLS, as RDS is reached."""

    def address(self):
        return {k: v for k, v in self.login().items() if k in ('host', 'port', 'ssl')}

    def settings(self):
        return {'DB_HOST': '127.0.0.1', 'DB_PORT': str(self.port), 'DB_USER': 'admin',
                'DB_PASSWORD_FILE': str(self.folder / 'password'), 'DB_CA': str(self.folder / 'tls/ca.pem')}

    def client(self):
        return super().client()[1:]


class Database:
    def __init__(self, server, folder):
        self.server = server
        self.kind = KIND
        for name, password in (('authenticator', AUTHENTICATOR_PASSWORD), ('catalogue', CATALOGUE_PASSWORD),
                               ('identity', IDENTITY_PASSWORD)):
            (folder / name).write_text(password + '\n')
        self.environment = {'PATH': os.environ['PATH'], 'AUTHENTICATOR_PASSWORD_FILE': str(folder / 'authenticator'),
                            'CATALOGUE_PASSWORD_FILE': str(folder / 'catalogue'),
                            'IDENTITY_PASSWORD_FILE': str(folder / 'identity'), **server.settings()}

    def deploy(self, *verbs, **settings):
        """sql/deploy.sh: (exit status, lines of output, lines of errors)."""
        done = subprocess.run([REPO / 'sql/deploy.sh', *verbs], env={**self.environment, **settings},
                              capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()

    def connect(self, user=None, password=None, role=None, **more):
        # PyMySQL would send a text as Latin-1.
        login = self.server.login() if user is None else {**self.server.address(), 'user': user,
                                                          'password': password.encode()}
        connection = pymysql.connect(**{**login, 'charset': 'utf8mb4', 'autocommit': True, **more})
        if role:
            run(connection, f'SET ROLE {role}')
        return connection

    def as_role(self, role):
        return self.connect('authenticator', AUTHENTICATOR_PASSWORD, role)

    def identity(self):
        return self.connect('rowgate_identity', IDENTITY_PASSWORD)

    def catalogue(self):
        return self.connect('rowgate_catalogue', CATALOGUE_PASSWORD)


def run(connection, statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())


@pytest.fixture(scope='session')
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp('sql')
    if KIND == 'mysql':
        missing = harness.mysql_missing()
        if missing and os.environ.get('ROWGATE_REQUIRE_MYSQL'):
            pytest.fail(missing, pytrace=False)
        if missing:
            pytest.skip(missing)
        harness.FOLDER.mkdir(exist_ok=True)
        server = MySQL(harness.FOLDER / f'sql-{os.getpid()}')
    else:
        server = MariaDB(folder)
    try:
        made = Database(server, folder)
        status, _, errors = made.deploy('deploy', 'sample')
        assert (status, errors) == (0, [])
        yield made
    finally:
        server.close()
        if KIND == 'mysql':
            shutil.rmtree(server.folder.parent, ignore_errors=True)


@pytest.fixture(scope='session')
def admin(database):
    return database.connect()
