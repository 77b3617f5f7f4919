"""
Bodies that are damaged, lie about themselves or mean harm: each a status and a code, the table as it was, the workers alive.
Those that come past nginx are spoken on the workers' own socket.
"""
import gzip
import json
import os
import random
import socket
import ssl
import time
import urllib.parse
import zlib

import pytest

from test_hostile import PARAMS, STDIN, begin, body, pair, record, talk

ROWS = int(os.environ.get('ROWGATE_ROWS', '200000'))
ITEMS = [(1, 'one', 10)]
JSON, CSV, NDJSON, FORM, OCTETS = 'application/json', 'text/csv', 'application/x-ndjson', 'application/x-www-form-urlencoded', 'application/octet-stream'


@pytest.fixture(autouse=True)
def workers_live(stack):
    stack.wait_ready()
    before = stack.workers()
    yield
    assert stack.workers() == before, 'a worker died'


@pytest.fixture
def w(stack):
    stack.sql('DELETE FROM spec.w_kid')
    stack.sql('DELETE FROM spec.w_keyless')
    stack.sql('DELETE FROM spec.w_item')
    stack.sql("INSERT INTO spec.w_item (id, name, n) VALUES (1, 'one', 10)")

    def ask(method, path, data=None, kind=JSON, on=stack, **headers):
        headers = {'Content-Type': kind, **{k.replace('_', '-'): v for k, v in headers.items()}}
        return on.rq(method, '/rest/v1' + path, headers, data, stack.token('service_role'))
    ask.items = lambda: list(stack.sql('SELECT id, name, n FROM spec.w_item ORDER BY id'))
    return ask


# ---- JSON ----

BAD_JSON = [
    # grammar
    '', ' ', '{', '[', '{"name"', '{"name":', '{"name":"a"', '{"name":"a",}', '[{"name":"a"},]', '[,]', '{,}', "{'name':'a'}", '{name:"a"}', '{"name":"a"}}', '[{"name":"a"}]]', '{"name":"a"} x',
    '{"name":"a"}{"name":"b"}', '[{"name":"a"}{"name":"b"}]', '[{"name":"a"},,{"name":"b"}]', '{"name":"a" "n":1}', '{"name"::"a"}', '{"name":"a"}//', '/* */{"name":"a"}', '"name"', '1', 'true', 'null',
    '[null]', '[1]', '[[]]', '[[{"name":"a"}]]', '[{"name":"a"},1]', '{"name":tru}', '{"name":TRUE}', '{"name":undefined}', '{"name":"a\nb"}', '{"name":"a\tb"}', '{"name":"\\x"}', '{"name":"\\u12"}',
    # numbers that are none
    '{"name":"a","n":NaN}', '{"name":"a","n":nan}', '{"name":"a","n":Infinity}', '{"name":"a","n":-Infinity}', '{"name":"a","n":01}', '{"name":"a","n":+1}', '{"name":"a","n":.5}', '{"name":"a","n":1.}',
    '{"name":"a","n":1e}', '{"name":"a","n":0x10}', '{"name":"a","n":1_000}', '{"name":"a","n":--1}', '{"name":"a","n":' + '9' * 200 + '}',
    # texts
    b'{"name":"\xff"}', b'{"name":"\xc0\x80"}', b'{"name":"\xed\xa0\x80"}', b'{"name":"\xf4\x90\x80\x80"}', b'{"name":"\xe2\x82"}', b'{"\xff":1}', b'\xff\xfe{\x00}\x00', '{"name":"\\ud800"}',
    '{"name":"\\udc00"}', '{"name":"\\ud800\\ud800"}', '{"name":"\\udc00\\ud800"}', '{"name":"a\\u0000b"}', b'{"name":"a\0b"}', b'{"name":"a"}\0', b'\0', '{"na\\u0000me":"a"}',
    # the same key twice
    '{"name":"a","name":"b"}', '{"name":"a","n\\u0061me":"b"}', '{"data":{"a":1,"a":2},"name":"a"}',
    # nesting
    '{"name":"a","data":' + '[' * 100 + ']' * 100 + '}', '[' * 100000, '{"a":' * 100000, '[' * 100000 + ']' * 100000, '{"name":"a","data":' + '{"a":' * 100 + '1' + '}' * 101,
]


@pytest.mark.parametrize('text', BAD_JSON, ids=lambda t: repr(t)[:40])
def test_bad_json(w, text):
    for method, path in (('POST', '/w_item'), ('PATCH', '/w_item?id=eq.1'), ('POST', '/w_item?columns=name,n')):
        response = w(method, path, text)
        assert response.error() == (400, 'PGRST102'), (method, response)
        assert response.json()['message'] == 'Empty or invalid json' and response.json()['details']
        assert w.items() == ITEMS


