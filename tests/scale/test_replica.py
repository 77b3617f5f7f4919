"""
A writer and a reader: where reads go, what a client sees of its own writes, and what happens when one of the two goes.

Nothing here depends on how fast the machine is, but one figure: writes are served again within 5 s of the new writer's
accepting them, and the longest time in which this machine let nobody do anything (Metronome) is taken off.
"""
import contextlib
import http.client
import itertools
import json
import signal
import subprocess
import threading
import time
import uuid

import pytest

from harness import BUILD, REPO, Http, wait_until

PATIENCE = 180
CALM = {'db-connect-timeout': '20000', 'db-statement-timeout': '30000'}
SLOW = {'db-reader-max-lag': '1'}
ANY = {'db-reader-max-lag': '3600'}


def instance(pair, conf, **more):
    return pair.variant({'db-reader-host': '127.0.0.1', 'db-reader-port': str(pair.server.reader.port),
                         **CALM, **conf}, **more)


def served_by(one, path, **more):
    answer = one.get(path, **more)
    assert answer.status == 200, answer
    return one.log_of(answer).get('server', 'writer')


def goes_to(one, server, path='/projects?select=id&id=eq.1', **more):
    """So many in a row."""
    return wait_until(lambda: all(served_by(one, path, **more) == server for _ in range(6)), PATIENCE)


@pytest.fixture(autouse=True)
def at_rest(pair):
    yield
    server = pair.server
    with contextlib.suppress(Exception):
        server.b.signal(signal.SIGCONT)
    server.reader.target = server.b.port
    if not server.promoted:
        server.go_on()
        assert server.caught_up()


@pytest.fixture(scope='module')
def near(pair):
    """A reader may be a second behind, and no more."""
    return instance(pair, SLOW)


@pytest.fixture(scope='module')
def far(pair):
    return instance(pair, ANY)


def write(pair, one, name):
    answer = one.rq('POST', '/rest/v1/w_item', {'Content-Type': 'application/json', 'Prefer': 'return=minimal'},
                    json.dumps({'id': hash_of(name), 'name': name}), pair.token('service_role'))
    assert answer.status == 201, answer
    return answer


def hash_of(name):
    return int(uuid.uuid5(uuid.NAMESPACE_DNS, name).hex[:7], 16)


def finds(pair, one, name, headers=None):
    answer = one.get(f'/w_item?select=name&id=eq.{hash_of(name)}', headers, pair.token('service_role'))
    assert answer.status == 200, answer
    return one.log_of(answer).get('server', 'writer'), answer.json() != []


@pytest.mark.parametrize('method, path', [('GET', '/rest/v1/projects?select=id'), ('HEAD', '/rest/v1/projects?select=id'),
                                          ('GET', '/rest/v1/projects?select=id,clients(name)')])
def test_reads_go_to_the_reader(pair, far, method, path):
    def at_reader():
        answer = far.rq(method, path)
        return answer.status == 200 and far.log_of(answer).get('server') == 'reader'
    assert wait_until(at_reader, PATIENCE)


def test_calls_that_only_read_go_to_the_reader_and_others_do_not(pair, far):
    for name, what in (('where_am_i', 'READS'), ('where_to_write', 'MODIFIES')):
        pair.sql(f'CREATE FUNCTION spec.{name}() RETURNS INT {what} SQL DATA RETURN @@server_id')
        pair.sql(f'GRANT EXECUTE ON FUNCTION spec.{name} TO anon')
    assert pair.server.caught_up()

    def called(method, name):
        body = None if method == 'GET' else '{}'
        return far.rq(method, f'/rest/v1/rpc/{name}', {'Content-Type': 'application/json'}, body)
    for method in ('GET', 'POST'):
        assert wait_until(lambda m=method: called(m, 'where_am_i').body == b'2', PATIENCE)
    for _ in range(10):
        assert called('POST', 'where_to_write').body == b'1'


