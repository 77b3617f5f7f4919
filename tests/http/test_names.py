"""Names with blanks, quotes, backticks, percent signs, reserved words and any Unicode."""
import urllib.parse

import pytest

from harness import assert_rows

Q = urllib.parse.quote


def quoted(name):
    """A name as the grammar wants it when it holds reserved characters."""
    return Q('"' + name.replace('\\', '\\\\').replace('"', '\\"') + '"', safe='')


ROWS = [
    ('Order Items', [{'Item Id': 1, 'unit "price"': 10, 'back`tick': 11, 'select': 12, 'a.b': 13, 'per%cent': 14},
                     {'Item Id': 2, 'unit "price"': 20, 'back`tick': 21, 'select': 22, 'a.b': 23, 'per%cent': 24}]),
    ('日本 語', [{'id': 1, '名前, (姓)': '山田', 'x:y*z': 5}]),
    ('limit', [{'order': 1, 'or': 2, 'select': 3, 'Table': 4, 'having': 5}]),
    ('q"u\'o`te\\;', [{"'": 1, '"': 2, '`': 3, '--': 4, '/*': 5, 'two\nlines': 6}]),
    ('hyphen-ated', [{'a-b': 1, '$c': 2, '1st': 3}]),
]


@pytest.mark.parametrize('table, rows', ROWS)
def test_whole_table(get, table, rows):
    key = quoted(list(rows[0])[0])
    assert_rows(get(f'/{Q(table, safe="")}?order={key}'), rows)


CELLS = [(table, column, rows[-1][column]) for table, rows in ROWS for column in rows[0]]


@pytest.mark.parametrize('table, column, value', CELLS)
def test_select_and_order(get, table, column, value):
    response = get(f'/{Q(table, safe="")}?select=x:{quoted(column)},{quoted(column)}&order={quoted(column)}.desc&limit=1')
    assert_rows(response, [{'x': value, column: value}])


@pytest.mark.parametrize('table, column, value', CELLS)
def test_filter_in_a_tree(get, table, column, value):
    response = get(f'/{Q(table, safe="")}?select={quoted(column)}&or=({quoted(column)}.eq.{quoted(str(value))})')
    assert_rows(response, [{column: value}])


@pytest.mark.parametrize('table, column, value', [c for c in CELLS if c[1] not in ('select', 'or', 'order')])
def test_filter(get, table, column, value):
    response = get(f'/{Q(table, safe="")}?select={quoted(column)}&{quoted(column)}=eq.{Q(str(value))}')
    assert_rows(response, [{column: value}])


def test_bare_names(get):
    assert_rows(get('/Order%20Items?select=Item Id&Item Id=eq.2'), [{'Item Id': 2}])
    assert_rows(get('/hyphen-ated?select=a-b,$c,1st&a-b=eq.1'), [{'a-b': 1, '$c': 2, '1st': 3}])


def test_embeds(get):
    rows = [{'id': 1, 'Order Items': {'Item Id': 2}}, {'id': 2, 'Order Items': {'Item Id': 2}}, {'id': 3, 'Order Items': None}]
    assert_rows(get('/evil child?select=id,Order Items(Item Id)&order=id'), rows)
    assert_rows(get(f'/evil child?select=id,{quoted("Order Items")}({quoted("Item Id")})&order=id'), rows)
    assert_rows(get('/Order Items?select=Item Id,evil child(id)&order=Item Id&evil child.order=id'),
                [{'Item Id': 1, 'evil child': []}, {'Item Id': 2, 'evil child': [{'id': 1}, {'id': 2}]}])
    assert_rows(get(f'/evil child?select=id,x:{quoted("fk `evil")}(back:{quoted("back`tick")})&id=eq.1'),
                [{'id': 1, 'x': {'back': 21}}])


@pytest.mark.parametrize('alias', ['x"y', 'back\\slash', '日本', "q'uote", 'a`b', 'tab\there', 'x,y', '🙂'])
def test_aliases(get, alias):
    response = get(f'/projects?select={quoted(alias)}:name&id=eq.1')
    assert_rows(response, [{alias: 'Windows 7'}])


def test_csv_header(get):
    response = get(f'/q%22u%27o%60te%5C%3B?select={quoted(chr(34))}', {'Accept': 'text/csv'})
    assert response.text.splitlines()[0] == '""""'
