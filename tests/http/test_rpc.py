"""
Procedures and functions under /rpc: what they are given, what they give, how it is selected, what they say of the answer,
and that a refused call leaves nothing behind.
"""
import gzip
import json
import os
import time
from urllib.parse import urlencode

import pytest

from harness import wait_until


@pytest.fixture
def rpc(stack):
    """rpc(name and query, arguments): a POST, or without arguments a GET."""
    stack.sql('DELETE FROM spec.r_log')

    def ask(path, data=None, headers=None, method=None, role=None):
        method = method or ('GET' if data is None else 'POST')
        return stack.rq(method, '/rest/v1/rpc/' + path, headers, data, stack.token(role) if role else None)
    ask.notes = lambda: [row[0] for row in stack.sql('SELECT note FROM spec.r_log ORDER BY id')]
    ask.sql = stack.sql
    return ask


def raw(text, kind='application/json'):
    return {'data': text, 'headers': {'Content-Type': kind}}


# ---- functions ----

@pytest.mark.parametrize('call, arguments, value', [
    ('add_them', {'a': 1, 'b': 2}, 3),
    ('add_them', {'b': '2', 'a': '1'}, 3),
    ('add_them?a=3&b=4', None, 7),
    ('sayhello', {'name': 'world'}, 'Hello, world'),
    ('sayhello?name=wor"ld ä', None, 'Hello, wor"ld ä'),
    ('sayhello?name=ignored&name=world', None, 'Hello, world'),
    ('noparams', {}, 'nothing'),
    ('noparams', '', 'nothing'),
    ('noparams', None, 'nothing'),
    ('ret_null', {}, None),
    ('ret_bool', {'n': 2}, True),
    ('ret_bool', {'n': 1}, False),
    ('ret_bool', {'n': None}, None),
    ('ret_big', {}, 18446744073709551615),
    ('ret_time', {}, '2020-06-01T12:00:00+00:00'),
    ('ret_date', {}, '2020-06-01T12:00:00'),
    ('ret_bytes', {}, '\\x00ff41'),
    ('ret_point', {}, {'type': 'Point', 'coordinates': [1, 2]}),
    ('json_kind', {'arg': {'key': 3}}, 'OBJECT'),
    ('json_kind', {'arg': '{"key": 3}'}, 'STRING'),
    ('json_kind', {'arg': [1]}, 'ARRAY'),
    ('json_kind?arg={"key": 3}', None, 'OBJECT'),
    ('echo_json', {'A': 1, 'B': [None, 'x']}, {'A': 1, 'B': [None, 'x']}),
    ('echo_json', [1, 'two'], [1, 'two']),
    ('echo_json', '3', 3),
    ('echo_json', {'body': 1}, {'body': 1}),
    ('echo_doc', {'doc': {'a': 1}}, {'a': 1}),
    ('echo_doc', {'doc': 1, 'more': 2}, {'doc': 1, 'more': 2}),
    ('echo_doc', {'other': 2}, {'other': 2}),
    ('greet', {'greeting': 'Hi', 'name': 'Ann'}, 'Hi, Ann'),
    ('greet', {'greeting': 'Hi'}, 'Hi, you'),
    ('greet?greeting=Hi', None, 'Hi, you'),
    ('Quoted?full Name=x&SELECT=4', None, 'x4'),
    ('Quoted', {'full Name': 'x', 'SELECT': 4}, 'x4'),
    ('add_them?columns=a,b', {'a': 1, 'b': 2, 'more': 3}, 3),
])
def test_function(rpc, call, arguments, value):
    response = rpc(call, arguments)
    assert response.status == 200 and response.json() == value, response
    assert response.headers['Content-Type'] == 'application/json; charset=utf-8'
    assert response.headers['Content-Range'] == '0-0/*'


def test_function_value_is_exact(rpc):
    assert rpc('ret_decimal').text == '12345678901234567890.0123456789'
    assert rpc('ret_time', headers={'Prefer': 'timezone=+05:30'}).json() == '2020-06-01T12:00:00+05:30'
    assert rpc('ret_time').json() == '2020-06-01T12:00:00+00:00'


def test_function_counts_as_one(rpc):
    response = rpc('add_them?a=3&b=4', headers={'Prefer': 'count=exact'})
    assert response.text == '7' and response.headers['Content-Range'] == '0-0/1' and response.status == 200


@pytest.mark.parametrize('call, accept, kind, text', [
    ('sayhello?name=x', 'text/plain', 'text/plain; charset=utf-8', 'Hello, x'),
    ('sayhello?name=x', 'text/csv', 'text/csv; charset=utf-8', 'sayhello\n"Hello, x"'),
    ('sayhello?name=x', 'application/octet-stream', 'application/octet-stream', 'Hello, x'),
    ('add_them?a=1&b=2', 'application/vnd.pgrst.object+json', 'application/vnd.pgrst.object+json; charset=utf-8', '3'),
    ('add_them?a=1&b=2', 'application/x-ndjson', 'application/x-ndjson; charset=utf-8', '3\n'),
])
def test_function_media(rpc, call, accept, kind, text):
    response = rpc(call, headers={'Accept': accept})
    assert (response.status, response.headers['Content-Type'], response.text) == (200, kind, text)


def test_bytes_go_in_and_out(rpc):
    data = bytes(range(256)) * 300
    response = rpc('echo_bytes', data, {'Content-Type': 'application/octet-stream', 'Accept': 'application/octet-stream'})
    assert response.status == 200 and response.body == data
    response = rpc('echo_text', 'a "text" ä', {'Content-Type': 'text/plain; charset=utf-8', 'Accept': 'text/plain'})
    assert response.text == 'a "text" ä'
    assert rpc('echo_text', **raw('{"a": 1}')).json() == '{"a": 1}'
    assert rpc('echo_text', **raw('', 'text/plain')).json() == ''
    packed = gzip.compress(json.dumps({'a': 20, 'b': 22}).encode())
    assert rpc('add_them', packed, {'Content-Type': 'application/json', 'Content-Encoding': 'gzip'}).text == '42'


