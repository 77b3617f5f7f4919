"""
Clients that mean harm: texts that want to be SQL, records that are no FastCGI, requests that are no HTTP, and queries
made to cost. Every refusal is JSON with four keys, none is a 500, no worker dies.
"""
import functools
import json
import os
import pathlib
import random
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse

import pytest

import harness
from harness import wait_until

# What is known and not mended yet: the mark goes with the mending.
known = functools.partial(pytest.mark.xfail, strict=True)
sanitized = pytest.mark.skipif('ROWGATE_SANITIZED' in os.environ, reason='memory means nothing under the sanitizers')

MARK = 'zqxw7'
NUMBER = '918273'

HOSTILE = [
    "'", "''", '"', '`', '\\', "\\'", '\\\\\'', '--', '-- ', '#', '/*', '*/', '/*!50000 ', ';', "' OR 1=1 -- ", '" OR ""="', "'; DROP TABLE x; -- ",
    ') OR (1=1', '?', '??', '%', '%s', '%n%n', '%5C%27', '_', '$1', ':x', '@@version', '@a:=1', '{}', '${x}', '\t', '\n', '\r\n', '\x01', '\x1a', '\x7f',
    '\u00a0', '\u2028', '\ufeff', '\ufffd', 'ʼ', '＇', '´', '\u0301', '🙂', '日本', '\u202e', 'ÿ', '¿\'', '縗\'', '\u0000'[1:], 'null', 'NULL', '0x27', "x'27'",
    "_utf8'a'", 'CHAR(39)', 'sleep(9)', 'a->>"b\'c', '$."a"', '$**.a', '[*]', '"}', '}"', ']', ')', '(', ',', '.', '::', '!', '...', '\\u0027', '&#39;',
    '%%27', '+', ' ', '=', '&', '1e999', '-', 'eq.', 'not.', 'in.(', '\\x27', "a' UNION SELECT user()-- ", "\\');", '"\\"', '"\'"', '`a`.`b`',
]

POSITIONS = [
    '/{}', '/{}?select=id', '/texts?select={}', '/texts?select=ci:{}', '/texts?select={}:ci', '/texts?select="{}":ci', '/texts?select=ci::{}', '/texts?select=id::decimal({})',
    '/texts?select=ci::varchar({})', '/texts?select=id.{}()', '/texts?{}=eq.1', '/texts?"{}"=eq.1', '/texts?id={}', '/texts?id=eq.{}', '/texts?ci=eq.{}', '/texts?cs=neq.{}',
    '/texts?latin=like.{}', '/texts?ci=like.{}', '/texts?ci=ilike.{}', '/texts?ci=match.{}', '/texts?ci=in.({})', '/texts?ci=in.("{}")', '/texts?ci=eq(any).{{{}}}',
    '/texts?ci=like(all).{{"{}"}}', '/texts?ci=isdistinct.{}', '/texts?ci=is.{}', '/texts?ci={}.x', '/texts?or=(ci.eq.{},id.eq.1)', '/texts?or=(ci.eq."{}")',
    '/texts?and=({}.eq.1)', '/texts?not.or={}', '/texts?order={}', '/texts?order="{}".desc', '/texts?order=id.{}', '/texts?limit={}', '/texts?offset={}', '/articles?body=fts.{}',
    "/articles?body=fts.'{}'", "/articles?body=fts.'{}':*", '/articles?body=plfts.{}', '/articles?body=phfts.{}', '/articles?body=wfts.{}', '/articles?body=wfts."{}"', '/articles?body=fts({}).fat',
    '/docs?select=data->{}', '/docs?select=data->>{}', '/docs?select=data->"{}"', '/docs?select=data->>"{}"->>a', '/docs?data->>"{}"=eq.1', '/docs?data->{}=is.null', '/docs?order=data->>"{}"',
    '/docs?data->>name=eq.{}', '/docs?data->name=eq.{}', '/docs?data->name=eq."{}"', '/docs?data=cs.{}', '/docs?tags=cs.{{{}}}', '/docs?tags=ov.["{}"]', '/docs?data=eq."{}"',
    '/projects?select=id,{}(id)', '/projects?select=id,clients!{}(id)', '/projects?select=id,"{}":clients(id)', '/projects?select=id,...{}(id)', '/projects?select=id,clients({})',
    '/projects?select=id,clients(id)&clients.{}=eq.1', '/projects?select=id,clients(id)&{}.id=eq.1', '/projects?select=id,clients(id)&clients.name=eq.{}',
    '/projects?select=id,clients!inner(id)&clients.name=like.{}', '/projects?select=id,clients(id)&order=clients({})', '/projects?select=id,clients(id)&order={}(id)',
    '/t_texts?e=eq.{}', '/t_texts?s=cs.{{{}}}', '/t_texts?s=eq.{}', '/t_binaries?vb=eq.{}', '/t_binaries?vb=eq.\\x{}', '/t_bits?b8=eq.{}', '/t_times?dt=eq.{}', '/t_times?t=gt.{}',
    '/t_numbers?d=eq.{}', '/t_numbers?db=lt.{}', '/t_ints?b=is.{}', '/t_ints?b=eq.{}', '/t_ints?y=eq.{}', '/rpc/{}', '/{}/x',
]

