"""
From two bare hosts that have just booted to what the operations guide promises: provisioned twice, verified, data imported,
deployed, rolled back, keys and passwords rotated under load, workers killed, power cut, backed up and restored. The tests
follow one another; each leaves the hosts in service.
"""
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import time

import pytest

import hosts as lib
from hosts import HERE, REPO
from more import wait_until

DATA = REPO.parent / 'shared/data'
# A folder to keep the hosts in, for the next run to use: while working on the playbooks.
KEEP = os.environ.get('DEPLOY_KEEP')
reason = lib.impossible()


@pytest.fixture(scope='module')
def clone(tmp_path_factory):
    """The project as it is committed and as it stands, in a folder of its own."""
    folder = pathlib.Path(KEEP or tmp_path_factory.mktemp('clone')) / 'rowgate'
    if not folder.exists():
        copy_of_project(folder)
    return folder


def copy_of_project(folder, build='build', source=REPO):
    git = ['git', '-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@localhost', '-c', 'core.hooksPath=/dev/null']
    subprocess.run(['git', 'clone', '-q', '--no-hardlinks', source, folder], check=True)
    changed = subprocess.run(['git', '-C', source, 'diff', 'HEAD', '--binary'], capture_output=True, check=True).stdout
    if changed.strip():
        subprocess.run(['git', '-C', folder, 'apply', '-'], input=changed, check=True)
        subprocess.run([*git, 'commit', '-qam', 'as it stands', '--date=2026-01-01T00:00:00Z'], check=True,
                       env={**os.environ, 'GIT_COMMITTER_DATE': '2026-01-01T00:00:00Z'})
    # Else npm would fetch the pages' packages again.
    if (REPO / 'build/web/installed').is_file():
        shutil.copytree(REPO / 'build/web', folder / build / 'web', symlinks=True)
        (folder / build / 'web/installed').touch()


def release(folder, build='build'):
    done = subprocess.run(['make', '-s', f'BUILD={build}', 'release'], cwd=folder, capture_output=True, text=True, check=False,
                          env={k: v for k, v in os.environ.items() if k not in ('MAKEFLAGS', 'MFLAGS', 'BUILD')})
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / done.stdout.strip().splitlines()[-1]


def commit(folder, message):
    subprocess.run(['git', '-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@localhost', '-c', 'core.hooksPath=/dev/null',
                    'commit', '-qam', message], check=True)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope='module')
def first(clone):
    return release(clone)


@pytest.fixture(scope='module')
def hosts(first):
    if reason:
        pytest.skip(f'no hosts can be booted here: {reason}')
    made = lib.Hosts(KEEP)
    try:
        made.up('h1', 'h2')
        made.inventory.write_text(made.inventory.read_text() + f'rowgate_release={first}\n')
        yield made
    finally:
        if not KEEP:
            made.close()


def recap(out):
    return {m[1]: dict(re.findall(r'(\w+)=(\d+)', m[2])) for m in re.finditer(r'^(\w+) +: (ok=.*)$', out, re.M)}


def changed(out):
    return [line for line in out.splitlines() if line.startswith('changed:')], {h: r['changed'] for h, r in recap(out).items()}


def unharmed(seen):
    assert seen['failed'] == 0, seen
    assert seen['requests'] >= lib.LOAD
    print(seen)


# ---- the release ----

def test_the_release_is_the_same_from_another_folder(clone, first, tmp_path):
    other = tmp_path / 'else/where'
    copy_of_project(other, 'made', clone)
    assert digest(release(other, 'made')) == digest(first)


def test_the_manifest_says_what_it_holds(first, tmp_path):
    with tarfile.open(first) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    manifest = json.loads((folder / 'MANIFEST.json').read_text())
    assert manifest['release'] == folder.name and re.fullmatch('[0-9a-f]{40}', manifest['commit'])
    assert 'libfcgi.so.0' in manifest['libraries'] and any(p.startswith('libmariadb') for p in manifest['packages'])
    assert subprocess.run(['sha256sum', '--quiet', '--strict', '-c', 'SHA256SUMS'], cwd=folder, check=False).returncode == 0
    listed = {line.split('  ', 1)[1] for line in (folder / 'SHA256SUMS').read_text().splitlines()}
    assert listed == {str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file()} - {'SHA256SUMS'}
    assert not [p for p in folder.rglob('*') if str(REPO).encode() in (p.read_bytes() if p.is_file() else b'')]