def test_other_forms_of_arguments(rpc):
    assert rpc('add_them', **raw('a=1&b=2', 'application/x-www-form-urlencoded')).text == '3'
    assert rpc('sayhello', **raw('name=a+b%21', 'application/x-www-form-urlencoded')).json() == 'Hello, a b!'
    assert rpc('add_them', **raw('a,b\n1,2\n', 'text/csv')).text == '3'
    single = {'Prefer': 'params=single-object'}
    assert rpc('echo_doc', {'doc': 1}, single).json() == {'doc': 1}
    assert rpc('echo_doc?p1=1&p2=text', None, single).json() == {'p1': '1', 'p2': 'text'}
    form = {'Content-Type': 'application/x-www-form-urlencoded', **single}
    assert rpc('echo_doc', 'a=1&b=x+y', form).json() == {'a': '1', 'b': 'x y'}


def test_arguments_of_all_types(rpc):
    given = {'n_double': 3.5, 'n_int': -43, 'n_small': 65535, 'n_dec': 1.25, 't': 'hällo', 'b': True, 'd': '2019-01-01',
             'dt': '2019-01-01T10:00:00', 'e': 'foo', 'j': {'a': 1}, 'y': '\\x00ff'}
    expected = ['3.5', '-43', '65535', '1.25', 'hällo', '1', '2019-01-01', '2019-01-01 10:00:00', 'foo', 'OBJECT', '00FF']

    def same(response):
        return [str(v)[:19] for v in response.json()] == expected
    assert same(rpc('varied', given))
    assert same(rpc('varied', {k: json.dumps(v) if k == 'j' else str(v) for k, v in given.items()} | {'j': given['j']}))
    query = '&'.join(f'{k}={json.dumps(v) if k == "j" else v}' for k, v in given.items())
    assert same(rpc('varied?' + query))
    assert rpc('varied', dict.fromkeys(given)).json() == [None] * 11


@pytest.mark.parametrize('argument, value, status, code', [
    ('n_int', 'abc', 400, '22P02'),
    ('n_int', 1.5, 400, '22P02'),
    ('n_int', 2147483648, 400, '22003'),
    ('n_int', {'a': 1}, 400, '22P02'),
    ('n_small', -1, 400, '22003'),
    ('n_dec', 12345.5, 400, '22003'),
    ('t', 'six678', 400, '22001'),
    ('d', '2019-02-30', 400, '22008'),
    ('d', 'yesterday', 400, '22007'),
    ('e', 'baz', 400, '22P02'),
    ('b', 'perhaps', 400, '22P02'),
    ('y', '\\x001122', 400, '22001'),
])
def test_bad_arguments(rpc, argument, value, status, code):
    given = dict.fromkeys(('n_double', 'n_int', 'n_small', 'n_dec', 't', 'b', 'd', 'dt', 'e', 'j', 'y'))
    response = rpc('varied', {**given, argument: value})
    assert response.error() == (status, code), response
    assert response.json()['details']


# ---- what is not found ----

def found_nothing(response):
    body = response.json()
    assert response.status == 404 and body['code'] == 'PGRST202', response
    return body


def test_unknown_function(rpc):
    assert found_nothing(rpc('sayhell')) == {
        'code': 'PGRST202', 'hint': 'Perhaps you meant to call the function spec.sayhello',
        'message': 'Could not find the function spec.sayhell without parameters in the schema cache',
        'details': 'Searched for the function spec.sayhell without parameters, but no matches were found in the schema cache.'}
    assert found_nothing(rpc('qqqqqqqqq', {}))['hint'] is None
    assert found_nothing(rpc('SAYHELLO?name=x'))


def test_unknown_arguments(rpc):
    assert found_nothing(rpc('sayhello?nam=Peter')) == {
        'code': 'PGRST202', 'hint': 'Perhaps you meant to call the function spec.sayhello(name)',
        'message': 'Could not find the function spec.sayhello(nam) in the schema cache',
        'details': 'Searched for the function spec.sayhello with parameter nam, but no matches were found in the schema cache.'}
    body = found_nothing(rpc('add_them?a=1&smthelse=blabla&b=2'))
    assert body['message'] == 'Could not find the function spec.add_them(a, b, smthelse) in the schema cache'
    assert body['hint'] == 'Perhaps you meant to call the function spec.add_them(a, b)'
    assert 'with parameters a, b, smthelse, but' in body['details']
    assert found_nothing(rpc('add_them', {'a': 1}))['message'] == \
        'Could not find the function spec.add_them(a) in the schema cache'
    assert 'or with a single unnamed json/jsonb parameter' in found_nothing(rpc('add_them', {'x': 1, 'y': 2}))['details']
    assert found_nothing(rpc('single_out?num=1&num_plus_one=1'))
    assert found_nothing(rpc('greet?name=x'))
    assert found_nothing(rpc('sayhello', **raw('{}') | {'headers': {'Prefer': 'params=single-object'}}))['details'] == \
        'Searched for the function spec.sayhello with a single json/jsonb parameter, but no matches were found in the schema cache.'
    assert 'single unnamed text parameter' in found_nothing(rpc('add_them', **raw('x', 'text/plain')))['details']
    assert 'single unnamed bytea parameter' in found_nothing(rpc('sayhello', **raw('x', 'application/octet-stream')))['details']


@pytest.mark.parametrize('text, kind', [
    ('sdfsdf', 'application/json'), ('{"a": 1, "b": 2', 'application/json'), ('{"a": 1, "a": 2, "b": 1}', 'application/json'),
    ('{"a": NaN, "b": 1}', 'application/json'), ('3', 'application/json'), ('[{"a": 1, "b": 2}]', 'application/json'),
    ('{"a": 1, "b": 2} x', 'application/json'), ('"\\ud800"', 'application/json'), ('a,b\n1,2\n3,4\n', 'text/csv'),
    ('{"a": ' + '[' * 100 + ']' * 100 + ', "b": 2}', 'application/json'), ('{"a": 1, "b": 2}', 'image/png'),
])
def test_bad_bodies(rpc, text, kind):
    assert rpc('add_them', **raw(text, kind)).error() == (400, 'PGRST102')


