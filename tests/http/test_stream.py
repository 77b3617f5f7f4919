"""
Issue item 6: large answers stream in constant memory, a client that leaves ends the query, and a query that fails late
is visibly cut.
"""
import os
import csv
import gzip
import io
import json
import re
import subprocess
import threading
import time

import pytest

from harness import Http, proc, wait_until

ROWS = 300000


def curl(instance, path, *options):
    """(exit code, status, body) of curl."""
    done = subprocess.run(['curl', '-sS', '--noproxy', '*', '--cacert', instance.ca, '--max-time', '120', '-w', '\n%{http_code} %{http_version}',
                           *options, instance.url + '/rest/v1' + path], capture_output=True)
    body, _, info = done.stdout.rpartition(b'\n')
    status, version = info.split()
    return done.returncode, int(status), version.decode(), body


def memory(pid):
    """KiB that belong to the process alone."""
    text = proc(pid, 'smaps_rollup')
    return sum(map(int, re.findall(r'Private_(?:Clean|Dirty): +(\d+)', text)))


def expected(i):
    return {'id': i, 'n': i % 1000, 'word': chr(97 + i % 548 % 26) * 60}


def test_a_big_table(stack):
    response = stack.get('/big_items?order=id')
    assert response.headers['Content-Range'] == '*/*' and response.headers['Content-Length'] is None
    rows = response.rows()
    assert len(rows) == ROWS
    assert all(row == expected(i) for i, row in enumerate(rows, 1))


def test_with_a_count(stack):
    response = stack.get('/big_items?select=id', {'Prefer': 'count=exact'})
    assert response.status == 200 and response.headers['Content-Range'] == f'0-{ROWS - 1}/{ROWS}'
    assert len(response.json()) == ROWS
    response = stack.get('/big_items?select=id&offset=100&limit=100000', {'Prefer': 'count=exact'})
    assert response.status == 206 and response.headers['Content-Range'] == f'100-100099/{ROWS}'
    assert len(response.json()) == 100000


def test_csv(stack):
    response = stack.get('/big_items?order=id', {'Accept': 'text/csv'})
    rows = list(csv.reader(io.StringIO(response.text)))
    assert rows[0] == ['id', 'n', 'word'] and len(rows) == ROWS + 1
    assert rows[-1] == [str(v) for v in expected(ROWS).values()]


def test_ndjson(stack):
    response = stack.get('/big_items?order=id', {'Accept': 'application/x-ndjson'})
    lines = response.text.split('\n')
    assert json.loads(lines[0]) == expected(1) and json.loads(lines[ROWS - 1]) == expected(ROWS)


def test_gzip(stack):
    response = stack.get('/big_items?order=id', {'Accept-Encoding': 'gzip'})
    assert response.headers['Content-Encoding'] == 'gzip'
    assert len(json.loads(gzip.decompress(response.body))) == ROWS


def test_head(stack):
    response = stack.rq('HEAD', '/rest/v1/big_items', {'Prefer': 'count=exact'})
    assert response.status == 200 and response.headers['Content-Range'] == f'0-{ROWS - 1}/{ROWS}' and response.body == b''


sanitized = pytest.mark.skipif('ROWGATE_SANITIZED' in os.environ, reason='memory means nothing under the sanitizers')


@sanitized
@pytest.mark.parametrize('accept', ['application/json', 'text/csv', 'application/x-ndjson'])
def test_memory_stays(stack, accept):
    """No worker grows with the answer."""
    instance = stack.variant({'log-level': 'warn'}, workers=1)
    for path in ('/big_items?limit=20000', '/big_items?limit=20000'):
        instance.get(path, {'Accept': accept})
    pid, = instance.workers()
    before = memory(pid)
    for _ in range(2):
        assert instance.get('/big_items', {'Accept': accept}).status == 200
    assert instance.workers() == [pid]
    assert memory(pid) - before <= 1024


@sanitized
def test_memory_stays_with_embeds(stack):
    stack.sql('CREATE TABLE spec.big_kids (id INT PRIMARY KEY, big_id INT, FOREIGN KEY (big_id) REFERENCES spec.big_items (id))')
    try:
        stack.sql('INSERT INTO spec.big_kids SELECT id, id FROM spec.big_items WHERE id % 2 = 0')
        stack.sql('GRANT SELECT ON spec.big_kids TO anon')
        instance = stack.variant({'log-level': 'error'}, workers=1)
        assert wait_until(lambda: instance.get('/big_kids?limit=1').status == 200)
        instance.get('/big_items?select=id,big_kids(id)&limit=20000&order=id')
        pid, = instance.workers()
        before = memory(pid)
        rows = instance.get('/big_items?select=id,big_kids(id)&order=id').rows()
        assert len(rows) == ROWS
        assert all(row['big_kids'] == ([] if row['id'] % 2 else [{'id': row['id']}]) for row in rows)
        assert instance.workers() == [pid]
        assert memory(pid) - before <= 1024
    finally:
        stack.sql('DROP TABLE spec.big_kids')


