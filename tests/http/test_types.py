"""dialect.md section 10: every column type of both servers in its JSON form, to the byte."""
import csv
import io
import json
import math
import struct

import pytest

from harness import assert_rows, wait_until

# table, column: the JSON text in rows 1, 2 and 3 (and more where there are more).
FORMS = [
    ('t_ints', 'ti', ['1', '-128', 'null', '127']),
    ('t_ints', 'tiu', ['1', '255', 'null', '0']),
    ('t_ints', 'si', ['1', '-32768', 'null', '32767']),
    ('t_ints', 'siu', ['1', '65535', 'null', '0']),
    ('t_ints', 'mi', ['1', '-8388608', 'null', '8388607']),
    ('t_ints', 'miu', ['1', '16777215', 'null', '0']),
    ('t_ints', 'i', ['1', '-2147483648', 'null', '2147483647']),
    ('t_ints', 'iu', ['1', '4294967295', 'null', '0']),
    ('t_ints', 'bi', ['1', '-9223372036854775808', 'null', '9223372036854775807']),
    ('t_ints', 'biu', ['1', '18446744073709551615', 'null', '9223372036854775808']),
    ('t_ints', 'b', ['true', 'false', 'null', 'true']),
    ('t_ints', 'y', ['2024', '1901', 'null', '2155']),
    ('t_numbers', 'd', ['1.500000000000000000000000000000',
                        '-12345678901234567890123456789012345.123456789012345678901234567891', 'null',
                        '0.000000000000000000000000000000', '0.000000000000000000000000000001']),
    ('t_numbers', 'm', ['12.30', '-99999999.99', 'null', '0.00', '0.01']),
    ('t_numbers', 'u', ['7', '99999', 'null', '0', '1']),
    ('t_bits', 'b1', ['true', 'false', 'null']),
    ('t_bits', 'b8', ['"00000101"', '"11111111"', 'null']),
    ('t_bits', 'b64', ['"' + '0' * 63 + '1"', '"' + '1' * 64 + '"', 'null']),
    ('t_times', 'd', ['"2020-01-31"', '"0000-00-00"', 'null']),
    ('t_times', 'dt', ['"2020-01-31T10:00:00"', '"0000-00-00T00:00:00"', 'null']),
    ('t_times', 'dt3', ['"2020-01-31T10:00:00.12"', '"9999-12-31T23:59:59.999"', 'null']),
    ('t_times', 'dt6', ['"2020-01-31T10:00:00.123456"', '"1000-01-01T00:00:00"', 'null']),
    ('t_times', 'ts', ['"2020-01-31T10:00:00+00:00"', '"1970-01-02T00:00:01+00:00"', 'null']),
    ('t_times', 'ts6', ['"2020-01-31T10:00:00.5+00:00"', '"2038-01-18T03:14:07.999999+00:00"', 'null']),
    ('t_times', 't', ['"10:00:00"', '"-838:59:59"', 'null']),
    ('t_times', 't3', ['"10:00:00.25"', '"838:59:59"', 'null']),
    ('t_times', 't6', ['"10:00:00.000001"', '"-00:00:00.5"', 'null']),
    ('t_texts', 'c', ['"abc"', '""', 'null', '"日本"']),
    ('t_texts', 'tt', ['"tiny"', '""', 'null', '"ß"']),
    ('t_texts', 'x', ['"text"', '""', 'null', '"é"']),
    ('t_texts', 'mt', ['"medium"', '""', 'null', '"e\u0301"']),
    ('t_texts', 'e', ['"small"', '"größe"', 'null', r'"me\"dium"']),
    ('t_texts', 's', ['"red,blue"', '""', 'null', '"red,green,blue"']),
    ('t_texts', 'l', ['"café"', '""', 'null', '"ÿ"']),
    ('t_binaries', 'b', [r'"\\x61000000"', r'"\\x00000000"', 'null']),
    ('t_binaries', 'vb', [r'"\\x00ff"', r'"\\x"', 'null']),
    ('t_binaries', 'tb', [r'"\\x"', r'"\\xff"', 'null']),
    ('t_binaries', 'lb', [r'"\\x41"', r'"\\x5c5c5c5c5c5c5c5c5c5c"', 'null']),
]