def test_bad_raw_bodies(rpc):
    assert rpc('echo_json', **raw('')).error() == (400, 'PGRST102')
    assert rpc('echo_json', **raw('{"a":1')).error() == (400, 'PGRST102')
    assert rpc('echo_text', b'\xff\xfe', {'Content-Type': 'text/plain'}).error() == (400, 'PGRST102')
    assert rpc('echo_text', b'a\x00b', {'Content-Type': 'text/plain'}).error() == (400, 'PGRST102')
    assert rpc('add_them', b'no gzip', {'Content-Encoding': 'gzip'}).error() == (400, 'PGRST102')


# ---- procedures: rows ----

def test_rows(rpc):
    response = rpc('getitemrange', {'min': 2, 'max': 4})
    assert response.status == 200 and response.json() == [{'id': 3}, {'id': 4}]
    assert response.headers['Content-Range'] == '0-1/*'
    assert rpc('getitemrange?min=2&max=4').text == response.text
    assert rpc('getitemrange?min=4&max=4').json() == []
    assert rpc('getitemrange?min=4&max=4').headers['Content-Range'] == '*/*'
    assert rpc('getproject?id=1').json() == rpc('getproject', {'id': 1}).json()


def test_rows_page(rpc):
    count = {'Prefer': 'count=exact'}
    for response in (rpc('getitemrange?limit=1&offset=1', {'min': 2, 'max': 4}), rpc('getitemrange?min=2&max=4&limit=1&offset=1'),
                     rpc('getitemrange?min=2&max=4', headers={'Range-Unit': 'items', 'Range': '1-1'})):
        assert (response.status, response.json(), response.headers['Content-Range']) == (200, [{'id': 4}], '1-1/*')
    for response in (rpc('getitemrange?limit=1&offset=1', {'min': 2, 'max': 4}, count),
                     rpc('getitemrange?min=2&max=4&limit=1&offset=1', headers=count),
                     rpc('getitemrange?min=2&max=4&limit=1&offset=1&id=gt.0', headers=count),
                     rpc('getitemrange?min=2&max=4', headers={'Range': '1-1', **count})):
        assert (response.status, response.json(), response.headers['Content-Range']) == (206, [{'id': 4}], '1-1/2')
    response = rpc('getitemrange?min=2&max=4&limit=1&offset=1', headers=count, method='HEAD')
    assert (response.status, response.body, response.headers['Content-Range']) == (206, b'', '1-1/2')
    response = rpc('getitemrange?min=2&max=4', headers=count, method='HEAD')
    assert (response.status, response.headers['Content-Range']) == (200, '0-1/2')
    assert response.headers['Content-Type'] == 'application/json; charset=utf-8'
    response = rpc('getitemrange', {'min': 2, 'max': 4}, {'Range': '1-1', **count})
    assert (response.status, response.headers['Content-Range']) == (200, '0-1/2')
    response = rpc('getitemrange?min=2&max=4&offset=9', headers=count)
    assert response.error() == (416, 'PGRST103') and response.headers['Content-Range'] == '*/2'
    assert rpc('getitemrange?min=2&max=4&limit=0', headers=count).json() == []


@pytest.mark.parametrize('query, expected', [
    ('select=id', [{'id': 1}, {'id': 2}, {'id': 3}]),
    ('select=who:txt,id', [{'who': 'Ab', 'id': 1}, {'who': 'ä"b', 'id': 2}, {'who': None, 'id': 3}]),
    ('select=id,dec2::text&id=eq.1', [{'id': 1, 'dec2': '1.50'}]),
    ('select=id&order=id.desc', [{'id': 3}, {'id': 2}, {'id': 1}]),
    ("select=id&order=big.desc.nullslast&limit=1", [{"id": 1}]),
    ('select=id&order=big.desc', [{'id': 3}, {'id': 1}, {'id': 2}]),
    ('select=id&id=gt.1&id=lt.3', [{'id': 2}]),
    ('select=id&id=in.(1,3)&order=id', [{'id': 1}, {'id': 3}]),
    ('select=id&or=(id.eq.1,txt.is.null)&order=id', [{'id': 1}, {'id': 3}]),
    ('select=id&txt=eq.Ab', [{'id': 1}]),
    ('select=id&txt=like.A*', [{'id': 1}]),
    ('select=id&txt=ilike.a*', [{'id': 1}]),
    ('select=id&txt=match.^A', [{'id': 1}]),
    ('select=id&flag=is.true', [{'id': 1}]),
    ('select=id&flag=eq.false', [{'id': 2}]),
    ('select=id&bit1=is.true', [{'id': 1}]),
    ('select=id&d=gte.2020-01-01', [{'id': 1}]),
    ('select=id&dt=eq.2020-01-02T03:04:05.678', [{'id': 1}]),
    ('select=id&at=eq.2020-01-02T05:04:05%2B02:00', [{'id': 1}]),
    ('select=id&tm=lt.00:00:00', [{'id': 1}]),
    ('select=id&y=eq.1999', [{'id': 2}]),
    ('select=id&big=eq.18446744073709551615', [{'id': 1}]),
    ('select=id&dbl=gt.1e299', [{'id': 1}]),
    ('select=id&bin=eq.\\x00ff', [{'id': 1}]),
    ('select=id&dec2=lt.0', [{'id': 2}]),
    ('select=id&data->a->>1=eq.2', [{'id': 1}]),
    ('select=id&data=cs.{"b":"x"}', [{'id': 1}]),
    ('select=id,data->a->0,data->>b&id=eq.1', [{'id': 1, 'a': 1, 'b': 'x'}]),
    ('select=count()', [{'count': 3}]),
    ('select=id.max(),big.sum()', [{'max': 3, 'sum': 18446744073709551615}]),
    ('select=flag,count()&order=flag', [{'flag': False, 'count': 1}, {'flag': True, 'count': 1}, {'flag': None, 'count': 1}]),
])
def test_rows_are_selected(rpc, query, expected):
    for response in (rpc('typed_rows?' + query), rpc('typed_rows?' + query, {})):
        assert response.status == 200 and response.json() == expected, response