@pytest.mark.parametrize('text', BAD_JSON, ids=lambda t: repr(t)[:40])
def test_bad_json_behind_good_rows(w, text):
    """NDJSON says which line; nothing of the lines before stays."""
    text = text if isinstance(text, bytes) else text.encode()
    if not text.strip() or text == b'{"name":"a"}{"name":"b"}':
        return
    good = b''.join(b'{"name":"r%d"}\n' % i for i in range(1200))
    response = w('POST', '/w_item', good + text, NDJSON)
    assert response.error()[0] == 400 and response.error()[1] in ('PGRST102', '22P02', '22003', 'PGRST204'), response
    assert w.items() == ITEMS


@pytest.mark.parametrize('text, code', [
    ('{"name":"a","n":1e999}', None), ('{"name":"a","n":1e3}', None), ('{"name":"a","n":99999999999999999999}', '22003'), ('{"name":"a","n":-2147483649}', '22003'), ('{"name":"a","n":0.5}', '22P02'),
    ('{"name":"a","price":1e400}', None), ('{"name":"a","price":123456789}', '22003'), ('{"name":"a","n":"NaN"}', '22P02'), ('{"name":"a","price":"Infinity"}', '22P02'), ('{"name":"a","price":"NaN"}', '22P02'),
    ('{"name":"a","n":""}', '22P02'), ('{"name":"a","flag":"maybe"}', '22P02'), ('{"name":"a","flag":[]}', '22P02'), ('{"name":"a","day":"2024-02-30"}', '22008'), ('{"name":"a","nonesuch":1}', 'PGRST204'), ('{"":1}', 'PGRST204'),
    ('{"name":"a","NAME":"b"}', None), ('{"name":["a"]}', None), ('{"name":"aaaaaaaaaaaaaaaa"}', '22001'), ('{"name":"a","twice":1}', '428C9'),
], ids=str)
def test_rows_that_do_not_fit(w, text, code):
    response = w('POST', '/w_item', text)
    if code is None and response.status == 201:
        return
    assert response.error()[0] == 400 and code in (None, response.error()[1]), response
    assert w.items() == ITEMS


# ---- CSV ----

BAD_CSV = [
    b'', b'\n', b'\n\n\n', b'\xef\xbb\xbf', b'name,n\na\n', b'name,n\na,1,2\n', b'name,n\na,1\n\nb\n', b'name\n"a', b'name\n"a"b\n', b'name\na"b\n', b'name\n"a""\n', b'name,name\na,b\n', b'name,n\n"a,1\n',
    b'name\n\xff\n', b'name\n\xed\xa0\x80\n', b'name\na\0b\n', b'\0', b'na\0me\na\n', b'\xff\na\n', b'\xff\xfen\0a\0', b'name\r\n"a\r\nb', b'name,' * 5000 + b'n\n', b'name,n\n' + b',' * 5000 + b'\n', b'"name\n', b'name,n\r1,2\r',
    b'"', b'name\ra\r', b'name;n\na;1\n',
]


@pytest.mark.parametrize('text', BAD_CSV, ids=lambda t: repr(t)[:40])
def test_bad_csv(w, text):
    response = w('POST', '/w_item', text, CSV)
    assert response.error()[0] == 400 and response.error()[1] in ('PGRST102', 'PGRST204'), response
    assert w.items() == ITEMS


@pytest.mark.parametrize('kind', ['text/csv; delimiter="ab"', 'text/csv; delimiter=""', 'text/csv; delimiter="\\""', 'text/csv; charset=utf-16', 'text/csv; charset=latin1', 'text/csv; delimiter="é"'])
def test_bad_csv_parameters(w, kind):
    assert w('POST', '/w_item', 'name\na\n', kind.encode().decode('latin-1')).error() == (400, 'PGRST102')
    assert w.items() == ITEMS


# ---- forms, types, packings ----

@pytest.mark.parametrize('text', [b'name=%', b'name=%f', b'name=%zz', b'name=%ff', b'name=%00', b'name=%ed%a0%80', b'%ff=1', b'name=\xff'])
def test_bad_forms(w, text):
    assert w('POST', '/w_item', text, FORM).error() == (400, 'PGRST102')
    assert w.items() == ITEMS


