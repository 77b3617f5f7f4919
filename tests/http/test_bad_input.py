"""The issue's list of bad input: each a status and a code; no 500, no dead worker."""
import socket
import ssl
import urllib.parse

import pytest

from harness import assert_rows

NO_FUNCTION = 'PGRST202'

BAD = [
    # unknown things
    ('GET', '/nothing', 404, 'PGRST205'),
    ('GET', '/Projects', 404, 'PGRST205'),
    ('GET', '/spec.projects', 404, 'PGRST205'),
    ('GET', '/spec2%2Fclients', 404, None),
    ('GET', '/projects%00', 400, None),
    ('GET', "/projects'; DROP TABLE projects; --", 404, 'PGRST205'),
    ('GET', '/projects`', 404, 'PGRST205'),
    ('GET', '/projects?nope=eq.1', 400, '42703'),
    ('GET', '/projects?id=nope.1', 400, 'PGRST100'),
    ('GET', '/projects?select=nope(id)', 400, 'PGRST200'),
    ('GET', '/rpc/nope', 404, NO_FUNCTION),
    ('POST', '/rpc/nope', 404, NO_FUNCTION),
    ('GET', '/rpc/', 404, None),
    ('POST', '/', 405, 'PGRST117'),
    ('GET', '/projects/1', 404, 'PGRST125'),
    ('GET', '/rpc/twice/more', 404, 'PGRST125'),
    ('GET', '//', 404, None),
    # malformed
    ('GET', '/projects?or=(id.eq.1', 400, 'PGRST100'),
    ('GET', '/projects?and=', 400, 'PGRST100'),
    ('GET', '/docs?select=data->', 400, 'PGRST100'),
    ('GET', '/docs?data->>=eq.1', 400, 'PGRST100'),
    ('GET', '/projects?id=eq.%', 400, 'PGRST100'),
    ('GET', '/projects?id=eq.%4', 400, 'PGRST100'),
    ('GET', '/projects?id=eq.%zz', 400, 'PGRST100'),
    ('GET', '/projects?name=eq.%ff%fe', 400, 'PGRST100'),
    ('GET', '/projects?name=eq.%c0%80', 400, 'PGRST100'),
    ('GET', '/projects?name=eq.%ed%a0%80', 400, 'PGRST100'),
    ('GET', '/projects?name=eq.%f4%90%80%80', 400, 'PGRST100'),
    ('GET', '/projects?name=eq.a%00b', 400, 'PGRST100'),
    ('GET', '/projects?%00=eq.1', 400, None),
    ('GET', '/projects?select=%ff', 400, 'PGRST100'),
    ('GET', '/%ff', 400, None),
    ('GET', '/projects?=', 400, None),
    ('GET', '/projects?=eq.1', 400, None),
    ('GET', '/projects?id', 400, 'PGRST100'),
    ('GET', '/projects?.id=eq.1', 400, None),
    ('GET', '/projects?a..b=eq.1', 400, None),
    ('GET', '/projects?id.=eq.1', 400, None),
    ('GET', '/projects?order=id..desc', 400, 'PGRST100'),
    ('GET', '/projects?select=id&limit=one', 400, None),
    ('GET', '/projects?id=eq.' + '9' * 400, 400, '22003'),
    ('GET', '/sales?price=eq.1e999999999', 400, None),
    ('GET', '/sales?ratio=eq.1e999', 400, None),
    ('GET', '/sales?ratio=eq.nan', 400, '22P02'),
    ('GET', '/sales?price=eq.infinity', 400, '22P02'),
    ('GET', '/docs?data=cs.' + '[' * 5000, 400, None),
    ('GET', '/docs?tags=cs.{' + 'a,' * 10, 400, None),
    # writing, by who may not
    ('POST', '/projects', 401, '42501'),
    ('PATCH', '/projects', 400, '21000'),
    ('PUT', '/projects?id=eq.1', 401, '42501'),
    ('DELETE', '/projects?id=eq.1', 401, '42501'),
    ('POST', '/nothing', None, None),
    ('PATCH', '/', None, None),
    ('PUT', '/rpc/twice', 405, 'PGRST101'),
    ('DELETE', '/rpc/twice', 405, 'PGRST101'),
    ('PATCH', '/rpc/twice', 405, 'PGRST101'),
]


