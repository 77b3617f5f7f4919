"""
Idempotency-Key: a write is done once, and its answer is given again. And what an answer says of a write that failed: 4xx
and 5xx mean that it was not done, unless they say that nobody knows.
"""
import concurrent.futures
import contextlib
import gzip
import json
import os
import select
import socket
import threading
import time
import uuid

import pymysql
import pytest

from harness import Http, wait_until

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


def test_without_the_routines(stack, w, key):
    """A database that was not brought up to date says so; writes without a key go on."""
    what = "EXECUTE ON FUNCTION rowgate.idempotency_find"
    stack.sql(f"REVOKE {what} FROM authenticator@'%'")
    try:
        response = w('POST', '/w_item', NEW, key)
        assert response.error() == (400, 'PGRST127') and 'sql/core' in response.json()['hint']
        assert w.names() == ['one', 'two'] and w('POST', '/w_item', NEW).status == 201
    finally:
        stack.sql(f"GRANT {what} TO authenticator@'%'")
    assert w('POST', '/w_item', dict(NEW, name='b'), key).status == 201


def test_replays_are_quick(w, key):
    """At most 2 ms more than a read: the best of many, for others use the machine too."""
    assert w('POST', '/w_item', NEW, key).status == 201

    def best(ask):
        times = []
        for _ in range(40):
            begun = time.perf_counter()
            assert ask().status < 300
            times.append(time.perf_counter() - begun)
        return min(times)
    assert best(lambda: w('POST', '/w_item', NEW, key)) < best(lambda: w('GET', '/w_item?id=eq.1')) + .002


# ---- two at once ----

def test_in_flight(stack, w, key):
    """The first waits for a row that somebody holds; the second is told so at once."""
    holder = stack.connect()
    try:
        holder.begin()
        holder.cursor().execute('SELECT * FROM spec.w_item WHERE id = 1 FOR UPDATE')
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
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


# ---- what an answer says of a write that failed ----

class Proxy(threading.Thread):
    """Between workers and the server's socket. At a COMMIT it does what cut says: before, or after."""

    def __init__(self, folder, server):
        super().__init__(daemon=True)
        self.path, self.server = str(folder / 'proxy.sock'), server
        self.cut, self.cuts = None, 0
        self.down = False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o777)
        self.listener.listen()
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.down:
                    client.close()
                    continue
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.server)
        with contextlib.suppress(OSError), client, server:
            while True:
                for side in select.select([client, server], [], [])[0]:
                    data = side.recv(65536)
                    if not data:
                        return
                    if side is server:
                        client.sendall(data)
                        continue
                    hit = self.cut and data[4:] == b'\x03COMMIT'
                    if hit and self.cut == 'before':
                        self.cuts, self.cut = self.cuts + 1, None
                        return
                    server.sendall(data)
                    if hit:
                        self.cuts, self.cut, after = self.cuts + 1, None, self.cut
                        server.recv(65536)
                        self.down = after == 'after, and stays away'
                        return


@pytest.fixture
def cutting(stack, tmp_path_factory):
    """A variant whose connections go through a proxy."""
    folder = tmp_path_factory.mktemp('p')
    for path in (folder, *list(folder.parents)[:2]):
        with contextlib.suppress(OSError):
            os.chmod(path, 0o755)
    proxy = Proxy(folder, str(stack.var / 'mysql.sock'))
    v = stack.variant({'db-socket': proxy.path}, workers=1, fresh=True)
    yield v, proxy
    proxy.listener.close()
    stack.forget(v)


@pytest.mark.mariadb
@pytest.mark.parametrize('cut', ['before', 'after'])
@pytest.mark.parametrize('prefer', [None, SHOW])
def test_cut_at_commit_with_a_key(w, key, cutting, cut, prefer):
    """The key's row tells whether it was done; what was not is done at once on another connection."""
    v, proxy = cutting
    proxy.cut = cut
    response = w('POST', '/w_item?select=name', NEW, key, prefer, on=v)
    assert proxy.cuts == 1
    assert response.status == 201 and not replayed(response) and response.body == (b'[{"name":"new"}]' if prefer else b'')
    assert w.names() == ['one', 'two', 'new'] and w.keys(key) == 1
    again = w('POST', '/w_item?select=name', NEW, key, prefer, on=v)
    assert replayed(again) and seen(again) == seen(response)


@pytest.mark.mariadb
@pytest.mark.parametrize('cut', ['before', 'after'])
def test_cut_at_commit_without_a_key(w, cutting, cut):
    v, proxy = cutting
    proxy.cut = cut
    response = w('POST', '/w_item', NEW, on=v)
    assert response.error() == (503, 'PGRSTX01') and 'unknown' in response.json()['details']
    assert response.headers['Rowgate-Outcome'] == 'unknown' and response.headers['Retry-After'] is None
    assert w.names() == ['one', 'two'] + ['new'] * (cut == 'after')
    assert w('POST', '/w_item', dict(NEW, name='b'), on=v).status == 201


@pytest.mark.mariadb
def test_nobody_knows(w, key, cutting):
    """The server stays away: the answer says so, and the key tells later."""
    v, proxy = cutting
    proxy.cut = 'after, and stays away'
    begun = time.monotonic()
    response = w('POST', '/w_item', NEW, key, on=v)
    assert response.error() == (503, 'PGRSTX01') and 'unknown' in response.json()['details'] and time.monotonic() - begun < 8
    assert response.headers['Rowgate-Outcome'] == 'unknown' and int(response.headers['Retry-After']) >= 1
    proxy.down = False
    assert replayed(w('POST', '/w_item', NEW, key, on=v)) and w.names() == ['one', 'two', 'new']


