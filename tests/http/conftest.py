"""
The black-box tests: each is a request and the status, headers and body it should have. They run on one server at a
time:

    ROWGATE_TEST_SERVER=mariadb pytest tests/http        (mysql: Oracle MySQL, see tests/servers)
"""
import os

import pytest

import harness


def pytest_configure(config):
    config.addinivalue_line('markers', 'mariadb: only where the server is MariaDB')
    config.addinivalue_line('markers', 'mysql: only where the server is MySQL')


def server_kind():
    return os.environ.get('ROWGATE_TEST_SERVER', 'mariadb')


def pytest_runtest_setup(item):
    for kind in ('mariadb', 'mysql'):
        if item.get_closest_marker(kind) and server_kind() != kind:
            pytest.skip(f'about {kind}')


@pytest.fixture(scope='session')
def stack(request):
    if server_kind() == 'mysql':
        missing = harness.mysql_missing()
        if missing and os.environ.get('ROWGATE_REQUIRE_MYSQL'):
            pytest.fail(missing, pytrace=False)
        if missing:
            pytest.skip(missing)
    made = harness.Stack(server_kind())
    yield made
    made.close()
    if request.session.testsfailed == 0:
        made.remove()
    else:
        print(f'\nlogs: {made.base}')


@pytest.fixture(scope='module', autouse=True)
def variants_end(stack):
    """Instances of a file end with it: each reads the definitions anew whenever a test changes them."""
    yield
    stack.forget_all()


@pytest.fixture(scope='session')
def rq(stack):
    """rq(method, path, headers=None, data=None, token=None): no token is the anonymous role."""
    return stack.rq


@pytest.fixture(scope='session')
def get(stack):
    """get(path behind /rest/v1, headers=None, token=None)."""
    return stack.get