TYPED = [
    {'id': 1, 'flag': True, 'bit1': True, 'data': {'a': [1, 2], 'b': 'x'}, 'at': '2020-01-02T03:04:05+00:00',
     'dt': '2020-01-02T03:04:05.678', 'y': 2020, 'e': 'x', 's': 'a,b', 'bin': '\\x00ff', 'txt': 'Ab', 'dec2': 1.5, 'f': 0.1,
     'dbl': 1e300, 'big': 18446744073709551615, 'tm': '-10:00:00', 'd': '2020-02-29'},
    {'id': 2, 'flag': False, 'bit1': False, 'data': None, 'at': None, 'dt': '1999-12-31T23:59:59', 'y': 1999, 'e': 'y', 's': '',
     'bin': '\\x', 'txt': 'ä"b', 'dec2': -2.25, 'f': -1.5, 'dbl': 0.1, 'big': 0, 'tm': '838:59:59', 'd': '1999-12-31'},
    dict.fromkeys(['id', 'flag', 'bit1', 'data', 'at', 'dt', 'y', 'e', 's', 'bin', 'txt', 'dec2', 'f', 'dbl', 'big', 'tm', 'd'])
    | {'id': 3}]


def test_rows_have_the_types_of_a_table(rpc, stack):
    straight = rpc('typed_rows')
    assert straight.json() == TYPED
    assert '"dec2":1.50' in straight.text
    assert straight.text == rpc('typed_rows?id=gt.0&order=id').text, 'filtered rows look the same'
    assert straight.text == stack.get('/r_types?order=id').text, 'and as those of the table'
    zone = {'Prefer': 'timezone=+05:30'}
    assert rpc('typed_rows?id=eq.1&select=at', headers=zone).json() == [{'at': '2020-01-02T08:34:05+05:30'}]
    assert rpc('typed_rows?select=at&limit=1', headers=zone).json() == [{'at': '2020-01-02T08:34:05+05:30'}]
    assert rpc('typed_rows?select=at&limit=1').json() == [{'at': '2020-01-02T03:04:05+00:00'}]


def test_rows_in_other_media(rpc):
    accept = lambda kind: {'Accept': kind}
    assert rpc('getitemrange?min=2&max=4', headers=accept('text/csv')).text == 'id\n3\n4'
    assert rpc('getitemrange', {'min': 2, 'max': 4}, accept('text/csv')).text == 'id\n3\n4'
    assert rpc('getitemrange?min=2&max=4', headers=accept('application/x-ndjson')).text == '{"id":3}\n{"id":4}\n'
    assert rpc('getproject?id=1&select=id', headers=accept('application/vnd.pgrst.object+json')).json() == {'id': 1}
    assert rpc('getproject?id=1&id=eq.1&select=id', headers=accept('application/vnd.pgrst.object+json')).json() == {'id': 1}
    for query in ('getallprojects', 'getallprojects?id=gt.0'):
        response = rpc(query, headers=accept('application/vnd.pgrst.object+json'))
        assert response.error() == (406, 'PGRST116') and 'contains 5 rows' in response.json()['details']
    assert rpc('getproject?id=1&select=name', headers=accept('application/octet-stream')).text == 'Windows 7'
    assert rpc('typed_rows?id=eq.2&select=id,data,at', headers=accept('application/vnd.pgrst.array+json;nulls=stripped')).text \
        in ('[{"id":2,"data":null}]', '[{"id":2}]')
    assert rpc('getallprojects', headers=accept('image/png')).error() == (406, 'PGRST107')
    assert rpc('getallprojects', headers=accept('application/vnd.pgrst.plan')).error() == (406, 'PGRST107')


# ---- rows said to be a table's ----

@pytest.mark.parametrize('question', [
    'projects?select=*&order=id',
    'projects?select=id,clients(name)&order=id',
    'projects?select=id,client:clients!inner(name)&clients.name=eq.Microsoft&order=id',
    'projects?select=id,tasks(id,name,users(name))&order=id&tasks.order=id.desc&tasks.limit=1',
    'projects?select=name,users(name)&order=name.desc&users.order=name',
    'projects?select=id,...clients(client_name:name)&order=clients(name).desc,id',
    'projects?select=id,...tasks(task_ids:id)&order=id',
    'projects?select=...clients(name),id.count()&order=clients(name)',
    'projects?select=id&clients=is.null&order=id',
    'projects?select=id,clients()&clients=not.is.null&order=id&limit=2',
    'tasks?select=name,project(name,clients(name))&order=id&id=gt.3',
    'tasks?select=name,projects(name)&order=id&limit=2&offset=1',
    'comments?select=id,users_tasks(user_id,task_id)&order=id',
    'ships?select=name,ports(name)&order=id',
    'ships?select=name,...ports!inner(harbour:name)&order=id',
    'ships?select=name&port=eq.HAM&order=id',
    'ports?select=name,ships(name)&order=code&ships.order=id',
    'ports?select=name,ships!inner()&order=code',
    'shifts?select=who,days(name)&order=id',
    'blob_notes?select=id,blobs(name)&order=id',
    'staff?select=name,boss(name)&order=id',
    'staff?select=name,staff(name)&order=id&staff.order=id',
    'staff?select=name,staff!manager_id(name)&order=id',
    'orders?select=name,billing(address),shipping(address)&order=id',
    'orders?select=name,addresses(address)&order=id',
    'orders?select=name,addresses!billing(address)&order=id',
    'docs?select=id,data->nested->deep,tags&order=id',
    'capital?select=name,country(name)&order=id',
    'texts?select=id&ci=eq.ALPHA&order=id',
    'texts?select=id&cs=eq.alpha&order=id',
    'texts?select=latin&order=ci,id',
    'projects?select=id,nope(name)',
])
def test_rows_of_a_table(stack, question):
    """What is asked of the rows is what would be asked of the table; a refusal differs in the name alone."""
    of_table = stack.rq('GET', '/rest/v1/' + question)
    of_call = stack.rq('GET', '/rest/v1/rpc/all_' + question)
    assert of_call.status == of_table.status
    assert json.loads(of_call.text.replace('all_', '')) == of_table.json()


