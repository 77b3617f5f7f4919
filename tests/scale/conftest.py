"""One instance per file, on several servers: ROWGATE_TEST_SERVER=mariadb (default) or mysql, as for tests/http."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402
import harness  # noqa: E402

KIND = os.environ.get('ROWGATE_TEST_SERVER', 'mariadb')


def stack_on(kind, server):
    made = harness.Stack(kind, server)
    yield made
    made.close()
    made.remove()


@pytest.fixture(scope='module')
def pair():
    if KIND == 'mysql' and harness.mysql_missing():
        pytest.skip(harness.mysql_missing())
    yield from stack_on(KIND, lambda folder: servers.Pair(folder / 'db', KIND))


@pytest.fixture(scope='module')
def cluster():
    if KIND == 'mysql' or servers.galera_missing():
        pytest.skip(servers.galera_missing() or 'Galera is MariaDB')
    yield from stack_on('mariadb', lambda folder: servers.Cluster(folder / 'db'))


@pytest.fixture(scope='module')
def group():
    if KIND != 'mysql' or harness.mysql_missing():
        pytest.skip(KIND == 'mysql' and harness.mysql_missing() or 'Group Replication is MySQL')
    yield from stack_on('mysql', lambda folder: servers.Group(folder / 'db'))
