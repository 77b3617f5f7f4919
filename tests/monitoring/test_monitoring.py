"""
What watches Rowgate: rules and their tests by promtool, the configurations that the role writes, a page for each alert,
and no name of a counter that nobody counts.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

REPO = pathlib.Path(__file__).resolve().parents[2]
ROLE = REPO / 'ansible/roles/monitoring'
FOLDER = pathlib.Path(os.environ.get('ROWGATE_TEST_DIR', REPO / 'var-test'))
RULES = ROLE / 'files/rowgate.rules.yml'
DASHBOARD = ROLE / 'files/rowgate.dashboard.json'


@pytest.fixture(scope='session')
def tools():
    """promtool and amtool from Debian's packages, unpacked: installing them would start servers."""
    root = FOLDER / 'prometheus-tools'
    if not (root / 'usr/bin/amtool').exists():
        root.mkdir(parents=True, exist_ok=True)
        got = subprocess.run(['apt-get', 'download', '-qq', 'prometheus', 'prometheus-alertmanager'], cwd=root,
                             capture_output=True, text=True)
        packages = list(root.glob('*.deb'))
        if got.returncode or len(packages) < 2:
            pytest.skip(f'no promtool: {got.stderr.strip()[-200:]}')
        for package in packages:
            subprocess.run(['dpkg-deb', '-x', package, root], check=True)
            package.unlink()
    return root / 'usr/bin'


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def alerts():
    return [rule for group in yaml.safe_load(RULES.read_text())['groups'] for rule in group['rules'] if 'alert' in rule]


def test_the_rules(tools):
    assert 'SUCCESS' in run(tools / 'promtool', 'check', 'rules', RULES)


def test_each_alert_fires_when_it_should_and_not_before(tools):
    assert 'SUCCESS' in run(tools / 'promtool', 'test', 'rules', ROLE / 'tests/rowgate.rules.test.yml')


def test_each_alert_is_tested():
    text = (ROLE / 'tests/rowgate.rules.test.yml').read_text()
    assert not [a['alert'] for a in alerts() if f'alertname="{a["alert"]}"' not in text]


def test_each_alert_has_a_page_and_each_page_an_alert():
    wanted = {a['annotations']['runbook'] for a in alerts()}
    assert wanted == {p.name for p in (REPO / 'ansible/runbooks').glob('*.md')}
    for rule in alerts():
        assert rule['labels']['severity'] in ('page', 'ticket') and rule['annotations']['summary']
        text = (REPO / 'ansible/runbooks' / rule['annotations']['runbook']).read_text()
        assert len(text) > 200 and text.startswith('# ')
    for page in (REPO / 'ansible/runbooks').glob('*.md'):
        for link in re.findall(r'\]\(([^)]*)\)', page.read_text()):
            assert (page.parent / link).exists(), (page.name, link)


def test_what_the_pages_name_is_there():
    """Playbooks with their tags, the folders of a pool, units."""
    known = ' '.join(p.read_text() for p in (REPO / 'ansible').rglob('*') if p.is_file() and p.suffix != '.md')
    for page in [*(REPO / 'ansible/runbooks').glob('*.md'), REPO / 'ansible/README.md', REPO / 'ansible/cloudformation/README.md']:
        text = page.read_text()
        for name, tags in re.findall(r'playbooks/(\w[\w-]*)\.yml(?:`, or some:)?(?: `?--tags (\w+))?', text):
            playbook = REPO / f'ansible/playbooks/{name}.yml'
            assert playbook.exists(), (page.name, name)
            assert not tags or f'tags: [{tags}' in playbook.read_text(), (page.name, name, tags)
        for unit in re.findall(r'\b(rowgate-[a-z-]+\.(?:service|timer))', text):
            assert unit in known or (REPO / 'ansible/release/systemd' / unit).exists(), (page.name, unit)
        assert not re.search(r'-c /etc/rowgate/(?!live/|staged/)', text), page.name


