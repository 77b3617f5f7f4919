"""
Certificates of nginx: made on the host, given as files, of an ACME server (Debian's pebble, which looks for its challenge on
the host's port 80), and from one to another on a host that serves, without a failed request.
"""
import json
import os
import re
import shutil
import subprocess

import pytest

from hosts import REPO, Failed
from more import CURVE, Authority, Process, provisioned, said, wait_until
from test_deploy import changed, recap

NAMES = ['-e', 'nginx_domain=b1.test', '-e', '{"nginx_aliases": ["*.b1.test"]}']


def files(authority, certificate='good', key='good'):
    text = (authority.folder / f'{key}.key').read_text().strip()
    return ['-e', json.dumps({'nginx_tls': 'files', 'nginx_tls_certificate': str(authority.folder / f'{certificate}.pem'), 'nginx_tls_key': text})]


def certbot(port=14000):
    return ['-e', 'nginx_tls=certbot', '-e', f'nginx_certbot_server=https://acme.test:{port}/dir', '-e', '{"nginx_aliases": ["www.b1.test"]}']


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    made = Authority(tmp_path_factory.mktemp('authority') / 'ca')
    made.sign('good', 'b1.test', '*.b1.test')
    made.sign('next', 'b1.test', '*.b1.test')
    made.sign('ended', 'b1.test', '*.b1.test', days=-1)
    made.sign('soon', 'b1.test', '*.b1.test', days=1)
    made.sign('else', 'other.test')
    made.openssl('req', '-x509', *CURVE, '-days', '2', '-subj', '/CN=b1.test', '-keyout', 'subject.key', '-out', 'subject.pem')
    made.openssl('pkey', '-in', 'good.key', '-aes256', '-passout', 'pass:x', '-out', 'encrypted.key')
    made.openssl('ec', '-in', 'good.key', '-aes256', '-passout', 'pass:x', '-out', 'encrypted-before.key')
    (made.folder / 'nonsense.pem').write_text('nonsense\n')
    (made.folder / 'nonsense.key').write_text('nonsense\n')
    (made.folder / 'none.key').write_text('')
    return made


# A key that is too short for nginx: what was there is there again, and the files of it.
WEAK = """sudo sh -ec 'cd /etc/rowgate/tls; mkdir -m 700 files-weak
openssl req -x509 -newkey rsa:1024 -nodes -days 2 -subj /CN=weak -keyout files-weak/server.key -out files-weak/server.pem 2>/dev/null
! rowgate-tls files-weak; nginx -t -q; [ "$(readlink live)" = files-before ]; [ ! -e server.pem.new ]; rm -r files-weak'"""


# ---- what is refused ----

@pytest.mark.parametrize('certificate, key, sentence', [
    ('good', 'good', ''),
    ('next', 'next', ''),
    ('good', 'next', 'nginx_tls_key is not the key of'),
    ('ca', 'good', 'nginx_tls_key is not the key of'),
    ('ended', 'ended', 'has ended'),
    ('soon', 'soon', 'ends within a day'),
    ('none', 'good', 'none.pem is not there, or empty'),
    ('nonsense', 'good', 'nonsense.pem holds no certificate'),
    ('good', 'nonsense', 'nginx_tls_key holds no private key'),
    ('good', 'none', 'nginx_tls_key is empty'),
    ('good', 'encrypted', 'nginx_tls_key is encrypted'),
    ('good', 'encrypted-before', 'nginx_tls_key is encrypted'),
    ('subject', 'subject', 'names no host in its subjectAltName'),
    ('else', 'else', 'is not for b1.test but for other.test'),
])
def test_a_certificate_that_does_not_fit_is_refused_in_a_sentence(authority, certificate, key, sentence):
    file = authority.folder / f'{certificate}.pem'
    done = subprocess.run(['sh', REPO / 'ansible/roles/nginx/files/check-certificate', file, 'b1.test', '*.b1.test'], capture_output=True, text=True,
                          check=True, env={**os.environ, 'LC_ALL': 'C'},
                          input=f'{file.read_text() if file.exists() else ""}\n=key=\n{(authority.folder / f"{key}.key").read_text()}')
    assert (sentence in done.stdout if sentence else done.stdout == ''), done.stdout
    assert len(done.stdout.splitlines()) <= 1 and 'PRIVATE' not in done.stdout and done.stderr == ''


