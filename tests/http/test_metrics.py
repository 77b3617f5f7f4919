"""
/metrics counts over all workers of a pool, whatever becomes of them; and one request is followed by its id from nginx's
log to the worker's line to the SQL comment.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from harness import FOLDER, wait_until

LINE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="([^"]*)"')
PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-'


def scrape(instance):
    """{(name, labels): value}."""
    answer = instance.rq('GET', '/metrics')
    assert answer.status == 200 and answer.headers['Content-Type'].startswith('text/plain; version=0.0.4')
    found = {}
    for line in answer.text.splitlines():
        if not line.startswith('#'):
            name, labels, value = LINE.match(line).groups()
            key = name, frozenset(LABEL.findall(labels or ''))
            assert key not in found, line
            found[key] = float(value)
    return found


def total(metrics, name, **labels):
    return sum(v for (n, have), v in metrics.items() if n == name and set(labels.items()) <= have)


def scrape_when(instance, test):
    """A request is counted when it has been answered: a moment later."""
    found = {}

    def there():
        found.clear()
        found.update(scrape(instance))
        return test(found)
    wait_until(there, 30)
    return found


def counted(instance, before, n, name='rowgate_requests_total', **labels):
    def grown(after):
        return total(after, name, **labels) - total(before, name, **labels)
    after = scrape_when(instance, lambda found: grown(found) >= n)
    assert grown(after) == n
    return after


@pytest.fixture(scope='module')
def pool(stack):
    """Of its own, so that nobody else is counted."""
    return stack.variant({'db-max-rows': '1000'}, workers=4, fresh=True)


def test_every_worker_counts_into_the_same(pool):
    before = scrape(pool)
    for _ in range(60):
        assert pool.get('/projects?id=eq.1&select=id').status == 200
    after = counted(pool, before, 60, route='table', method='GET', role='anonymous', status='200')
    assert total(after, 'rowgate_rows_total', route='table') - total(before, 'rowgate_rows_total', route='table') == 60
    assert total(after, 'rowgate_response_bytes_total', route='table') > total(before, 'rowgate_response_bytes_total', route='table')
    for name in ('rowgate_request_duration_seconds', 'rowgate_database_duration_seconds'):
        assert total(after, name + '_count', route='table') - total(before, name + '_count', route='table') == 60
        assert total(after, name + '_bucket', route='table', le='+Inf') == total(after, name + '_count', route='table')
        assert total(after, name + '_sum', route='table') > 0
    # Who answers is busy with it.
    assert after['rowgate_workers', frozenset()] == 4 and after['rowgate_workers_busy', frozenset()] == 1
    assert 1 <= after['rowgate_database_connections', frozenset()] <= 16


@pytest.mark.parametrize('method, path, role, status, expected', [
    ('GET', '/rest/v1/projects', None, 200, {'route': 'table', 'role': 'anonymous', 'status': '200'}),
    ('GET', '/rest/v1/projects', 'authenticated', 200, {'route': 'table', 'role': 'default', 'status': '200'}),
    ('GET', '/rest/v1/projects', 'service_role', 200, {'route': 'table', 'role': 'admin', 'status': '200'}),
    ('GET', '/rest/v1/projects', 'spec_reader', 200, {'route': 'table', 'role': 'other', 'status': '200'}),
    ('GET', '/rest/v1/projects?id=eq.x', None, 400, {'route': 'table', 'role': 'anonymous', 'status': '400'}),
    ('HEAD', '/rest/v1/projects', None, 200, {'route': 'table', 'method': 'HEAD'}),
    ('GET', '/rest/v1/none_such', None, 404, {'route': 'table', 'status': '404'}),
    ('POST', '/rest/v1/rpc/none_such', None, 404, {'route': 'rpc', 'method': 'POST', 'status': '404'}),
    ('GET', '/health/live', None, 200, {'route': 'health', 'role': 'none'}),
    ('GET', '/auth/v1/health', None, 200, {'route': 'auth', 'role': 'none', 'status': '200'}),
    ('GET', '/auth/v1/admin/metrics', 'service_role', 200, {'route': 'auth', 'role': 'admin', 'status': '200'}),
    ('GET', '/auth/v1/admin/metrics', 'spec_reader', 403, {'route': 'auth', 'role': 'other', 'status': '403'}),
])
def test_labels(stack, pool, method, path, role, status, expected):
    before = scrape(pool)
    assert pool.rq(method, path, token=role and stack.token(role)).status == status
    counted(pool, before, 1, **expected)


def test_a_refused_token_has_no_role(pool):
    before = scrape(pool)
    assert pool.get('/projects', token='no.token.atall').status == 401
    counted(pool, before, 1, role='none', status='401')


def test_labels_are_never_a_clients_text(stack, pool):
    """However many names clients think of, no line comes of them."""
    pool.get('/warmed_up')
    pool.get('/projects', token=stack.token('warmed_up'))
    before = {(name, labels) for name, labels in scrape(pool)}
    for i in range(20):
        pool.get(f'/t{i}')
        pool.get('/projects', token=stack.token(f'role{i}'))
        pool.rq('GET', f'/rest/v1/rpc/f{i}')
    grown = {(name, labels) for name, labels in scrape(pool)} - before
    assert {name for name, _ in grown} <= {'rowgate_requests_total', 'rowgate_request_duration_seconds_bucket',
                                           'rowgate_request_duration_seconds_sum', 'rowgate_request_duration_seconds_count',
                                           'rowgate_response_bytes_total', 'rowgate_database_duration_seconds_bucket',
                                           'rowgate_database_duration_seconds_sum', 'rowgate_database_duration_seconds_count'}
    assert not any('t1' in dict(labels).values() or 'role1' in dict(labels).values() for _, labels in grown)


def test_errors_of_the_database_by_number(stack, pool):
    before = scrape(pool)
    assert pool.get('/private_columns').status == 401
    after = counted(pool, before, 1, status='401')
    numbers = {dict(labels)['errno'] for name, labels in after if name == 'rowgate_database_errors_total'}
    assert numbers & {'1142', '1143'}
    assert sum(total(after, 'rowgate_database_errors_total', errno=n) - total(before, 'rowgate_database_errors_total', errno=n)
               for n in ('1142', '1143')) == 1


def test_the_cache_of_tokens(stack, pool):
    token = stack.token('authenticated', sub='counted once')
    before = scrape(pool)
    for _ in range(40):
        assert pool.get('/projects?limit=1', token=token).status == 200
    after = counted(pool, before, 40, role='default')
    hits, misses = (total(after, f'rowgate_token_cache_{what}_total') - total(before, f'rowgate_token_cache_{what}_total')
                    for what in ('hits', 'misses'))
    assert hits + misses == 40 and 1 <= misses <= 4


def test_a_worker_that_dies_takes_nothing_with_it(stack):
    pool = stack.variant({'db-max-rows': '999'}, workers=3, fresh=True)
    for _ in range(30):
        assert pool.get('/projects?limit=1').status == 200
    before = scrape_when(pool, lambda found: total(found, 'rowgate_requests_total', route='table') == 30)
    for pid in pool.workers():
        os.kill(pid, signal.SIGKILL)

    def anew():
        with contextlib.suppress(OSError, AssertionError):
            found = scrape(pool)
            return found['rowgate_workers', frozenset()] == 3 and found['rowgate_worker_crashes_total', frozenset()] == 3 and found
    after = wait_until(anew, 60)
    assert after, scrape(pool)
    assert after['rowgate_worker_starts_total', frozenset()] == 6
    assert after['rowgate_workers_busy', frozenset()] == 1
    assert total(after, 'rowgate_requests_total', route='table') == total(before, 'rowgate_requests_total', route='table') == 30
    stack.forget(pool)


def test_a_file_of_another_version_is_left_alone(stack):
    """Workers of the old program go on with it: what they have mapped must not change under them."""
    pool = stack.variant({'db-max-rows': '998'}, workers=1, fresh=True)
    path = pool.folder / 'run/shared'
    pool.get('/projects?limit=1')
    with open(path, 'r+b') as f:
        f.write(b'\x01\x00\x00\x00\x00\x00\x00\x00')
        f.flush()
        old = os.fstat(f.fileno()).st_ino, os.fstat(f.fileno()).st_size
        folder = path.parent.stat()
        os.chown(path.parent, path.stat().st_uid, path.stat().st_gid)
        os.kill(pool.workers()[0], signal.SIGKILL)
        assert wait_until(lambda: path.stat().st_ino != old[0] and scrape(pool), 60)
        os.chown(path.parent, folder.st_uid, folder.st_gid)
        assert (os.fstat(f.fileno()).st_ino, os.fstat(f.fileno()).st_size) == old
        assert f.seek(0) == 0 and f.read(8)[0] == 1
    assert scrape(pool)['rowgate_worker_starts_total', frozenset()] == 1
    stack.forget(pool)


def promtool():
    """From Debian's package, unpacked: installing it would start a server."""
    found = shutil.which('promtool')
    if found:
        return found
    root = FOLDER / 'prometheus'
    if not (root / 'usr/bin/promtool').exists():
        root.mkdir(exist_ok=True)
        got = subprocess.run(['apt-get', 'download', '-qq', 'prometheus'], cwd=root, capture_output=True, text=True)
        package = next(root.glob('prometheus_*.deb'), None)
        if got.returncode or not package:
            pytest.skip(f'no promtool: {got.stderr.strip()[-200:]}')
        subprocess.run(['dpkg-deb', '-x', package, root], check=True)
        package.unlink()
    return str(root / 'usr/bin/promtool')


