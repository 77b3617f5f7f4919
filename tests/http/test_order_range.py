"""dialect.md section 5: order with nulls, pages, Content-Range, counts."""
import pytest

from harness import assert_rows, ids

ORDERS = [
    ('/sortable', 'a,id', [3, 1, 4, 2, 5]),
    ('/sortable', 'a.asc,id.asc', [3, 1, 4, 2, 5]),
    ('/sortable', 'a.desc,id', [2, 5, 1, 4, 3]),
    ('/sortable', 'a.asc.nullsfirst,id', [2, 5, 3, 1, 4]),
    ('/sortable', 'a.asc.nullslast,id', [3, 1, 4, 2, 5]),
    ('/sortable', 'a.desc.nullslast,id', [1, 4, 3, 2, 5]),
    ('/sortable', 'a.desc.nullsfirst,id', [2, 5, 1, 4, 3]),
    ('/sortable', 'a.nullsfirst,id.desc', [5, 2, 3, 4, 1]),
    ('/sortable', 't,id', [2, 4, 1, 3, 5]),
    ('/sortable', 't.desc,id', [3, 5, 1, 2, 4]),
    ('/sortable', 'flag,id', [2, 5, 1, 4, 3]),
    ('/sortable', ' a , id ', [3, 1, 4, 2, 5]),
    ('/sortable', '"a".desc,id', [2, 5, 1, 4, 3]),
    ('/docs', 'data->>name.asc.nullslast,id', [3, 1, 2, 4, 5, 6, 7]),
    ('/docs', 'data->>name.desc,id', [4, 5, 6, 7, 2, 1, 3]),
    ('/t_ints', 'biu.desc.nullslast', [2, 4, 1, 3]),
    ('/t_numbers', 'd', [2, 4, 5, 1, 3]),
    ('/t_times', 't6.desc.nullslast', [1, 2, 3]),
]


@pytest.mark.parametrize('path, order, expected', ORDERS)
def test_order(get, path, order, expected):
    assert ids(get(f'{path}?select=id&order={order}')) == expected


def test_order_by_what_is_not_selected(get):
    assert_rows(get('/sortable?select=t&order=a.desc.nullslast,id&limit=2'), [{'t': 'b'}, {'t': 'a'}])


@pytest.mark.parametrize('path, code', [
    ('/items?order=id.foo', 'PGRST100'), ('/items?order=id.asc.nullsmiddle', 'PGRST100'),
    ('/items?order=id.nullsfirst.asc', 'PGRST100'),
    ('/items?order=,id', 'PGRST100'), ('/items?order=id,', 'PGRST100'), ('/items?order=nope', '42703'),
    ('/items?order=id;drop', None), ('/items?order=id desc', None), ('/items?order=id-- ', None), ('/items?order=(id)', None),
    ('/items?order=id,(select 1)', None), ('/items?order=1', None),
])
def test_order_refused(get, path, code):
    refusal = get(path).error()
    assert refusal == (400, code) if code else refusal in [(400, 'PGRST100'), (400, '42703')]


