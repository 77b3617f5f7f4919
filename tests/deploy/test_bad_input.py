"""
What is wrong on a bare host, or with a database that is elsewhere, is said in one sentence before anything is done, and once
it is mended the same run completes. A MariaDB in the hosts' network plays RDS: TLS demanded, an administrator without SUPER.
"""
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

import pytest

import hosts as lib
from more import Elsewhere, Process, provisioned, said, wait_until
from test_deploy import changed, digest, recap


def packages(host):
    return host.ssh('b1', "dpkg-query -W | wc -l; ls /etc/systemd/system | wc -l").split()


# ---- a bare host ----

@pytest.mark.parametrize('words, sentence', [
    (['-e', 'ansible_user=plain'], 'b1: plain does not become root there'),
    (['-e', 'ansible_become=false'], 'b1: admin does not become root there'),
])
def test_a_host_that_is_not_fit(host, words, sentence):
    host.ssh('b1', "id plain || { sudo useradd -m -s /bin/bash plain && sudo cp -r /home/admin/.ssh /home/plain/ && sudo chown -R plain: /home/plain/.ssh; }")
    before = packages(host)
    out = host.play('provision', *words, fails=True)
    assert sentence in said(out) and recap(out)['b1']['changed'] == '0'
    assert packages(host) == before


def test_a_full_disk(host):
    """Of the file systems that something is put on, the least one counts."""
    host.ssh('b1', 'sudo mount -t tmpfs -o size=3m tmpfs /opt')
    try:
        out = host.play('provision', fails=True)
        assert '/opt has 3 MiB left and 1024 are needed' in said(out) and recap(out)['b1']['changed'] == '0'
    finally:
        host.ssh('b1', 'sudo umount /opt')


def test_the_port_is_taken(host):
    host.ssh('b1', 'sudo systemd-run -q --unit=squatter python3 -m http.server 443')
    try:
        wait_until(lambda: ':443' in host.ssh('b1', 'ss -Hltn'))
        before = packages(host)
        out = host.play('provision', fails=True)
        assert "another process has nginx's port: 0.0.0.0:443" in said(out) and 'python3' in said(out)
        assert recap(out)['b1']['changed'] == '0' and packages(host) == before
    finally:
        host.ssh('b1', 'sudo systemctl stop squatter')


@pytest.mark.parametrize('change, words', [
    ({'common_admin_networks': ['192.0.2.0/24', '2001:db8::/32']}, 'common_admin_networks (192.0.2.0/24, 2001:db8::/32)'),
    ({'common_ssh_port': 2222}, 'common_ssh_port (2222)'),
    ({'common_admin_networks': ['10.77.0.300']}, "'10.77.0.300' does not appear to be an IPv4 or IPv6 network"),
])
def test_a_firewall_that_would_shut_us_out(host, change, words):
    before = packages(host)
    out = host.play('provision', '-e', json.dumps(change), fails=True)
    assert 'b1: the firewall would shut this very run out, which comes from 10.77.0.1 to port 22' in said(out) and words in said(out), said(out)
    assert recap(out)['b1']['changed'] == '0' and packages(host) == before


def test_a_clock_that_is_wrong(host):
    # The kernel's is everybody's: the program that is asked tells another time.
    host.ssh('b1', r"printf '#!/bin/sh\necho $(( $(/bin/date +%%s) - 7200 ))\n' | sudo install -m 755 /dev/stdin /usr/local/bin/date")
    try:
        out = host.play('provision', fails=True)
        assert 'b1: its clock is 7' in said(out) and ' s slow, by this machine' in said(out), said(out)
        assert recap(out)['b1']['changed'] == '0'
    finally:
        host.ssh('b1', 'sudo rm /usr/local/bin/date')


def test_no_way_to_the_mirror(host):
    host.ssh('b1', "sudo mv /etc/apt/apt.conf.d/99test-host /root/ && echo 'Acquire::http::Proxy \"http://10.77.0.1:9/\"; Acquire::Retries \"0\";'"
             ' | sudo tee /etc/apt/apt.conf.d/99nowhere')
    try:
        out = host.play('provision', fails=True)
        assert 'b1: no package lists' in said(out) and 'Does the host reach the mirrors' in said(out)
        assert recap(out)['b1']['changed'] == '0'
    finally:
        host.ssh('b1', 'sudo rm /etc/apt/apt.conf.d/99nowhere && sudo mv /root/99test-host /etc/apt/apt.conf.d/')


