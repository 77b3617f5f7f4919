"""What the playbooks run on a host, without one: the lock, and what tells units of new settings."""
import concurrent.futures
import hashlib
import hmac
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

REPO = pathlib.Path(__file__).resolve().parents[2]
BACKUP = REPO / 'ansible/roles/backup/files/rowgate-backup'
LOCK = REPO / 'ansible/playbooks/parts/lock.sh'
FOLLOW = REPO / 'ansible/roles/common/files/rowgate-follow'


def lock(folder, *words):
    """As lock.yml runs it: the script on standard input."""
    done = subprocess.run(['sh', '-s', *words], stdin=LOCK.open(), env={**os.environ, 'ROWGATE_LOCK': str(folder)}, check=True,
                          capture_output=True, text=True)
    return done.stdout.strip()


def test_one_of_many_has_the_lock(tmp_path):
    names = [f'boot pid:[1] {n} 100 somebody@host{n}' for n in range(12)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        seen = set(pool.map(lambda name: lock(tmp_path, 'take', name), names))
    assert len(seen) == 1 and seen <= set(names)
    (owner,) = seen
    assert lock(tmp_path, 'take', owner) == owner  # it has it already
    assert lock(tmp_path, 'release', names[0] if owner != names[0] else names[1]) == owner
    assert lock(tmp_path, 'release', owner) == ''
    assert lock(tmp_path, 'take', names[3]) == names[3]


def test_one_of_many_takes_over_from_who_is_gone(tmp_path):
    assert lock(tmp_path, 'take', 'gone') == 'gone'
    assert lock(tmp_path, 'take', 'me') == 'gone'
    assert lock(tmp_path, 'take', 'me', 'another') == 'gone'
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        seen = set(pool.map(lambda n: lock(tmp_path, 'take', f'new {n}', 'gone'), range(12)))
    assert len(seen) == 1 and seen != {'gone'}


def test_an_old_lock_ends(tmp_path):
    lock(tmp_path, 'take', 'old')
    os.utime(tmp_path / 'owner', (1, 1))
    assert lock(tmp_path, 'take', 'new') == 'new'


@pytest.fixture
def host(tmp_path):
    """rowgate-follow with a systemctl of our own, which writes down what it is asked."""
    (tmp_path / 'systemctl').write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/asked\ncase $1 in restart) [ ! -e {tmp_path}/broken ] ;; esac\n')
    (tmp_path / 'systemctl').chmod(0o755)
    script = tmp_path / 'follow'
    script.write_text(FOLLOW.read_text().replace('/var/lib/rowgate-follow', str(tmp_path / 'known')))
    settings = tmp_path / 'settings'
    settings.write_text('a\n')

    def follow(verb='restart'):
        (tmp_path / 'asked').write_text('')
        done = subprocess.run(['sh', script, 'x.service', verb, settings], capture_output=True, text=True,
                              env={'PATH': f'{tmp_path}:{os.environ["PATH"]}'}, check=False)
        return done.returncode, done.stdout.strip(), f'{verb if verb == "restart" else "reload-or-restart"} x.service' in (tmp_path / 'asked').read_text()
    follow.folder = tmp_path
    return follow


@pytest.mark.parametrize('verb', ['restart', 'reload'])
def test_a_unit_is_told_of_new_settings_once(host, verb):
    assert host(verb) == (0, 'told', True)
    assert host(verb) == (0, '', False)
    (host.folder / 'settings').write_text('b\n')
    assert host(verb) == (0, 'told', True)


def test_a_unit_that_could_not_be_told_is_told_again(host):
    (host.folder / 'broken').touch()
    assert host()[0] != 0
    (host.folder / 'broken').unlink()
    assert host() == (0, 'told', True)


def test_nothing_waits_for_the_end_of_a_run():
    """A handler would be lost with the run that notified it."""
    for path in (REPO / 'ansible/roles').glob('*/tasks/*.yml'):
        assert 'notify:' not in path.read_text(), path
    assert not list((REPO / 'ansible/roles').glob('*/handlers/*'))


@pytest.mark.parametrize('name, begin', [('provision', 'begin'), ('deploy', 'begin'), ('rollback', 'hold'), ('restore', 'hold'),
                                         ('rotate-secrets', 'hold')])
def test_every_playbook_that_changes_hosts_takes_the_lock(name, begin):
    plays = [p.get('ansible.builtin.import_playbook') for p in yaml.safe_load((REPO / f'ansible/playbooks/{name}.yml').read_text())]
    assert plays[-1] == 'parts/release.yml' and f'parts/{begin}.yml' in plays
    assert plays[0] == f'parts/{begin}.yml' or name == 'rotate-secrets'  # its first part is deploy.yml, with a lock of its own


