"""A host beside those of test_deploy.py, for test_bad_input.py, which finds it bare, and test_tls.py after it."""
import pathlib

import pytest

import hosts as lib
import test_deploy


@pytest.fixture(scope='session')
def archive(tmp_path_factory):
    folder = pathlib.Path(test_deploy.KEEP or tmp_path_factory.mktemp('clone')) / 'rowgate'
    if not folder.exists():
        test_deploy.copy_of_project(folder)
    return test_deploy.release(folder)


@pytest.fixture(scope='session')
def host(archive):
    if test_deploy.reason:
        pytest.skip(f'no hosts can be booted here: {test_deploy.reason}')
    made = lib.Hosts(test_deploy.KEEP and f'{test_deploy.KEEP}/bad')
    try:
        made.up('b1')
        made.inventory.write_text(made.inventory.read_text() +
                                  f'rowgate_release={archive}\nrowgate_monitoring=true\nmonitoring_nginx_exporter=false\n'
                                  # It is provisioned a dozen times; those of test_deploy.py have it.
                                  'common_hardening=false\n')
        made.ssh('b1', "grep -q db.test /etc/hosts || echo '10.77.0.1 db.test acme.test' | sudo tee -a /etc/hosts")
        yield made
    finally:
        if not test_deploy.KEEP:
            made.close()