# ---- the playbooks as text ----

@pytest.mark.parametrize('role', ['common', 'database', 'rowgate', 'nginx', 'backup', 'monitoring'])
def test_every_variable_is_specified_and_in_the_guide(role):
    names = set(re.findall(r'^(\w+):', (REPO / f'ansible/roles/{role}/defaults/main.yml').read_text(), re.M))
    specs = set(re.findall(r'^      (\w+): ', (REPO / f'ansible/roles/{role}/meta/argument_specs.yml').read_text(), re.M))
    guide = set(re.findall(r'^\| `(\w+)`', (REPO / 'ansible/README.md').read_text(), re.M))
    assert names == specs
    assert names <= guide, names - guide


def test_what_runs_keep_beside_an_inventory_is_no_host(tmp_path):
    inventory = tmp_path / 'production'
    shutil.copytree(REPO / 'ansible/inventories/example', inventory)
    for name in ('secrets/jwt-secret', 'tls/api1-ca.pem', 'backups/api1/1-dump.enc'):
        (inventory / name).parent.mkdir(parents=True, exist_ok=True)
        (inventory / name).write_bytes(b'one two\n\xff\n')
    done = subprocess.run(['ansible-inventory', '-i', inventory, '--list'], cwd=REPO / 'ansible', capture_output=True, text=True, check=True)
    assert list(json.loads(done.stdout)['_meta']['hostvars']) == ['api1.example.com'] and 'WARNING' not in done.stderr


# ---- provision ----

def test_bare_hosts_are_provisioned_in_one_run(hosts):
    hosts.play('provision', '-e', 'rowgate_serial=2')
    for name in ('h1', 'h2'):
        assert hosts.curl(name, '/health/ready') == (200, '{"status":"ready"}')


def test_a_second_run_changes_nothing(hosts):
    lines, counts = changed(hosts.play('provision', '-e', 'rowgate_serial=2'))
    assert counts == {'h1': '0', 'h2': '0'}, lines


def test_a_check_changes_nothing(hosts):
    lines, counts = changed(hosts.play('provision', '--check', '--limit', 'h1'))
    assert counts == {'h1': '0'}, lines


def test_verify(hosts):
    hosts.play('verify')


def test_secrets_are_nowhere_else(hosts):
    secrets = [p.read_text().strip() for p in (hosts.folder / 'inventory/secrets').iterdir()]
    assert len(secrets) >= 5
    # Command lines and environments, the journal, logs, /etc but for the files that hold them.
    seen = hosts.ssh('h1', "sudo sh -c 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; journalctl -o cat; cat /var/log/nginx/*;"
                     " grep -r . /etc /run/systemd --exclude-dir=credentials --exclude-dir=rowgate-backup' 2>/dev/null || true")
    assert 'nginx' in seen and not [secret[:6] for secret in secrets if secret in seen]
    assert 'drwx------ ' in hosts.ssh('h1', 'ls -ld /etc/rowgate/live/credentials /etc/rowgate-backup')


# ---- data ----

@pytest.mark.skipif(not DATA.exists(), reason='needs ../shared/data')
def test_the_real_data_go_in(hosts):
    bearer = ['-H', f'Authorization: Bearer {hosts.token("h1")}']
    for table, count in (('employee_directory', 500), ('salary_history', 2131)):
        status, body = hosts.curl('h1', f'/rest/v1/{table}', *bearer, '-H', 'Content-Type: text/csv; date-format="%m/%d/%y"',
                                  '-H', 'Prefer: count=exact', '--data-binary', f'@{DATA}/wages/{table}.csv', '-o', '/dev/null')
        assert status == 201
        assert json.loads(hosts.curl('h1', f'/rest/v1/{table}?select=count()', *bearer)[1]) == [{'count': count}]
    for document in sorted((DATA / 'incidents').glob('*.json')):
        for outcome in ('inserted', 'unchanged'):
            status, body = hosts.curl('h1', '/rest/v1/rpc/ingest_incident', *bearer, '-H', 'Content-Type: application/json', '-H',
                                      'Content-Profile: incidents', '--data-binary', f'@{document}')
            assert status == 200 and json.loads(body)[0]['action'] == outcome