def test_rows_of_a_table_in_part(rpc):
    assert rpc('some_columns?select=id,tasks(id)&id=eq.1&tasks.order=id').json() == [{'id': 1, 'tasks': [{'id': 1}, {'id': 2}]}]
    assert rpc('some_columns?select=id,clients(name)').error() == (400, 'PGRST200')
    assert rpc('of_nothing?select=id,clients(name)').error() == (400, 'PGRST200')
    assert rpc('of_nothing?select=id&id=eq.1').json() == [{'id': 1}]
    answer = rpc('getallprojects?select=id,clients(name)')
    assert answer.error() == (400, 'PGRST200') and '@returns setof' in answer.json()['hint']
    assert rpc('make_task?select=name,projects(name)', {'name': 'new'}).json() == [{'name': 'new', 'projects': {'name': 'IOS'}}]
    assert rpc('projects_below?select=id,clients(name)', {'id': 2}).error() == (400, 'PGRST200')


def test_rights_on_what_rows_embed(rpc, stack):
    """The table's own rows may be given by a procedure; what hangs on them is read by the caller."""
    assert rpc('all_projects?select=id,clients(private_things(secret))&limit=1').error()[1] == '42501'


@pytest.mark.parametrize('call, status, code', [
    ('getallprojects?select=nope', 400, '42703'),
    ('getallprojects?nope=eq.1', 400, '42703'),
    ('getallprojects?order=nope', 400, '42703'),
    ('getallprojects?id=eq.abc', 400, '22P02'),
    ('getallprojects?select=id,clients(name)', 400, 'PGRST200'),
    ('getallprojects?clients.id=eq.1', 400, 'PGRST108'),
    ('getallprojects?select=id::nonsense', 400, '42704'),
    ('typed_rows?txt=fts.x', 400, '42704'),
    ('sayhello?name=x&select=nope', 400, '42703'),
    ('sayhello?name=x&other=eq.1', 400, '42703'),
    ('sayhello?name=x&select=a(b)', 400, 'PGRST200'),
    ('getallprojects?limit=x', 400, 'PGRST100'),
])
def test_bad_questions(rpc, call, status, code):
    assert rpc(call).error() == (status, code)


def test_names_of_arguments_and_filters(rpc):
    assert rpc('projects_below?id=5&id=gt.2&select=id').json() == [{'id': 3}, {'id': 4}]
    assert rpc('projects_below?id=5&id=not.gt.2&select=id').json() == [{'id': 1}, {'id': 2}]
    assert rpc('projects_below?id=5&id=not.in.(1,3)&select=id').json() == [{'id': 2}, {'id': 4}]
    assert rpc('getallprojects?id=gt.1&id=lt.5&select=id', {}).json() == [{'id': 2}, {'id': 3}, {'id': 4}]
    response = rpc('getallprojects?id=gt.1&id=lt.5&select=id&limit=2&offset=1')
    assert response.json() == [{'id': 3}, {'id': 4}] and response.headers['Content-Range'] == '1-2/*'


def test_profile_names_the_database(rpc):
    response = rpc('other_database', headers={'Accept-Profile': 'spec2'})
    assert response.json() == [{'b': 2}] and response.headers['Content-Profile'] == 'spec2'
    assert rpc('other_database', {}, {'Content-Profile': 'spec2'}).json() == [{'b': 2}]
    assert rpc('other_database').error() == (404, 'PGRST202')
    assert rpc('other_database', headers={'Accept-Profile': 'mysql'}).error() == (406, 'PGRST106')


def test_max_rows_caps_rows(stack):
    few = stack.variant({'db-max-rows': '2'})
    assert few.get('/rpc/getallprojects?select=id').json() == [{'id': 1}, {'id': 2}]
    assert few.get('/rpc/getallprojects?select=id&order=id.desc').json() == [{'id': 5}, {'id': 4}]


# ---- procedures: OUT parameters, several results, none ----

def test_parameters_come_back_as_an_object(rpc):
    assert rpc('single_out?num=5').json() == {'num_plus_one': 6}
    assert rpc('single_out', {'num': 5}).json() == {'num_plus_one': 6}
    assert rpc('single_inout?num=2').json() == {'num': 3}
    assert rpc('many_out').json() == {'my_json': {'a': 1, 'b': 'two'}, 'num': 3, 'str': 'four', 'flag': True,
                                      'day': '2020-02-29', 'amount': 1.5, 'nothing': None}
    assert rpc('many_inout?num=1&str=two&b=false').json() == {'num': 1, 'str': 'two', 'b': False}
    assert rpc('many_inout', {'num': None, 'str': None, 'b': None}).json() == {'num': None, 'str': None, 'b': None}
    assert rpc('many_out?select=num,flag').json() == {'num': 3, 'flag': True}


def test_several_results(rpc):
    for response in (rpc('several'), rpc('several', {})):
        assert response.json() == [[{'a': 1}, {'a': 2}], [{'b': 'x', 'c': None}], []] and response.status == 200
        assert response.headers['Content-Range'] is None
    assert rpc('rows_and_out').json() == [[{'id': 1}, {'id': 2}], {'n': 2}]
    for query in ('?a=eq.1', '?limit=1', '?select=a'):
        assert rpc('several' + query).error() == (400, 'PGRST127')
    assert rpc('several', headers={'Accept': 'text/csv'}).error() == (400, 'PGRST127')


def test_nothing_is_204(rpc):
    response = rpc('nothing_at_all', {})
    assert response.status == 204 and response.body == b'' and response.headers['Content-Type'] is None


def test_failure_behind_the_rows(rpc):
    for query in ('late_failure', 'late_failure?a=eq.1', 'late_failure?limit=1'):
        assert rpc(query).error() == (400, 'P0001') and rpc(query).json()['message'] == 'after the rows'
    assert rpc('sayhello?name=x').status == 200