def test_a_check_of_a_bare_host(host):
    before = packages(host)
    host.play('provision', '--check', '-e', 'common_hardening=true')
    assert packages(host) == before


# ---- a database elsewhere ----

@pytest.fixture(scope='module')
def elsewhere(host):
    if not shutil.which('mariadb-install-db'):
        pytest.skip('no MariaDB here to play RDS')
    made = Elsewhere(host)
    yield made
    made.stop()


def settings(elsewhere, **more):
    given = {'database_host': 'db.test', 'database_admin_password': "'the right one'", 'database_ca_file': elsewhere.folder / 'ca.pem', **more}
    return [w for name, value in given.items() for w in ('-e', f'{name}={value}')]


def test_a_database_that_is_not_fit(host, elsewhere):
    """The whole run once, then the part that asks the database."""
    def refused(*words, **change):
        out = host.play('provision', *settings(elsewhere, **change), *words, fails=True)
        assert host.ssh('b1', 'ls /etc/rowgate/live 2>/dev/null || echo none').strip() == 'none'
        return said(out)

    sentence = refused()
    assert "Can't connect" in sentence and 'database_host and database_port' in sentence, sentence
    elsewhere.start('--version=10.4.34-MariaDB')
    sentence = refused('--tags', 'rowgate')
    assert 'the server is 10.4.34-MariaDB: MariaDB 10.6 or MySQL 8.0 is the oldest that works' in sentence, sentence
    elsewhere.stop()
    elsewhere.start()
    sentence = refused('--tags', 'rowgate', database_admin_password='wrong')
    assert 'Access denied' in sentence and 'database_admin_password' in sentence, sentence
    sentence = refused('--tags', 'rowgate', database_ca_file=elsewhere.folder / 'other/ca.pem')
    assert 'certificate' in sentence and 'database_ca_file' in sentence, sentence


def test_then_the_same_run_completes(host, elsewhere):
    elsewhere.stop()
    elsewhere.start()
    host.play('provision', *settings(elsewhere))
    assert host.curl('b1', '/health/ready') == (200, '{"status":"ready"}')
    lines, counts = changed(host.play('provision', *settings(elsewhere)))
    assert counts == {'b1': '0'}, lines
    host.play('verify', *settings(elsewhere))
    conf = host.ssh('b1', 'cat /etc/rowgate/live/rowgate.conf')
    assert 'db-host = db.test' in conf and 'db-ca = db-ca.pem' in conf
    assert 'mariadbd' not in host.ssh('b1', 'ps -eo comm')


def test_keys_of_another_provider(host, elsewhere):
    """The timer's unit fetches them over TLS from a server that the host trusts."""
    jwks = pathlib.Path(elsewhere.folder / 'www')
    jwks.mkdir(exist_ok=True)
    (jwks / 'jwks.json').write_text('{"keys":[{"kty":"EC","crv":"P-256","kid":"k1","alg":"ES256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",'
                                    '"y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}')
    server = Process(host, 'provider', ['openssl', 's_server', '-accept', '10.77.0.1:8443', '-WWW', '-cert', elsewhere.folder / 'server.pem',
                                        '-key', elsewhere.folder / 'server.key', '-quiet'], cwd=jwks)
    try:
        host.ssh('b1', f"echo '{(elsewhere.folder / 'ca.pem').read_text()}' | sudo tee /usr/local/share/ca-certificates/test.crt"
                 ' && sudo update-ca-certificates')
        host.play('deploy', *settings(elsewhere), '-e', '{"rowgate_settings": {"jwt-jwks-urls": "https://db.test:8443/jwks.json"}}')
        assert host.ssh('b1', 'systemctl is-active rowgate-jwks.timer').strip() == 'active'
        host.ssh('b1', 'sudo systemctl start rowgate-jwks.service')
        assert '"k1"' in host.ssh('b1', "sudo sh -c 'cat /var/lib/rowgate/jwks/*'")
        assert host.curl('b1', '/health/ready')[0] == 200
    finally:
        server.stop()