# ---- on a host ----

@pytest.fixture(scope='module')
def site(host, authority):
    """The host b1.test with its own certificate, an ACME server that is still down, and what clients trust."""
    if not shutil.which('pebble') and os.geteuid() == 0:
        subprocess.run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', 'pebble'],
                       env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}, stdout=subprocess.DEVNULL, check=False)
    if not shutil.which('pebble'):
        pytest.skip('pebble, an ACME server, cannot be installed')
    made = Site(host, authority)
    try:
        made.begin()
        yield made
    finally:
        made.stop()


class Site:
    def __init__(self, host, authority):
        self.host, self.authority, self.processes = host, authority, []
        self.bundle = host.folder / 'trusted.pem'

    def begin(self):
        host, authority = self.host, self.authority
        authority.sign('acme', 'acme.test')
        host.ssh('b1', f"echo '{(authority.folder / 'ca.pem').read_text()}' | sudo tee /usr/local/share/ca-certificates/acme.crt"
                 ' && sudo update-ca-certificates')
        provisioned(host, *NAMES)
        # Own, whatever a run before has left.
        self.play(*NAMES)
        host.ssh('b1', 'sudo rm -rf /etc/letsencrypt/live /etc/letsencrypt/archive /etc/letsencrypt/renewal /etc/letsencrypt/accounts')
        self.start()

    def start(self):
        """Its root is a new one each time, what it signs ends in ten days."""
        conf = self.host.folder / 'pebble.json'
        conf.write_text(json.dumps({'pebble': {
            'listenAddress': '10.77.0.1:14000', 'managementListenAddress': '10.77.0.1:15000', 'certificate': f'{self.authority.folder}/acme.pem',
            'privateKey': f'{self.authority.folder}/acme.key', 'httpPort': 80, 'tlsPort': 443, 'ocspResponderURL': '',
            'certificateValidityPeriod': 864000}}))
        self.processes = [
            Process(self.host, 'dns', ['pebble-challtestsrv', '-defaultIPv4', self.host.address('b1'), '-defaultIPv6', '', '-dns01', '10.77.0.1:8053',
                                       '-http01', '', '-https01', '', '-tlsalpn01', '', '-management', '']),
            Process(self.host, 'pebble', ['env', 'PEBBLE_VA_ALWAYS_VALID=0', 'PEBBLE_VA_NOSLEEP=1', 'PEBBLE_WFE_NONCEREJECT=0', 'PEBBLE_AUTHZREUSE=0',
                                          'pebble', '-config', conf, '-dnsserver', '10.77.0.1:8053'])]
        root = self.host.folder / 'pebble.pem'
        wait_until(lambda: self.host.script('run', 'curl', '-sf', '--noproxy', '*', '--cacert', self.authority.folder / 'ca.pem', '--resolve',
                                            'acme.test:15000:10.77.0.1', '-o', root, 'https://acme.test:15000/roots/0').returncode == 0)
        trusted = [self.host.folder / 'inventory/tls/b1-ca.pem', self.authority.folder / 'ca.pem', root]
        self.bundle.write_text(''.join(file.read_text() for file in trusted))

    def stop(self):
        for process in self.processes:
            process.stop()
        self.processes = []

    def play(self, *words, playbook='provision', **more):
        tag = 'nginx' if playbook == 'provision' else 'certificate'
        return self.host.play(playbook, '--tags', tag, *words, **more)

    def rotate(self, *words):
        return self.play(*words, playbook='rotate-secrets')

    def served(self, name='b1.test'):
        """Serial number and issuer, as a client that trusts the bundle gets them."""
        out = self.host.script('run', 'openssl', 's_client', '-connect', f'{self.host.address("b1")}:443', '-servername', name, '-verify_hostname', name,
                               '-verify_return_error', '-CAfile', self.bundle).stdout
        certificate = subprocess.run(['openssl', 'x509', '-noout', '-serial', '-issuer'], input=out, capture_output=True, text=True, check=False).stdout
        assert 'Verify return code: 0 (ok)' in out, out
        serial, issuer = certificate.splitlines()
        return serial, issuer

    def serves_another(self, before, name='b1.test'):
        """nginx ends its old workers when the new ones serve: a moment later."""
        wait_until(lambda: self.served(name) != before)
        return self.served(name)

    def load(self):
        """Constant, and light: others want to be quick meanwhile."""
        through = {'address': self.host.address('b1'), 'port': '443', 'name': 'b1.test', 'ca': self.bundle}
        return self.host.load('b1', at_least=1000, through=through, threads=2, pause=0.02)