def test_every_collection_that_is_used_is_in_requirements():
    required = {c['name'] for c in yaml.safe_load((REPO / 'ansible/requirements.yml').read_text())['collections']}
    used = {name for path in (REPO / 'ansible').rglob('*.yml') for name in re.findall(r'\b((?:community|amazon|ansible)\.[a-z]+)\.[a-z]', path.read_text())}
    assert used - {'ansible.builtin'} == required


def test_keys_of_a_vault_are_not_rotated_on_a_host(tmp_path):
    """Said before a host is asked."""
    if not shutil.which('ansible-playbook'):
        pytest.skip('no ansible here')
    (tmp_path / 'hosts').write_text('[rowgate]\nh1\nh2\n')
    done = subprocess.run(['ansible-playbook', '-i', tmp_path / 'hosts', 'playbooks/rotate-secrets.yml', '-e', 'rowgate_signing_keys=x'],
                          cwd=REPO / 'ansible', capture_output=True, text=True, check=False,
                          env={**os.environ, 'ANSIBLE_LOCAL_TEMP': str(tmp_path / 'l')})
    assert done.returncode != 0 and 'rowgate_signing_keys are given by a vault' in done.stdout and 'unreachable=0' in done.stdout, done.stdout


@pytest.fixture
def backup(tmp_path):
    """rowgate-backup in a folder of its own, with a database that has one line to say."""
    text = BACKUP.read_text()
    for old, new in (('/var/lib/rowgate-backup', 'work'), ('/etc/rowgate-backup', 'etc'), ('/run/lock/rowgate-backup', 'lock'), ('/etc/rowgate/', 'rowgate/')):
        assert old in text
        text = text.replace(old, f'{tmp_path}/{new}')
    for folder in ('bin', 'etc', 'work', 'store', 'rowgate/live', 'rowgate/keys'):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / 'script').write_text(text)
    (tmp_path / 'etc/passphrase').write_text('a passphrase\n')
    (tmp_path / 'etc/settings').write_text(f'FOLDER={tmp_path}/store\nDAYS=14\nAFTER=\'echo "$1" >>{tmp_path}/taken\'\n')
    (tmp_path / 'rowgate/live/rowgate.conf').write_text('')
    for name, words in (('mariadb', 'cat >/dev/null; echo shop'),
                        ('mariadb-dump', """echo "-- CHANGE MASTER TO MASTER_LOG_FILE='binlog.000001', MASTER_LOG_POS=4;" """)):
        (tmp_path / 'bin' / name).write_text(f'#!/bin/sh\n{words}\n')
        (tmp_path / 'bin' / name).chmod(0o755)

    def run(*words):
        return subprocess.run(['bash', tmp_path / 'script', *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                              env={**os.environ, 'PATH': f'{tmp_path}/bin:{os.environ["PATH"]}'})
    return run


def test_a_backup_leaves_with_its_code(backup, tmp_path):
    # A run that was killed.
    (tmp_path / 'work/dump.abcdef').mkdir()
    (tmp_path / 'work/dump.abcdef/databases.sql.gz').write_text('in the clear')
    done = backup('dump')
    assert done.returncode == 0, done.stderr
    (archive,) = (tmp_path / 'store').glob('*-dump.enc')
    assert done.stdout.split() == [str(archive)]
    assert (tmp_path / 'taken').read_text().split() == [f'{archive}.hmac', str(archive)]
    assert [p.name for p in (tmp_path / 'work').iterdir()] == ['from']
    key = hashlib.sha256((tmp_path / 'etc/passphrase').read_bytes()).digest()
    assert pathlib.Path(f'{archive}.hmac').read_text().strip() == hmac.new(key, archive.read_bytes(), 'sha256').hexdigest()


@pytest.mark.parametrize('time, sentence', [('yesterday', 'is no time'), ('2026-13-01 00:00:00', 'is no time'), ('2001-01-01 00:00:00', 'give an older dump')])
def test_a_time_that_cannot_be_restored(backup, tmp_path, time, sentence):
    assert backup('dump').returncode == 0
    (archive,) = (tmp_path / 'store').glob('*-dump.enc')
    done = backup('restore', '--until', time, archive, archive)
    assert done.returncode == 1 and sentence in done.stderr and 'restored' not in done.stdout, done.stderr
    assert 'needs the binary logs' in backup('restore', '--until', '2030-01-01 00:00:00', archive).stderr
    assert backup('restore', archive).stdout.endswith('restored\n')