# ---- methods and transactions ----

def test_methods(rpc):
    assert rpc('add_log?note=x').error() == (405, '25006')
    assert rpc('sneaky_log?note=x').error() == (405, '25006')
    assert rpc('log_it?note=x', method='HEAD').status == 405
    assert rpc('sneaky_commit?note=x').error() == (405, '25006')
    assert rpc.notes() == []
    assert rpc('unannotated_read').json() == [{'id': 1}]
    response = rpc('sayhello?name=x', method='HEAD')
    assert response.status == 200 and response.body == b'' and response.headers['Content-Range'] == '0-0/*'
    for method in ('PUT', 'PATCH', 'DELETE'):
        assert rpc('sayhello', {}, method=method).error() == (405, 'PGRST101')


def test_temporary_tables(rpc):
    """As Sakila's rewards_report: what says that it only reads makes none, and is told what would help; which helps."""
    for response in (rpc('in_steps'), rpc('in_steps', {})):
        body = response.json()
        assert (response.status, body['code']) == (405, '25006') and 'MODIFIES SQL DATA' in body['hint']
    assert rpc('in_steps_and_says_so', {}).json() == [{'n': 1}]
    assert rpc('in_steps_and_says_so').error() == (405, '25006')
    assert rpc('sneaky_log?note=x').json()['hint'] is None


def test_options(rpc):
    allow = {name: rpc(name, method='OPTIONS').headers['Allow'] for name in
             ('sayhello', 'add_log', 'getallprojects', 'unannotated_read', 'add_them')}
    both, post = 'OPTIONS,GET,HEAD,POST', 'OPTIONS,POST'
    assert allow == {'sayhello': both, 'add_log': post, 'getallprojects': both, 'unannotated_read': post, 'add_them': both}
    assert rpc('nope', method='OPTIONS').error() == (404, 'PGRST202')


def test_post_is_committed(rpc):
    assert rpc('add_log', {'note': 'one'}).text == '1'
    assert [row['note'] for row in rpc('log_it', {'note': 'two'}).json()] == ['one', 'two']
    assert rpc('sneaky_log', {'note': 'three'}).text == '1'
    assert rpc.notes() == ['one', 'two', 'three']
    # One that ends the transaction itself has not lost it.
    assert rpc('sneaky_commit', {'note': 'four'}).status == 204
    assert rpc.notes() == ['one', 'two', 'three', 'four']


def test_what_fails_leaves_nothing(rpc):
    assert rpc('log_twice', {'note': 'x'}).error() == (409, '23505')
    assert rpc.notes() == []
    for query in ('?select=nope', '?note=fts.x', '?select=note::int', '?order=nope'):
        assert rpc('log_it' + query, {'note': 'x'}).status == 400
    assert rpc('log_it', {'note': 'x'}, {'Accept': 'image/png'}).status == 406
    assert rpc.notes() == []
    assert rpc('log_it', {'note': 'first'}).status == 200
    assert rpc('log_it', {'note': 'x'}, {'Accept': 'application/vnd.pgrst.object+json'}).error() == (406, 'PGRST116')
    strict = {'Prefer': 'handling=strict, max-affected=1'}
    response = rpc('log_it', {'note': 'x'}, strict)
    assert response.error() == (400, 'PGRST124') and response.json()['details'] == 'The query affects 2 rows'
    assert rpc('add_log', {'note': 'x'}, strict).error() == (400, 'PGRST128')
    assert rpc.notes() == ['first']


def test_transactions_that_are_not_kept(rpc, stack):
    override = stack.variant({'db-tx-end': 'commit-allow-override'})
    response = override.rq('POST', '/rest/v1/rpc/log_it', {'Prefer': 'tx=rollback'}, {'note': 'x'})
    assert [row['note'] for row in response.json()] == ['x'] and response.headers['Preference-Applied'] == 'tx=rollback'
    assert rpc.notes() == []
    assert rpc('log_it', {'note': 'x'}, {'Prefer': 'tx=rollback'}).headers['Preference-Applied'] is None
    assert rpc.notes() == ['x']


def test_a_call_is_done_once(rpc):
    key = {'Idempotency-Key': f'"{time.time()}"'}
    first = rpc('log_it', {'note': 'once'}, key, role='service_role')
    again = rpc('log_it', {'note': 'once'}, key, role='service_role')
    assert first.status == again.status == 200 and again.body == first.body and rpc.notes() == ['once']
    assert again.headers['Idempotency-Replayed'] == 'true' and first.headers['Idempotency-Replayed'] is None
    assert again.headers.get_all('Content-Range') == first.headers.get_all('Content-Range') == ['0-0/*']
    assert rpc('log_it', {'note': 'other'}, key, role='service_role').status == 422
    key = {'Idempotency-Key': f'"{time.time()}"'}
    said = {'status': '299', 'headers': '[{"X-Test": "kept"}]'}
    for _ in range(2):
        response = rpc('answer_with_care', said, key, role='service_role')
        assert response.status == 299 and response.headers.get_all('X-Test') == ['kept'] and response.json() == [{'a': 1}]
    assert rpc('add_log', {'note': 'once'}, {'Idempotency-Key': f'"{time.time()}"'}).error() == (409, '23505')
    assert rpc.notes() == ['once']


# ---- rights ----

def test_rights(rpc):
    response = rpc('not_for_anon', {})
    assert response.error() == (401, '42501') and response.headers['WWW-Authenticate'] == 'Bearer'
    assert response.json()['message'] == 'permission denied for function not_for_anon'
    assert rpc('not_for_anon', {}, role='authenticated').error() == (403, '42501')
    assert rpc('twice?n=2').error() == (401, '42501')
    assert rpc('not_for_anon', {}, role='service_role').json() == [{'a': 1}]


# ---- SIGNAL ----