def test_a_reader_that_lags_is_left_and_taken_again(pair, near):
    assert goes_to(near, 'reader')
    pair.server.hold()
    assert goes_to(near, 'writer')
    # Whatever was written is seen at once: the writer answers.
    for i in range(5):
        write(pair, near, f'lag {i}')
        assert finds(pair, near, f'lag {i}') == ('writer', True)
    text = near.rq('GET', '/metrics').text
    assert 'rowgate_reads_total{server="writer",reason="lag"}' in text
    assert float([x for x in text.splitlines() if x.startswith('rowgate_reader_lag_seconds ')][0].split()[1]) > 1
    pair.server.go_on()
    assert goes_to(near, 'reader')


def test_read_your_writes(pair, far):
    pair.server.hold()
    names = (f'mine {i}' for i in itertools.count())

    def behind():
        name = next(names)
        position = write(pair, far, name).headers['Rowgate-Position']
        found = finds(pair, far, name), finds(pair, far, name, {'Rowgate-Position': position})[1]
        assert found[1] and found[0] in (('reader', False), ('writer', True))
        return found[0] == ('reader', False) and (name, position)
    for _ in range(5):
        name, position = wait_until(behind, PATIENCE)
    pair.server.go_on()
    assert wait_until(lambda: finds(pair, far, name, {'Rowgate-Position': position}) == ('reader', True), PATIENCE)


def test_who_sends_the_position_back_never_misses_a_write(pair, far):
    """Without any delay too, where the reader is behind by chance alone."""
    missed = []
    for i in range(60):
        position = write(pair, far, f'chance {i}').headers['Rowgate-Position']
        if not finds(pair, far, f'chance {i}', {'Rowgate-Position': position})[1]:
            missed.append(i)
    assert not missed


def test_positions_are_given_to_writes_alone(pair, far):
    assert 'Rowgate-Position' not in far.get('/projects').headers
    assert 'Rowgate-Position' not in far.rq('POST', '/rest/v1/w_item', {'Content-Type': 'application/json'}, '{"nope":1}',
                                            pair.token('service_role')).headers
    assert 'Rowgate-Position' in far.get('/projects', {'Origin': 'https://example.com'}).headers['Access-Control-Expose-Headers']


@pytest.mark.parametrize('value', ['', 'x', 'w1-', 'w1-x', 'w1--1', 'w1- 1', 'w2-1', 'w1-99999999999999999999', 'w1-1;w1-2'])
def test_a_position_that_is_none(far, value):
    assert far.get('/projects', {'Rowgate-Position': value}).error() == (400, 'PGRST100')


def test_a_position_of_the_future_is_the_writers(pair, far):
    assert served_by(far, '/projects?select=id', headers={'Rowgate-Position': 'w1-4000000000000000'}) == 'writer'
    assert goes_to(far, 'reader')


def test_without_a_reader_there_are_no_positions(pair):
    answer = write(pair, pair, 'no reader')
    assert 'Rowgate-Position' not in answer.headers
    assert pair.get('/projects', {'Rowgate-Position': 'nonsense'}).status == 200
    assert 'rowgate_reads_total' not in pair.rq('GET', '/metrics').text


def test_a_check_looks_at_the_reader_too(pair, far):
    def check():
        done = subprocess.run([REPO / BUILD / 'rowgate', 'check', '-c', far.folder / 'rowgate.conf'], capture_output=True, text=True)
        line, = (line for line in done.stdout.splitlines() if 'db-reader-host' in line)
        return done.returncode, line.split()[0]
    assert wait_until(lambda: check() == (0, 'ok'), PATIENCE)
    pair.server.reader.target = None
    pair.server.reader.cut()
    assert check() == (1, 'PROBLEM')


def readers(one, count):
    """Statuses that clients see who do nothing but read."""
    seen, stop = [], threading.Event()

    def read():
        http = Http(one.url, one.ca)
        while not stop.is_set():
            seen.append(http.request('GET', '/rest/v1/projects?select=id&id=eq.1').status)
        http.close()
    threads = [threading.Thread(target=read) for _ in range(count)]
    for t in threads:
        t.start()
    try:
        yield seen
    finally:
        stop.set()
        for t in threads:
            t.join()