def test_connections_lost_between_two_writes(stack, w):
    """Nothing was begun on them: the write is done on another, and nobody sees it."""
    for i in range(3):
        for _ in range(6):
            w('GET', '/w_item?limit=1')
        for connection, in stack.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'authenticator'"):
            with contextlib.suppress(pymysql.err.Error):
                stack.sql(f'KILL {connection}')
        for k in range(8):
            assert w('POST', '/w_item', {'name': f'{i}-{k}'}).status == 201
    assert len(w.names()) == 26


@pytest.fixture
def clashing(stack, w):
    """A trigger that says deadlock, or lock wait, as often as it is told to; each error takes the transaction back."""
    stack.sql('CREATE TABLE IF NOT EXISTS spec.f_clash (left_over INT, state INT, from_id INT) ENGINE=MyISAM')
    stack.sql('DELETE FROM spec.f_clash')
    stack.sql('DROP TRIGGER IF EXISTS spec.f_clash_trigger')
    stack.sql("""CREATE TRIGGER spec.f_clash_trigger BEFORE INSERT ON spec.w_kid FOR EACH ROW BEGIN
        IF (SELECT left_over FROM spec.f_clash WHERE NEW.id >= from_id) > 0 THEN
            UPDATE spec.f_clash SET left_over = left_over - 1;
            IF (SELECT state FROM spec.f_clash) = 1213 THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213;
            ELSE SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205; END IF;
        END IF; END""")

    def set_(times, number, from_id=0):
        stack.sql('DELETE FROM spec.f_clash')
        stack.sql(f'INSERT INTO spec.f_clash VALUES ({times}, {number}, {from_id})')
    yield set_
    stack.sql('DROP TRIGGER spec.f_clash_trigger')


@pytest.mark.parametrize('number, code', [(1213, '40P01'), (1205, '55P03')])
def test_clashes_are_tried_again(w, key, clashing, number, code):
    rows = [{'id': i, 'item_id': 1} for i in range(20)]
    for times in (1, 3):
        clashing(times, number)
        w.sql('DELETE FROM spec.w_kid')
        assert w('POST', '/w_kid', rows).status == 201 and w.sql('SELECT COUNT(*) FROM spec.w_kid') == ((20,),)
        assert w.sql('SELECT left_over FROM spec.f_clash') == ((0,),)
    clashing(9, number)
    w.sql('DELETE FROM spec.w_kid')
    for k in (None, key):
        response = w('POST', '/w_kid', rows, k)
        assert response.error() == (503, code) and int(response.headers['Retry-After']) >= 1
        assert response.headers['Rowgate-Outcome'] == 'not-applied'
    # Four attempts each, and no more.
    assert w.sql('SELECT left_over FROM spec.f_clash') == ((1,),) and w.sql('SELECT COUNT(*) FROM spec.w_kid') == ((0,),)


def test_large_bodies_are_not_tried_again(w, clashing):
    clashing(1, 1213, 90000)
    rows = [{'id': i, 'item_id': 1} for i in range(100000)]
    assert w('POST', '/w_kid', rows).error() == (503, '40P01')
    assert w.sql('SELECT COUNT(*) FROM spec.w_kid') == ((0,),)
    assert w('POST', '/w_kid', rows).status == 201 and w.sql('SELECT COUNT(*) FROM spec.w_kid') == ((100000,),)


def test_a_real_deadlock(stack, w):
    """Two writers that lock two rows in turn: the one that is chosen is tried again."""
    w.sql('UPDATE spec.w_item SET n = 0')
    outcomes = []

    def write(order):
        other = Other(stack)
        for _ in range(40):
            response = w('POST', '/w_item?on_conflict=id', [{'id': i, 'name': f'd{i}', 'n': 1} for i in order],
                         prefer='resolution=merge-duplicates', on=other)
            outcomes.append(response.status)
    threads = [threading.Thread(target=write, args=(order,)) for order in ([1, 2], [2, 1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 80 and set(outcomes) <= {200, 201}, outcomes


def test_a_read_only_server(stack, w):
    """What a failover leaves behind: writes are refused, and the connections to it go."""
    v = stack.variant({'log-level': 'info'}, workers=2, fresh=True)
    own = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'authenticator'"
    before = stack.sql(own)[0][0]
    try:
        for _ in range(8):
            assert w('GET', '/w_item?limit=1', on=v).status == 200
            assert v.get('/items?limit=1').status == 200
        assert stack.sql(own)[0][0] > before
        stack.sql('SET GLOBAL read_only = ON')
        response = w('POST', '/w_item', NEW, on=v)
        assert response.error() == (503, '25006') and int(response.headers['Retry-After']) >= 1
        assert response.headers['Rowgate-Outcome'] == 'not-applied'
        assert wait_until(lambda: stack.sql(own)[0][0] <= before, 10)
        assert w('GET', '/w_item?limit=1', on=v).status == 200
    finally:
        stack.sql('SET GLOBAL read_only = OFF')
        stack.forget(v)
    assert w('POST', '/w_item', NEW).status == 201