@pytest.mark.parametrize('kind', ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'image/png', 'application', '/', ';', 'application/json/x', '*/*', 'x' * 2000, "application/json'", 'text/csv/'])
def test_unknown_types(w, kind):
    response = w('POST', '/w_item', '{"name":"a"}', kind)
    assert response.error() == (400, 'PGRST102') and 'Content-Type not acceptable' in response.json()['message']
    assert w.items() == ITEMS


@pytest.mark.parametrize('encoding', ['br', 'deflate', 'zstd', 'compress', 'gzip, gzip', 'gzip,br', '*', 'x' * 2000, 'gzip;q=1'])
def test_unknown_encodings(w, encoding):
    response = w('POST', '/w_item', '{"name":"a"}', Content_Encoding=encoding)
    assert response.error() == (415, 'PGRST102') and response.json()['hint']
    assert w.items() == ITEMS


def gzip_cases():
    good = gzip.compress(json.dumps([{'name': f'r{i}'} for i in range(300)]).encode())
    yield from (good[:n] for n in (0, 1, 5, 10, 11, len(good) // 2, len(good) - 8, len(good) - 1))
    for at in (0, 1, 2, len(good) // 2, len(good) - 8, len(good) - 4):
        yield good[:at] + bytes([good[at] ^ 0xff]) + good[at + 1:]
    yield from (good + b'x', good + b'\0' * 20, b'{"name":"a"}', zlib.compress(b'{"name":"a"}'), b'\x1f\x8b' * 5000, good + good[:20])


@pytest.mark.parametrize('data', gzip_cases(), ids=lambda d: f'{len(d)}-{zlib.crc32(d):x}')
def test_bad_gzip(w, data):
    response = w('POST', '/w_item', data, Content_Encoding='gzip')
    assert response.error() == (400, 'PGRST102'), response
    assert w.items() == ITEMS


def bomb(unit, megabytes):
    packer = zlib.compressobj(9, wbits=31)
    block = unit * (1048576 // len(unit))
    return b''.join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


def test_gzip_bombs(stack, w):
    # One row that never ends: a row's limit.
    for head, kind in ((b'{"name":"', JSON), (b'', CSV), (b'name=', FORM), (b'', OCTETS)):
        path = '/w_file?columns=data' if kind == OCTETS else '/w_item'
        data = gzip.compress(head) + bomb(b'a', 200)
        begun = time.monotonic()
        response = w('POST', path, data, kind, Content_Encoding='gzip')
        assert response.error() == (413, '54000') and time.monotonic() - begun < 20, (kind, response)
    # Many rows: the body's.
    small = stack.variant({'max-body-size': '1000000'})
    for unit, kind in ((b'{"a":1}\n', NDJSON), (b' ', JSON), (b'\n', NDJSON)):
        response = w('POST', '/w_keyless', bomb(unit, 30), kind, on=small, Content_Encoding='gzip')
        assert response.error() == (413, '54000'), (kind, response)
    assert stack.sql('SELECT COUNT(*) FROM spec.w_keyless WHERE b IS NULL AND a = 1') == ((0,),)
    assert w('POST', '/w_item', b' ' * 999990 + b'{"name":"a"}', on=small).error() == (413, '54000')
    assert w.items() == ITEMS
    assert w('POST', '/w_item', b' ' * 900000 + b'{"name":"a"}', on=small).status == 201


# ---- a late row ----

def many(kind, last, row):
    if kind == CSV:
        return ('id,item_id\n' + ''.join(f'{i},1\n' for i in range(ROWS)) + last).encode()
    text = ''.join(row % i for i in range(ROWS)) + last
    return text.encode() if kind == NDJSON else ('[' + text.replace('}\n', '},\n').rstrip(',\n') + ']').encode()


@pytest.mark.parametrize('kind', [CSV, NDJSON, JSON])
@pytest.mark.parametrize('what', ['duplicate', 'foreign key', 'type', 'syntax'])
def test_a_row_that_fails_after_many(stack, w, kind, what):
    """Found by the database, by the check of values, by the parser: nothing stays."""
    last = {'duplicate': (7, 1), 'foreign key': (-1, 99), 'type': (-1, '"x"'), 'syntax': (-1, None)}[what]
    if kind == CSV:
        text = f'{last[0]}\n' if last[1] is None else f'{last[0]},{last[1]}\n'
    else:
        text = json.dumps({'id': last[0]})[:-1] + ', "item_id": ' + ('}\n' if last[1] is None else f'{last[1]}}}\n')
    response = w('POST', '/w_kid', many(kind, text, '{"id":%d,"item_id":1}\n'), kind)
    expected = {'duplicate': (409, '23505'), 'foreign key': (409, '23503'), 'type': (400, '22P02'), 'syntax': (400, 'PGRST102')}[what]
    assert response.error() == expected, response
    if what in ('type', 'syntax'):
        assert str(ROWS + (2 if kind == CSV else 1)) in response.json()['details'] or str(ROWS + 1) in response.json()['details'], response
    assert stack.sql('SELECT COUNT(*) FROM spec.w_kid') == ((0,),)


# ---- bodies that stop half way, and lengths that lie: through nginx ----

def raw(stack, data, wait=5.0, linger=0.0):
    """The answer to bytes, after which the client is silent, or leaves."""
    address = urllib.parse.urlsplit(stack.url)
    context = ssl.create_default_context(cafile=stack.ca)
    with context.wrap_socket(socket.create_connection((address.hostname, address.port)), server_hostname=address.hostname) as s:
        s.settimeout(wait)
        s.sendall(data)
        if linger:
            time.sleep(linger)
            return b''
        out = b''
        try:
            while part := s.recv(65536):
                out += part
        except (TimeoutError, OSError):
            pass
        return out


def head(stack, *more):
    lines = ['POST /rest/v1/w_item HTTP/1.1', 'Host: x', f'Authorization: Bearer {stack.token("service_role")}', 'Content-Type: application/json', 'Connection: close', *more]
    return ('\r\n'.join(lines) + '\r\n\r\n').encode()


def test_the_client_leaves_half_way(stack, w):
    text = json.dumps([{'name': f'r{i}'} for i in range(20000)]).encode()
    for sent in (0, 1, 100, len(text) // 2, len(text) - 1):
        raw(stack, head(stack, f'Content-Length: {len(text)}') + text[:sent], linger=.1)
    time.sleep(.5)
    assert w.items() == ITEMS


def test_lengths_that_lie_to_nginx(stack, w):
    text = b'{"name":"a"}'
    assert b' 400 ' in raw(stack, head(stack, 'Content-Length: 5') + text).split(b'\r\n')[0]
    for bad in ('-1', 'x', '1x', '0x10', '99999999999999999999', '12, 12', ''):
        assert b' 400 ' in raw(stack, head(stack, f'Content-Length: {bad}') + text).split(b'\r\n')[0], bad
    assert b' 413 ' in raw(stack, head(stack, 'Content-Length: 99999999999') + text).split(b'\r\n')[0]
    assert b' 400 ' in raw(stack, head(stack, 'Content-Length: 12', 'Content-Length: 13') + text).split(b'\r\n')[0]
    assert b' 400 ' in raw(stack, head(stack, 'Content-Length: 12', 'Transfer-Encoding: chunked') + text).split(b'\r\n')[0]
    assert w.items() == ITEMS


def test_chunked(stack, w):
    def chunked(*parts):
        return head(stack, 'Transfer-Encoding: chunked') + b''.join(b'%x\r\n%s\r\n' % (len(p), p) for p in parts)
    for bad in (b'zz\r\n{}\r\n0\r\n\r\n', b'-1\r\n\r\n', b'ffffffffffffffffff\r\n'):
        assert b' 400 ' in raw(stack, head(stack, 'Transfer-Encoding: chunked') + bad).split(b'\r\n')[0], bad
    raw(stack, chunked(b'{"name":"half"}'), linger=.1)
    assert w.items() == ITEMS
    assert b' 201 ' in raw(stack, chunked(b'{"na', b'me":"b', b'"}', b'')).split(b'\r\n')[0]
    assert [i[1] for i in w.items()] == ['one', 'b']


# ---- the same on the workers' socket ----

@pytest.fixture(scope='module')
def pool(stack):
    return stack.variant({'log-level': 'error'}, workers=2)


def fcgi(stack, method, path, data, length, kind=JSON, end=True, chunk=60000):
    known = [(b'REQUEST_METHOD', method.encode()), (b'REQUEST_URI', b'/rest/v1' + path.encode()), (b'REMOTE_ADDR', b'127.0.0.1'), (b'REQUEST_ID', b'x'),
             (b'CONTENT_TYPE', kind.encode()), (b'HTTP_AUTHORIZATION', b'Bearer ' + stack.token('service_role').encode())]
    if length is not None:
        known.append((b'CONTENT_LENGTH', str(length).encode()))
    content = b''.join(pair(n, v, True) for n, v in known)
    out = begin() + record(PARAMS, content) + record(PARAMS)
    out += b''.join(record(STDIN, data[i:i + chunk]) for i in range(0, len(data), chunk))
    return out + (record(STDIN) if end else b'')


def told(answer):
    """(status, code) of an answer on the socket."""
    head_, _, text = body(answer).partition(b'\r\n\r\n')
    status = int(head_.split(b'Status: ')[1][:3])
    return status, json.loads(text)['code'] if text else None


ARRAY = json.dumps([{'name': f'r{i}'} for i in range(2000)]).encode()


@pytest.mark.parametrize('method, path', [('POST', '/w_item'), ('PATCH', '/w_item?id=eq.1')])
@pytest.mark.parametrize('data, length, expected', [
    (ARRAY, len(ARRAY) + 1, (400, 'PGRST102')), (ARRAY, len(ARRAY) * 10, (400, 'PGRST102')), (ARRAY, 2**63, (400, 'PGRST102')), (ARRAY[:20000], len(ARRAY), (400, 'PGRST102')),
    (b'', 10, (400, 'PGRST102')), (b'{"name":"x"}', 5, (400, 'PGRST102')), (b'{"name":"x"}', 0, (400, 'PGRST102')), (b'{"name":"x"}', None, (400, 'PGRST102')), (b'{"name":"x"}', 'x', (400, 'PGRST102')),
    (b'{"name":"x"}', -1, (400, 'PGRST102')), (b'{"name":"x"}', 10**30, (400, 'PGRST102')), (b'{"name":"x"},', 12, None), (b'{"name":"x"}' + b'y' * 300000, 12, None),
    (b'[{"name":"x"},{"name":"y"}', 40, (400, 'PGRST102')),
], ids=lambda v: repr(v)[:30])
def test_lengths_that_lie_to_a_worker(stack, w, pool, method, path, data, length, expected):
    pids = pool.workers()
    if expected is None:
        assert told(talk(pool, fcgi(stack, method, path, data, length), close=False))[0] == (201 if method == 'POST' else 204)
        assert any(item[1] == 'x' for item in w.items())
    else:
        assert told(talk(pool, fcgi(stack, method, path, data, length), close=False)) == expected
        assert w.items() == ITEMS
    assert pool.workers() == pids


def test_nginx_falls_silent(stack, w, pool):
    """Half a body and then nothing, or the end of the connection: the worker is free again, and nothing was done."""
    pids = pool.workers()
    begun = time.monotonic()
    for sent in (10, 30000):
        answer = talk(pool, fcgi(stack, 'POST', '/w_item', ARRAY[:sent], len(ARRAY), end=False), seconds=8, close=False)
        assert told(answer) == (400, 'PGRST102')
        talk(pool, fcgi(stack, 'POST', '/w_item', ARRAY[:sent], len(ARRAY), end=False), seconds=8)
    assert time.monotonic() - begun < 20
    assert w.items() == ITEMS and pool.workers() == pids
    assert pool.get('/w_item?limit=1', token=stack.token('service_role')).status == 200


def test_damaged_at_random(stack, w):
    """Good bodies of every form with bytes changed, lost or doubled: a refusal in good form, or all of its rows."""
    dice = random.Random(11)
    good = [(JSON, json.dumps([{'name': f'r{i}', 'n': i, 'made': 'é"\\'} for i in range(5)]).encode()), (NDJSON, b'{"name":"r1","n":1}\n{"name":"r2","n":2}\n'),
            (CSV, 'name,n,made\nr1,1,"a, ""b"""\nr2,2,é\n'.encode()), (FORM, b'name=r%201&n=4&made=a+b')]
    for turn in range(600):
        kind, text = dice.choice(good)
        data = bytearray(text)
        for _ in range(dice.randint(1, 4)):
            at, what = dice.randrange(len(data) or 1), dice.random()
            if what < .4 and data:
                data[at] = dice.choice([0, 0x22, 0x2c, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x0a, 0x0d, 0x80, 0xff, dice.randrange(256)])
            elif what < .7:
                del data[at:at + dice.randint(1, 8)]
            else:
                data[at:at] = data[at:at + dice.randint(1, 8)]
        packed = dice.random() < .2
        response = w('POST', '/w_item', gzip.compress(bytes(data)) if packed else bytes(data), kind, **({'Content_Encoding': 'gzip'} if packed else {}))
        if response.status == 201:
            stack.sql('DELETE FROM spec.w_item WHERE id <> 1')
        else:
            assert 400 <= response.error()[0] < 500, (turn, kind, bytes(data), response)
            assert w.items() == ITEMS, (turn, kind, bytes(data), response)