def test_own_with_a_name_and_a_wildcard(site):
    assert 'Rowgate CA of b1.test' in site.served('b1.test')[1] == site.served('any.b1.test')[1]
    for name in ('b1.test', 'any.b1.test'):
        done = site.host.script('run', 'curl', '-sS', '--noproxy', '*', '--resolve', f'{name}:80:{site.host.address("b1")}', '-o', '/dev/null', '-w',
                                '%{http_code} %{redirect_url}', f'http://{name}/x?y')
        assert done.stdout == f'308 https://{name}/x?y'


def test_processes_with_old_libraries_are_replaced(site):
    """As rowgate-renew.timer does it in the morning after an update; twice, for one must not meet the end of the other."""
    def processes():
        return set(site.host.ssh('b1', 'pgrep -x nginx; cat /proc/$(systemctl show -P MainPID rowgate@$(readlink /etc/rowgate/live))'
                                 '/task/*/children').split())
    before, restarts = processes(), site.host.ssh('b1', 'systemctl show -P NRestarts nginx')
    with site.load() as load:
        for _ in range(2):
            assert 'nginx: renewed' in site.host.ssh('b1', 'sudo rowgate-pool renew all')
        site.host.ssh('b1', 'sudo systemctl reload nginx')
    assert load['failed'] == 0, load
    wait_until(lambda: not before & processes())
    assert 'renewed: 0 workers' in site.host.ssh('b1', 'sudo rowgate-pool renew')
    assert site.host.ssh('b1', 'systemctl show -P NRestarts nginx') == restarts
    # A library that another one has replaced.
    site.host.ssh('b1', 'lib=$(readlink -f $(ldd /usr/local/bin/rowgate | sed -n "s/.*libjson-c.* => \\(.*\\) (.*/\\1/p")) && '
                  'sudo cp -p $lib $lib.new && sudo mv $lib.new $lib && sudo systemctl start rowgate-renew.service')
    assert 'renewed: 0 workers' in site.host.ssh('b1', 'sudo rowgate-pool renew')
    assert 'renewed: 0' not in site.host.ssh('b1', 'sudo journalctl -u rowgate-renew.service -o cat -n 20')


@pytest.mark.parametrize('words, sentence', [
    (['-e', 'nginx_domain=*.b1.test'], "nginx_domain: '*.b1.test': one name without a wildcard is needed; further ones go into nginx_aliases"),
    ([*NAMES, *certbot(), '-e', '{"nginx_aliases": ["*.b1.test"]}'], 'certbot gets no wildcards over port 80'),
    ('a key of another', 'good.pem: give those that belong together'),
])
def test_what_cannot_be_had_changes_nothing(site, words, sentence):
    before = site.served()
    words = [*NAMES, *files(site.authority, 'good', 'next')] if isinstance(words, str) else words
    out = site.play(*words, fails=True)
    assert sentence in said(out) and 'Nothing has been changed' in said(out), said(out)
    assert recap(out)['b1']['changed'] == '0'
    if '"nginx_tls_key"' in words[-1]:
        assert 'PRIVATE' not in site.play(*words, '-vvv', fails=True)
    assert site.served() == before


