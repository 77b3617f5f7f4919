"""
Idempotency-Key: a write is done once, and its answer is given again. And what an answer says of a write that failed: 4xx
and 5xx mean that it was not done, unless they say that nobody knows.
"""
import concurrent.futures
import gzip
import json
import threading
import time
import uuid

import pymysql
import pytest

NEW = {'name': 'new', 'n': 1}
SHOW = 'return=representation'


@pytest.fixture
def w(stack):
    stack.sql('DELETE FROM spec.w_kid')
    stack.sql('DELETE FROM spec.w_item')
    stack.sql('ALTER TABLE spec.w_item AUTO_INCREMENT = 1')
    stack.sql("INSERT INTO spec.w_item (id, name, n) VALUES (1, 'one', 10), (2, 'two', 20)")

    def ask(method, path, data=None, key=None, prefer=None, headers=(), token=None, on=stack):
        headers = dict(headers)
        if key is not None:
            headers['Idempotency-Key'] = key
        if prefer:
            headers['Prefer'] = prefer
        if data is not None and not isinstance(data, (dict, list)) and 'Content-Type' not in headers:
            headers['Content-Type'] = 'application/json'
        return on.rq(method, '/rest/v1' + path, headers, data, token or stack.token('service_role'))
    ask.names = lambda: [row[0] for row in stack.sql('SELECT name FROM spec.w_item ORDER BY id')]
    ask.sql = stack.sql
    ask.keys = lambda key: stack.sql('SELECT COUNT(*) FROM rowgate.idempotency_key WHERE idempotency_key = %s', key)[0][0]
    return ask


@pytest.fixture
def key():
    return str(uuid.uuid4())


def seen(response):
    """What a client sees of an answer, less what differs from one to the next."""
    other = {'Date', 'X-Request-Id', 'Idempotency-Replayed', 'Connection', 'Server-Timing'}
    return response.status, response.body, {k: v for k, v in response.headers.items() if k not in other}


def replayed(response):
    return response.headers['Idempotency-Replayed'] == 'true'


# ---- replay ----

@pytest.mark.parametrize('method, path, data, prefer', [
    ('POST', '/w_item', NEW, None), ('POST', '/w_item', NEW, 'return=headers-only'), ('POST', '/w_item?select=id,name', NEW, SHOW),
    ('POST', '/w_item?select=id', [NEW, dict(NEW, name='ü')], SHOW + ', count=exact'), ('POST', '/w_item', [], None),
    ('PATCH', '/w_item?id=eq.1', {'n': 11}, None), ('PATCH', '/w_item?id=eq.1&select=id,n', {'n': 11}, SHOW),
    ('DELETE', '/w_item?id=eq.1', None, None), ('DELETE', '/w_item?id=eq.1&select=name', None, SHOW),
    ('DELETE', '/w_item?id=eq.99', None, None),
])
def test_the_answer_comes_again(w, key, method, path, data, prefer):
    first = w(method, path, data, key, prefer)
    assert first.status < 300 and not replayed(first)
    after = w.sql('SELECT id, name, n FROM spec.w_item ORDER BY id')
    w.sql("UPDATE spec.w_item SET n = 7 WHERE id = 2")
    for _ in range(5):
        again = w(method, path, data, key, prefer)
        assert replayed(again) and seen(again) == seen(first)
    w.sql("UPDATE spec.w_item SET n = 20 WHERE id = 2")
    assert w.sql('SELECT id, name, n FROM spec.w_item ORDER BY id') == after
    assert w.keys(key) == 1


def test_every_form_of_answer(w, key):
    """Bytes of any kind come back as they were."""
    w.sql("UPDATE spec.w_item SET bytes = UNHEX('00ff0a0d27') WHERE id = 1")
    for i, accept in enumerate(('text/csv', 'application/vnd.pgrst.object+json', 'application/x-ndjson', 'application/octet-stream')):
        select = 'bytes' if 'octet' in accept else 'id,name,bytes'
        ask = lambda: w('PATCH', f'/w_item?id=eq.1&select={select}', {'n': i}, key + str(i), SHOW, {'Accept': accept})
        first, again = ask(), ask()
        assert first.status in (200, 406) and (first.status == 406 or replayed(again)) and seen(again) == seen(first), accept