reading = contextlib.contextmanager(readers)


def test_the_reader_goes_and_nobody_notices(pair, far):
    assert goes_to(far, 'reader')
    with reading(far, 3) as seen:
        for _ in range(2):
            assert wait_until(lambda n=len(seen): len(seen) > n + 30, PATIENCE)
            pair.server.reader.target = None
            pair.server.reader.cut()
            assert goes_to(far, 'writer')
            pair.server.reader.target = pair.server.b.port
            assert goes_to(far, 'reader')
    assert set(seen) == {200}
    assert 'rowgate_reads_total{server="writer",reason="down"}' in far.rq('GET', '/metrics').text


def test_the_reader_hangs_and_nobody_notices(pair):
    one = instance(pair, {**ANY, 'db-connect-timeout': '3000', 'db-statement-timeout': '8000'})
    assert goes_to(one, 'reader')
    pair.server.b.signal(signal.SIGSTOP)
    with reading(one, 3) as seen:
        assert goes_to(one, 'writer')
        assert wait_until(lambda: len(seen) > 30, PATIENCE)
        pair.server.b.signal(signal.SIGCONT)
        assert goes_to(one, 'reader')
    assert set(seen) == {200}


def test_what_the_reader_does_not_know_yet(pair, far):
    """A table made a moment ago, and rights given then."""
    pair.server.hold()
    pair.sql('CREATE TABLE spec.s_new (id INT PRIMARY KEY)')
    pair.sql('INSERT INTO spec.s_new VALUES (1)')
    pair.sql('GRANT SELECT ON spec.s_new TO anon')
    assert wait_until(lambda: far.get('/s_new').status == 200, PATIENCE)
    for _ in range(10):
        assert far.get('/s_new').rows() == [{'id': 1}]


def test_a_role_that_is_none_does_not_shut_the_reader_out(pair, far):
    def still_there():
        assert far.get('/projects', token=pair.token('none_such')).status == 401
        return served_by(far, '/projects?select=id') == 'reader'
    assert wait_until(lambda: all(still_there() for _ in range(5)), PATIENCE)


def test_a_slow_statement_of_the_reader_is_ended_there(pair):
    one = instance(pair, {**ANY, 'db-statement-timeout': '4000'})
    assert goes_to(one, 'reader')
    pair.sql("CREATE FUNCTION spec.s_sleep() RETURNS INT READS SQL DATA RETURN SLEEP(600)")
    pair.sql('GRANT EXECUTE ON FUNCTION spec.s_sleep TO anon')
    assert pair.server.caught_up()

    def ended():
        return one.rq('GET', '/rest/v1/rpc/s_sleep').status == 504
    assert wait_until(ended, PATIENCE)
    for server in (pair.server.a, pair.server.b):
        assert wait_until(lambda s=server: not s.sql('SELECT ID FROM information_schema.PROCESSLIST'
                                                     " WHERE INFO LIKE '%s_sleep%' AND ID <> CONNECTION_ID()"), PATIENCE)


# ---- the last ones: the writer goes ----

class Metronome(threading.Thread):
    """The time, in all, for which this machine did not let a thread go on that had slept long enough."""

    def __init__(self):
        super().__init__(daemon=True)
        self.still, self.stop = 0, threading.Event()

    def run(self):
        while not self.stop.is_set():
            begun = time.monotonic()
            time.sleep(.02)
            self.still += time.monotonic() - begun - .02