HEADERS = [('Accept-Profile', '{}'), ('Prefer', 'timezone={}'), ('Prefer', 'timezone="{}"'), ('Prefer', 'count={}'), ('Prefer', '{}'), ('Prefer', 'handling=strict, timezone={}'), ('Range', '{}'),
           ('Range', '0-{}'), ('Range-Unit', '{}'), ('Accept', '{}'), ('Accept', 'text/{}'), ('Accept', 'application/vnd.pgrst.plan;for="{}"'), ('Authorization', 'Bearer {}'), ('Authorization', '{}'), ('Cookie', '{}={}'),
           ('Origin', '{}'), ('X-Request-Id', '{}'), ('User-Agent', '{}'), ('Content-Profile', '{}'), ('X-HTTP-Method-Override', '{}'), ('apikey', '{}')]


def fine(response):
    """Rows, or a refusal in the form all have."""
    if response.status in (200, 206):
        if (response.headers['Content-Type'] or '').startswith('application/json'):
            response.json()
        return True
    response.error()
    return response.status < 500


@pytest.fixture(autouse=True)
def workers_live(stack):
    stack.wait_ready()
    before = stack.workers()
    yield
    assert stack.workers() == before, 'a worker died'


@pytest.fixture
def statements(stack):
    """Texts of all statements that the server was sent since, as they were prepared or queried."""
    before = stack.sql('SELECT @@GLOBAL.general_log, @@GLOBAL.log_output')[0]
    stack.sql("SET GLOBAL log_output = 'TABLE'")
    stack.sql('TRUNCATE TABLE mysql.general_log')
    stack.sql('SET GLOBAL general_log = ON')

    def texts():
        rows = stack.sql("SELECT command_type, argument FROM mysql.general_log WHERE command_type IN ('Prepare', 'Query', 'Execute')")
        return [(kind, argument if isinstance(argument, str) else argument.decode('utf-8', 'replace')) for kind, argument in rows]
    yield texts
    stack.sql('SET GLOBAL general_log = %s', before[0])
    stack.sql('SET GLOBAL log_output = %s', before[1])


def encoded(position, text):
    """Every byte of the text as it is meant: nothing in it may end the parameter it stands in."""
    mark = '\0'
    path = position.format(mark)
    return urllib.parse.quote(path, safe="%/?#[]@!$&'()*+,;=:-._~{}|\\^`<>").replace('%00', urllib.parse.quote(text, safe=''))


def complaint(position, text, response):
    try:
        return None if fine(response) else (position, text, response)
    except (AssertionError, ValueError) as e:
        return position, text, response, repr(e)[:200]


def check_statements(texts, mark):
    """The client's text never stands in what was prepared; where it was executed, it stands in a bound value."""
    seen = texts()
    prepared = [t for kind, t in seen if kind != 'Execute' and 'general_log' not in t]
    assert len(prepared) > 50, 'the log does not show what is prepared'
    # varchar(n): a number that was read as one and written anew.
    assert not [t for t in prepared if mark in re.sub(r'AS CHAR\(\d+\)', '', t).lower()]
    assert any(mark in t for kind, t in seen if kind == 'Execute'), 'no text arrived at all'


@pytest.mark.parametrize('wrap', [MARK + '{}', '{}' + MARK, MARK + '{}' + MARK, NUMBER + '{}'])
def test_no_text_becomes_sql(stack, statements, wrap):
    """Every hostile text in every place of the URL."""
    bad = [c for position in POSITIONS for text in HOSTILE
           if (c := complaint(position, text, stack.get(encoded(position, wrap.format(text)))))]
    assert not bad, f'{len(bad)}: {bad[:30]}'
    check_statements(statements, MARK if MARK in wrap else NUMBER)


def test_no_header_becomes_sql(stack, statements):
    bad = []
    for name, value in HEADERS:
        for text in HOSTILE:
            value_bytes = value.replace('{}', MARK + text).encode().replace(b'\r', b'').replace(b'\n', b'')
            response = stack.rq('GET', '/rest/v1/texts?select=id&ci=eq.' + MARK, [(name, value_bytes)])
            bad += [c] if (c := complaint(f'{name}: {value}', text, response)) else []
    assert not bad, f'{len(bad)}: {bad[:30]}'
    seen = [t for kind, t in statements() if kind != 'Execute' and 'general_log' not in t]
    assert seen and not [t for t in seen if MARK in t.lower()]


def test_bytes_that_are_no_utf8(stack, statements):
    """Half characters that other encodings read together with the quote behind them."""
    for raw in ('%bf%27', '%bf%5c%27', '%e5%5c%27', '%95%5c', '%c0%a7', '%e0%80%a7', '%ed%a0%bd', '%f8%88%80%80%a7', '%fe', '%80', '%c3', '%f0%9f', '%a1%27', '%81%27', '%df%22', '%df%60'):
        for position in POSITIONS:
            response = stack.get(position.format(raw + MARK))
            assert response.error()[0] in (400, 404), (raw, position, response)
    assert not [t for kind, t in statements() if MARK in t and 'general_log' not in t]