RANGES = [
    # query, headers, status, Content-Range, ids
    ('', {}, 200, '0-14/*', range(1, 16)),
    ('limit=5', {}, 200, '0-4/*', range(1, 6)),
    ('limit=5&offset=5', {}, 200, '5-9/*', range(6, 11)),
    ('offset=10', {}, 200, '10-14/*', range(11, 16)),
    ('offset=0', {}, 200, '0-14/*', range(1, 16)),
    ('limit=100', {}, 200, '0-14/*', range(1, 16)),
    ('limit=0', {}, 200, '*/*', []),
    ('offset=99', {}, 200, '*/*', []),
    ('id=eq.4', {}, 200, '0-0/*', [4]),
    ('id=eq.99', {}, 200, '*/*', []),
    ('', {'Range': '0-4'}, 200, '0-4/*', range(1, 6)),
    ('', {'Range': '0-4', 'Range-Unit': 'items'}, 200, '0-4/*', range(1, 6)),
    ('', {'Range': '5-', 'Range-Unit': 'items'}, 200, '5-14/*', range(6, 16)),
    ('', {'Range': '0-0'}, 200, '0-0/*', [1]),
    ('', {'Range': '10-100'}, 200, '10-14/*', range(11, 16)),
    ('limit=3', {'Range': '0-1'}, 200, '0-1/*', [1, 2]),
    # with a count
    ('', {'Prefer': 'count=exact'}, 200, '0-14/15', range(1, 16)),
    ('limit=5', {'Prefer': 'count=exact'}, 206, '0-4/15', range(1, 6)),
    ('limit=5&offset=12', {'Prefer': 'count=exact'}, 206, '12-14/15', [13, 14, 15]),
    ('limit=15', {'Prefer': 'count=exact'}, 200, '0-14/15', range(1, 16)),
    ('limit=100', {'Prefer': 'count=exact'}, 200, '0-14/15', range(1, 16)),
    ('id=gt.10', {'Prefer': 'count=exact'}, 200, '0-4/5', range(11, 16)),
    ('id=gt.10&limit=2', {'Prefer': 'count=exact'}, 206, '0-1/5', [11, 12]),
    ('id=gt.99', {'Prefer': 'count=exact'}, 200, '*/0', []),
    ('', {'Range': '0-4', 'Prefer': 'count=exact'}, 206, '0-4/15', range(1, 6)),
    ('offset=15', {'Prefer': 'count=exact'}, 206, '*/15', []),
    ('or=(id.eq.1,id.eq.2)&limit=1', {'Prefer': 'count=exact'}, 206, '0-0/2', [1]),
]


@pytest.mark.parametrize('query, headers, status, content_range, expected', RANGES)
def test_range(get, query, headers, status, content_range, expected):
    response = get('/items?select=id&order=id&' + query, headers)
    assert (response.status, response.headers['Content-Range']) == (status, content_range)
    assert ids(response) == list(expected)


@pytest.mark.parametrize('query, headers, status, content_range', [r[:4] for r in RANGES if 'Range' not in r[1]])
def test_head(rq, query, headers, status, content_range):
    """HEAD: what GET says, without the body."""
    response = rq('HEAD', '/rest/v1/items?select=id&order=id&' + query, headers)
    assert (response.status, response.headers['Content-Range']) == (status, content_range)
    assert response.body == b''
    assert response.headers['Content-Type'] == 'application/json; charset=utf-8'


def test_head_has_no_ranges(rq):
    response = rq('HEAD', '/rest/v1/items?select=id', {'Range': '0-4'})
    assert (response.status, response.headers['Content-Range']) == (200, '0-14/*')


def test_limit_0_of_any_range(get):
    response = get('/items?limit=0', {'Range': '10-19'})
    assert (response.status, response.headers['Content-Range'], response.body) == (200, '*/*', b'[]')
    assert get('/items?limit=0', {'Range': '100-199', 'Prefer': 'count=exact'}).rows() == []


BEYOND = 'An offset of {} was requested, but there are only {} rows.'
OUTSIDE = [
    ('/items?offset=100', {'Prefer': 'count=exact'}, BEYOND.format(100, 15), '*/15'),
    ('/items', {'Prefer': 'count=exact', 'Range': '100-199'}, BEYOND.format(100, 15), '*/15'),
    ('/empty_table?offset=1', {'Prefer': 'count=exact'}, BEYOND.format(1, 0), '*/0'),
    ('/items?id=eq.3&offset=5', {'Prefer': 'count=exact'}, BEYOND.format(5, 1), '*/1'),
    ('/items', {'Range': '10-5'},
     'The lower boundary must be lower than or equal to the upper boundary in the Range header.', None),
    ('/items?limit=5', {'Range': '10-19'}, 'Limit should be greater than or equal to zero.', None),
    ('/items?limit=5&offset=5', {'Range': '0-4', 'Prefer': 'count=exact'}, 'Limit should be greater than or equal to zero.', None),
    ('/items', {'Range': '1-0'},
     'The lower boundary must be lower than or equal to the upper boundary in the Range header.', None),
]


