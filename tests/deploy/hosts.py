"""Booted Debian hosts for the playbooks (test-host.sh), what they are asked, and load on them while something happens."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
PYTHON = '/usr/bin/python3'
NEEDS = {'ansible-playbook': 'ansible', 'ansible-lint': 'ansible-lint', 'yamllint': 'yamllint', 'mmdebstrap': 'mmdebstrap',
         'systemd-nspawn': 'systemd-container', 'ip': 'iproute2', 'ssh': 'openssh-client', 'shellcheck': 'shellcheck',
         'objdump': 'binutils', 'curl': 'curl'}
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
        text = self.script('inventory').stdout.replace('[app', '[rowgate')
        self.inventory.write_text(text + 'nginx_rate=0\nrowgate_workers=6\nrowgate_admin_email=admin@example.com\n')

    def close(self):
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
        """Status and body."""
        done = self.script('run', 'curl', '-sS', '--noproxy', '*', '--max-time', '60', '-w', '\n%{http_code}', '--cacert',
                           self.folder / f'inventory/tls/{name}-ca.pem', *words, f'https://{self.address(name)}{path}')
        body, _, status = done.stdout.rpartition('\n')
        return int(status or 0), body

    def token(self, name, role='service_role'):
        return self.ssh(name, f'sudo rowgate token issue --role {role} --ttl 36000 -c /etc/rowgate/live/rowgate.conf').strip()

    def status(self, name):
        return json.loads(self.ssh(name, 'sudo rowgate-pool status'))

    @contextlib.contextmanager
    def load(self, name, at_least=None, **options):
        """Constant load meanwhile, and until there were at_least requests. Afterwards seen holds the figures."""
        words = [w for key, value in options.items() for w in (f'--{key}', str(value))]
        seen = {}
        process = subprocess.Popen([HERE / 'hosts/test-host.sh', self.folder, 'run', PYTHON, HERE / 'load.py', self.address(name),
                                    '443', name, self.folder / f'inventory/tls/{name}-ca.pem', '--pause', '0.002', '--threads', '4', '--at-least',
                                    str(LOAD if at_least is None else at_least), *words],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        try:
            yield seen
        finally:
            out, _ = process.communicate(timeout=300)
            seen.update(json.loads(out))