def test_promtool_finds_nothing(pool):
    tool = promtool()
    text = pool.rq('GET', '/metrics').text
    done = subprocess.run([tool, 'check', 'metrics'], input=text, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stdout.strip() and not done.stderr.strip(), done.stdout + done.stderr


# ---- one request through all logs ----

@contextlib.contextmanager
def general_log(stack):
    """The statements that the server is sent."""
    was = dict(stack.sql("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('general_log', 'log_output')"))
    stack.sql("SET GLOBAL log_output = 'TABLE'")
    stack.sql('TRUNCATE TABLE mysql.general_log')
    stack.sql('SET GLOBAL general_log = ON')
    try:
        yield lambda: [(thread, text.decode(errors='replace') if isinstance(text, bytes) else text) for thread, text in
                       stack.sql('SELECT thread_id, argument FROM mysql.general_log')]
    finally:
        stack.sql('SET GLOBAL general_log = OFF')
        stack.sql(f"SET GLOBAL log_output = '{was['log_output']}'")


def access_line(instance, identity):
    path = pathlib.Path(instance.folder) / 'log/access.log'
    found = wait_until(lambda: [line for line in path.read_text().splitlines() if f'"id":"{identity}"' in line], 30)
    assert found, 'no line of nginx'
    return json.loads(found[0])


def test_one_request_through_all_logs(stack, pool):
    with general_log(stack) as statements:
        answer = pool.get('/projects?select=id,clients(name)&id=eq.1',
                          {'X-Request-Id': 'follow-me.1', 'traceparent': PARENT + '01'})
        assert answer.status == 200 and answer.headers['X-Request-Id'] == 'follow-me.1'
        sent = [(thread, text) for thread, text in statements() if 'follow-me.1' in text]
    line = pool.log_of(answer)
    assert line['id'] == 'follow-me.1' and line['traceparent'] == PARENT + '01'
    outside = access_line(pool, 'follow-me.1')
    assert outside['traceparent'] == PARENT + '01' and outside['path'] == '/rest/v1/projects'
    assert len(sent) >= 2 and {thread for thread, _ in sent} == {line['db_thread']}
    assert all(text.startswith(f"/* rowgate id='follow-me.1',traceparent='{PARENT}01' */ ") for _, text in sent)


@pytest.mark.parametrize('header', [None, PARENT + '00', PARENT + '02', 'ff' + PARENT[2:] + '01', PARENT[:-1] + "'-01",
                                    '00-' + '0' * 32 + '-00f067aa0ba902b7-01', PARENT + '01-more', PARENT.upper() + '01',
                                    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7*/", ''])
def test_what_is_not_sampled_has_no_comment(stack, pool, header):
    """And so uses the statements that are prepared already."""
    headers = {'X-Request-Id': 'quiet.1', **({} if header is None else {'traceparent': header})}
    with general_log(stack) as statements:
        answer = pool.get('/projects?select=id&id=eq.2', headers)
        assert answer.status == 200
        assert not [text for _, text in statements() if 'rowgate id' in text]
    assert ('traceparent' in pool.log_of(answer)) == (header in (PARENT + '00', PARENT + '02'))


def test_commented_statements_do_not_fill_the_cache(stack):
    instance = stack.variant({'db-statement-cache': '8'}, workers=1)

    def kept():
        return sum(n for _, n in stack.sql(
            "SHOW GLOBAL STATUS WHERE Variable_name = 'Prepared_stmt_count'") for n in [int(n)])
    for _ in range(3):
        assert instance.get('/projects?select=id&id=eq.1').status == 200
    before = kept()
    for i in range(30):
        assert instance.get('/projects?select=id&id=eq.1',
                            {'X-Request-Id': f'n{i}', 'traceparent': PARENT + '01'}).status == 200
    assert instance.get('/projects?select=id&id=eq.1').status == 200
    assert wait_until(lambda: kept() <= before + 3, 30), (before, kept())


@pytest.mark.parametrize('path, method, data', [
    ('/rest/v1/projects?select=id', 'GET', None),
    ('/rest/v1/rpc/none_such_at_all', 'POST', '{}'),
])
def test_settings_of_the_comment(stack, path, method, data):
    headers = {'X-Request-Id': 'set.1', 'traceparent': PARENT + '01', 'Content-Type': 'application/json'}
    for word, wanted in (('always', method == 'GET'), ('never', False)):
        instance = stack.variant({'db-trace-comment': word}, workers=1)
        with general_log(stack) as statements:
            sent = dict(headers)
            if word == 'always':
                del sent['traceparent']
            instance.rq(method, path, sent, data)
            found = [text for _, text in statements() if "rowgate id='set.1'" in text]
        assert bool(found) == wanted, word


def test_a_write_bears_its_comment(stack, pool):
    with general_log(stack) as statements:
        answer = pool.rq('DELETE', '/rest/v1/w_item?id=eq.-1', {'X-Request-Id': 'write.1', 'traceparent': PARENT + '01'},
                         token=stack.token('service_role'))
        assert answer.status == 204
        assert [text for _, text in statements() if text.startswith("/* rowgate id='write.1'") and 'DELETE' in text]


@pytest.mark.parametrize('identity', ["a'b", 'a*/b', 'x' * 65, 'a b', '-', 'a\\'])
def test_an_id_that_is_none_is_replaced(stack, pool, identity):
    with general_log(stack) as statements:
        answer = pool.get('/projects?select=id&id=eq.1', {'X-Request-Id': identity, 'traceparent': PARENT + '01'})
        assert answer.status == 200
        ours = answer.headers['X-Request-Id']
        assert re.fullmatch(r'[0-9a-f]{32}', ours) or ours == identity == '-'
        assert [text for _, text in statements() if text.startswith(f"/* rowgate id='{ours}'")]
