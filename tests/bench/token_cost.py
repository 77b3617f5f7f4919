#!/usr/bin/python3
"""
What a token costs a whole request: CPU time of the workers (nanoseconds, /proc/PID/schedstat, so as root) for one
row, as the anonymous role and with tokens of three algorithms for that same role. Cases are interleaved, medians told.

    make up VAR=/tmp/v PORT=18888 WORKERS=1 RATE=99999; tests/bench/token_cost.py /tmp/v [ROUNDS]
"""
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time
import uuid

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / 'tests/http'))
import harness  # noqa: E402

EACH = 100
PATH = '/rest/v1/incident?limit=1&select=incident_number'


def workers(var):
    pool = int((var / 'run/pool.started').read_text().split()[0])
    return pathlib.Path(f'/proc/{pool}/task/{pool}/children').read_text().split()


def cpu(pids):
    return sum(int(pathlib.Path(f'/proc/{pid}/schedstat').read_text().split()[0]) for pid in pids)


def rowgate(var, *words):
    return subprocess.run([REPO / 'build/rowgate', *words, '-c', var / 'rowgate.conf'], check=True, capture_output=True, text=True).stdout


def tokens(var, http, service_key):
    """{name: token}; ES256 and RS256 as a user of the role anon gets them, with claims of the same length in HS256."""
    email = f'{uuid.uuid4().hex[:12]}@example.com'
    made = http.request('POST', '/auth/v1/admin/users', None, {'email': email, 'password': 'correct horse', 'role': 'anon'}, service_key)
    assert made.status == 200, made
    found = {}
    for alg in ('ES256', 'RS256', 'HS256'):
        kid = json.loads(rowgate(var, 'key', 'new', '--alg', alg, '--json'))['kid']
        time.sleep(2.5)
        answer = http.request('POST', '/auth/v1/token?grant_type=password', None, {'email': email, 'password': 'correct horse'})
        assert answer.status == 200, answer
        found[alg] = answer.json()['access_token']
        assert kid
    return found


def main():
    var, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 31
    env = dict(re.findall(r"^(\w+)='?(.*?)'?$", (var / 'rowgate.env').read_text(), re.M))
    http = harness.Http(env['ROWGATE_URL'], env['ROWGATE_CA'])
    cases = {'anonymous': None, **tokens(var, http, env['ROWGATE_SERVICE_KEY'])}
    took = {name: [] for name in cases}
    headers = {'Accept-Profile': 'incidents'}
    for i in range(-2, rounds):
        for name, token in cases.items():
            pids = workers(var)
            before = cpu(pids)
            for _ in range(EACH):
                assert http.request('GET', PATH, headers, None, token).status == 200
            if i >= 0:
                took[name].append((cpu(pids) - before) / EACH / 1000)
    # Each round is held against the anonymous requests beside it: what else the machine does falls on both.
    print('| | CPU of a request, us | more than anonymous, us |\n|---|---|---|')
    for name, times in took.items():
        more = [one - plain for one, plain in zip(times, took['anonymous'])]
        print(f'| {name} | {statistics.median(times):.1f} | {statistics.median(more):+.1f} |')


if __name__ == '__main__':
    main()