@pytest.fixture(scope='module', autouse=True)
def workers_live(stack):
    """The whole module leaves the workers as it found them."""
    stack.wait_ready()
    before = stack.workers()
    yield
    assert stack.workers() == before, 'a worker died'
    assert_rows(stack.get('/projects?select=id&id=eq.1'), [{'id': 1}])


@pytest.mark.parametrize('method, path, status, code', BAD, ids=lambda v: v[:60] if isinstance(v, str) else None)
def test_bad(rq, method, path, status, code):
    data = '{}' if method in ('POST', 'PATCH', 'PUT') else None
    response = rq(method, '/rest/v1' + path, {'Content-Type': 'application/json'} if data else {}, data)
    refusal = response.error()
    assert 400 <= refusal[0] < 500, response
    assert status is None or refusal[0] == status, response
    assert code is None or refusal[1] == code, response


def test_writes_change_nothing(stack):
    for method, path in (('POST', '/rest/v1/clients'), ('DELETE', '/rest/v1/comments'), ('PATCH', '/rest/v1/clients')):
        stack.rq(method, path, {'Content-Type': 'application/json'}, '{"id": 99, "name": "x"}', stack.service_key)
    assert stack.sql('SELECT COUNT(*) FROM spec.clients')[0][0] == 3
    assert stack.sql('SELECT COUNT(*) FROM spec.comments')[0][0] == 3


def test_body_on_get_is_ignored(rq):
    assert rq('GET', '/rest/v1/projects?select=id&id=eq.1', {'Content-Type': 'application/json'}, '{"a":').json() == [{'id': 1}]


def test_messages_name_things(get):
    body = get('/nothing').json()
    assert body['message'] == "Could not find the table 'spec.nothing' in the schema cache"
    assert "'spec.projects'" in get('/projectz').json()['hint']


def test_long_urls(get):
    """Up to 60 KiB are a filter; beyond is a refusal, wherever it is found."""
    assert_rows(get('/projects?select=id&name=eq.' + 'x' * 60000), [])
    for length in (62000, 65536, 100000, 200000):
        response = get('/projects?select=id&name=eq.' + 'x' * length)
        assert response.error()[0] in (414, 431)


def test_a_list_of_ten_thousand(get):
    some = ','.join(map(str, range(10000)))
    assert_rows(get(f'/projects?select=id&order=id&id=in.({some})'), [{'id': i} for i in (1, 2, 3, 4, 5)])
    response = get(f'/projects?select=id&id=in.({some},x)')
    assert response.error() == (400, '22P02')


def test_many_filters(get):
    assert_rows(get('/projects?select=id&id=eq.1&' + '&'.join(['id=lt.9'] * 500)), [{'id': 1}])
    assert_rows(get('/projects?select=id&id=eq.1&or=(' + ','.join(['id.lt.9'] * 500) + ')'), [{'id': 1}])


@pytest.mark.parametrize('depth', [100, 2000, 5000])
def test_deep_trees(get, depth):
    response = get('/projects?select=id&id=eq.1&and=(' + 'and(' * depth + 'id.gt.0' + ')' * depth + ')')
    if response.status != 200:
        assert response.error()[0] in (400, 414)
    else:
        assert_rows(response, [{'id': 1}])


@pytest.mark.parametrize('text', ['(' * 20000, 'a(' * 20000, '...' * 10000, ',' * 30000, '"' * 30000, '->' * 10000, ':' * 9999, '\\' * 9999,
                                  'clients(' * 5000 + ')' * 5000])
