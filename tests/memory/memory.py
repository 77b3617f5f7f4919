#!/usr/bin/python3
"""
make valgrind: one worker, 10,000 requests of many kinds.

First as it is: its private memory after all requests against that after the first 1,000, with definitions read anew before, for
two of them are there for a moment (at most 256 KiB more). Then, with fewer repetitions of the slow kinds, under valgrind: no error, nothing definitely lost, and it ends on SIGTERM.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

REPO = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPO / 'tests/http'))
import harness  # noqa: E402

REQUESTS, WARM, GROWTH_KIB = 10000, 1000, 256
OBJECT = {'Accept': 'application/vnd.pgrst.object+json'}
KINDS = [
    ('/projects?id=eq.1', {}), ('/projects?select=id,name,clients(name)&order=id', {}),
    ('/projects?select=id&id=eq.abc', {}), ('/no_such_table', {}), ('/projects?select=nope', {}),
    ('/projects?id=eq.1', OBJECT), ('/projects', OBJECT), ('/items?select=id&limit=5', {'Prefer': 'count=exact'}),
    ('/projects?or=(id.eq.1,and(id.gt.2,not.name.like.W*))', {}), ('/projects?select=client_id,count()', {}),
    ('/projects?select=*&id=in.(1,2,3)', {'Accept': 'text/csv'}), ('/projects?select=(((', {}),
]


def requests(stack, instance, n):
    for i in range(n):
        path, headers = KINDS[i % len(KINDS)]
        # Every fiftieth time a statement of its own: the statement cache must not grow for ever.
        if i % 50 == 0:
            path = f'/projects?select=a{i}:id&limit=1'
        token = 'not.a.token' if i % 97 == 0 else stack.service_key
        assert instance.get(path, headers, token=token).status < 500, path


def private_kib(pid):
    text = harness.proc(pid, 'smaps_rollup')
    return sum(int(n) for n in re.findall(r'^Private_\w+:\s+(\d+)', text, re.M))


def read_definitions(stack, instance):
    for number in (1, 2):
        stack.sql(f'CREATE TABLE spec.grow{number} AS SELECT 1 AS id')
        seen = harness.wait_until(lambda: instance.get(f'/grow{number}', token=stack.service_key).status != 404, 120)
        stack.sql(f'DROP TABLE spec.grow{number}')
        assert seen, 'definitions are not read anew'


def growth(stack):
    instance = stack.variant(workers=1, fresh=True)
    read_definitions(stack, instance)
    requests(stack, instance, WARM)
    pid, = instance.workers()
    before = private_kib(pid)
    requests(stack, instance, REQUESTS - WARM)
    assert instance.workers() == [pid], 'the worker ended'
    after = private_kib(pid)
    print(f'private memory: {before} KiB after {WARM} requests, {after} KiB after {REQUESTS}')
    assert after - before <= GROWTH_KIB, 'memory grows'


def under_valgrind(stack):
    """The worker of a variant is replaced by one under valgrind that listens where nginx looks."""
    instance = stack.variant(workers=1, fresh=True)
    log = stack.base / 'valgrind.log'
    socket = instance.folder / 'run/valgrind.sock'
    command = ['spawn-fcgi', '-n', '-s', str(socket), '-M', '0666', '--', shutil.which('valgrind'), f'--log-file={log}',
               '--leak-check=full', '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite', '--error-exitcode=9',
               str(REPO / os.environ.get('BUILD', 'build') / 'rowgate'), 'serve', '-c', str(instance.folder / 'rowgate.conf')]
    with open(stack.base / 'valgrind.err', 'w') as err:
        process = subprocess.Popen(command, stderr=err)
    assert harness.wait_until(socket.exists, 30)
    socket.rename(instance.folder / 'run/live.sock')
    begun = time.monotonic()
    requests(stack, instance, REQUESTS)
    process.send_signal(signal.SIGTERM)
    status = process.wait(60)
    text = log.read_text()
    print(f'valgrind: {REQUESTS} requests in {time.monotonic() - begun:.0f} s, exit status {status}')
    assert status == 0 and 'ERROR SUMMARY: 0 errors' in text, text[-4000:]


def main():
    stack = harness.Stack('mariadb')
    try:
        growth(stack)
        under_valgrind(stack)
    finally:
        stack.close()
    stack.remove()


if __name__ == '__main__':
    main()