# --- records on the workers' socket ---

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT = 1, 2, 3, 4, 5, 6


def record(kind, content=b'', number=1, version=1, padding=0, length=None):
    return struct.pack('>BBHHBB', version, kind, number, len(content) if length is None else length, padding, 0) + content + b'\0' * padding


def begin(role=1, flags=0, number=1):
    return record(BEGIN, struct.pack('>HB5x', role, flags), number)


def size(n, long=False):
    return struct.pack('>I', n | 0x80000000) if long or n > 127 else bytes([n])


def pair(name, value, long=False):
    return size(len(name), long) + size(len(value), long) + name + value


def params(more=(), uri=b'/rest/v1/projects?select=id&id=eq.1', long=False):
    known = [(b'REQUEST_METHOD', b'GET'), (b'REQUEST_URI', uri), (b'SERVER_PROTOCOL', b'HTTP/1.1'), (b'REMOTE_ADDR', b'127.0.0.1'), (b'REQUEST_ID', b'x')]
    return b''.join(pair(n, v, long) for n, v in [*known, *more])


def whole(content=None, number=1, flags=0, padding=0, chunk=65535):
    content = params() if content is None else content
    parts = [record(PARAMS, content[i:i + chunk], number, padding=padding) for i in range(0, len(content), chunk)]
    return begin(1, flags, number) + b''.join(parts) + record(PARAMS, number=number) + record(STDIN, number=number)


@pytest.fixture(scope='module')
def pool(stack):
    return stack.variant({'log-level': 'warn'}, workers=2)