def test_another_key_is_another_write(w, key):
    assert w('POST', '/w_item', NEW, key).status == 201
    assert w('POST', '/w_item', dict(NEW, name='b'), key + 'x').status == 201
    assert w('POST', '/w_item', NEW, key + 'y').error() == (409, '23505')


def test_without_a_key_nothing_is_kept(w):
    before = w.sql('SELECT COUNT(*) FROM rowgate.idempotency_key')
    assert w('POST', '/w_item', NEW).status == 201 and w('POST', '/w_item', NEW).status == 409
    assert w.sql('SELECT COUNT(*) FROM rowgate.idempotency_key') == before


def test_reading_takes_no_notice(w, key):
    for method in ('GET', 'HEAD', 'OPTIONS'):
        response = w(method, '/w_item', None, key)
        assert response.status == 200 and not replayed(response)
    assert w.keys(key) == 0


# ---- another request ----

@pytest.mark.parametrize('method, path, data, prefer, headers', [
    ('POST', '/w_item', dict(NEW, n=2), None, {}), ('POST', '/w_item', [NEW], None, {}), ('POST', '/w_item?columns=name,n', NEW, None, {}),
    ('POST', '/w_pair', NEW, None, {}), ('PATCH', '/w_item', NEW, None, {}), ('POST', '/w_item', NEW, SHOW, {}),
    ('POST', '/w_item', json.dumps(NEW), None, {'Content-Type': 'application/x-ndjson'}), ('DELETE', '/w_item?id=eq.1', None, None, {}),
    ('POST', '/w_item', json.dumps(NEW), None, {'Accept': 'text/csv', 'Content-Type': 'application/json'}),
    ('POST', '/w_item', '{"name":', None, {}), ('POST', '/w_item', json.dumps(NEW) + ' ', None, {}),
])
def test_another_request_under_the_same_key(w, key, method, path, data, prefer, headers):
    assert w('POST', '/w_item', NEW, key).status == 201
    w.sql("UPDATE spec.w_item SET n = 5 WHERE name = 'new'")
    response = w(method, path, data, key, prefer, headers)
    # A write without a filter is refused before.
    assert response.error() in ((422, 'PGRSTX04'), (400, '21000')), response
    assert w.names() == ['one', 'two', 'new'] and w.sql("SELECT n FROM spec.w_item WHERE name = 'new'") == ((5,),)


def test_others_have_keys_of_their_own(stack, w, key):
    ann, bob = (stack.token('service_role', sub=name) for name in ('ann', 'bob'))
    assert w('POST', '/w_item', NEW, key, token=ann).status == 201
    other = w('POST', '/w_item', dict(NEW, name='bobs'), key, token=bob)
    assert other.status == 201 and not replayed(other)
    assert replayed(w('POST', '/w_item', NEW, key, token=ann)) and replayed(w('POST', '/w_item', dict(NEW, name='bobs'), key, token=bob))
    assert w('POST', '/w_item', NEW, key, token=bob).error() == (422, 'PGRSTX04')
    elsewhere = stack.token('service_role', sub='ann', iss='https://other.example')
    assert w('POST', '/w_item', dict(NEW, name='x'), key, token=elsewhere).status == 201
    # A new token of the same person is the same person.
    assert replayed(w('POST', '/w_item', NEW, key, token=stack.token('service_role', sub='ann', jti='2')))


def test_keys_cannot_be_read(stack, w, key):
    assert w('POST', '/w_item', NEW, key).status == 201
    for path in ('/idempotency_key', '/idempotency_room', '/rpc/idempotency_find'):
        assert w('GET', path).status == 404
        if not path.startswith('/rpc'):
            assert w('GET', path, headers={'Accept-Profile': 'rowgate'}).error() == (406, 'PGRST106')


# ---- packed bodies ----

def test_packed_again(w, key):
    """The time of packing is no part of the request."""
    headers = {'Content-Type': 'application/json', 'Content-Encoding': 'gzip'}
    data = json.dumps(NEW).encode()
    assert w('POST', '/w_item', gzip.compress(data, mtime=1), key, headers=headers).status == 201
    assert replayed(w('POST', '/w_item', gzip.compress(data, mtime=99999), key, headers=headers))
    assert w('POST', '/w_item', gzip.compress(data + b' ', mtime=1), key, headers=headers).error() == (422, 'PGRSTX04')


