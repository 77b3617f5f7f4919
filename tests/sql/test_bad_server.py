"""sql/deploy.sh where the server, its certificate or a migration is not as it should be: one line, and a later run completes."""
import os
import shutil
import subprocess

import pytest

from conftest import KIND, REPO, run


def refused(database, *words, **settings):
    status, lines, errors = database.deploy('deploy', **settings)
    assert status == 1 and lines == [] and len(errors) == 1, (status, lines, errors)
    assert errors[0].startswith('deploy.sh: ') and not [w for w in words if w.lower() not in errors[0].lower()], errors
    assert database.deploy('status')[0] == 0


def test_another_password(database, tmp_path):
    (tmp_path / 'password').write_text('not this one\n')
    settings = {'DB_PASSWORD_FILE': str(tmp_path / 'password')}
    refused(database, 'Access denied', **settings, **({'DB_USER': 'authenticator'} if KIND == 'mariadb' else {}))


@pytest.mark.skipif(KIND != 'mysql', reason='the scratch MariaDB has no TLS')
def test_another_authority(database, tmp_path):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                    '-subj', '/CN=somebody else', '-keyout', tmp_path / 'key', '-out', tmp_path / 'ca.pem'],
                   check=True, capture_output=True)
    refused(database, 'certificate', DB_CA=str(tmp_path / 'ca.pem'))
    (tmp_path / 'ca.pem').write_text('no certificate\n')
    refused(database, 'SSL', DB_CA=str(tmp_path / 'ca.pem'))


def test_a_server_that_is_read_only(database, admin):
    """A replica, or a writer that was replaced: who deploys might well write there, and nobody would see it."""
    run(admin, 'SET GLOBAL read_only = ON')
    try:
        refused(database, 'the server is read-only')
        assert database.deploy('verify')[0] == 0
    finally:
        run(admin, 'SET GLOBAL read_only = OFF')


@pytest.mark.parametrize('version', ['5.7.44-log', '10.5.29-MariaDB', '5.5.68-MariaDB'])
def test_an_old_server(database, tmp_path, version):
    """As its own client tells it: a server of that version is not to be had."""
    for name in ('mariadb', 'mysql'):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {version}\n')
        (tmp_path / name).chmod(0o755)
    status, lines, errors = database.deploy('deploy', PATH=f'{tmp_path}:{os.environ["PATH"]}')
    assert status == 1 and lines == [] and len(errors) == 1 and errors[0] == (
        f'deploy.sh: the server is {version}: MariaDB 10.6 or MySQL 8.0 is the oldest that works'), errors


def test_a_migration_that_fails_half_way(database, admin, tmp_path):
    shutil.copytree(REPO / 'sql', tmp_path / 'sql')
    for kind, text in (('deploy', 'CREATE TABLE half_way (id INT PRIMARY KEY);\nCREATE TABLE nonsense;\n'),
                       ('revert', 'DROP TABLE IF EXISTS half_way;\n'), ('verify', 'SELECT id FROM half_way WHERE 0;\n')):
        (tmp_path / f'sql/wages/{kind}/half_way.sql').write_text(text)
    with open(tmp_path / 'sql/wages/sqitch.plan', 'a') as plan:
        plan.write('half_way 2026-11-21T12:00:00Z Rowgate <rowgate@localhost> # Fails.\n')

    def deploy():
        done = subprocess.run([tmp_path / 'sql/deploy.sh', 'deploy'], env=database.environment, capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()

    before = run(admin, 'SELECT COUNT(*) FROM wages.employee_directory')
    for _ in range(2):
        status, lines, errors = deploy()
        assert (status, lines) == (1, ['core: up to date'])
        assert len(errors) == 1 and errors[0].startswith('deploy.sh: wages: sqitch deploy failed: '), errors
        # What served goes on: nothing of it is left, and nothing else is gone.
        assert run(admin, "SHOW TABLES FROM wages LIKE 'half_way'") == []
        assert run(admin, 'SELECT COUNT(*) FROM wages.employee_directory') == before
        assert database.deploy('verify')[0] == 0
    (tmp_path / 'sql/wages/deploy/half_way.sql').write_text('CREATE TABLE half_way (id INT PRIMARY KEY);\n')
    # As a run that was killed half way leaves it; what somebody else has made meanwhile is not ours to take.
    run(admin, 'CREATE TABLE rowgate.deploying (project VARCHAR(64), kind VARCHAR(20), name VARCHAR(64))')
    run(admin, "INSERT INTO rowgate.deploying SELECT 'wages', 'TABLE', table_name FROM information_schema.tables"
               " WHERE table_schema = 'wages'")
    run(admin, 'CREATE TABLE wages.half_way (id INT)')
    run(admin, 'CREATE TABLE wages.of_somebody (id INT)')
    try:
        assert deploy()[0:2] == (0, ['core: up to date', 'wages: 1 changes deployed', 'incidents: up to date',
                                     'accounts: authenticator and rowgate_catalogue', 'accounts: rowgate_identity'])
        assert run(admin, "SELECT column_key FROM information_schema.columns WHERE table_name = 'half_way'") == [('PRI',)]
        assert run(admin, "SHOW TABLES FROM wages LIKE 'of_somebody'") == [('of_somebody',)]
        assert run(admin, "SHOW TABLES FROM rowgate LIKE 'deploying'") == []
    finally:
        run(admin, 'DROP TABLE IF EXISTS wages.of_somebody')
        run(admin, 'DROP TABLE IF EXISTS wages.half_way')
        run(admin, "DELETE FROM rowgate_sqitch.changes WHERE `change` = 'half_way'")
        run(admin, "DELETE FROM rowgate_sqitch.events WHERE `change` = 'half_way'")
