"""dialect.md section 2: what select= gives - columns, aliases, casts, JSON paths."""
import pytest

from harness import assert_rows

SELECT = [
    # columns and aliases
    ('/projects?id=eq.1', [{'id': 1, 'name': 'Windows 7', 'client_id': 1}]),
    ('/projects?select=*&id=eq.1', [{'id': 1, 'name': 'Windows 7', 'client_id': 1}]),
    ('/projects?select=&id=eq.1', [{'id': 1, 'name': 'Windows 7', 'client_id': 1}]),
    ('/projects?select=name,id&id=eq.1', [{'name': 'Windows 7', 'id': 1}]),
    ('/projects?select= name , id &id=eq.1', [{'name': 'Windows 7', 'id': 1}]),
    ('/projects?select=title:name,number:id&id=eq.1', [{'title': 'Windows 7', 'number': 1}]),
    ('/projects?select=*,again:name&id=eq.1', [{'id': 1, 'name': 'Windows 7', 'client_id': 1, 'again': 'Windows 7'}]),
    ('/projects?select="name"&id=eq.1', [{'name': 'Windows 7'}]),
    ('/projects?id=eq.99', []),
    # casts
    ('/sales?select=id::text,price::text&id=eq.1', [{'id': '1', 'price': '1.50'}]),
    ('/sales?select=p:price::text&id=eq.1', [{'p': '1.50'}]),
    ('/sales?select=sold::text&id=eq.1', [{'sold': '2024-01-01'}]),
    ('/sales?select=qty::bool&id=in.(1,5)&order=id', [{'qty': True}, {'qty': True}]),
    ('/sales?select=qty::float8&id=eq.1', [{'qty': 10}]),
    ('/sales?select=price::int&id=in.(1,3,5)&order=id', [{'price': 2}, {'price': 2}, {'price': 100}]),
    ('/sales?select=price::integer,a:price::bigint,b:price::int8&id=eq.5', [{'price': 100, 'a': 100, 'b': 100}]),
    ('/sales?select=qty::text&id=eq.4', [{'qty': None}]),
    # JSON paths
    ('/docs?select=id,data->age&id=in.(1,2,3)&order=id', [{'id': 1, 'age': 10}, {'id': 2, 'age': 9}, {'id': 3, 'age': 100.5}]),
    ('/docs?select=data->name,text:data->>name&id=eq.1', [{'name': 'one', 'text': 'one'}]),
    ('/docs?select=data->>age,data->>ok&id=eq.1', [{'age': '10', 'ok': 'true'}]),
    ('/docs?select=data->nested->deep&id=in.(1,2,3)&order=id', [{'deep': {'er': 'x'}}, {'deep': None}, {'deep': None}]),
    ('/docs?select=data->nested->>deep&id=eq.2', [{'deep': None}]),
    ('/docs?select=data->nested->deep->>er&id=eq.1', [{'er': 'x'}]),
    ('/docs?select=data->list->2->>k&id=eq.1', [{'k': 'v'}]),
    ('/docs?select=data->list->0&id=eq.1', [{'list': 1}]),
    ('/docs?select=data->list->-1&id=eq.1', [{'list': {'k': 'v'}}]),
    ('/docs?select=data->list->-3&id=eq.1', [{'list': 1}]),
    ('/docs?select=data->list->9&id=eq.1', [{'list': None}]),
    ('/docs?select=first:data->0,last:data->>-1&id=eq.5', [{'first': 10, 'last': '30'}]),
    ('/docs?select=v:data->"a b"&id=eq.3', [{'v': 2}]),
    ('/docs?select=v:data->0&id=eq.3', [{'v': None}]),
    ('/docs?select=v:data->missing,w:data->missing->deeper,x:data->>missing&id=eq.1', [{'v': None, 'w': None, 'x': None}]),
    ('/docs?select=v:data->name->x&id=eq.1', [{'v': None}]),
    ('/docs?select=v:data->x&id=in.(4,6,7)', [{'v': None}, {'v': None}, {'v': None}]),
    ('/docs?select=age:data->>age::int&id=eq.1', [{'age': 10}]),
    ('/docs?select=data,tags&id=in.(4,6,7)&order=id',
     [{'data': None, 'tags': None}, {'data': 'just text', 'tags': {'k': {'n': 1}}}, {'data': None, 'tags': [None]}]),
    # generated columns are columns
    ('/t_generated', [{'id': 1, 'a': 5, 'v': 10, 's': 6, 'hidden_away': 3}]),
]


@pytest.mark.parametrize('path, expected', SELECT)
def test_select(get, path, expected):
    assert_rows(get(path), expected)


def test_column_names_are_blind_to_case(get):
    row, = get('/projects?select=NAME&Id=eq.1').rows()
    assert [(key.lower(), value) for key, value in row.items()] == [('name', 'Windows 7')]


def test_boolean_as_text(get):
    row, = get('/sortable?select=flag::text,n:flag::int&id=eq.1').rows()
    assert row['n'] == 1 and row['flag'] in ('true', '1')


def test_json_keeps_its_text(get):
    """JSON comes out as it is stored: keys in the server's order, numbers in full."""
    big, = get('/t_json?select=j&id=eq.5').rows()
    assert big == {'j': 12345678901234567890}
    assert b'12345678901234567890' in get('/t_json?select=j&id=eq.5').body
    assert get('/t_json?select=j&id=eq.1').rows() == [{'j': {'b': [1, 2.5, 'x', None, True], 'a': {'c': 'd"e'}}}]


REFUSED = [
    ('/projects?select=nope', 400, '42703'),
    ('/projects?select=id,', 400, 'PGRST100'),
    ('/projects?select=,id', 400, 'PGRST100'),
    ('/projects?select=id,,name', 400, 'PGRST100'),
    ('/projects?select=(id)', 400, 'PGRST100'),
    ('/projects?select=id::', 400, 'PGRST100'),
    ('/projects?select=id::nosuchtype', 400, '42704'),
    ("/projects?select=id::text'); DROP TABLE projects --", 400, None),
    ('/projects?select=name->x', 400, None),
    ('/projects?select=clients(', 400, 'PGRST100'),
    ('/projects?select=clients(id', 400, 'PGRST100'),
    ('/projects?select=clients(id))', 400, 'PGRST100'),
    ('/projects?select=a:b:c', 400, None),
    ('/projects?select=...name', 400, 'PGRST100'),
    ('/projects?select="name', 400, 'PGRST100'),
    ('/docs?select=data->', 400, 'PGRST100'),
    ('/docs?select=data->>a->b', 400, 'PGRST100'),
    ('/docs?select=data->a->>', 400, 'PGRST100'),
]


@pytest.mark.parametrize('path, status, code', REFUSED)
def test_select_refused(get, path, status, code):
    got = get(path).error()
    assert got[0] == status
    assert code is None or got[1] == code


def test_unknown_column_names_it(get):
    body = get('/projects?select=nope').json()
    assert body['message'] == 'column projects.nope does not exist'