@pytest.mark.parametrize('key', ['select', 'order', 'or', 'id', 'limit'])
def test_piles(get, key, text):
    assert get(f'/projects?{key}={text}').error()[0] in (400, 414)


def test_many_columns(get):
    names = ','.join(f'a{i}:id' for i in range(2000))
    row, = get(f'/projects?select={names}&id=eq.1').rows()
    assert len(row) == 2000 and set(row.values()) == {1}


@pytest.mark.parametrize('path', ['/projects?select=id&id=eq.1 UNION SELECT 1', "/projects?name=eq.' OR '1'='1", '/projects?name=eq." OR ""="',
                                  "/projects?name=like.' OR 1=1 #", '/projects?name=in.("\') OR 1=1 -- ")', "/projects?select=id&order=id&name=eq.x\\' OR 1=1 -- ",
                                  '/projects?name=eq.%bf%27 OR 1=1 -- ', "/docs?data->>'a' OR 1=1=eq.1", "/docs?select=data->'a'||sleep(5)",
                                  "/docs?select=data->>\"a') , sleep(5), ('\""])
def test_nothing_is_injected(get, path):
    response = get(path)
    if response.status == 200:
        assert all(not row or list(row.values()) == [None] for row in response.json())
    else:
        assert response.error()[0] == 400


def raw(stack, data):
    address = urllib.parse.urlsplit(stack.url)
    context = ssl.create_default_context(cafile=stack.ca)
    with context.wrap_socket(socket.create_connection((address.hostname, address.port), timeout=20), server_hostname='127.0.0.1') as s:
        s.sendall(data)
        answer = b''
        while chunk := s.recv(65536):
            answer += chunk
    return answer


@pytest.mark.parametrize('method', ['TRACE', 'CONNECT', 'FOO', 'get', 'PROPFIND', 'GETGETGETGETGETGETGETGETGETGET'])
def test_unknown_methods(stack, method):
    answer = raw(stack, f'{method} /rest/v1/projects HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.encode())
    assert answer.split(b' ')[1] in (b'405', b'400')


def test_raw_bytes_in_the_path(stack):
    answer = raw(stack, b'GET /rest/v1/projects?name=eq.\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    assert answer.split(b' ')[1] == b'400'


@pytest.mark.parametrize('headers', [
    {'Prefer': 'x' * 8000}, {'Prefer': ','.join(['a=b'] * 2000)}, {'Range': '9' * 5000}, {'Accept': ','.join(['text/html'] * 900)},
    {'Accept-Profile': 'x' * 8000}, {'Origin': 'x' * 8000}, {'Prefer': 'timezone=' + 'x' * 5000}, {'X-Foo': 'ä'},
    {'Cookie': '=;;=;a==b;' * 100}, {'Range-Unit': 'x'}, {'Prefer': 'count=exact;q=1'}, {'Prefer': '=,=;=,"'},
])
def test_odd_headers(get, headers):
    assert get('/projects?id=eq.1', headers).status < 500


def test_random_queries(stack):
    """Cheap fuzzing with a fixed seed: pieces of the grammar in any order are never an error of ours."""
    import random
    dice = random.Random(20261121)
    pieces = ['id', 'name', 'client_id', 'clients', 'tasks', 'eq', 'not', 'is', 'null', 'in', 'any', 'or', 'and', 'select', 'order', 'limit',
              '.', ',', '(', ')', '{', '}', '"', '\\', '*', ':', '::', '->', '->>', '!', '...', '=', '&', ' ', '1', '-1', '0', 'x', 'ü', '%25',
              'asc', 'desc', 'nullslast', 'inner', 'count()', 'sum()', 'text', 'int']
    for _ in range(600):
        query = ''.join(dice.choice(pieces) for _ in range(dice.randint(1, 14)))
        path = dice.choice(['/projects?select=', '/projects?', '/projects?or=', '/projects?order=', '/projects?id=', '/clients?select=projects']) + query
        response = stack.get(path)
        assert response.status in (200, 300, 400, 404, 416), (path, response)