@pytest.mark.parametrize('name, status, body', [
    ('raise_pt402', 402, {'code': 'PT402', 'message': 'Payment Required', 'details': None, 'hint': None}),
    ('raise_bad_pt', 500, {'code': 'PT40A', 'message': 'Wrong', 'details': None, 'hint': None}),
    ('raise_plain', 400, {'code': 'P0001', 'message': 'is unsatisfied', 'details': None, 'hint': None}),
    ('raise_other', 400, {'code': '22023', 'message': 'no such thing', 'details': None, 'hint': None}),
    ('raise_json', 332, {'code': '123', 'message': 'ABC', 'details': 'DEF', 'hint': 'XYZ'}),
])
def test_signal(rpc, name, status, body):
    for response in (rpc(name), rpc(name, {})):
        assert (response.status, response.json()) == (status, body)


def test_an_error_of_any_length(rpc):
    error = {'code': 'LONG', 'message': 'm' * 1000, 'details': 'd' * 1000, 'hint': 'h'}
    for response in (rpc('raise_at_length', {'error': json.dumps({**error, 'status': 422})}), rpc('raise_at_length?' + urlencode({'error': json.dumps({**error, 'status': 422})}))):
        assert (response.status, response.json()) == (422, error)
    assert rpc('raise_at_length', {'error': json.dumps(error)}).status == 400
    # one request's is not the next one's
    for given in (None, ''):
        response = rpc('raise_at_length', {'error': given})
        assert response.error() == (400, 'P0001') and response.json()['message'] == 'short'
    assert rpc('raise_at_length', {'error': 'no JSON'}).error() == (500, 'PGRST121')


# ---- what the database reads of the request and says of the answer ----

def test_request_variables(rpc, stack):
    def value(name, **more):
        return rpc('get_variable', {'name': name}, **more).json()
    assert value('role') == 'anon' and value('method') == 'POST' and value('path') == '/rpc/get_variable'
    assert rpc('get_variable?name=method').json() == 'GET'
    assert json.loads(value('headers', headers={'X-Mine': 'it"s'}))['x-mine'] == 'it"s'
    assert json.loads(value('cookies', headers={'Cookie': 'a=1; b="2"'})) == {'a': '1', 'b': '"2"'}
    claims = json.loads(value('claims', role='service_role'))
    assert claims['role'] == 'service_role' and value('role', role='service_role') == 'service_role'


def test_response_variables(rpc):
    for arguments in ({}, None):
        def ask(status, headers=None):
            if arguments is None:
                return rpc(f'answer_with?status={status or ""}&headers={headers or ""}')
            return rpc('answer_with', {'status': status, 'headers': headers})
        assert ask('418').status == 418 and ask('418').json() == [{'a': 1}]
        assert ask(None).status == 200
        response = ask(None, '[{"X-Test": "key1=val1; someValue"}, {"Content-Type": "text/x-mine"}]')
        assert response.headers['X-Test'] == 'key1=val1; someValue' and response.status == 200
        assert response.headers.get_all('Content-Type') == ['text/x-mine']
        assert ask('204').body == b''
        for bad in ('none', '99', '1000', '2 3'):
            assert ask(bad).error() == (500, 'PGRST112')
        for bad in ('{"a": "b"}', '[1]', '[{"a": 1}]', '[{"a": "b", "c": "d"}]', '[{"a b": "c"}]', '[{"": "c"}]', 'x',
                    '[{"Content-Length": "0"}]', '[{"a": "b\\r\\nc: d"}]'):
            assert ask(None, bad).error() == (500, 'PGRST111'), bad
        assert ask(None).headers['X-Test'] is None
    response = rpc('cookies_twice')
    assert response.status == 204 and response.headers.get_all('Set-Cookie') == ['a=1; Path=/', 'b=2; Secure']


def test_response_variables_of_triggers(stack):
    stack.sql("DELETE FROM spec.r_stuff WHERE id > 1")
    stack.sql("UPDATE spec.r_stuff SET name = 'stuff 1'")
    response = stack.rq('POST', '/rest/v1/r_stuff', {'Prefer': 'return=headers-only'}, [{'id': 2, 'name': 'stuff 2'}])
    assert response.status == 201 and response.headers.get_all('Location') == ['/r_stuff?id=eq.2&overriden=true']
    assert stack.rq('PATCH', '/rest/v1/r_stuff?id=eq.1', None, {'name': 'new'}).status == 205
    assert stack.rq('PATCH', '/rest/v1/r_stuff?id=eq.1', None, {'name': 'bad status'}).error() == (500, 'PGRST112')
    assert stack.rq('PATCH', '/rest/v1/r_stuff?id=eq.1', None, {'name': 'forbidden'}).error() == (403, 'PT403')
    assert stack.rq('PATCH', '/rest/v1/r_stuff?id=eq.1', None, {'name': 'at length'}).error() == (423, 'X1')
    assert stack.sql('SELECT name FROM spec.r_stuff ORDER BY id') == (('new',), ('stuff 2',))
    for _ in range(8):
        response = stack.rq('GET', '/rest/v1/r_stuff')
        assert response.status == 200 and response.headers['Location'] is None


def test_pre_request(stack, rpc):
    checked = stack.variant({'db-pre-request': 'check_request'})
    said = {'X-Said': '1'}
    for method, path, data in (('GET', '/r_stuff', None), ('PATCH', '/r_stuff?id=eq.1', {'name': 'x'}),
                               ('POST', '/rpc/getallprojects', {}), ('GET', '/rpc/getallprojects', None),
                               ('POST', '/rpc/log_it', {'note': f'{time.time()}'})):
        response = checked.rq(method, '/rest/v1' + path, said, data)
        assert response.status < 300 and response.headers['X-Said'] == f'anon {method}', response
        assert checked.rq(method, '/rest/v1' + path, None, data and {**data, **({'note': f'{time.time()}'} if 'note' in data else {})}
                          ).headers['X-Said'] is None
    assert checked.rq('GET', '/rest/v1/r_stuff', {'X-Stop': '1'}).error() == (418, 'PT418')
    stack.sql("UPDATE spec.r_stuff SET name = 'before'")
    assert checked.rq('PATCH', '/rest/v1/r_stuff?id=eq.1', {'X-Stop': '1'}, {'name': 'after'}).error() == (418, 'PT418')
    assert stack.sql("SELECT DISTINCT name FROM spec.r_stuff") == (('before',),)
    assert {checked.get('/rpc/get_variable?name=mine', said).json() for _ in range(6)} == {'anon'}
    assert {checked.get('/rpc/get_variable?name=mine').json() for _ in range(6)} == {None}


