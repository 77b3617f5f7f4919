"""Booted Debian hosts for the playbooks (test-host.sh), what they are asked, and load on them while something happens."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
PYTHON = '/usr/bin/python3'
NEEDS = {'ansible-playbook': 'ansible', 'mmdebstrap': 'mmdebstrap', 'systemd-nspawn': 'systemd-container', 'ip': 'iproute2',
         'ssh': 'openssh-client', 'objdump': 'binutils', 'curl': 'curl', 'nginx': 'nginx', 'openssl': 'openssl'}
LOAD = int(os.environ.get('DEPLOY_REQUESTS', 20000))


def impossible():
    """Why hosts cannot be booted here, or None. Installs what is missing."""
    if os.geteuid() != 0:
        return 'needs root'
    missing = [package for program, package in NEEDS.items() if not shutil.which(program)]
    if subprocess.run(['pkg-config', '--exists', 'libcurl'], check=False).returncode:
        missing.append('libcurl4-openssl-dev')
    if missing:
        subprocess.run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', *missing],
                       env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}, stdout=subprocess.DEVNULL, check=False)
        missing = [program for program in NEEDS if not shutil.which(program)]
    if missing:
        return f'{", ".join(missing)} cannot be installed'
    # What a host needs of the kernel: its own mounts with cgroup2, an overlay, a network namespace.
    with tempfile.TemporaryDirectory() as folder:
        for name in ('lower', 'upper', 'work', 'root'):
            os.mkdir(f'{folder}/{name}')
        probe = subprocess.run(['unshare', '-m', '-n', '--propagation', 'private', 'sh', '-ec', f'''
            umount -R /sys/fs/cgroup 2>/dev/null || true
            mount -t cgroup2 cgroup2 /sys/fs/cgroup
            mount -t overlay overlay -o lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work {folder}/root
            '''], capture_output=True, text=True, check=False)
    return probe.stderr.strip().splitlines()[-1] if probe.returncode else None


class Failed(Exception):
    pass


class Hosts:
    def __init__(self, folder=None):
        # Short and open to the hosts' services: sockets and overlays lie in it.
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix='rowgate-deploy.', dir='/tmp'))
        self.inventory = self.folder / 'inventory/hosts'
        self.inventory.parent.mkdir(parents=True, exist_ok=True)
        (self.folder / 'ssh').mkdir(exist_ok=True)
        self.folder.chmod(0o755)

    def script(self, *words, **more):
        return subprocess.run([HERE / 'hosts/test-host.sh', self.folder, *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors='replace', **more)

    def up(self, *names):
        done = self.script('up', *names)
        if done.returncode:
            raise Failed(done.stderr)
        self.inventory.write_text(self.script('inventory').stdout.replace('[app', '[rowgate'))
        shutil.copytree(REPO / 'ansible/inventories/test/group_vars', self.inventory.parent / 'group_vars', dirs_exist_ok=True)

    def close(self):
        # In good order they would take their time.
        for folder in (self.folder / 'test-host/hosts').glob('*'):
            self.script('crash', folder.name)
        self.script('down')
        # Read-only files of the base's own, mounts that are gone with the hosts: nothing else is in there.
        shutil.rmtree(self.folder, ignore_errors=True)

    def ssh(self, name, command, check=True):
        done = self.script('ssh', name, command)
        if check and done.returncode:
            raise Failed(f'{command}: {done.stdout}{done.stderr}')
        return done.stdout

    def address(self, name):
        return (self.folder / f'test-host/hosts/{name}/addr').read_text().strip()

    def play_command(self, playbook, *words):
        return [HERE / 'hosts/test-host.sh', self.folder, 'run', 'env', f'ANSIBLE_CONFIG={REPO}/ansible/ansible.cfg',
                f'ANSIBLE_SSH_CONTROL_PATH_DIR={self.folder}/ssh', f'ANSIBLE_HOME={self.folder}/ansible', 'ANSIBLE_NOCOLOR=1',
                'ansible-playbook', '-i', self.inventory, REPO / f'ansible/playbooks/{playbook}.yml', *words]

    def play(self, playbook, *words, fails=False):
        """Everything ansible-playbook printed."""
        done = subprocess.run(self.play_command(playbook, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if bool(done.returncode) is not fails:
            raise Failed('\n'.join(done.stdout.splitlines()[-60:]))
        return done.stdout

    def curl(self, name, path, *words):
        """Status and body. A worker of nginx that a reload ends closes new connections of HTTP/2."""
        done = self.script('run', 'curl', '-sS', '--http1.1', '--noproxy', '*', '--max-time', '60', '-w', '\n%{http_code}', '--cacert',
                           self.folder / f'inventory/tls/{name}-ca.pem', *words, f'https://{self.address(name)}{path}')
        body, _, status = done.stdout.rpartition('\n')
        return int(status or 0), body

    def token(self, name, role='service_role'):
        return self.ssh(name, f'sudo rowgate token issue --role {role} --ttl 36000 -c /etc/rowgate/live/rowgate.conf').strip()

    def status(self, name):
        return json.loads(self.ssh(name, 'sudo rowgate-pool status'))

    @contextlib.contextmanager
    def balancer(self, *names):
        """nginx before several hosts, in their network, for load(): statuses come through as they are."""
        folder = self.folder / 'balancer'
        folder.mkdir(exist_ok=True)
        (folder / 'pid').unlink(missing_ok=True)
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj',
                        '/CN=balancer', '-addext', 'subjectAltName=DNS:balancer', '-keyout', folder / 'key', '-out', folder / 'ca.pem'],
                       check=True, capture_output=True)
        temporary = ''.join(f'{kind}_temp_path {folder}/{kind}; ' for kind in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
        servers = ''.join(f'server {self.address(name)}:443 max_fails=0; ' for name in names)
        (folder / 'conf').write_text(f"""
            daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
            events {{ }}
            http {{
                access_log off; {temporary}
                upstream hosts {{ {servers} keepalive 8; }}
                server {{
                    listen 10.77.0.1:8443 ssl; ssl_certificate {folder}/ca.pem; ssl_certificate_key {folder}/key; keepalive_requests 100000;
                    location / {{
                        proxy_pass https://hosts; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_next_upstream error;
                    }}
                }}
            }}""")
        process = subprocess.Popen([HERE / 'hosts/test-host.sh', self.folder, 'run', 'nginx', '-c', folder / 'conf', '-e', folder / 'error.log'],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            while not (folder / 'pid').exists() or not (folder / 'pid').read_text().strip():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Failed((folder / 'error.log').read_text())
                time.sleep(0.1)
            yield {'address': '10.77.0.1', 'port': '8443', 'name': 'balancer', 'ca': folder / 'ca.pem'}
        finally:
            if process.poll() is None and (folder / 'pid').exists():
                os.kill(int((folder / 'pid').read_text()), signal.SIGTERM)
            process.wait(60)

    @contextlib.contextmanager
    def load(self, name, at_least=None, through=None, **options):
        """Constant load meanwhile, and until there were at_least requests. Afterwards seen holds the figures."""
        at = through or {'address': self.address(name), 'port': '443', 'name': name, 'ca': self.folder / f'inventory/tls/{name}-ca.pem'}
        words = [w for key, value in options.items() for w in (f'--{key}', str(value))]
        seen = {}
        process = subprocess.Popen([HERE / 'hosts/test-host.sh', self.folder, 'run', PYTHON, HERE / 'load.py', at['address'],
                                    at['port'], at['name'], at['ca'], '--pause', '0.002', '--threads', '4', '--at-least', str(LOAD if at_least is None else at_least), *words],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        try:
            yield seen
        finally:
            out, _ = process.communicate(timeout=900)
            seen.update(json.loads(out))