def talk(pool, data, seconds=5, close=True):
    """What comes back until the worker closes."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(seconds)
        s.connect(str(pool.folder / 'run/live.sock'))
        out = b''
        try:
            s.sendall(data)
            if close:
                s.shutdown(socket.SHUT_WR)
            while part := s.recv(65536):
                out += part
        except (BrokenPipeError, ConnectionResetError):
            pass
        return out


def body(answer):
    """STDOUT of an answer whose records are in order up to END_REQUEST."""
    out, at = b'', 0
    while at < len(answer):
        version, kind, number, length, padding, _ = struct.unpack_from('>BBHHBB', answer, at)
        assert version == 1 and number >= 1 and kind in (STDOUT, END), answer[:200]
        out += answer[at + 8:at + 8 + length] if kind == STDOUT else b''
        at += 8 + length + padding
    assert at == len(answer)
    return out


GOOD = b'[{"id":1}]'


@pytest.mark.parametrize('data', [
    whole(), whole(params(long=True)), whole(padding=255), whole(chunk=1), whole(chunk=7, padding=3), whole(number=65535), whole(flags=255),
    whole(params([(b'HTTP_X_%d' % i, b'y') for i in range(1000)])), whole(params([(b'A' * 70000, b'B' * 70000)])), whole(params([(b'', b'')] * 50)),
    whole(params([(b'HTTP_', b'x'), (b'HTTP_=', b'='), (b'=', b'='), (b'HTTP_A\0B', b'c\0d'), (b'\xff' * 9, b'\xff\xfe')])),
    whole(params() + pair(b'REQUEST_METHOD', b'GET')), whole() + whole(number=2), whole() + b'\xff' * 5000,
    begin() + record(PARAMS, params()) + record(PARAMS) + record(STDIN, b'x' * 60000) * 20 + record(STDIN),
], ids=lambda v: f'{len(v)} bytes')
def test_records_that_are_answered(pool, data):
    before = pool.workers()
    for _ in range(4):
        assert GOOD in body(talk(pool, data, close=False)) if len(data) < 300000 else GOOD in body(talk(pool, data))
    assert pool.workers() == before


def broken_records():
    good = whole()
    yield from (good[:n] for n in (0, 1, 7, 8, 9, 15, 16, 20, 24, 40, len(good) - 17, len(good) - 9))
    yield record(BEGIN, b'')
    yield begin(role=0)
    yield begin(role=9) + record(PARAMS)
    yield begin(role=2) + record(PARAMS, params()) + record(PARAMS)
    yield begin(role=3) + record(PARAMS, params()) + record(PARAMS)
    yield begin() + record(ABORT)
    yield begin() + record(PARAMS, params()) + record(ABORT)
    yield begin(number=1) + record(PARAMS, params(), number=2) + record(PARAMS, number=2)
    yield begin() + begin() + begin(number=2) + record(PARAMS, params()) + record(PARAMS) + record(STDIN)
    yield begin() + record(99, b'?' * 100) + record(PARAMS, params()) + record(PARAMS) + record(STDIN)
    yield record(9, pair(b'FCGI_MAX_CONNS', b''), number=0)
    yield record(9, b'\xff' * 50, number=0) + good
    yield record(77, b'x', number=0) + good
    yield begin() + record(PARAMS, params(), version=2)
    yield begin() + record(PARAMS, params(), length=65535)
    yield begin() + record(PARAMS, pair(b'A' * 100, b'')[:50]) + record(PARAMS)
    yield begin() + record(PARAMS, b'\x80\x00\x00') + record(PARAMS)
    yield begin() + record(PARAMS, b'\xff\xff\xff\xff\x00') + record(PARAMS)
    yield whole(b'')
    yield whole(params(uri=b''))
    yield whole(params(uri=b'/rest/v1/' + b'%' * 60000))
    yield whole(params(uri=b'?'))
    yield b'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
    yield b'\0' * 100000
    yield b'\xff' * 100000


def figures(pool):
    """Open descriptors and KiB of memory of each worker."""
    return {pid: (len(harness.proc(pid, 'fd').split()), int(re.search(r'VmRSS:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text())[1]))
            for pid in pool.workers()}


def grown(pool, before):
    now = figures(pool)
    memory = 0 if 'ROWGATE_SANITIZED' in os.environ else 4096
    return {pid: (before.get(pid), now[pid]) for pid in now
            if pid not in before or now[pid][0] > before[pid][0] + 1 or (memory and now[pid][1] > before[pid][1] + memory)}


def test_records_that_are_none(pool):
    """Cut short, out of order, of unknown kinds: each ends, and the worker serves on, with no descriptor more."""
    for _ in range(8):
        assert GOOD in body(talk(pool, whole(), close=False))
    before = figures(pool)
    for data in broken_records():
        for _ in range(3):
            talk(pool, data)
        assert GOOD in body(talk(pool, whole(), close=False)), data[:80]
    assert not grown(pool, before)


def test_random_records(pool):
    dice = random.Random('records')
    for _ in range(8):
        talk(pool, whole())
    before = figures(pool)
    # Lengths of several gigabytes are another test's.
    good = [whole(), whole(params([(b'HTTP_ACCEPT', b'text/csv'), (b'HTTP_RANGE', b'0-3')]), chunk=40, padding=8), whole(params(long=False), number=7) + whole()]
    for _ in range(1500):
        data = bytearray(dice.choice(good))
        for _ in range(dice.randint(1, 5)):
            at = dice.randrange(len(data))
            what = dice.random()
            if what < .5:
                data[at] = dice.choice([0, 1, 2, 5, 127, dice.randrange(128)])
            elif what < .7:
                del data[at:at + dice.randint(1, 20)]
            elif what < .9:
                data[at:at] = bytes(dice.randrange(128) for _ in range(dice.randint(1, 12)))
            else:
                data += data[:at]
        talk(pool, bytes(data))
    assert GOOD in body(talk(pool, whole(), close=False))
    assert not grown(pool, before)


def test_half_a_request_holds_no_worker(stack):
    pool = stack.variant({'log-level': 'error'}, workers=1, fresh=True)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(pool.folder / 'run/live.sock'))
        s.sendall(whole()[:20])
        time.sleep(.3)
        assert GOOD in talk(pool, whole(), seconds=8, close=False)


# --- what kills a worker ---

@pytest.mark.parametrize('accept', [
    'text/csv', 'application/json', 'application/x-ndjson'])
@pytest.mark.parametrize('select', ['id,projects(id,...clients(name))', 'id,projects(...clients(name),tasks(...projects(name)))'])
def test_spread_within_an_embed(stack, accept, select):
    pool = stack.variant({'log-level': 'error'}, workers=2)
    before = pool.workers()
    try:
        assert pool.get(f'/clients?select={select}&order=id', {'Accept': accept}).status == 200
    finally:
        wait_until(lambda: pool.get('/projects?limit=1').status == 200)
    assert pool.workers() == before


# --- what answers with something that is no answer ---

@pytest.mark.parametrize('path', [
    '/articles?body=fts.' + '(' * 31 + 'a' + ')' * 31, '/articles?body=fts.' + '(' * 11 + 'a' + ')' * 11,
    '/texts?select=ci::json', '/projects?select=name::json', '/docs?select=data->>name::jsonb', '/t_times?select=d::json', '/t_bits?select=b8::json',
    '/t_binaries?select=vb::json', '/t_geo?select=p::json', '/t_bits?select=b8::text',
], ids=lambda p: p[:50])
def test_answers_are_answers(stack, path):
    response = stack.get(path)
    assert fine(response), response


@pytest.mark.mariadb
@pytest.mark.parametrize('path', ['/t_mariadb?select=u::int', '/t_mariadb?select=i4::numeric', '/t_mariadb?select=u::bool', '/t_mariadb?select=u::date',
                                  '/t_mariadb?select=i6::float8'])
def test_casts_of_mariadbs_own_types(stack, path):
    assert stack.get(path).error() == (400, '42846')


@pytest.mark.parametrize('path', ['/t_geo?select=p::int', '/t_geo?select=p::bool', '/t_times?select=d::int', '/t_texts?select=e::int', '/t_binaries?select=vb::float8'])
def test_casts_that_make_no_sense(stack, path):
    assert stack.get(path).error() == (400, '42846')


@pytest.mark.parametrize('query, expected', [
    ('data->name=eq."one"', [1]), ('data->name=neq."one"', [2, 3]), ('data->nested=eq.{"deep":null}', [2]), ('data->name=in.("\\"one\\"")', [1]),
    ('data=eq."nothing"', []), ('data=eq.null', [7]), ('data->ok=eq.true', [1]), ('data->ok=eq."true"', []), ('data->nested->deep=eq."null"', []),
    ('data->nested->deep=neq.null', [1]), ('data->name=neq.5', [1, 2, 3]), ('data->list=neq.5', [1, 2]), ('data->name=isdistinct."one"', [2, 3, 4, 5, 6, 7]),
    ('data=eq.[10, 20,30.0]', [5]), ('data->name=eq."one "', []), ('data->name=eq."\\u006fne"', [1]), ('data->age=eq(any).{10,9.0}', [1, 2]),
    ('data->name=not.in.("\\"one\\"")', [2, 3]), ('data->age=gt(all).{8,9}', [1, 3]), ('data->name=gt.5', [1, 2, 3]), ('data->ok=lt.true', [2]),
    ('data->list=gt."x"', [1, 2]), ('data->list->2=eq.{"k" : "v"}', [1]),
])
def test_json_compares_as_json(stack, query, expected):
    assert harness.ids(stack.get('/docs?select=id&order=id&' + query)) == expected


@pytest.mark.parametrize('query, expected', [
    ('latin=eq.日本', []), ('latin=neq.日&id=lt.3', [1, 2]), ('latin=in.(日,x)', [13]), ('latin=not.in.(日)&id=lt.3', [1, 2]), ('latin=match.日', []),
    ('latin=imatch.日|^ALPHA$', [1, 2]), ('latin=isdistinct.日&id=gt.15', [16, 17]), ('latin=gt(any).{日}', []), ('latin=lt(all).{日,b}&id=lt.3', [1, 2]),
    ('latin=like.日*', []), ('latin=ilike(any).{日,X}', [13]), ('latin=eq.ÄLPHA', [3]), ('latin=eq.€', []),
])
def test_characters_a_column_cannot_hold(stack, query, expected):
    assert harness.ids(stack.get('/texts?select=id&order=id&' + query)) == expected


def test_nested_searches(stack):
    assert harness.ids(stack.get('/articles?select=id&order=id&body=fts.' + '(' * 10 + 'fat|cats' + ')' * 10)) == [3, 5]
    assert harness.ids(stack.get('/articles?select=id&order=id&body=fts.' + '((x|' * 5 + 'fat|cats' + '))' * 5)) == [3, 5]
    assert stack.get('/articles?select=id&body=fts.' + '(' * 11 + 'a' + ')' * 11).error() == (400, '42601')


def test_quoted_members_of_an_array(stack):
    assert stack.get('/docs?select=id&tags=cs.{"a,b"}').rows() == []


@pytest.mark.parametrize('path', ['/t_numbers?select=d::int2&id=eq.2', '/t_ints?select=biu::int8&id=eq.2', '/t_ints?select=bi::int4&id=eq.4'])
def test_casts_keep_their_range(stack, path):
    assert stack.get(path).error() == (400, '22003')


@pytest.mark.parametrize('cast', ['int', 'numeric', 'numeric(5,2)', 'float8', 'bool', 'date', 'time', 'timestamp'])
def test_texts_that_are_no_such_value(stack, cast):
    assert stack.get(f'/texts?select=ci::{cast}&id=eq.1').error() == (400, '22P02')
    assert stack.get(f'/texts?select=ci::{cast}&id=eq.12').rows() == [{'ci': None}]


@pytest.mark.parametrize('query', ['ts=in.(2020-01-31T15:00:00,2000-01-01T00:00:00Z)', 'ts=gte(all).{2020-01-31T15:00:00,2000-01-01T00:00:00Z}'])
def test_each_literal_has_its_own_zone(stack, query):
    assert harness.ids(stack.get('/t_times?select=id&' + query, {'Prefer': 'timezone=+05:00'})) == [1]


@pytest.mark.parametrize('page', ['projects.limit=0', 'projects.offset=1'])
def test_a_page_of_an_aggregate_without_groups(stack, page):
    assert stack.get('/clients?select=id,projects(count())&id=eq.1&' + page).rows() == [{'id': 1, 'projects': []}]


# --- what costs ---

def resident(pool):
    return sum(int(re.search(r'VmRSS:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text())[1]) for pid in pool.workers()) // 1024


class Peak:
    """The most memory (MiB) the workers had while it was open."""

    def __init__(self, pool):
        self.pool, self.most, self.done = pool, 0, threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.done.wait(.005):
            try:
                self.most = max(self.most, resident(self.pool))
            except (OSError, TypeError):
                continue

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


@pytest.fixture(scope='module')
def costly(stack):
    """100 rows that hang on one; a text of 16 KB."""
    stack.sql('CREATE TABLE spec.cost_one (id INT PRIMARY KEY)')
    stack.sql('CREATE TABLE spec.cost_many (id INT PRIMARY KEY, word VARCHAR(60), one_id INT, FOREIGN KEY (one_id) REFERENCES spec.cost_one (id))')
    stack.sql('CREATE TABLE spec.cost_text (id INT PRIMARY KEY, x TEXT)')
    stack.sql('INSERT INTO spec.cost_one VALUES (1)')
    stack.sql("INSERT INTO spec.cost_many SELECT id, REPEAT('w', 60), 1 FROM spec.big_items WHERE id <= 100")
    stack.sql("INSERT INTO spec.cost_text VALUES (1, REPEAT('x', 16000))")
    for name in ('one', 'many', 'text'):
        stack.sql(f'GRANT SELECT ON spec.cost_{name} TO anon')
    made = stack.variant({'log-level': 'error'}, workers=1)
    assert wait_until(lambda: all(made.get(f'/cost_{name}?limit=1').status == 200 for name in ('one', 'many', 'text')))
    yield made
    for name in ('many', 'one', 'text'):
        stack.sql(f'DROP TABLE spec.cost_{name}')


@sanitized
def test_embeds_there_and_back(costly):
    """100 rows to the third power, 70 MB of answer out of 101 rows."""
    with Peak(costly) as peak:
        response = costly.get('/cost_one?select=cost_many(cost_one(cost_many(cost_one(cost_many(word)))))')
    assert response.status >= 400 or peak.most < 40


@sanitized
@pytest.mark.mariadb
def test_kept_statements_keep_no_memory(costly):
    before = resident(costly)
    for i in range(6):
        costly.get('/cost_text?select=' + ','.join(f'a{k}:x' for k in range(3900)) + f'&id=lt.{i + 2}&' + '&'.join(['id=lt.9'] * i))
    assert resident(costly) - before < 60


@sanitized
@pytest.mark.mariadb
def test_a_column_many_times(costly):
    with Peak(costly) as peak:
        response = costly.get('/cost_text?select=' + ','.join(f'a{k}:x' for k in range(3900)))
    assert response.status >= 400 or peak.most < 60


@pytest.mark.parametrize('path, least', [
    ('/projects?select=id,' + ','.join(f'a{i}:clients(id)' for i in range(2500)), 1), ('/clients?select=' + 'projects(clients(' * 6 + 'id' + '))' * 6, 1),
    ('/clients?select=id,p:projects(id)&or=(' + ','.join(['p.is.null'] * 2000) + ')', 1), ('/clients?select=id,' + ','.join(f'a{i}:projects!inner(id)' for i in range(500)), 1),
    ('/projects?order=' + ','.join(['name.desc'] * 4000), 1), ('/texts?select=id&ci=match.^(([a-z])%2B.)%2B[A-Z]([a-z])%2B$', 0),
    ('/big_items?select=id&limit=1&word=match.(.*)*(.*)*(.*)*(.*)*1', 0), ('/big_items?select=id&limit=1&word=like.' + '*a' * 28 + '*1', 0),
    ('/big_items?select=id&limit=1&word=ilike.' + '*_' * 5000 + '*1', 0), ('/docs?' + '&'.join(['data->0->0->0->0->0->0->0->0->>0=eq.1'] * 1000), 0),
    ('/texts?select=id&ci=in.(' + ','.join(f'x{i}' for i in range(8000)) + ')', 0), ('/articles?body=wfts.' + 'or+' * 15000, 0), ('/articles?body=fts.' + '!' * 50000 + 'a', 0),
], ids=lambda v: v[:40] if isinstance(v, str) else '')
def test_dear_queries_end(stack, path, least):
    """Each is answered, or refused, within the time a statement has."""
    begun = time.monotonic()
    response = stack.get(path)
    assert time.monotonic() - begun < 12
    assert fine(response) or response.status == 504
    assert response.status != 200 or len(response.json()) >= least


def test_one_deadline_for_all_statements_of_a_request(stack):
    """Counting, the page and the embeds together do not take longer than one statement may."""
    get = stack.variant({'db-statement-timeout': '1000'}, workers=1).get
    for path in ('/heavy?n=gt.0&offset=1', '/slow_items?select=id,s&s=eq.0', '/slow_items?select=id,s&s=eq.0&order=id.desc&limit=9&offset=1'):
        begun = time.monotonic()
        assert get(path, {'Prefer': 'count=exact'}).error() == (504, '57014')
        assert time.monotonic() - begun < 2.5


def connect(stack):
    address = urllib.parse.urlsplit(stack.url)
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(20)
    raw.connect((address.hostname, address.port))
    return ssl.create_default_context(cafile=stack.ca).wrap_socket(raw, server_hostname='127.0.0.1')


def test_readers_that_stop_hold_no_worker(stack):
    """Ten clients ask for 30 MB and read nothing."""
    pool = stack.variant({'log-level': 'error'}, workers=1)
    clients = [connect(pool) for _ in range(10)]
    try:
        for c in clients:
            c.sendall(b'GET /rest/v1/big_items HTTP/1.1\r\nHost: x\r\n\r\n')
        time.sleep(1)
        begun = time.monotonic()
        assert pool.get('/projects?limit=1').status == 200
        assert time.monotonic() - begun < 20
    finally:
        for c in clients:
            c.close()
    assert wait_until(lambda: not stack.queries('big_items'), 10)


@pytest.mark.parametrize('options, status', [
    (['-H', 'Accept-Profile: spec2', '-H', 'Accept-Profile: spec'], '404'), (['-H', 'Cookie: ' + 'a=1;' * 3000], '200'), (['-X', 'TRACE'], '405'),
    (['-H', 'Content-Length: 5'], '400'), (['-H', 'authorization: Bearer ' + 'x' * 65000], '431'), (['-H', 'Range: 1-0'], '416'),
    (['-H', 'authorization: Bearer a', '-H', 'authorization: Bearer b'], '400'), ([x for i in range(300) for x in ('-H', f'X-{i}: 1')], '431'),
], ids=lambda v: v[1][:20] if isinstance(v, list) else '')
def test_http_2(stack, options, status):
    done = subprocess.run(['curl', '-sS', '--http2', '-m', '20', '--noproxy', '*', '--cacert', stack.ca, '-w', '\n%{http_code} %{http_version}', *options,
                           stack.url + '/rest/v1/projects?select=id&limit=1'], capture_output=True, text=True)
    text, _, info = done.stdout.rpartition('\n')
    assert info == status + ' 2'
    if status != '200':
        assert sorted(json.loads(text)) == ['code', 'details', 'hint', 'message']


# --- requests that try to be read as something else; what they are worth ---

def lone(stack, request, seconds=15):
    """The whole answer to one request on a connection of its own, as bytes."""
    address = urllib.parse.urlsplit(stack.url)
    with socket.create_connection((address.hostname, address.port), timeout=seconds) as raw:
        with ssl.create_default_context(cafile=stack.ca).wrap_socket(raw, server_hostname='127.0.0.1') as tls:
            tls.sendall(request)
            answer = b''
            while piece := tls.recv(65536):
                answer += piece
    return answer


def line_and_body(answer):
    head, _, body = answer.partition(b'\r\n\r\n')
    return int(head.split(b' ', 2)[1]), body


ONE = [{'id': 1}]
NAMES = [
    # encoded once is decoded once; no other letter, mark or form is the letter
    ('/%70rojects?%73elect=%69%64&id=eq.1', ONE), ('/%2570rojects?select=id', (404, 'PGRST205')), ('/PROJECTS?select=id', (404, 'PGRST205')),
    ('/%EF%BC%B0rojects?select=id', (404, 'PGRST205')), ('/projects%E2%80%8B?select=id', (404, 'PGRST205')), ('/projects%EF%BB%BF?select=id', (404, 'PGRST205')),
    ('/projects%20?select=id', (404, 'PGRST205')), ('/projects%0d%0aX:1?select=id', (404, 'PGRST205')), ('/projects%3Fselect=id', (404, 'PGRST205')),
    ('/projects/../projects?select=id', (404, 'PGRST125')), ('/projects;a=b?select=id', (404, 'PGRST205')), ('/%c3%28', (400, 'PGRST100')),
    ('/projects?select=na%EF%BD%8De', (400, '42703')), ('/projects?%C4%B0d=eq.1', (400, '42703')), ('/projects?id%CC%81=eq.1', (400, '42703')),
    # nor is any other digit the digit
    ('/projects?select=id&id=eq.%D9%A1', (400, '22P02')), ('/projects?select=id&id=in.(%EF%BC%91)', (400, '22P02')), ('/projects?select=id&id=eq.%2531', (400, '22P02')),
    ('/projects?select=id&id=eq.0x1', (400, '22P02')), ('/projects?select=id&id=eq.1e0', (400, '22P02')), ('/projects?limit=%2B1', (400, 'PGRST100')), ('/projects?limit=1%00', (400, 'PGRST100')),
    # twice the same
    ('/projects?select=id&select=name&id=eq.1', ONE), ('/projects?select=id&id=eq.1&id=eq.2', []), ('/projects?id=eq.1&select=id&limit=1&limit=99999999999999999999', (400, 'PGRST100')),
    ('/projects?select=id&&&&&id=eq.1&', ONE), ('/projects?=&=&=', (400, 'PGRST100')), ('/projects?select=clients!inner!left!inner(id)&id=eq.5', []),
    # deep, and wide
    ('/projects?select=' + 'clients(' * 3000, (400, 'PGRST100')), ('/projects?or=' + '(' * 3000, (400, 'PGRST100')), ('/projects?id=in.' + '(' * 3000, (400, None)),
    ('/projects?select=id&' + '&'.join(f'id=neq.{i}' for i in range(2, 4000)), ONE), ('/projects?' + '&'.join(f'x{i}=eq.1' for i in range(4000)), (400, '42703')),
    # SQL's own ways to say it
    ('/projects?select=id::int;drop', (400, '42704')), ('/projects?select=id::int4[]', (400, '42704')), ('/projects?select=sum(id)', (400, 'PGRST200')),
    ('/projects?select=clients!%60(id)', (400, 'PGRST200')), ('/projects?"i""d"=eq.1', (400, 'PGRST100')), ('/projects?select=id.sum().sum()', (400, 'PGRST100')),
    ('/projects?name=match.' + '(' * 500, (400, '2201B')), ('/projects?name=imatch.(?{1})', (400, '2201B')),
]


@pytest.mark.parametrize('path, expected', NAMES, ids=lambda v: v[:50] if isinstance(v, str) else '')
def test_what_is_written_is_what_is_meant(stack, path, expected):
    response = stack.get(path)
    if isinstance(expected, list):
        assert response.rows() == expected
    else:
        status, code = response.error()
        assert status == expected[0] and code == (expected[1] or code)


@pytest.mark.parametrize('header, status', [
    ('Accept-Profile: SPEC', 406), ('Accept-Profile: spec\xa0', 406), ('Accept-Profile: `spec`', 406), ('Accept-Profile: mysql', 406), ('Accept-Profile: information_schema', 406),
    ('Accept-Profile: rowgate', 406), ('Accept-Profile: ' + 's' * 9000, 406), ('Prefer: ' + 'count=exact,' * 2000, 200), ('Prefer: timezone=\x80\xff', 400), ('Prefer: max-affected=-1', 200),
    ('Prefer: handling=strict,' + ','.join(f'p{i}' for i in range(500)), 400), ('Accept: ' + 'a/b,' * 3000, 406), ('Accept: */*;q=nan', 200), ('Accept: application/vnd.pgrst.plan;for="', 406),
    ('Range: 99999999999999999999-', 200), ('Range: 0-99999999999999999999', 200), ('Range: bytes=0-0', 200), ('Authorization: Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.', 401),
    ('Authorization: Bearer ..', 401), ('X-HTTP-Method-Override: DELETE', 200), ('X-Original-URL: /metrics', 200), ('Status: 500', 200), ('REMOTE_USER: root', 200), ('Proxy: http://evil', 200),
    ('Content-Length: 5\r\nTransfer-Encoding: chunked', 400), ('Transfer-Encoding: gzip, chunked', 501), ('Host: y', 400), ('Foo Bar: 1', 400), (': x', 400), ('Expect: 100-continue', 100),
], ids=lambda v: v[:40] if isinstance(v, str) else '')
def test_headers_are_no_more_than_they_are(stack, header, status):
    found, body = line_and_body(lone(stack, b'GET /rest/v1/projects?select=id&id=eq.1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n' + header.encode('latin1') + b'\r\n\r\n'))
    assert found == status
    if status == 200:
        assert json.loads(body) == ONE
    elif status > 200:
        assert sorted(json.loads(body)) == ['code', 'details', 'hint', 'message']


def test_a_second_request_within_the_first_is_not_answered(stack):
    """Request smuggling: whatever two readers could take for a second request is a refusal, or nothing."""
    inner = b'GET /rest/v1/private_things HTTP/1.1\r\nHost: x\r\n\r\n'
    for headers in (b'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', b'Content-Length: 0\r\nContent-Length: 5\r\n', b'Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n',
                    b'Content-Length: %d\r\n' % len(inner)):
        answer = lone(stack, b'GET /rest/v1/projects?select=id&id=eq.1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n' + headers + b'\r\n' + inner)
        assert answer.count(b'HTTP/1.1 ') == 1 and b'private_things' not in answer


def h2_frame(kind, flags, stream, payload=b''):
    return struct.pack('>I', len(payload))[1:] + bytes([kind, flags]) + struct.pack('>I', stream) + payload


def h2_header(name, value):
    """A literal of less than 127 bytes, never indexed."""
    return b'\x10' + bytes([len(name)]) + name + bytes([len(value)]) + value


def test_http_2_streams_that_are_reset_at_once(stack):
    """A client opens 300 streams and takes each back: others are served, and no query of theirs goes on."""
    address = urllib.parse.urlsplit(stack.url)
    context = ssl.create_default_context(cafile=stack.ca)
    context.set_alpn_protocols(['h2'])
    headers = b''.join(h2_header(*pair) for pair in ((b':method', b'GET'), (b':scheme', b'https'), (b':authority', b'x'), (b':path', b'/rest/v1/slow_items?select=id,s')))
    with context.wrap_socket(socket.create_connection((address.hostname, address.port), timeout=20), server_hostname='127.0.0.1') as tls:
        assert tls.selected_alpn_protocol() == 'h2'
        tls.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + h2_frame(4, 0, 0))
        try:
            for i in range(300):
                tls.sendall(h2_frame(1, 5, 2 * i + 1, headers) + h2_frame(3, 0, 2 * i + 1, struct.pack('>I', 8)))
        except OSError:
            pass  # nginx may have had enough of it
        assert stack.get('/projects?select=id&id=eq.1').rows() == ONE
        assert wait_until(lambda: not stack.queries('slow_items'), 60)