def test_nothing_is_left_in_the_session(stack):
    one = stack.variant({'db-schema-poll': '2'}, workers=1)
    token = stack.token('service_role')
    assert one.rq('POST', '/rest/v1/rpc/leave_traces', None, {'secret': 'hidden'}).json() == 'hidden'
    assert one.get('/rpc/get_variable?name=mine').json() is None
    before = one.rq('POST', '/rest/v1/rpc/find_more', None, {}, token).json()
    assert before == [{'role': 'service_role', 'strict': 1, 'zone': '+00:00', 'free': 1, 'mine': None}]
    assert one.rq('POST', '/rest/v1/rpc/leave_more', None, {}, token).status == 204
    assert one.rq('POST', '/rest/v1/rpc/find_more', None, {}, token).json() == before
    assert one.rq('POST', '/rest/v1/rpc/answer_with', None, {'status': '299', 'headers': '[{"X-A": "b"}]'}).status == 299
    response = one.get('/rpc/getallprojects')
    assert response.status == 200 and response.headers['X-A'] is None
    assert one.get('/projects?id=eq.1').status == 200


def test_connection_is_kept(stack):
    one = stack.variant({'db-schema-poll': '3'}, workers=1)
    one.get('/rpc/getallprojects')
    seen = {one.get('/rpc/connection_number').text for _ in range(5)}
    seen |= {one.rq('POST', '/rest/v1/rpc/connection_number', None, {}).text for _ in range(5)}
    assert len(seen) == 1


# ---- time, size ----

@pytest.mark.parametrize('name', ['hang', 'spin'])
def test_what_hangs_is_ended(stack, name):
    quick = stack.variant({'db-statement-timeout': '700'}, workers=1)
    workers = quick.workers()
    for method, data in (('POST', {}), ('GET', None)):
        start = time.monotonic()
        response = quick.rq(method, '/rest/v1/rpc/' + name, None, data)
        assert response.error() == (504, '57014') and time.monotonic() - start < 5
    assert quick.get('/rpc/sayhello?name=x').status == 200 and quick.workers() == workers
    assert wait_until(lambda: not stack.queries('SLEEP(30)') and not stack.queries(f'`{name}`'), 10)


def memory(pid):
    with open(f'/proc/{pid}/status') as f:
        return sum(int(line.split()[1]) for line in f if line.startswith(('RssAnon:',)))


def test_many_rows_stream(stack):
    one = stack.variant({'db-schema-poll': '4'}, workers=1)
    worker, = one.workers()
    one.get('/rpc/numbers?n=1000')
    before = memory(worker)
    for method, data in (('GET', None), ('POST', {'n': 100000})):
        response = one.rq(method, '/rest/v1/rpc/numbers' + ('' if data else '?n=100000'), None, data)
        rows = response.json()
        assert len(rows) == 100000 and {row['id'] for row in rows} == set(range(100000))
        assert response.headers['Content-Range'] == '*/*' and 'Accept' in response.headers['Vary']
    assert 'ROWGATE_SANITIZED' in os.environ or memory(worker) - before < 2048
    assert len(one.get('/rpc/numbers?n=100000&limit=10&offset=99995').json()) == 5
    response = one.get('/rpc/numbers?n=100000&limit=1', {'Prefer': 'count=exact'})
    assert response.status == 206 and response.headers['Content-Range'] == '0-0/100000'
    rows = one.get('/rpc/numbers?n=50000&order=id.desc&limit=3&select=id').json()
    assert rows == [{'id': 49999}, {'id': 49998}, {'id': 49997}]
    response = one.get('/rpc/big_and_brave')
    assert len(response.json()) == 1000


def test_too_much_to_filter(stack):
    stack.sql('DROP PROCEDURE IF EXISTS spec.too_much')
    stack.sql('CREATE PROCEDURE spec.too_much() READS SQL DATA SELECT REPEAT("x", 10000) AS pad FROM spec.r_digits a, spec.r_digits b, spec.r_digits c')
    stack.sql('GRANT EXECUTE ON PROCEDURE spec.too_much TO anon')
    response = stack.get('/rpc/too_much?pad=eq.x')
    assert response.error() == (413, '54000'), response
    assert len(stack.get('/rpc/too_much').json()) == 1000


def test_new_routine_is_found_at_once(stack):
    stack.sql('DROP FUNCTION IF EXISTS spec.just_made')
    assert stack.get('/rpc/just_made').error() == (404, 'PGRST202')
    stack.sql('CREATE FUNCTION spec.just_made() RETURNS INT DETERMINISTIC NO SQL RETURN 1')
    stack.sql('GRANT EXECUTE ON FUNCTION spec.just_made TO anon')
    assert wait_until(lambda: stack.get('/rpc/just_made').status == 200)
    stack.sql('DROP FUNCTION spec.just_made')
    assert wait_until(lambda: stack.get('/rpc/just_made').status == 404)


def test_hostile_names_and_values(rpc):
    for text in ("'; DROP TABLE r_log; --", '\\', "a'b\"c`d", '%00'):
        response = rpc('sayhello', {'name': text})
        assert response.json() == 'Hello, ' + text
    for name in ('a`b', "x'; SELECT 1", '..', '%2e%2e', 'mysql.proc', 'sys.version', 'SLEEP', '%60'):
        assert rpc(name + '?a=1').status == 404
    assert rpc('sayhello', {'name`': 1}).error() == (404, 'PGRST202')
    assert rpc('sayhello?name=%ff').error() == (400, 'PGRST100')
    assert rpc('sayhello', {'name': 'x' * 100}).error() == (400, '22001')