def counted():
    source = ''.join(p.read_text() for p in (REPO / 'app').rglob('*.c'))
    return set(re.findall(r'\b(rowgate_[a-z_]+)\b', source)) | \
        set(re.findall(r'\b(rowgate_[a-z_]+)\b', (ROLE / 'templates/rowgate-facts.sh.j2').read_text()))


@pytest.mark.parametrize('path', [RULES, DASHBOARD, REPO / 'app/MONITORING.md'], ids=lambda p: p.name)
def test_no_name_that_nobody_counts(path):
    names = set(re.findall(r'\b(rowgate_[a-z_]+)\b', path.read_text()))
    known = counted()
    assert not {n for n in names if re.sub(r'_(bucket|sum|count)$', '', n) not in known and n not in known}


def test_the_dashboard():
    board = json.loads(DASHBOARD.read_text())
    assert board['uid'] == 'rowgate' and len(board['panels']) > 12
    assert len({p['id'] for p in board['panels']}) == len(board['panels'])
    taken = set()
    for panel in board['panels']:
        g = panel['gridPos']
        cells = {(x, y) for x in range(g['x'], g['x'] + g['w']) for y in range(g['y'], g['y'] + g['h'])}
        assert g['x'] + g['w'] <= 24 and not cells & taken, panel['title']
        taken |= cells
        assert panel['targets'] and all(t['expr'] for t in panel['targets'])


def test_the_dashboards_questions(tools):
    """promtool parses each as the expression of a rule."""
    board = json.loads(DASHBOARD.read_text())
    rules = [{'record': f'q:{p["id"]}_{i}', 'expr': t['expr'].replace('$__rate_interval', '5m').replace('$instance', '.*')}
             for p in board['panels'] for i, t in enumerate(p['targets'])]
    path = FOLDER / 'dashboard.rules.yml'
    path.write_text(yaml.safe_dump({'groups': [{'name': 'dashboard', 'rules': rules}]}))
    assert 'SUCCESS' in run(tools / 'promtool', 'check', 'rules', path)


def test_defaults_are_documented_and_typed():
    defaults = yaml.safe_load((ROLE / 'defaults/main.yml').read_text())
    options = yaml.safe_load((ROLE / 'meta/argument_specs.yml').read_text())['argument_specs']['main']['options']
    assert set(defaults) == set(options)
    assert all(o['description'] for o in options.values())
    types = {'bool': bool, 'str': str, 'int': int, 'list': list}
    assert not [n for n, v in defaults.items() if type(v) is not types[options[n]['type']] and '{{' not in str(v)]


VARIANTS = [
    {},
    {'monitoring_rowgate_ca': '/etc/rowgate/ca.pem', 'monitoring_rowgate_server_name': 'api.example.com',
     'monitoring_targets': ['10.0.0.1', '10.0.0.2'], 'monitoring_mysqld_exporter': True,
     'monitoring_webhook_url': 'https://hooks.example.com/x', 'monitoring_mail_to': 'ops@example.com',
     'monitoring_mail_from': 'rowgate@example.com', 'monitoring_mail_smarthost': 'mail.example.com:587', 'monitoring_mail_user': 'alerts', 'monitoring_mail_password': 'x: "y"',
     'monitoring_backup_folder': '/var/backups/it\'s here'},
    {'monitoring_rowgate_scheme': 'http', 'monitoring_nginx_exporter': False},
    {'nginx_tls': 'files', 'nginx_domain': 'api.example.com', 'nginx_port': 8443},
]