# ---- changes under load ----

def count_of_requests(hosts, name):
    return int(hosts.ssh(name, 'sudo cat /var/log/nginx/access.log /var/log/nginx/access.log.1 2>/dev/null | wc -l'))


def test_a_release_is_deployed_and_rolled_back(hosts, clone):
    before = hosts.status('h1')
    makefile = clone / 'Makefile'
    makefile.write_text(re.sub(r'^VERSION = .*', 'VERSION = 0.1.1', makefile.read_text(), flags=re.M))
    site = clone / 'nginx/site.conf'
    site.write_text('# The next release.\n' + site.read_text())
    commit(clone, 'next')
    archive = release(clone)
    served = {name: count_of_requests(hosts, name) for name in ('h1', 'h2')}
    with hosts.balancer('h1', 'h2') as balancer, hosts.load('h1', through=balancer) as seen:
        # On both hosts, one after the other.
        hosts.play('deploy', '-e', f'rowgate_release={archive}')
    unharmed(seen)
    assert all(count_of_requests(hosts, name) - n > seen['requests'] / 4 for name, n in served.items())
    after = hosts.status('h1')
    assert after['live'] != before['live'] and after['release'].startswith('rowgate-0.1.1') and after['before'] == before['release']
    assert hosts.status('h2')['release'] == after['release']
    with hosts.load('h1') as seen:
        begun = time.monotonic()
        hosts.play('rollback')
        took = time.monotonic() - begun
    unharmed(seen)
    assert hosts.status('h1')['release'] == before['release'] == hosts.status('h2')['release']
    print(f'rolled back two hosts in {took:.1f} s')


def test_a_release_that_does_not_run_is_left_for_the_old_one(hosts, clone, tmp_path):
    live = hosts.status('h1')
    broken = clone / 'app/main.c'
    text = broken.read_text()
    broken.write_text(text.replace('int main(int argc, char **argv)\n{', 'int main(int argc, char **argv)\n{\n\tif (argc > 1 && '
                                   'strcmp(argv[1], "serve") == 0)\n\t\treturn 1;', 1))
    pool = clone / 'ansible/release/rowgate-pool'
    pool.write_text(pool.read_text().replace('START_SECONDS=30', 'START_SECONDS=4'))
    commit(clone, 'broken')
    archive = release(clone)
    broken.write_text(text)
    commit(clone, 'mended')
    with hosts.load('h1', at_least=1000) as seen:
        out = hosts.play('deploy', '-e', f'rowgate_release={archive}', fails=True)
    assert 'does not become ready' in out and seen['failed'] == 0, seen
    # h2 was not touched, h1 goes on.
    assert hosts.status('h1')['release'] == live['release'] == hosts.status('h2')['release']
    assert recap(out)['h2']['changed'] == '0'


def test_a_release_that_nginx_refuses_is_taken_back(hosts, clone):
    live = hosts.status('h1')
    site = clone / 'nginx/site.conf'
    text = site.read_text()
    site.write_text(text + 'nonsense;\n')
    commit(clone, 'nginx refuses it')
    archive = release(clone)
    site.write_text(text)
    commit(clone, 'mended again')
    with hosts.load('h1', at_least=1000) as seen:
        out = hosts.play('deploy', '-e', f'rowgate_release={archive}', fails=True)
    assert 'does not answer through nginx' in out and seen['failed'] == 0, seen
    assert {**live, 'before': '', 'pending': ''} == {**hosts.status('h1'), 'before': '', 'pending': ''}
    assert hosts.curl('h1', '/health/ready')[0] == 200


def test_what_nginx_refuses_only_when_it_reloads_is_noticed(hosts):
    """A zone in memory keeps its key: a test of the files finds nothing, and a reload that is refused leaves a line in a log."""
    change = r"sudo sed -i '/zone=rowgate_logins/ s/\$%s/\$%s/' /etc/nginx/nginx.conf"
    hosts.ssh('h1', change % ('rowgate_client_key', 'remote_addr'))
    try:
        with pytest.raises(lib.Failed, match=r'(?s)\[emerg\].*rowgate_logins.*nginx refuses its configuration'):
            hosts.ssh('h1', 'sudo rowgate-pool nginx 2>&1')
    finally:
        hosts.ssh('h1', change % ('remote_addr', 'rowgate_client_key'))
    assert 'reloaded' in hosts.ssh('h1', 'sudo rowgate-pool nginx')
    assert 'unchanged' in hosts.ssh('h1', 'sudo rowgate-pool nginx')
    assert hosts.curl('h1', '/health/ready')[0] == 200