# ---- a run that is cut off ----

def test_an_interrupted_provision_is_run_again(host):
    """To a database of its own now: MariaDB comes, settings and the rate are others."""
    words = ['-e', 'rowgate_workers=5', '-e', 'nginx_rate=7']
    for task, tag in (('database : MariaDB', 'rowgate'), ('rowgate : Settings', 'rowgate'), ('nginx : Configuration', 'nginx'),
                      ('monitoring : Install node exporter', 'monitoring')):
        one = subprocess.Popen(host.play_command('provision', '--tags', tag, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True)
        for line in one.stdout:
            if line.startswith(f'TASK [{task}]'):
                break
        os.killpg(one.pid, 9)
        one.wait()
        assert one.returncode == -9
    host.play('provision', *words)
    assert host.curl('b1', '/health/ready')[0] == 200
    assert 'WORKERS=5' in host.ssh('b1', 'cat /etc/rowgate/live/environment')
    assert 'db-socket' in host.ssh('b1', 'cat /etc/rowgate/live/rowgate.conf')
    assert 'rate=7r/s' in host.ssh('b1', 'sudo nginx -T 2>/dev/null')
    lines, counts = changed(host.play('provision', *words))
    assert counts == {'b1': '0'}, lines


# ---- settings ----

@pytest.mark.parametrize('name, value, words', [
    ('database_buffer_pool', '64X', "Unknown suffix 'X'"),
    ('rowgate_admin_email', 'nonsense', 'rowgate_admin_email: '),
])
def test_a_setting_that_is_refused(host, name, value, words):
    """What serves goes on: MariaDB is not restarted with what it would refuse."""
    provisioned(host)
    started = host.ssh('b1', 'systemctl show -P ActiveEnterTimestampMonotonic mariadb')
    out = host.play('provision', '--tags', 'rowgate', '-e', f'{name}={value}', fails=True)
    assert words in out and 'output has been hidden' not in said(out), said(out)
    assert host.ssh('b1', 'systemctl show -P ActiveEnterTimestampMonotonic mariadb') == started
    assert host.curl('b1', '/health/ready')[0] == 200


# ---- releases ----

def rebuilt(archive, folder, **manifest):
    """The same with another manifest, and the checksum beside it that belongs to it."""
    with tarfile.open(archive) as made:
        made.extractall(folder)
    (tree,) = folder.iterdir()
    text = json.loads((tree / 'MANIFEST.json').read_text())
    (tree / 'MANIFEST.json').write_text(json.dumps({**text, **manifest}))
    other = folder / archive.name
    subprocess.run(['tar', '-C', folder, '-czf', other, tree.name], check=True)
    pathlib.Path(f'{other}.sha256').write_text(f'{digest(other)}  {other.name}\n')
    return other


def test_a_release_for_another_distribution(host, archive, tmp_path):
    provisioned(host)
    live = host.status('b1')
    other = rebuilt(archive, tmp_path, platform='ubuntu-24.04-x86_64')
    out = host.play('deploy', '-e', f'rowgate_release={other}', fails=True)
    assert 'was built for ubuntu-24.04-x86_64 and b1 is debian-12' in said(out) and 'run make release on such a one' in said(out), said(out)
    assert recap(out)['b1']['changed'] == '0' and host.status('b1') == live


def test_nothing_to_go_back_to(host):
    provisioned(host)
    host.ssh('b1', 'cd /etc/rowgate && sudo mv "$( [ "$(readlink live)" = blue ] && echo green || echo blue )" /root/before 2>/dev/null || true')
    live = host.status('b1')
    out = host.play('rollback', fails=True)
    assert said(out) == 'b1: rowgate-pool: there is no pool that was live before. What is live goes on'
    assert host.status('b1') == live and host.curl('b1', '/health/ready')[0] == 200


# ---- restores ----

@pytest.fixture(scope='module')
def backups(host, tmp_path_factory):
    """A dump, and two archives of binary logs after it."""
    provisioned(host)
    host.play('backup')
    folder = host.folder / 'inventory/backups/b1'
    made = [max(folder.glob('*-dump.enc'))]
    for _ in range(2):
        host.ssh('b1', "sudo mariadb -e 'FLUSH BINARY LOGS'")
        # Named by the second.
        host.ssh('b1', 'sleep 1.1')
        log = host.ssh('b1', 'sudo rowgate-backup binlog').split()[0]
        for name in (log, f'{log}.hmac'):
            data = subprocess.run([lib.HERE / 'hosts/test-host.sh', host.folder, 'ssh', 'b1', f'sudo cat {name}'], capture_output=True, check=True).stdout
            (folder / pathlib.Path(name).name).write_bytes(data)
        made.append(folder / pathlib.Path(log).name)
    return made


def test_a_restore_by_the_playbook_that_cannot_be(host, backups, tmp_path):
    out = host.play('restore', '-e', f'backup_archive={tmp_path}/none.enc', fails=True)
    assert 'none.enc, ' in said(out) and 'there is no such file here' in said(out) and recap(out)['b1']['changed'] == '0', said(out)
    host.ssh('b1', 'sudo cp -p /etc/rowgate-backup/passphrase /root/ && echo another | sudo tee /etc/rowgate-backup/passphrase')
    try:
        out = host.play('restore', '-e', f'backup_archive={backups[0]}', fails=True)
        assert said(out) == f'b1: rowgate-backup: {backups[0].name} was changed, or is of another passphrase. Nothing has been changed'
        assert host.ssh('b1', 'sudo ls /var/lib/rowgate-backup').split() == ['from']
    finally:
        host.ssh('b1', 'sudo mv /root/passphrase /etc/rowgate-backup/passphrase')


# Archives made on the host with its own passphrase and code: what lies in them is what is wrong.
MAKE = """
set -eu
cd "$(mktemp -d)"
. /etc/rowgate-backup/settings
pass=/etc/rowgate-backup/passphrase
open() {{ mkdir "$2"; openssl enc -d -aes-256-cbc -pbkdf2 -iter 200000 -pass file:$pass <"$1" | tar -C "$2" -xf -; }}
close() {{
	tar -C "$1" -cf - . | openssl enc -e -aes-256-cbc -pbkdf2 -iter 200000 -salt -pass file:$pass >"$1.enc"
	openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(sha256sum <$pass | cut -d' ' -f1)" -r "$1.enc" | cut -d' ' -f1 >"$1.enc.hmac"
}}
dump=$(ls "$FOLDER"/*-dump.enc | tail -n 1)
log=$(ls "$FOLDER"/*-binlog.enc | tail -n 1)
open "$log" log
{wrong}
close log
rowgate-backup restore "$dump" "$PWD/log.enc"
"""


@pytest.mark.parametrize('wrong, sentence', [
    ('rm "$(ls log/binlog.* | sed -n 2p)"', 'is missing: the dump ends in binlog.'),
    ('rm "$(ls log/binlog.* | head -n 1)"', 'is missing: the dump ends in binlog.'),
    ('rm log/binlog.*; touch log/binlog.000000', 'is missing: the logs that were given end before the dump'),
    ('echo another >log/host', 'log.enc is of another host than the dump'),
    ('touch log/databases.sql.gz', 'log.enc holds a dump: the first file is the dump'),
])
def test_binary_logs_that_do_not_follow_the_dump(host, backups, wrong, sentence):
    ask = "sudo mariadb -BN wages -e 'SELECT MAX(create_time) FROM information_schema.tables WHERE table_schema = DATABASE()'"
    before = host.ssh('b1', ask)
    script = MAKE.format(wrong=wrong).replace("'", "'\\''")
    done = host.script('ssh', 'b1', f"sudo sh -c '{script}'")
    assert done.returncode == 1 and done.stderr.startswith('rowgate-backup: ') and sentence in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1 and host.ssh('b1', ask) == before


def test_then_what_is_whole_is_restored(host, backups):
    dump, *logs = backups
    host.play('restore', '-e', f'backup_archive={dump}', '-e', json.dumps({'backup_binlogs': [str(log) for log in logs]}))
    assert host.curl('b1', '/health/ready')[0] == 200