def test_large_bodies(w, key):
    rows = [{'name': f'r{i}', 'made': 'x' * 20, 'data': 'y' * 100} for i in range(10000)]
    assert w('POST', '/w_item', rows, key).status == 201
    assert len(w.names()) == 10002
    assert replayed(w('POST', '/w_item', rows, key))
    rows[-1]['made'] = 'y'
    assert w('POST', '/w_item', rows, key).error() == (422, 'PGRSTX04')
    assert len(w.names()) == 10002


def test_an_answer_too_large_to_keep(w, key):
    rows = [{'name': f'r{i}', 'made': 'x' * 20, 'data': 'y' * 100} for i in range(10000)]
    response = w('POST', '/w_item?select=*', rows, key, SHOW)
    assert response.error() == (413, '54000') and 'return=minimal' in response.json()['hint']
    assert w.names() == ['one', 'two']


# ---- failures are not kept ----

def test_a_refused_write_leaves_its_key_free(w, key):
    for data, expected in (({'name': 'x' * 11}, (400, '22001')), ({'name': 'one'}, (409, '23505')), ('{"name":', (400, 'PGRST102')),
                           ({'nonesuch': 1}, (400, 'PGRST204'))):
        assert w('POST', '/w_item', data, key).error() == expected
        assert w.keys(key) == 0
    assert not replayed(w('POST', '/w_item', NEW, key)) and w.names() == ['one', 'two', 'new']


def test_a_write_taken_back_leaves_its_key_free(stack, w, key):
    v = stack.variant({'db-tx-end': 'commit-allow-override'})
    for _ in range(2):
        response = w('POST', '/w_item', NEW, key, 'tx=rollback', on=v)
        assert response.status == 201 and not replayed(response)
    assert w.keys(key) == 0 and w.names() == ['one', 'two']


# ---- the key itself ----

@pytest.mark.parametrize('bad', ['', ' ', 'x' * 256, 'a,b', 'a, b', 'ü', 'a\x7f'])
def test_malformed_keys(w, bad):
    response = w('POST', '/w_item', NEW, bad.encode('utf-8').decode('latin-1'))
    assert response.error() == (400, 'PGRSTX02') and w.names() == ['one', 'two']


def test_two_keys(stack, w):
    headers = [('Idempotency-Key', 'a'), ('Idempotency-Key', 'b'), ('Content-Type', 'application/json')]
    response = stack.rq('POST', '/rest/v1/w_item', headers, json.dumps(NEW), stack.token('service_role'))
    assert response.error() == (400, 'PGRSTX02') and w.names() == ['one', 'two']


@pytest.mark.parametrize('good', ['x' * 255, '"a, b"', '!', "'; DROP TABLE w_item -- ", '%s%n\\'])
def test_odd_keys(w, good, key):
    good = (good + key) if len(good) < 200 else good[:219] + key
    assert w('POST', '/w_item', NEW, good).status == 201 and replayed(w('POST', '/w_item', NEW, good))


def test_required(stack, w, key):
    v = stack.variant({'idempotency-required': '/w_item'})
    assert w('POST', '/w_item', NEW, on=v).error() == (400, 'PGRSTX02')
    assert w('DELETE', '/w_item?id=eq.1', on=v).error() == (400, 'PGRSTX02')
    assert w('GET', '/w_item', on=v).status == 200
    assert w('POST', '/w_kid', {'id': 1, 'item_id': 1}, on=v).status == 201
    assert w('POST', '/w_item', NEW, key, on=v).status == 201
    v = stack.variant({'idempotency-required': '*'})
    assert w('POST', '/w_kid', {'id': 2, 'item_id': 1}, on=v).error() == (400, 'PGRSTX02')


# ---- two at once ----