def test_an_update_of_a_library_reaches_what_runs(hosts):
    old_ones = ("sudo grep -ls ' r-xp .*libz.*(deleted)$' $(for unit in nginx rowgate@$(readlink /etc/rowgate/live); do main=$(systemctl show -P "
                'MainPID $unit); for pid in $main $(cat /proc/$main/task/*/children); do echo /proc/$pid/maps; done; done) | wc -l')
    assert hosts.ssh('h1', old_ones).strip() == '0'
    hosts.ssh('h1', "sudo sh -ec 'for f in $(readlink -f /lib/*/libz.so.1); do cp -p $f $f.new; mv $f.new $f; done'")
    before = int(hosts.ssh('h1', old_ones))
    assert before > 2
    with hosts.load('h1', at_least=2000) as seen:
        hosts.ssh('h1', 'sudo systemctl start rowgate-renew.service')
    assert seen['failed'] == 0, seen
    said = hosts.ssh('h1', 'sudo journalctl --sync; sudo journalctl -q -o cat -u rowgate-renew.service')
    assert re.search(r'renewed: [1-9][0-9]* workers', said) and 'nginx: renewed' in said, said
    wait_until(lambda: hosts.ssh('h1', old_ones).strip() == '0')
    hosts.ssh('h1', 'sudo systemctl start rowgate-renew.service')
    assert 'renewed: 0 workers' in hosts.ssh('h1', 'sudo journalctl --sync; sudo journalctl -q -o cat -n 6 -u rowgate-renew.service')
    assert hosts.ssh('h1', 'systemctl is-active nginx').strip() == 'active'


def test_sign_ins_are_limited_where_nothing_else_is(hosts):
    """The hosts' nginx_rate is 0."""
    words = ['/auth/v1/token?grant_type=nonsense', '-H', 'Content-Type: application/json', '-d', '{}']
    assert 429 in (hosts.curl('h1', *words)[0] for _ in range(200))


def test_a_migration_that_fails_half_way(hosts, clone):
    live = hosts.status('h1')
    change = 'half_way'
    (clone / f'sql/wages/deploy/{change}.sql').write_text('CREATE TABLE half_way (id INT PRIMARY KEY);\nCREATE TABLE nonsense;\n')
    (clone / f'sql/wages/revert/{change}.sql').write_text('DROP TABLE IF EXISTS half_way;\n')
    (clone / f'sql/wages/verify/{change}.sql').write_text('SELECT id FROM half_way WHERE 0;\n')
    plan = clone / 'sql/wages/sqitch.plan'
    text = plan.read_text()
    plan.write_text(text + f'{change} 2026-11-21T12:00:00Z Rowgate <rowgate@localhost> # Fails.\n')
    subprocess.run(['git', '-C', clone, 'add', '-A', 'sql'], check=True)
    commit(clone, 'half way')
    archive = release(clone)
    with hosts.load('h1', at_least=1000) as seen:
        out = hosts.play('deploy', '-e', f'rowgate_release={archive}', '--limit', 'h1', fails=True)
    assert 'wages: sqitch deploy failed' in out and seen['failed'] == 0, seen
    assert hosts.status('h1')['release'] == live['release']
    plan.write_text(text)
    for kind in ('deploy', 'revert', 'verify'):
        (clone / f'sql/wages/{kind}/{change}.sql').unlink()
    commit(clone, 'without it')