@pytest.mark.parametrize('table, column, forms', FORMS, ids=lambda v: v if isinstance(v, str) else '')
def test_form(get, table, column, forms):
    """The text of the value in the answer, not only what it parses to."""
    for row, form in enumerate(forms, 1):
        response = get(f'/{table}?select=v:{column}&id=eq.{row}')
        response.rows()
        assert response.text == '[{"v":' + form + '}]'


def test_doubles_round_trip(get):
    rows = get('/t_numbers?select=db&order=id').rows()
    assert [r['db'] for r in rows] == [0.1, 1.7976931348623157e308, None, 5e-324, 123456789012345680.0]


def test_doubles_are_short(get):
    assert get('/t_numbers?select=db&id=eq.1').text == '[{"db":0.1}]'
    assert get('/t_numbers?select=f&id=eq.5').text == '[{"f":0.1}]'


def test_floats_round_trip(get):
    single = [struct.unpack('f', struct.pack('f', v))[0] for v in (1.5, -3.25e10, 0.0, 0.1)]
    values = [r['f'] for r in get('/t_numbers?select=f&f=not.is.null&order=id').rows()]
    assert [struct.unpack('f', struct.pack('f', v))[0] for v in values] == single


def test_text_with_everything_in_it(get):
    value = 'quote " back \\ slash / tab \t newline \n return \r bell \b form f one \x1a del 🙂 \0 end'
    response = get('/t_texts?select=v&id=eq.2')
    assert response.rows() == [{'v': value}]
    assert '🙂'.encode() in response.body


def test_long_text_and_blob(get):
    assert get('/t_texts?select=lt&id=eq.4').rows() == [{'lt': 'long text, 64 KiB and more 🙂 ' * 5000}]
    assert get('/t_binaries?select=bl&id=eq.2').rows() == [{'bl': '\\x' + '00ff' * 30000}]
    assert get('/t_texts?select=v&id=eq.4').rows() == [{'v': '𝄞'}]


def test_json(get):
    rows = get('/t_json?order=id').rows()
    assert [r['j'] for r in rows] == [
        {'b': [1, 2.5, 'x', None, True], 'a': {'c': 'd"e'}}, [], None, 'text', 12345678901234567890, None, False]


def floats(value):
    """Numbers as floats, for servers differ in 1 and 1.0."""
    if isinstance(value, dict):
        return {k: floats(v) for k, v in value.items()}
    if isinstance(value, list):
        return [floats(v) for v in value]
    return float(value) if isinstance(value, (int, float)) else value


GEOMETRY = {
    'p': {'type': 'Point', 'coordinates': [1, 2]},
    'l': {'type': 'LineString', 'coordinates': [[0, 0], [1.5, 1], [2, 0]]},
    'pg': {'type': 'Polygon', 'coordinates': [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]]},
    'mp': {'type': 'MultiPoint', 'coordinates': [[1, 1], [2, 2]]},
    'ml': {'type': 'MultiLineString', 'coordinates': [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]},
    'mpg': {'type': 'MultiPolygon',
            'coordinates': [[[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]], [[[5, 5], [6, 5], [6, 6], [5, 6], [5, 5]]]]},
    'gc': {'type': 'GeometryCollection', 'geometries': [
        {'type': 'Point', 'coordinates': [1, 1]}, {'type': 'LineString', 'coordinates': [[0, 0], [1, 1]]}]},
    'g': {'type': 'Point', 'coordinates': [-0.125, 1e-7]},
}


def test_geometry(get):
    row, = get('/t_geo?id=eq.1').rows()
    assert row.pop('id') == 1
    assert {k: {n: floats(v) for n, v in g.items()} for k, g in row.items()} == {k: floats(g) for k, g in GEOMETRY.items()}
    assert get('/t_geo?id=eq.3').rows() == [{'id': 3, **{k: None for k in GEOMETRY}}]


@pytest.mark.mysql
def test_geometry_of_the_earth(get):
    """SRID 4326: GeoJSON puts the longitude first, whatever the axis order of the reference system."""
    row, = get('/t_geo?select=p&id=eq.2').rows()
    assert row['p']['coordinates'] == [2, 1]


