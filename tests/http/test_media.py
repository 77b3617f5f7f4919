"""dialect.md sections 10 and 11: representations, headers, preferences, CORS, profiles."""
import csv
import io
import json
import re

import pytest

from harness import assert_rows

OBJECT = 'application/vnd.pgrst.object+json'
ARRAY = 'application/vnd.pgrst.array+json'


@pytest.mark.parametrize('accept, content_type', [
    (None, 'application/json; charset=utf-8'), ('*/*', 'application/json; charset=utf-8'),
    ('application/json', 'application/json; charset=utf-8'), ('text/csv', 'text/csv; charset=utf-8'),
    (OBJECT, OBJECT + '; charset=utf-8'), (ARRAY, 'application/json; charset=utf-8'),
    ('application/vnd.pgrst.object', OBJECT + '; charset=utf-8'),
    (OBJECT + ';nulls=stripped', OBJECT + ';nulls=stripped; charset=utf-8'),
    (ARRAY + ';nulls=stripped', ARRAY + ';nulls=stripped; charset=utf-8'),
    ('text/html, application/json;q=0.9', 'application/json; charset=utf-8'),
    ('text/csv;q=0.1, application/json;q=0.2', 'application/json; charset=utf-8'),
    ('application/json;q=0.1, text/csv', 'text/csv; charset=utf-8'),
    ('text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 'application/json; charset=utf-8'),
    ('application/*', 'application/json; charset=utf-8'), ('APPLICATION/JSON', 'application/json; charset=utf-8'),
])
def test_accept(get, accept, content_type):
    response = get('/projects?id=eq.1', {'Accept': accept} if accept else {})
    assert response.status == 200
    assert response.headers['Content-Type'].replace('; ', ';') == content_type.replace('; ', ';')


@pytest.mark.parametrize('accept', ['text/html', 'image/png', 'application/xml', 'unknown/unknown', 'application/json;q=0',
                                    'application/openapi+json', 'application/vnd.pgrst.plan+json'])
def test_not_available(get, accept):
    response = get('/projects', {'Accept': accept})
    assert response.error() == (406, 'PGRST107')
    assert response.json()['message'].startswith('None of these media types are available: ')


@pytest.mark.parametrize('accept', ['', ';', 'json', '*', 'a/b/c', 'text/csv;q=x', ',,,', 'application/json;q=9', '\t'])
def test_odd_accept(get, accept):
    assert get('/projects', {'Accept': accept}).status in (200, 400, 406)


def test_csv(get):
    response = get('/projects?select=id,name,client_id&order=id', {'Accept': 'text/csv'})
    assert response.text.rstrip('\n') == 'id,name,client_id\n1,Windows 7,1\n2,Windows 10,1\n3,IOS,2\n4,OSX,2\n5,Orphan,'
    assert response.headers['Content-Range'] == '0-4/*'


def test_csv_quotes(get):
    response = get('/texts?select=id,cs&id=lt.18&order=id', {'Accept': 'text/csv'})
    rows = list(csv.reader(io.StringIO(response.text, newline='')))
    assert rows[0] == ['id', 'cs']
    expected = {int(r['id']): r['cs'] for r in get('/texts?select=id,cs').rows()}
    assert {int(i): cs or None for i, cs in rows[1:]} == {i: cs or None for i, cs in expected.items()}
    assert '"with ""quotes"""' in response.text and '"with,comma"' in response.text


def test_csv_types(get):
    response = get('/sortable?select=id,flag&order=id', {'Accept': 'text/csv'})
    assert response.text.rstrip('\n') == 'id,flag\n1,t\n2,f\n3,\n4,t\n5,f'
    response = get('/docs?select=id,tags&id=lt.3&order=id', {'Accept': 'text/csv'})
    rows = list(csv.reader(io.StringIO(response.text)))
    assert [json.loads(r[1]) for r in rows[1:]] == [['a', 'b'], ['b', 'c']]
    response = get('/projects?select=id,clients(name),tasks(id)&id=eq.1&tasks.order=id', {'Accept': 'text/csv'})
    rows = list(csv.reader(io.StringIO(response.text)))
    assert rows[0] == ['id', 'clients', 'tasks'] and rows[1][0] == '1'
    assert [json.loads(v) for v in rows[1][1:]] == [{'name': 'Microsoft'}, [{'id': 1}, {'id': 2}]]


def test_csv_of_nothing(get):
    response = get('/empty_table', {'Accept': 'text/csv'})
    assert response.status == 200 and response.text.strip() in ('', 'k,extra')


def test_ndjson(get):
    response = get('/projects?select=id,clients(name)&order=id', {'Accept': 'application/x-ndjson'})
    assert response.status == 200 and response.headers['Content-Type'].startswith('application/x-ndjson')
    assert response.text.endswith('\n')
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert lines[:5] == [
        {'id': 1, 'clients': {'name': 'Microsoft'}}, {'id': 2, 'clients': {'name': 'Microsoft'}},
        {'id': 3, 'clients': {'name': 'Apple'}}, {'id': 4, 'clients': {'name': 'Apple'}}, {'id': 5, 'clients': None}]


def test_object(get):
    response = get('/projects?id=eq.1', {'Accept': OBJECT})
    assert response.status == 200 and response.text == '{"id":1,"name":"Windows 7","client_id":1}'


@pytest.mark.parametrize('query, rows', [('id=eq.99', 0), ('id=lt.3', 2), ('', 5)])
def test_object_of_none_or_several(get, query, rows):
    response = get('/projects?' + query, {'Accept': OBJECT})
    assert response.status == 406
    assert response.json() == {'code': 'PGRST116', 'message': 'Cannot coerce the result to a single JSON object',
                               'details': f'The result contains {rows} rows', 'hint': None}


def test_object_with_limit(get):
    assert get('/projects?order=id.desc&limit=1', {'Accept': OBJECT}).json()['id'] == 5


def test_stripped_nulls(get):
    stripped = {'Accept': ARRAY + ';nulls=stripped'}
    assert_rows(get('/projects?select=id,client_id&id=gt.3&order=id', stripped), [{'id': 4, 'client_id': 2}, {'id': 5}])
    assert_rows(get('/projects?select=id,clients(name),client_id&id=eq.5', stripped), [{'id': 5}])
    assert_rows(get('/clients?select=id,projects(id,client_id)&id=eq.3', stripped), [{'id': 3, 'projects': []}])
    response = get('/projects?id=eq.5', {'Accept': OBJECT + ';nulls=stripped'})
    assert response.json() == {'id': 5, 'name': 'Orphan'}


def test_octets(get):
    response = get('/t_binaries?select=vb&id=eq.1', {'Accept': 'application/octet-stream'})
    assert response.status == 200 and response.body == b'\x00\xff'
    assert response.headers['Content-Type'].startswith('application/octet-stream')
    assert get('/t_binaries?select=bl&id=eq.2', {'Accept': 'application/octet-stream'}).body == b'\x00\xff' * 30000
    assert get('/t_binaries?id=eq.1', {'Accept': 'application/octet-stream'}).status in (400, 406)


def test_geojson(get):
    response = get('/t_geo?select=id,p&id=eq.1', {'Accept': 'application/geo+json'})
    assert response.status == 200 and response.headers['Content-Type'].startswith('application/geo+json')
    feature, = response.json()['features']
    assert response.json()['type'] == 'FeatureCollection' and feature['type'] == 'Feature'
    assert feature['geometry']['type'] == 'Point' and feature['geometry']['coordinates'] == [1, 2]
    assert feature['properties'] == {'id': 1}


def test_plan(stack):
    """The server's own plan, only where it is switched on."""
    get = stack.variant({'db-plan-enabled': 'true'}).get
    response = get('/projects?id=eq.1', {'Accept': 'application/vnd.pgrst.plan+json'})
    assert response.status == 200 and response.headers['Content-Type'].startswith('application/vnd.pgrst.plan+json')
    assert isinstance(response.json(), dict) and response.json()
    response = get('/projects?id=eq.1', {'Accept': 'application/vnd.pgrst.plan'})
    assert response.status == 200 and response.headers['Content-Type'].startswith('application/vnd.pgrst.plan')
    assert response.body
    response = get('/projects?select=*,clients(*)', {'Accept': 'application/vnd.pgrst.plan+json; for="text/csv"; options=analyze'})
    assert response.status == 200
    assert get('/projects?id=eq.x', {'Accept': 'application/vnd.pgrst.plan+json'}).error() == (400, '22P02')
    assert get('/private_things', {'Accept': 'application/vnd.pgrst.plan+json'}).error() == (401, '42501')


# --- headers ---

def test_headers_of_an_answer(get):
    response = get('/projects?id=eq.1')
    assert int(response.headers['Content-Length']) == len(response.body)
    vary = ','.join(response.headers.get_all('Vary'))
    assert {'accept', 'prefer', 'range'} <= {v.strip().lower() for v in vary.split(',')}
    assert response.headers['Content-Profile'] == 'spec'
    assert response.headers['X-Request-Id']


def test_head_has_no_length(rq):
    response = rq('HEAD', '/rest/v1/projects')
    assert response.status == 200 and response.headers['Content-Length'] is None


def test_head_of_an_error(rq):
    response = rq('HEAD', '/rest/v1/nothing')
    assert response.status == 404 and response.body == b''


def test_proxy_status(get):
    response = get('/nothing')
    assert response.headers['Proxy-Status'].endswith('; error=PGRST205')


def test_errors_are_json(get):
    for path in ('/nothing', '/items?id=eq.x', '/items?select=(', '/projects?select=orders(*)'):
        assert get(path, {'Accept': 'text/csv'}).headers['Content-Type'].replace('; ', ';') == 'application/json;charset=utf-8'


@pytest.mark.parametrize('method, path, stages', [
    ('GET', '/projects?id=eq.1', 'jwt parse plan transaction response'),
    ('GET', '/big_items?limit=50000', 'jwt parse plan transaction response'),
    ('HEAD', '/', 'jwt parse plan transaction response'),
    ('GET', '/rpc/getallprojects', 'jwt parse plan transaction response'),
    ('OPTIONS', '/projects', 'jwt parse response'),
    ('GET', '/projects?id=invalid', 'jwt parse'),
    ('GET', '/projects?id=eq.invalid', 'jwt parse plan'),
    ('GET', '/private_things', 'jwt parse plan transaction'),
])
def test_server_timing(stack, method, path, stages):
    """The stages a request came to."""
    timed = stack.variant({'server-timing-enabled': 'true'})
    told = timed.http.request(method, '/rest/v1' + path, None, None, stack.anon_key).headers['Server-Timing']
    assert re.fullmatch(', '.join(rf'{stage};dur=[\d.]+' for stage in stages.split()), told), told


def test_server_timing_of_a_bad_token(stack):
    timed = stack.variant({'server-timing-enabled': 'true'})
    assert re.fullmatch(r'jwt;dur=[\d.]+', timed.get('/projects', token='invalid').headers['Server-Timing'])
    assert stack.get('/projects').headers['Server-Timing'] is None


def test_trace_header(stack):
    get = stack.variant({'server-trace-header': 'X-Correlation'}).get
    assert get('/projects?id=eq.1', {'X-Correlation': 'abc-1'}).headers['X-Correlation'] == 'abc-1'
    assert get('/nothing', {'X-Correlation': 'abc-2'}).headers['X-Correlation'] == 'abc-2'


def test_minimal_errors(stack):
    get = stack.variant({'client-error-verbosity': 'minimal'}).get
    assert sorted(get('/nothing').json()) == ['code', 'message']


# --- preferences ---

@pytest.mark.parametrize('prefer, applied', [
    ('count=exact', 'count=exact'), ('count=planned', 'count=planned'),
    ('handling=lenient', 'handling=lenient'), ('handling=strict', 'handling=strict'),
    ('handling=lenient, count=exact', 'count=exact, handling=lenient'), ('anything', None), ('count=all', None),
    ('count=exact, count=planned', 'count=exact'), ('tx=rollback', None), ('COUNT=exact', None),
])
def test_preferences(get, prefer, applied):
    response = get('/items?id=eq.1', {'Prefer': prefer})
    assert response.status == 200 and response.headers['Preference-Applied'] == applied


def test_several_prefer_headers(get):
    response = get('/items?id=eq.1', [('Prefer', 'handling=strict'), ('Prefer', 'count=exact')])
    assert response.headers['Preference-Applied'] == 'count=exact, handling=strict'
    assert response.headers['Content-Range'] == '0-0/1'


def test_strict_handling(get):
    response = get('/items', {'Prefer': 'handling=strict, anything, other=thing, count=exact'})
    assert response.json() == {'code': 'PGRST122', 'message': 'Invalid preferences given with handling=strict',
                               'details': 'Invalid preferences: anything, other=thing', 'hint': None}
    assert response.status == 400
    assert get('/items', {'Prefer': 'handling=lenient, anything'}).status == 200


# --- OPTIONS and CORS ---

@pytest.mark.parametrize('table, more', [('items', ['POST', 'PUT', 'PATCH', 'DELETE']), ('projects_view', ['POST', 'PUT', 'PATCH', 'DELETE']),
                                         ('w_keyless', ['POST', 'PATCH', 'DELETE']), ('client_totals', [])])
def test_options(rq, table, more):
    response = rq('OPTIONS', f'/rest/v1/{table}')
    assert (response.status, response.body) == (200, b'')
    assert re.split(r',\s*', response.headers['Allow']) == ['OPTIONS', 'GET', 'HEAD', *more]


def test_options_of_nothing(rq):
    assert rq('OPTIONS', '/rest/v1/nothing').error() == (404, 'PGRST205')


PREFLIGHT = {'Origin': 'https://app.example', 'Access-Control-Request-Method': 'GET',
             'Access-Control-Request-Headers': 'Foo, X-Bar'}


def test_preflight(rq):
    response = rq('OPTIONS', '/rest/v1/items', PREFLIGHT)
    assert (response.status, response.body) == (200, b'')
    headers = response.headers
    assert headers['Access-Control-Allow-Origin'] == '*' and headers['Access-Control-Allow-Credentials'] is None
    assert headers['Access-Control-Allow-Methods'] == 'GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD'
    allowed = {h.strip().lower() for h in headers['Access-Control-Allow-Headers'].split(',')}
    assert allowed >= {'authorization', 'foo', 'x-bar', 'accept', 'accept-language', 'content-language'}
    assert headers['Access-Control-Max-Age'] == '86400'


def test_preflight_needs_no_token_and_no_table(stack):
    rq = stack.variant({'db-anon-role': ''}).rq
    assert rq('OPTIONS', '/rest/v1/nothing', PREFLIGHT).status == 200
    assert rq('GET', '/rest/v1/items').error() == (401, 'PGRST302')


def test_cors_on_answers(get):
    for path in ('/items?limit=1', '/nothing'):
        headers = get(path, {'Origin': 'https://app.example'}).headers
        assert headers['Access-Control-Allow-Origin'] == '*'
        exposed = {h.strip() for h in headers['Access-Control-Expose-Headers'].split(',')}
        assert exposed >= {'Content-Encoding', 'Content-Location', 'Content-Range', 'Content-Type', 'Date', 'Location', 'Server',
                           'Transfer-Encoding', 'Range-Unit'}


def test_cors_origins(stack):
    rq = stack.variant({'server-cors-allowed-origins': 'https://a.example, https://b.example'}).rq
    headers = rq('GET', '/rest/v1/items?limit=1', {'Origin': 'https://b.example'}).headers
    assert headers['Access-Control-Allow-Origin'] == 'https://b.example'
    assert headers['Access-Control-Allow-Credentials'] == 'true'
    assert 'origin' in ','.join(headers.get_all('Vary')).lower()
    for origin in ('https://evil.example', 'https://a.example.evil', 'http://a.example', 'https://xa.example', 'null',
                   'https://a.example, https://b.example', 'https://a.example:8443', 'HTTPS://A.EXAMPLE.'):
        headers = rq('GET', '/rest/v1/items?limit=1', {'Origin': origin}).headers
        assert headers['Access-Control-Allow-Origin'] is None, origin
        assert headers['Access-Control-Allow-Credentials'] is None
        headers = rq('OPTIONS', '/rest/v1/items', {**PREFLIGHT, 'Origin': origin}).headers
        assert headers['Access-Control-Allow-Origin'] is None, origin


# --- profiles ---

def test_profiles(get):
    assert_rows(get('/clients?select=id,city', {'Accept-Profile': 'spec2'}), [{'id': 7, 'city': 'Bonn'}])
    assert get('/clients', {'Accept-Profile': 'spec2'}).headers['Content-Profile'] == 'spec2'
    assert_rows(get('/clients?select=id&id=eq.1', {'Accept-Profile': 'spec'}), [{'id': 1}])
    # on reading, Content-Profile says nothing
    assert_rows(get('/clients?select=name&id=eq.1', {'Content-Profile': 'spec2'}), [{'name': 'Microsoft'}])
    assert get('/items', {'Accept-Profile': 'spec2'}).error() == (404, 'PGRST205')


@pytest.mark.parametrize('name', ['unknown', 'mysql', 'information_schema', 'sys', 'performance_schema', 'spec`', 'SPEC', "spec'; --"])
def test_unknown_profile(get, name):
    response = get('/clients', {'Accept-Profile': name})
    assert response.status == 406
    assert response.json() == {'code': 'PGRST106', 'message': f'Invalid schema: {name}', 'details': None,
                               'hint': 'Only the following schemas are exposed: spec, spec2, wages, incidents'}


def test_one_schema_has_no_content_profile(stack):
    get = stack.variant({'db-schemas': 'spec'}).get
    assert get('/projects?id=eq.1').headers['Content-Profile'] is None
    assert get('/clients', {'Accept-Profile': 'spec2'}).error() == (406, 'PGRST106')


@pytest.mark.parametrize('select', [
    'id,...projects(project:name,...clients(client:name))', 'id,...projects(...clients(client:name),project:name),name',
    'name,...projects(pid:id,...clients(cid:id,others:projects(id)))', 'id,...projects(clients(name))', 'id,...users(who:name,worked:tasks(id)),name',
])
def test_csv_shows_the_columns_of_spreads_within_spreads(get, select):
    """Each line has the fields of the header, and they hold what the JSON answer holds."""
    rows = get(f'/tasks?select={select}&order=id').rows()
    text = get(f'/tasks?select={select}&order=id', {'Accept': 'text/csv'}).text
    header, *lines = csv.reader(io.StringIO(text))
    assert len(rows) == len(lines) > 0 and header == list(rows[0])
    for row, line in zip(rows, lines):
        assert line == ['' if v is None else v if isinstance(v, str) else json.dumps(v, separators=(',', ':')) for v in row.values()]