def test_an_archive_that_was_tampered_with(hosts, first, tmp_path):
    bad = tmp_path / first.name
    bad.write_bytes(first.read_bytes() + b'x')
    assert 'is damaged, build or fetch it again' in hosts.play('deploy', '-e', f'rowgate_release={bad}', '--limit', 'h1', fails=True)
    bad.write_bytes(gzip.compress(gzip.decompress(first.read_bytes()), 1))
    shutil.copy(f'{first}.sha256', tmp_path)
    assert 'expected' in hosts.play('deploy', '-e', f'rowgate_release={bad}', '--limit', 'h1', fails=True)
    # Its own checksum beside it does not help when a file in it is another one.
    with tarfile.open(first) as archive:
        archive.extractall(tmp_path / 'x')
    (folder,) = (tmp_path / 'x').iterdir()
    (folder / 'pages/extra.html').write_text('x')
    (folder / 'nginx/site.conf').write_text('# empty\n')
    manifest = json.loads((folder / 'MANIFEST.json').read_text())
    new = folder.rename(folder.with_name(folder.name + 'x'))
    (new / 'MANIFEST.json').write_text(json.dumps({**manifest, 'release': new.name}))
    bad = tmp_path / f'{new.name}.tar.gz'
    subprocess.run(['tar', '-C', tmp_path / 'x', '-czf', bad, new.name], check=True)
    (tmp_path / f'{new.name}.tar.gz.sha256').write_text(f'{digest(bad)}  {bad.name}\n')
    assert 'FAILED' in hosts.play('deploy', '-e', f'rowgate_release={bad}', '--limit', 'h1', fails=True)
    assert new.name not in hosts.ssh('h1', 'ls /opt/rowgate/releases')


def test_settings_are_changed(hosts):
    with hosts.load('h1') as seen:
        hosts.play('deploy', '--limit', 'h1', '-e', '{"rowgate_settings": {"server-timing-enabled": true}}')
    unharmed(seen)
    assert 'server-timing-enabled = true' in hosts.ssh('h1', 'cat /etc/rowgate/live/rowgate.conf')


def test_passwords_of_the_database_are_rotated(hosts):
    old = (hosts.folder / 'inventory/secrets/authenticator-password').read_text().strip()
    with hosts.load('h1') as seen:
        hosts.play('rotate-secrets', '--tags', 'database')
    unharmed(seen)
    new = (hosts.folder / 'inventory/secrets/authenticator-password').read_text().strip()
    assert new != old
    for name in ('h1', 'h2'):
        for password, works in ((old, False), (new, True)):
            done = hosts.ssh(name, f'mariadb -u authenticator -p{password} -e "SELECT 1" >/dev/null 2>&1 && echo in || echo out')
            assert done.strip() == ('in' if works else 'out')


def test_keys_that_sign_are_rotated(hosts):
    password = (hosts.folder / 'inventory/secrets/admin-password').read_text().strip()

    def sign_in():
        status, body = hosts.curl('h1', '/auth/v1/token?grant_type=password', '-H', 'Content-Type: application/json', '-d',
                                  json.dumps({'email': 'admin@example.com', 'password': password}))
        assert status == 200, body
        return json.loads(body)['access_token']

    old = sign_in()
    token = hosts.folder / 'token'
    token.write_text(old)
    with hosts.load('h1', **{'token-file': token, 'path': '/rest/v1/incident?limit=1&select=incident_number'}) as seen:
        hosts.play('rotate-secrets', '--tags', 'signing', '--limit', 'h1')
    unharmed(seen)
    deadline = time.monotonic() + 300
    while sign_in().split('.')[0] == old.split('.')[0]:
        assert time.monotonic() < deadline
        time.sleep(1)
    assert hosts.curl('h1', '/rest/v1/incident?limit=1', '-H', 'Accept-Profile: incidents', '-H', f'Authorization: Bearer {old}')[0] == 200


def test_certificate_is_rotated(hosts):
    def serial():
        return hosts.ssh('h1', 'openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null | openssl x509 -noout -serial')
    before = serial()
    with hosts.load('h1') as seen:
        hosts.play('rotate-secrets', '--tags', 'certificate', '--limit', 'h1')
    unharmed(seen)
    assert serial() not in ('', before)


# ---- faults ----

def test_killed_workers_cost_no_request_that_reads(hosts):
    with hosts.load('h1') as seen:
        for _ in range(8):
            hosts.ssh('h1', 'sudo sh -c \'kill -9 $(cat /proc/$(systemctl show -P MainPID rowgate@$(readlink /etc/rowgate/live))'
                      '/task/*/children | tr " " "\\n" | grep . | shuf -n 1)\'')
            time.sleep(1)
    unharmed(seen)