@pytest.mark.mysql
def test_vectors(get, rq, stack):
    """In the digits of 4 bytes; also where the client library does not know the type."""
    assert get('/t_vector?order=id').text == '[{"id":1,"v":[0.1,-1e-20,16777216]},{"id":2,"v":null}]'
    assert get('/t_vector?order=id', {'Accept': 'text/csv'}).text == 'id,v\n1,"[0.1,-1e-20,16777216]"\n2,'
    assert get('/t_vector?select=id&v=not.is.null').rows() == [{'id': 1}]
    assert get('/t_vector?v=eq.[1]').error() == (400, '42883')
    assert get('/t_vector?select=v::text').error() == (400, '42846')
    stack.sql('GRANT INSERT ON spec.t_vector TO service_role')
    for sent, shown in (([1.5, 2, -3], [1.5, 2, -3]), ('[1,2]', [1, 2])):
        stack.sql('DELETE FROM spec.t_vector WHERE id = 3')
        response = rq('POST', '/rest/v1/t_vector', {'Prefer': 'return=representation'}, {'id': 3, 'v': sent}, stack.token('service_role'))
        assert (response.status, response.json()) == (201, [{'id': 3, 'v': shown}])
    stack.sql('DELETE FROM spec.t_vector WHERE id = 3')
    for bad, code in (([], '22P02'), (['a'], '22P02'), ([[1]], '22P02'), ('x', '22P02'), ({'a': 1}, '22P02'), ([1, 2, 3, 4], '22001')):
        assert rq('POST', '/rest/v1/t_vector', {}, {'id': 3, 'v': bad}, stack.token('service_role')).error() == (400, code)


@pytest.mark.mariadb
def test_mariadb_types(get):
    assert_rows(get('/t_mariadb?order=id'), [
        {'id': 1, 'u': '123e4567-e89b-12d3-a456-426655440000', 'i6': '2001:db8::ff00:42:8329', 'i4': '192.0.2.1'},
        {'id': 2, 'u': None, 'i6': None, 'i4': None}])
    assert_rows(get('/t_mariadb?select=id&u=eq.123E4567-E89B-12D3-A456-426655440000'), [{'id': 1}])
    assert_rows(get('/t_mariadb?select=id&i6=eq.2001:db8::ff00:42:8329'), [{'id': 1}])
    assert get('/t_mariadb?u=eq.nonsense').error() == (400, '22P02')


def test_time_zone(get):
    """timezone= moves TIMESTAMP, and only it."""
    response = get('/t_times?select=ts,dt&id=eq.1', {'Prefer': 'timezone=+05:30'})
    assert_rows(response, [{'ts': '2020-01-31T15:30:00+05:30', 'dt': '2020-01-31T10:00:00'}])
    assert response.headers['Preference-Applied'] == 'timezone=+05:30'
    # The next request sees nothing of it.
    for _ in range(8):
        assert_rows(get('/t_times?select=ts&id=eq.1'), [{'ts': '2020-01-31T10:00:00+00:00'}])


@pytest.mark.parametrize('name', ['UTC', 'utc', 'Etc/UTC', 'GMT', '+00:00'])
def test_utc_needs_no_tables(get, name):
    response = get('/t_times?select=ts&id=eq.1', {'Prefer': 'handling=strict, timezone=' + name})
    assert_rows(response, [{'ts': '2020-01-31T10:00:00+00:00'}])
    assert f'timezone={name}' in response.headers['Preference-Applied']


@pytest.mark.parametrize('name', ['SYSTEM', 'system', 'DEFAULT', '@@global.time_zone', '+99:99', "x'"])
def test_no_time_zone(get, name):
    assert get('/t_times?id=eq.1', {'Prefer': 'timezone=' + name}).error() == (400, '22023')


def test_unknown_time_zone(get):
    for handling in ('', ', handling=strict'):
        response = get('/t_times?id=eq.1', {'Prefer': 'timezone=Mars/Olympus' + handling})
        assert response.status in ((400,) if handling else (200, 400))
        assert 'timezone' not in (response.headers['Preference-Applied'] or '')


@pytest.mark.parametrize('table', ['t_ints', 't_numbers', 't_bits', 't_times', 't_texts', 't_binaries', 't_json', 't_geo',
                                   't_generated'])
def test_every_format_writes_every_type(get, table):
    """The same rows as JSON, NDJSON and CSV."""
    rows = get(f'/{table}?order=id').rows()
    lines = get(f'/{table}?order=id', {'Accept': 'application/x-ndjson'})
    assert [json.loads(line) for line in lines.text.split('\n') if line][:len(rows)] == rows
    response = get(f'/{table}?order=id', {'Accept': 'text/csv'})
    assert response.status == 200
    assert not any(isinstance(v, float) and math.isnan(v) for row in rows for v in row.values())