@pytest.mark.parametrize('number', range(len(VARIANTS)))
def test_what_the_role_writes(tools, tmp_path, number):
    if not shutil.which('ansible'):
        pytest.skip('no ansible here')
    names = ('prometheus.yml', 'alertmanager.yml', 'rowgate-facts.sh')
    play = [{'hosts': 'localhost', 'connection': 'local', 'gather_facts': False, 'vars_files': [str(ROLE / 'defaults/main.yml')],
             'tasks': [{'ansible.builtin.template': {'src': str(ROLE / f'templates/{name}.j2'), 'dest': str(tmp_path / name)}}
                       for name in names]}]
    (tmp_path / 'play.yml').write_text(json.dumps(play))
    folder = tmp_path / 'text'
    folder.mkdir()
    variables = {'ansible_managed': 'made', 'monitoring_textfile_folder': str(folder), **VARIANTS[number]}
    run('ansible-playbook', '-i', 'localhost,', '-e', json.dumps(variables), tmp_path / 'play.yml',
        env={**os.environ, 'ANSIBLE_LOCALHOST_WARNING': 'False', 'ANSIBLE_LOCAL_TEMP': str(tmp_path / 'l'),
             'ANSIBLE_PYTHON_INTERPRETER': '/usr/bin/python3'})
    run(tools / 'promtool', 'check', 'config', '--syntax-only', tmp_path / 'prometheus.yml')
    run(tools / 'amtool', 'check-config', tmp_path / 'alertmanager.yml')
    jobs = {c['job_name']: c for c in yaml.safe_load((tmp_path / 'prometheus.yml').read_text())['scrape_configs']}
    if number == 1:
        assert jobs['rowgate']['static_configs'][0]['targets'] == ['10.0.0.1:443', '10.0.0.2:443'] and 'mysqld' in jobs
    trust = {0: {'ca_file': '/etc/prometheus/rowgate-ca.pem'}, 1: {'ca_file': '/etc/rowgate/ca.pem', 'server_name': 'api.example.com'}, 2: None,
             3: {'server_name': 'api.example.com'}}
    assert jobs['rowgate'].get('tls_config') == trust[number]
    assert jobs['rowgate']['static_configs'][0]['targets'][0].endswith(':8443' if number == 3 else ':443')
    run('sh', tmp_path / 'rowgate-facts.sh')
    text = (folder / 'rowgate.prom').read_text()
    assert 'rowgate_certificate_not_after_timestamp_seconds{file="/etc/rowgate/tls/server.pem"} 0' in text
    assert ('rowgate_backup_last_success_timestamp_seconds 0' in text) == (number == 1)
    if number == 0:
        assert not run(tools / 'promtool', 'check', 'metrics', input=text)


def test_the_facts_of_a_real_certificate(tools, tmp_path):
    if not shutil.which('ansible'):
        pytest.skip('no ansible here')
    pem, backups = tmp_path / 'c.pem', tmp_path / 'b'
    backups.mkdir()
    (backups / 'one-dump.enc').write_text('x')
    (backups / 'newer-binlog.enc').write_text('x')
    (backups / 'empty-dump.enc').write_text('')
    os.utime(backups / 'one-dump.enc', (1700000000, 1700000000))
    run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj',
        '/CN=x', '-keyout', tmp_path / 'k', '-out', pem)
    play = [{'hosts': 'localhost', 'connection': 'local', 'gather_facts': False, 'vars_files': [str(ROLE / 'defaults/main.yml')],
             'tasks': [{'ansible.builtin.template': {'src': str(ROLE / 'templates/rowgate-facts.sh.j2'), 'dest': str(tmp_path / 'f')}}]}]
    (tmp_path / 'play.yml').write_text(json.dumps(play))
    run('ansible-playbook', '-i', 'localhost,', '-e', json.dumps({
        'ansible_managed': 'made', 'monitoring_textfile_folder': str(tmp_path), 'monitoring_certificates': [str(pem)],
        'monitoring_backup_folder': str(backups)}), tmp_path / 'play.yml',
        env={**os.environ, 'ANSIBLE_LOCAL_TEMP': str(tmp_path / 'l')})
    run('sh', tmp_path / 'f')
    values = dict(line.rsplit(' ', 1) for line in (tmp_path / 'rowgate.prom').read_text().splitlines() if line[0] != '#')
    end = run('date', '-d', run('openssl', 'x509', '-enddate', '-noout', '-in', pem).strip().split('=')[1], '+%s').strip()
    assert values[f'rowgate_certificate_not_after_timestamp_seconds{{file="{pem}"}}'] == end
    assert values['rowgate_backup_last_success_timestamp_seconds'] == '1700000000'