def test_power_is_cut(hosts):
    hosts.script('crash', 'h1')
    assert hosts.script('boot', 'h1').returncode == 0
    deadline = time.monotonic() + 600
    while hosts.curl('h1', '/health/ready')[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert hosts.status('h1')['active']


def checksums(hosts, name):
    tables = hosts.ssh(name, "sudo mariadb -BN -e \"SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables "
                       "WHERE table_schema IN ('wages', 'incidents', 'rowgate') AND table_type = 'BASE TABLE' ORDER BY 1\"").split()
    assert len(tables) > 8
    return hosts.ssh(name, f'sudo mariadb -BN -e "CHECKSUM TABLE {", ".join(tables)}"')


def test_a_backup_is_restored_on_another_host(hosts):
    begun = time.monotonic()
    hosts.play('backup', '--limit', 'h1')
    archive = max((hosts.folder / 'inventory/backups/h1').glob('*-dump.enc'))
    assert b'incident' not in archive.read_bytes()
    # What is written after the dump is in the binary log.
    bearer = ['-H', f'Authorization: Bearer {hosts.token("h1")}', '-H', 'Content-Type: application/json']
    eid = int(time.time())
    status, body = hosts.curl('h1', '/rest/v1/employee_directory', *bearer, '-d', json.dumps(
        {'eid': eid, 'name': 'After the Dump', 'gender': 'F', 'hire_date': '2026-11-21', 'department': 'Ops', 'division': 'Ops',
         'job_code': 'X1'}))
    assert status == 201, body
    log = hosts.ssh('h1', 'sudo rowgate-backup binlog').split()[0]
    for name in (log, f'{log}.hmac'):
        data = subprocess.run([HERE / 'hosts/test-host.sh', hosts.folder, 'ssh', 'h1', f'sudo cat {name}'], capture_output=True, check=True).stdout
        (archive.parent / pathlib.Path(name).name).write_bytes(data)
    binlog = archive.parent / pathlib.Path(log).name
    hosts.play('restore', '--limit', 'h2', '-e', f'backup_archive={archive}', '-e', json.dumps({'backup_binlogs': [str(binlog)]}))
    assert checksums(hosts, 'h2') == checksums(hosts, 'h1')
    print(f'backed up and restored in {time.monotonic() - begun:.0f} s')
    assert hosts.curl('h2', f'/rest/v1/employee_directory?eid=eq.{eid}&select=name', *bearer) == (200, '[{"name":"After the Dump"}]')


def test_a_backup_that_was_changed_is_refused(hosts, tmp_path):
    archive = max((hosts.folder / 'inventory/backups/h1').glob('*-dump.enc'))
    bad = tmp_path / archive.name
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    bad.write_bytes(data)
    shutil.copy(f'{archive}.hmac', tmp_path)
    before = checksums(hosts, 'h2')
    assert 'was changed' in hosts.play('restore', '--limit', 'h2', '-e', f'backup_archive={bad}', fails=True)
    assert checksums(hosts, 'h2') == before


# ---- what goes wrong ----

def test_two_deploys_at_once(hosts):
    one = subprocess.Popen(hosts.play_command('deploy', '--limit', 'h1'), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + 600
        while 'yes' not in hosts.ssh('h1', 'test -e /run/rowgate-deploy.lock/owner && echo yes || echo no'):
            assert time.monotonic() < deadline and one.poll() is None
        assert 'is at work on h1' in hosts.play('deploy', '--limit', 'h1', fails=True)
    finally:
        out, _ = one.communicate(timeout=900)
    assert one.returncode == 0, out


def test_an_interrupted_deploy_is_run_again(hosts):
    one = subprocess.Popen(hosts.play_command('deploy', '--limit', 'h1', '-e', 'rowgate_workers=5'), stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 600
    while 'WORKERS=5' not in hosts.ssh('h1', 'cat /etc/rowgate/staged/environment'):
        assert time.monotonic() < deadline
    # All of this process group, which is the playbook's own.
    os.killpg(one.pid, 9)
    one.wait()
    assert hosts.curl('h1', '/health/ready')[0] == 200
    hosts.play('deploy', '--limit', 'h1', '-e', 'rowgate_workers=5')
    assert 'WORKERS=5' in hosts.ssh('h1', 'cat /etc/rowgate/live/environment')