def test_from_one_to_another_on_a_host_that_serves(site):
    with site.load() as load:
        own = site.served()
        site.play(*NAMES, *files(site.authority))
        seen = [own, site.serves_another(own)]
        # As an older release left a host: without what switches, the pair itself where nginx reads it.
        site.host.ssh('b1', 'sudo rm /usr/local/sbin/rowgate-tls')
        site.rotate(*NAMES, *files(site.authority, 'next', 'next'))
        seen.append(site.serves_another(seen[-1]))
        site.host.ssh('b1', """sudo sh -ec 'cd /etc/rowgate/tls; cp -L server.pem p; cp -L server.key k; mv -T p server.pem; mv -T k server.key; rm live'""")
        # The ACME server is not there: what was in service goes on.
        out = site.play(*NAMES, *certbot(14001), fails=True)
        assert 'b1: certbot got no certificate for b1.test, www.b1.test from https://acme.test:14001/dir' in said(out), said(out)
        assert 'Connection refused' in said(out) and 'What was in service goes on' in said(out) and site.served() == seen[-1]
        site.host.ssh('b1', WEAK)
        assert site.served() == seen[-1]
        site.play(*NAMES, *certbot())
        seen.append(site.serves_another(seen[-1], 'www.b1.test'))
        site.rotate(*NAMES, *certbot())
        seen.append(site.serves_another(seen[-1]))
        # As certbot.timer does it: the hook of renewals tells nginx.
        site.host.ssh('b1', 'sudo certbot -q renew --force-renewal --no-random-sleep-on-renew')
        seen.append(site.serves_another(seen[-1]))
        site.play(*NAMES)
        wait_until(lambda: site.served() == own)
    assert load['failed'] == 0, load
    print(load)
    assert len({serial for serial, _ in seen}) == 6
    assert ['Pebble' in issuer for _, issuer in seen] == [False, False, False, True, True, True]


def test_certbot_is_in_place(site):
    before = site.served()
    site.play(*NAMES, *certbot())
    site.serves_another(before)
    for more in ([], ['--check']):
        lines, counts = changed(site.play(*NAMES, *certbot(), *more))
        assert counts == {'b1': '0'}, lines
    given = site.host.inventory.parent / 'group_vars/all/tls.yml'
    given.write_text(json.dumps({'nginx_domain': 'b1.test', 'nginx_tls': 'certbot', 'nginx_tls_ca': str(site.bundle)}))
    try:
        site.host.play('verify')
    finally:
        given.unlink()


def test_a_renewal_that_fails_is_noticed(site):
    site.stop()
    before = site.served()
    with pytest.raises(Failed):
        site.host.ssh('b1', 'sudo certbot -q renew --force-renewal --no-random-sleep-on-renew')
    assert site.served() == before
    site.host.ssh('b1', 'sudo systemctl start rowgate-facts.service')
    metrics = site.host.ssh('b1', 'curl -s http://127.0.0.1:9100/metrics')
    ends = float(re.search(r'^rowgate_certificate_not_after_timestamp_seconds\{file="/etc/rowgate/tls/server.pem"\} (\S+)', metrics, re.M)[1])
    now = float(site.host.ssh('b1', 'date +%s'))
    limit = re.search(r'alert: CertificateExpires\n +expr: rowgate_certificate_not_after_timestamp_seconds - time\(\) < (\d+) \* 86400',
                      (REPO / 'ansible/roles/monitoring/files/rowgate.rules.yml').read_text())
    assert now < ends < now + int(limit[1]) * 86400