@pytest.mark.parametrize('version', ['--http1.1', '--http2'])
@pytest.mark.parametrize('path', ['/slow_stream', '/slow_items'], ids=['while it streams', 'before the first byte'])
def test_a_client_that_leaves_ends_the_query(stack, path, version):
    client = subprocess.Popen(['curl', '-sS', '--noproxy', '*', version, '--cacert', stack.ca, '-o', '/dev/null', stack.url + '/rest/v1' + path],
                              stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: stack.queries(path[1:]), 10), 'the query did not start'
        if path == '/slow_stream':
            time.sleep(1.5)
    finally:
        client.kill()
        client.wait()
    assert wait_until(lambda: not stack.queries(path[1:]), 5), 'the query runs on'
    assert stack.get('/projects?id=eq.1').status == 200


CUTS = [('--http1.1', 18), ('--http2', 92)]


@pytest.mark.parametrize('accept', ['application/json', 'text/csv', 'application/x-ndjson'])
@pytest.mark.parametrize('gzipped', [[], ['--compressed']], ids=['plain', 'gzip'])
@pytest.mark.parametrize('version, code', CUTS, ids=['HTTP/1.1', 'HTTP/2'])
def test_killed_late(stack, version, code, gzipped, accept):
    """KILL QUERY while the answer is under way: the client must see that it is not whole."""
    killed = []

    def kill():
        time.sleep(1.5)
        for number in wait_until(lambda: stack.queries('slow_stream'), 10) or []:
            stack.sql(f'KILL QUERY {number}')
            killed.append(number)

    killer = threading.Thread(target=kill)
    killer.start()
    exit_code, status, _, body = curl(stack, '/slow_stream', version, *gzipped, '-H', f'Accept: {accept}')
    killer.join()
    assert killed and status == 200
    assert exit_code == code, f'{len(body)} bytes look whole'


@pytest.mark.parametrize('gzipped', [[], ['--compressed']], ids=['plain', 'gzip'])
@pytest.mark.parametrize('version, code', CUTS, ids=['HTTP/1.1', 'HTTP/2'])
def test_out_of_time_late(stack, version, code, gzipped):
    """db-stream-timeout ends an answer that is already under way."""
    instance = stack.variant({'db-statement-timeout': '1000', 'db-stream-timeout': '2000'})
    exit_code, status, _, _ = curl(instance, '/slow_stream', version, *gzipped)
    assert (exit_code, status) == (code, 200)
    line = [entry for entry in instance.log() if entry.get('path') == '/slow_stream'][-1]
    assert line['level'] in ('error', 'warn')


def test_whole_answers_are_not_cut(stack):
    for version, _ in CUTS:
        for gzipped in ([], ['--compressed']):
            exit_code, status, _, body = curl(stack, '/big_items?limit=20000', version, *gzipped)
            assert (exit_code, status) == (0, 200) and len(json.loads(body)) == 20000


@pytest.mark.parametrize('path', ['/slow_items', '/heavy', '/slow_stream?s=eq.1'])
def test_out_of_time_before_the_first_byte(stack, path):
    instance = stack.variant({'db-statement-timeout': '1000', 'db-stream-timeout': '2000'})
    start = time.monotonic()
    response = instance.get(path)
    assert response.error() == (504, '57014')
    assert time.monotonic() - start < 10
    assert wait_until(lambda: not stack.queries('`spec`'), 5)


def test_the_connection_after_a_cut(stack):
    """A worker whose query was cut answers the next request as ever."""
    instance = stack.variant({'db-statement-timeout': '1000', 'db-stream-timeout': '2000'}, workers=1)
    for _ in range(2):
        assert instance.get('/slow_items').status == 504
        assert instance.get('/projects?select=id&id=eq.1').rows() == [{'id': 1}]
        curl(instance, '/slow_stream', '--http1.1')
        assert instance.get('/projects?select=id&id=eq.1').rows() == [{'id': 1}]


def test_many_readers_at_once(stack):
    """More streams than workers: each whole."""
    answers = []

    def read():
        http = Http(stack.url, stack.ca)
        answers.append(len(http.request('GET', '/rest/v1/big_items?select=id&limit=100000').json()))
        http.close()

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [100000] * 8