@pytest.mark.mariadb
@pytest.mark.parametrize('accept', ['application/json', 'application/x-ndjson', 'text/csv'])
def test_json_that_only_mariadb_takes_for_json(get, stack, accept):
    """A path of Windows in a JSON column, with its backslashes as they are, must not spoil the page it is on."""
    stack.sql('DROP TABLE IF EXISTS spec.t_odd_json')
    stack.sql('CREATE TABLE spec.t_odd_json (id INT PRIMARY KEY, j JSON)')
    try:
        stack.sql('INSERT INTO spec.t_odd_json VALUES (1, %s), (2, %s)', r'{"path": "C:\dir\x. \\ \"q\"", "n": [1., 2.5]}', '"fine"')
        stack.sql('GRANT SELECT ON spec.t_odd_json TO anon')
        meant = {'path': 'C:dirx. \\ "q"', 'n': [1, 2.5]}
        response = wait_until(lambda: (r := get('/t_odd_json?order=id', {'Accept': accept})).status == 200 and r)
        if accept == 'text/csv':
            rows = [dict(row, id=int(row['id']), j=json.loads(row['j'])) for row in csv.DictReader(io.StringIO(response.text))]
        else:
            rows = response.json() if accept == 'application/json' else [json.loads(line) for line in response.text.splitlines()]
        assert rows == [{'id': 1, 'j': meant}, {'id': 2, 'j': 'fine'}]
        assert get('/t_odd_json?select=j->path,t:j->>path,n:j->n->0&id=eq.1').rows() == [{'path': meant['path'], 't': meant['path'], 'n': 1}]
    finally:
        stack.sql('DROP TABLE spec.t_odd_json')


def test_long_values_can_be_sorted(get, stack):
    """MySQL sorts whole rows in a buffer of 256 KiB, and refuses what does not fit (1038)."""
    stack.sql('DROP TABLE IF EXISTS spec.t_long')
    stack.sql('CREATE TABLE spec.t_long (id INT PRIMARY KEY, n INT, j JSON, t LONGTEXT)')
    try:
        for number in (1, 2, 3):
            stack.sql("INSERT INTO spec.t_long VALUES (%s, %s, JSON_OBJECT('a', REPEAT('x', 300000)), REPEAT('y', 300000))", number, -number)
        stack.sql('GRANT SELECT ON spec.t_long TO anon')
        response = wait_until(lambda: (r := get('/t_long?select=id,j&order=n')).status != 404 and r)
        assert [row['id'] for row in response.rows()] == [3, 2, 1]
        for query in ('select=id,j&order=n&limit=2', 'select=id,j->a&order=n&limit=2', 'select=id,j&order=j->a,n&limit=2', 'select=id,t&order=t,n&limit=2'):
            assert [row['id'] for row in get('/t_long?' + query).rows()] == [3, 2], query
    finally:
        stack.sql('DROP TABLE spec.t_long')


@pytest.mark.parametrize('names', ['latin1', 'utf8mb3'])
def test_a_server_that_sets_another_character_set(stack, names):
    """init_connect, as many a my.cnf has it: what comes and goes is UTF-8 all the same."""
    text = 'a🙂é'
    stack.sql('SET GLOBAL init_connect = %s', f'SET NAMES {names}')
    try:
        own = stack.variant(fresh=True)
        who, show = stack.token('service_role'), {'Prefer': 'return=representation'}
        stack.sql('DELETE FROM spec.w_one')
        assert own.rq('POST', '/rest/v1/w_one', show, {'id': 1, 'name': text}, who).json()[0]['name'] == text
        assert stack.sql('SELECT HEX(name) FROM spec.w_one') == ((text.encode().hex().upper(),),)
        assert own.rq('GET', '/rest/v1/w_one?select=name&name=eq.' + text, None, None, who).rows() == [{'name': text}]
        assert own.get('/texts?select=ci&id=eq.13').rows() == [{'ci': '日本 🙂'}]
        stack.forget(own)
    finally:
        stack.sql("SET GLOBAL init_connect = ''")
        stack.sql('DELETE FROM spec.w_one')