class Writer(threading.Thread):
    """Writes one row after the other, each until it is told that it is there."""

    def __init__(self, pair, one, number):
        super().__init__()
        self.http, self.token, self.number = Http(one.url, one.ca, timeout=60), pair.token('service_role'), number
        # done: (id, when it was sent first, sent last, answered)
        self.done, self.stop, self.odd = [], threading.Event(), []

    def send(self, ident, key):
        headers = {'Content-Type': 'application/json', 'Idempotency-Key': key, 'Prefer': 'return=minimal'}
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.http.request('POST', '/rest/v1/w_one', headers, json.dumps({'id': ident}), self.token)

    def run(self):
        for ident in itertools.count(self.number * 100000):
            key, first = str(uuid.uuid4()), time.monotonic()
            while not self.stop.is_set():
                sent = time.monotonic()
                answer = self.send(ident, key)
                if answer and answer.status == 201:
                    self.done.append((ident, first, sent, time.monotonic()))
                    break
                if answer and answer.status not in (503, 409, 502, 504):
                    self.odd.append(answer)
                    return
                time.sleep(.02)
            if self.stop.is_set():
                break
        self.http.close()


@contextlib.contextmanager
def writing(pair, one, count):
    writers = [Writer(pair, one, i + 1) for i in range(count)]
    for w in writers:
        w.start()
    try:
        yield writers
    finally:
        for w in writers:
            w.stop.set()
        for w in writers:
            w.join()


def acknowledged(writers):
    return {done[0] for w in writers for done in w.done}


def go_on(writers, more=20):
    """Until each has written so many more rows."""
    counts = [len(w.done) for w in writers]
    assert wait_until(lambda: all(len(w.done) > n + more or w.odd for w, n in zip(writers, counts)), PATIENCE)
    assert not [w.odd for w in writers if w.odd]


def again_after(writers, moment):
    """Seconds from then until each had written something that it sent later."""
    return max(min(done for _, _, sent, done in w.done if sent > moment) for w in writers) - moment


def rows(server):
    return {row[0] for row in server.sql('SELECT id FROM spec.w_one')}


def failover(pair, one, end_of_the_old, check_old=None):
    """Writes are served again, the moment the new one accepts being 0 s, and none is lost."""
    server = pair.server
    assert wait_until(server.acknowledges, PATIENCE)
    server.a.sql('TRUNCATE TABLE spec.w_one')
    with writing(pair, one, 4) as writers:
        go_on(writers)
        end_of_the_old()
        accepted = server.promote()
        metronome = Metronome()
        metronome.start()
        server.endpoint.target = server.b.port
        go_on(writers)
        metronome.stop.set()
    lost = acknowledged(writers) - rows(server.b)
    assert not lost
    late = again_after(writers, accepted)
    print(f'\nwrites again {late:.2f} s after the new one accepted; {len(acknowledged(writers))} acknowledged, {len(lost)} lost'
          f' (the machine stood still for {metronome.still:.2f} s)')
    assert late - metronome.still < 5
    if check_old:
        check_old({ident for w in writers for ident, first, _, _ in w.done if first > accepted})


def test_the_writer_is_demoted_and_goes_on_living(pair, capsys):
    """As an RDS instance after a failover: it still runs, and is read-only."""
    server = pair.server
    one = pair.variant(CALM, workers=4)

    # Of the other instances' pools too: what beats on would leave rows that the new writer never sees.
    beats = []

    def demote():
        server.a.sql('SET GLOBAL read_only = ON')
        # What had looked before may still be at work.
        assert wait_until(lambda: not server.a.sql('SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()'
                                                   " AND INFO LIKE '%heartbeat%'"), PATIENCE)
        beats.extend(server.a.sql('SELECT beat FROM rowgate.heartbeat'))

    def none_there(later):
        assert later and not rows(server.a) & later
        assert list(server.a.sql('SELECT beat FROM rowgate.heartbeat')) == beats
    with capsys.disabled():
        failover(pair, one, demote, none_there)
    server.swap()
    # What was kept leads to the old one.
    server.endpoint.cut()


def test_the_writer_is_killed(pair, capsys):
    server = pair.server
    one = instance(pair, ANY, workers=4)

    def kill():
        server.a.kill()
        server.endpoint.cut()
    with capsys.disabled():
        failover(pair, one, kill)
