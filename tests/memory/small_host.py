#!/usr/bin/python3
"""
How much memory a whole instance takes on a small host: MariaDB with the settings for 1 GiB, 8 workers, nginx, after each
worker has answered as several roles. Proportional set sizes (what is shared counts once), in MiB; more than 400 is a failure.

    tests/memory/small_host.py
"""
import pathlib
import sys

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / 'tests/scale'))
import servers  # noqa: E402
import harness  # noqa: E402

LIMIT = 400
# As database_* of the inventory for a host of 1 GiB (ansible/cloudformation/README.md).
SMALL = ['--innodb-buffer-pool-size=64M', '--innodb-log-buffer-size=4M', '--key-buffer-size=1M', '--aria-pagecache-buffer-size=8M',
         '--max-connections=80', '--thread-cache-size=8', '--table-open-cache=400', '--table-definition-cache=400',
         '--tmp-table-size=8M', '--max-heap-table-size=8M', '--log-bin=bin', '--log-bin-trust-function-creators=ON']


class Small(servers.Cluster):
    """One server with the face of a cluster's first node."""

    def __init__(self, folder):
        self.folder = folder
        self.nodes = [servers.Server(folder / 'n0', 1, SMALL)]
        self.password = self.nodes[0].password
        self.nodes[0].start()
        self.nodes[0].make_admin()
        (folder / 'password').touch(0o600)
        (folder / 'password').write_text(self.password)

    def settings(self):
        return {**super().settings(), 'WORKERS': '8'}


def pss(pid):
    for line in pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
        if line.startswith('Pss:'):
            return int(line.split()[1]) / 1024
    return 0


def children(pid):
    return [int(c) for c in pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


def main():
    stack = harness.Stack('mariadb', Small)
    try:
        for _ in range(200):
            for role in (None, 'authenticated', 'service_role'):
                assert stack.get('/projects?select=id,clients(name)', token=role and stack.token(role)).status == 200
        nginx = int((stack.var / 'run/nginx.started').read_text().split()[0])
        parts = {'MariaDB': [stack.server.nodes[0].process.pid], 'workers': stack.workers(), 'multiwatch': [stack.pool],
                 'nginx': [nginx, *children(nginx)]}
        sizes = {name: sum(map(pss, pids)) for name, pids in parts.items()}
        for name, size in sizes.items():
            print(f'{name:12} {len(parts[name]):3} {size:7.1f} MiB')
        total = sum(sizes.values())
        print(f'{"all":12} {sum(map(len, parts.values())):3} {total:7.1f} MiB')
        return 0 if total <= LIMIT else 1
    finally:
        stack.close()
        stack.remove()


if __name__ == '__main__':
    sys.exit(main())