@pytest.mark.parametrize('path, headers, details, content_range', OUTSIDE)
def test_range_refused(get, path, headers, details, content_range):
    response = get(path, headers)
    assert response.status == 416
    assert response.json() == {'code': 'PGRST103', 'message': 'Requested range not satisfiable', 'details': details,
                               'hint': None}
    assert content_range is None or response.headers['Content-Range'] == content_range


def test_negative_limit_and_offset(get):
    """As PostgREST has them: the one is out of range, the other the first row."""
    assert get('/items?limit=-1').error() == (416, 'PGRST103')
    assert get('/items?limit=-1').json()['details'] == 'Limit should be greater than or equal to zero.'
    response = get('/items?offset=-4&limit=2&order=id')
    assert response.rows() == [{'id': 1}, {'id': 2}] and response.headers['Content-Range'] == '0-1/*'
    assert get('/projects?select=id,tasks(id)&id=eq.1&tasks.limit=-1').error() == (416, 'PGRST103')


@pytest.mark.parametrize('path, headers', [
    ('/items?limit=x', {}), ('/items?limit=1.5', {}), ('/items?limit=', {}), ('/items?offset=x', {}),
    ('/items?limit=99999999999999999999999', {}), ('/items?offset=18446744073709551615', {}),
    ('/items?limit=9223372036854775807&offset=9223372036854775807', {}),
    ('/items', {'Range': 'x-y'}), ('/items', {'Range': '-5'}), ('/items', {'Range': 'bytes=0-4'}),
    ('/items', {'Range': '0-99999999999999999999999'}), ('/items', {'Range': ''}),
])
def test_odd_ranges_do_no_harm(get, path, headers):
    """Refused or ignored, as PostgREST does with each; never an error of ours."""
    assert get(path, headers).status in (200, 400, 416)


def test_empty_table(get):
    response = get('/empty_table', {'Prefer': 'count=exact'})
    assert (response.status, response.headers['Content-Range'], response.body) == (200, '*/0', b'[]')


@pytest.mark.parametrize('kind', ['planned', 'estimated'])
def test_estimated_counts(get, kind):
    response = get('/items?select=id&limit=5', {'Prefer': f'count={kind}'})
    first, _, total = response.headers['Content-Range'].partition('/')
    assert first == '0-4' and 5 <= int(total) <= 150
    assert response.status == (206 if int(total) > 5 else 200)
    assert len(response.rows()) == 5
    assert response.headers['Preference-Applied'] == f'count={kind}'


def test_estimated_is_exact_below_the_limit(stack):
    get = stack.variant({'db-max-rows': '20'}).get
    response = get('/items?select=id&limit=5', {'Prefer': 'count=estimated'})
    assert response.headers['Content-Range'] == '0-4/15'


def test_count_none(get):
    assert get('/items', {'Prefer': 'count=none'}).headers['Content-Range'] == '0-14/*'


def test_max_rows(stack):
    get = stack.variant({'db-max-rows': '2'}).get
    response = get('/items?order=id')
    assert ids(response) == [1, 2] and response.headers['Content-Range'] == '0-1/*' and response.status == 200
    response = get('/items?order=id&limit=10', {'Prefer': 'count=exact'})
    assert ids(response) == [1, 2] and response.headers['Content-Range'] == '0-1/15' and response.status == 206
    assert ids(get('/items?order=id&limit=1')) == [1]
    assert ids(get('/items?order=id&offset=4')) == [5, 6]
    assert_rows(get('/users?select=id,tasks(id)&order=id&limit=1&tasks.order=id'), [{'id': 1, 'tasks': [{'id': 1}, {'id': 2}]}])


def test_pages_without_an_order_do_not_overlap(get):
    seen = [i for offset in range(0, 15, 4) for i in ids(get(f'/items?limit=4&offset={offset}'))]
    assert sorted(seen) == list(range(1, 16))