def test_in_flight(stack, w, key):
    """The first waits for a row that somebody holds; the second is told so at once."""
    holder = stack.connect()
    try:
        holder.begin()
        holder.cursor().execute('SELECT * FROM spec.w_item WHERE id = 1 FOR UPDATE')
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            from harness import Http
            first = pool.submit(lambda: w('PATCH', '/w_item?id=eq.1', {'n': 42}, key, on=Other(stack)))
            time.sleep(.7)
            begun = time.monotonic()
            response = w('PATCH', '/w_item?id=eq.1', {'n': 42}, key)
            assert response.error() == (409, 'PGRSTX03') and int(response.headers['Retry-After']) >= 1
            assert time.monotonic() - begun < .5
            assert w('PATCH', '/w_item?id=eq.2', {'n': 21}, key + 'other').status == 204
            holder.rollback()
            assert first.result().status == 204
    finally:
        holder.close()
    assert replayed(w('PATCH', '/w_item?id=eq.1', {'n': 42}, key))
    assert w.sql('SELECT n FROM spec.w_item ORDER BY id') == ((42,), (21,))


class Other:
    """The same instance over a connection of its own."""

    def __init__(self, on):
        from harness import Http
        self.http = Http(on.url, on.ca)

    def rq(self, method, path, headers, data, token):
        return self.http.request(method, path, headers, data, token)


def test_many_at_once(stack, w, key):
    """Of equal requests at the same time one is done; the others are told to wait, or get its answer."""
    w.sql('UPDATE spec.w_item SET n = 0')
    for turn in range(10):
        barrier = threading.Barrier(6)

        def one(_):
            other = Other(stack)
            other.rq('GET', '/rest/v1/w_item?limit=1', None, None, stack.token('service_role'))
            barrier.wait()
            return w('POST', '/w_item', {'name': f't{turn}'}, key + str(turn), on=other)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(one, range(6)))
        done = [a for a in answers if a.status == 201 and not replayed(a)]
        assert len(done) == 1 and all(a.status == 201 or a.error() == (409, 'PGRSTX03') for a in answers), answers
        assert w.names() == ['one', 'two', *(f't{i}' for i in range(turn + 1))]


# ---- expiry ----

def test_expiry(stack, w, key):
    v = stack.variant({'idempotency-ttl': '3600'})
    assert w('POST', '/w_item', NEW, key, on=v).status == 201
    assert w('POST', '/w_item', dict(NEW, name='b'), key + 'b', on=v).status == 201
    w.sql('UPDATE rowgate.idempotency_key SET created = created - INTERVAL 3601 SECOND WHERE idempotency_key = %s', key)
    w.sql('CALL rowgate.idempotency_expire(3600)')
    assert (w.keys(key), w.keys(key + 'b')) == (0, 1)
    assert w('POST', '/w_item', NEW, key, on=v).error() == (409, '23505')


def test_workers_expire_keys(stack, w, key):
    from harness import wait_until
    assert w('POST', '/w_item', NEW, key).status == 201
    w.sql('UPDATE rowgate.idempotency_key SET created = created - INTERVAL 3 DAY WHERE idempotency_key = %s', key)
    for i in range(2500):
        if i % 500 == 0:
            w.sql('INSERT INTO rowgate.idempotency_key SELECT UNHEX(SHA2(CONCAT(%s, seq.n), 256)), role, subject, idempotency_key, method, path,'
                  ' fingerprint, status, headers, body, created FROM rowgate.idempotency_key CROSS JOIN'
                  ' (SELECT a.n + 10 * b.n + 100 * c.n AS n FROM (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4'
                  ' UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) a CROSS JOIN (SELECT 0 n UNION SELECT 1 UNION'
                  ' SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) b CROSS JOIN'
                  ' (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) c) seq WHERE idempotency_key = %s LIMIT 500',
                  f'{key}{i}', key)
    # A pool of its own looks within a minute of its start, and at once where there are more than a thousand.
    v = stack.variant({'db-schema-poll': '1'}, fresh=True)
    try:
        assert wait_until(lambda: w.keys(key) == 0, 20)
    finally:
        stack.forget(v)


def test_no_room(stack, w, key):
    assert w('POST', '/w_item', NEW, key).status == 201
    w.sql('UPDATE rowgate.idempotency_room SET is_full = TRUE')
    try:
        assert w('POST', '/w_item', dict(NEW, name='b'), key + 'b').error() == (503, '53100')
        assert replayed(w('POST', '/w_item', NEW, key))
        assert w('POST', '/w_item', dict(NEW, name='c')).status == 201
    finally:
        w.sql('CALL rowgate.idempotency_expire(86400)')
    assert w('POST', '/w_item', dict(NEW, name='b'), key + 'b').status == 201
