"""dialect.md section 4: filters, their literals, and their trees."""
import pytest

from harness import ids

ALL = list(range(1, 16))
TEXTS = list(range(1, 18))

FILTERS = [
    # comparison
    ('/items', 'id=eq.3', [3]),
    ('/items', 'id=neq.3', [i for i in ALL if i != 3]),
    ('/items', 'id=gt.13', [14, 15]),
    ('/items', 'id=gte.13', [13, 14, 15]),
    ('/items', 'id=lt.3', [1, 2]),
    ('/items', 'id=lte.3', [1, 2, 3]),
    ('/items', 'id=gt.3&id=lt.6', [4, 5]),
    ('/items', 'id=not.gt.2', [1, 2]),
    ('/items', 'id=eq.-1', []),
    ('/items', 'id=eq.9223372036854775807', []),
    ('/sales', 'price=eq.1.5', [1]),
    ('/sales', 'price=eq.1.50', [1]),
    ('/sales', 'price=gt.1.55', [2, 3, 4, 5]),
    ('/sales', 'price=lt.1.6e0', [1]),
    ('/sales', 'ratio=eq.0.25', [2]),
    ('/sales', 'qty=eq.10', [1]),
    ('/sales', 'qty=neq.10', [2, 3, 5]),
    ('/sales', 'qty=not.eq.10', [2, 3, 5]),
    ('/sales', 'sold=eq.2024-01-02', [2]),
    ('/sales', 'sold=gte.2024-02-01', [3, 4]),
    ('/t_ints', 'biu=eq.18446744073709551615', [2]),
    ('/t_ints', 'biu=gte.9223372036854775808', [2, 4]),
    ('/t_ints', 'bi=eq.-9223372036854775808', [2]),
    ('/t_ints', 'y=eq.1901', [2]),
    ('/t_ints', 'b=eq.true', [1, 4]),
    ('/t_ints', 'b=eq.f', [2]),
    ('/t_numbers', 'd=eq.-12345678901234567890123456789012345.123456789012345678901234567891', [2]),
    ('/t_numbers', 'd=eq.1e-30', [5]),
    ('/t_bits', 'b1=is.true', [1]),
    ('/t_bits', 'b1=eq.true', [1]),
    ('/t_bits', 'b8=eq.00000101', [1]),
    ('/t_times', 'dt=eq.2020-01-31T10:00:00', [1]),
    ('/t_times', 'dt=eq.2020-01-31 10:00:00', [1]),
    ('/t_times', 'dt6=eq.2020-01-31T10:00:00.123456', [1]),
    ('/t_times', 'ts=eq.2020-01-31T10:00:00Z', [1]),
    ('/t_times', 'ts=eq.2020-01-31T12:30:00+02:30', [1]),
    ('/t_times', 'ts=eq.2020-01-31T04:00:00-06:00', [1]),
    ('/t_times', 'ts=gt.2020-01-31T10:59:59+01:00', [1]),
    ('/t_times', 't=eq.10:00:00', [1]),
    ('/t_times', 't=eq.-838:59:59', [2]),
    ('/t_times', 'd=lte.2020-01-31', [1, 2]),
    ('/t_texts', 'e=eq.small', [1]),
    ('/t_texts', 'e=eq.größe', [2]),
    ('/t_texts', 'e=in.(small,größe)', [1, 2]),
    ('/t_texts', 'e=gt.small', [2, 4]),
    ('/t_texts', 'e=lte.me"dium', [1, 4]),
    ('/t_texts', 'e=gte(any).{größe,"me\\"dium"}', [2, 4]),
    ('/t_binaries', r'vb=eq.\x00ff', [1]),
    ('/t_binaries', r'bl=eq.\xdeadbeef', [1]),
    # text by the column's collation
    ('/texts', 'ci=eq.alpha', [1, 2, 3]),
    ('/texts', 'cs=eq.alpha', [2]),
    ('/texts', 'cs=eq.ÄLPHA', [3]),
    ('/texts', 'cs=neq.alpha', [i for i in TEXTS if i not in (2, 12)]),
    ('/texts', 'cs=eq.', [11]),
    ('/texts', 'cs=eq.null', [14]),
    ('/texts', 'cs=eq.with,comma', [9]),
    ('/texts', 'cs=eq.with "quotes"', [10]),
    ('/texts', r'cs=eq.back\slash', [8]),
    ('/texts', 'cs=eq.日本 🙂', [13]),
    ('/texts', 'cs=eq.50%25 off', [4]),
    ('/texts', 'cs=eq.line%0Abreak', [16]),
    ('/texts', 'cs=eq.(paren)', [15]),
    ('/texts', "cs=eq.' OR 1=1 -- ", []),
    ('/texts', 'latin=eq.ALPHA', [1, 2]),
    # like is about case, ilike is not; both see accents
    ('/texts', 'ci=like.alp*', [2]),
    ('/texts', 'ci=like.Alp*', [1]),
    ('/texts', 'cs=like.alp*', [2]),
    ('/texts', 'latin=like.Alp*', [1]),
    ('/texts', 'ci=ilike.aLP*', [1, 2]),
    ('/texts', 'cs=ilike.aLP*', [1, 2]),
    ('/texts', 'latin=ilike.aLP*', [1, 2]),
    ('/texts', 'ci=ilike.älp*', [3]),
    ('/texts', 'cs=ilike.älp*', [3]),
    ('/texts', 'latin=ilike.älp*', [3]),
    ('/texts', 'cs=like.*pha', [1, 2]),
    ('/texts', 'cs=like.%25pha', [1, 2]),
    ('/texts', 'cs=like.a_b', [5, 6, 7]),
    ('/texts', r'cs=like.a\_b', [5]),
    ('/texts', r'cs=like.50\%25*', [4]),
    ('/texts', r'cs=like.*\\*', [8]),
    ('/texts', 'cs=like.*🙂', [13]),
    ('/texts', 'cs=not.like.*a*', [3, 4, 10, 11, 13, 14]),
    ('/texts', 'cs=like.', [11]),
    ('/texts', 'cs=like(any).{Alp*,50*}', [1, 4]),
    ('/texts', 'cs=like(all).{*i*,*th*}', [9, 10]),
    ('/texts', 'cs=ilike(any).{ALP*,"WITH,*"}', [1, 2, 9]),
    ('/texts', 'cs=not.like(any).{*a*,*o*}', [3, 11, 13, 14]),
    # regular expressions
    ('/texts', 'cs=match.^a', [2, 5, 6, 7]),
    ('/texts', 'ci=match.^a', [2, 5, 6, 7]),
    ('/texts', 'ci=imatch.^a', [1, 2, 5, 6, 7]),
    ('/texts', 'cs=imatch.^a', [1, 2, 5, 6, 7]),
    ('/texts', 'cs=match.^a.b$', [5, 6, 7]),
    ('/texts', r'cs=match.^\(', [15]),
    ('/texts', 'cs=match(any).{^a.b$,^50}', [4, 5, 6, 7]),
    ('/texts', 'cs=not.match.a', [3, 4, 10, 11, 13, 14]),
    # in
    ('/items', 'id=in.(1,3,5)', [1, 3, 5]),
    ('/items', 'id=not.in.(1,3,5)', [i for i in ALL if i not in (1, 3, 5)]),
    ('/items', 'id=in.()', []),
    ('/items', 'id=not.in.()', ALL),
    ('/items', 'id=in.(7)', [7]),
    ('/items', 'id=in.("7", 8)', [7, 8]),
    ('/items', 'id=in.(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17)', ALL),
    ('/texts', 'cs=in.("with,comma",alpha)', [2, 9]),
    ('/texts', r'cs=in.("with \"quotes\"")', [10]),
    ('/texts', r'cs=in.("back\\slash")', [8]),
    ('/texts', 'cs=in.("(paren)","")', [11, 15]),
    ('/texts', 'cs=in.(null)', [14]),
    ('/texts', 'cs=in.(alpha,Alpha)', [1, 2]),
    ('/texts', 'ci=in.(alpha)', [1, 2, 3]),
    ('/texts', 'cs=in.("日本 🙂")', [13]),
    ('/sales', 'sold=in.(2024-01-01,"2024-02-02")', [1, 4]),
    ('/sales', 'qty=not.in.(10,5)', [3, 5]),
    # any, all
    ('/items', 'id=eq(any).{2,4}', [2, 4]),
    ('/items', 'id=gt(all).{3,13}', [14, 15]),
    ('/items', 'id=lt(any).{2,4}', [1, 2, 3]),
    ('/items', 'id=not.eq(any).{1,2,3,4,5,6,7,8,9,10,11,12,13}', [14, 15]),
    ('/items', 'id=gte(all).{1}', ALL),
    ('/items', 'id=eq(any).{}', []),
    ('/texts', 'cs=eq(any).{"with,comma",alpha}', [2, 9]),
    # is
    ('/sortable', 'flag=is.true', [1, 4]),
    ('/sortable', 'flag=is.false', [2, 5]),
    ('/sortable', 'flag=is.null', [3]),
    ('/sortable', 'flag=is.unknown', [3]),
    ('/sortable', 'flag=is.not_null', [1, 2, 4, 5]),
    ('/sortable', 'flag=not.is.null', [1, 2, 4, 5]),
    ('/sortable', 'flag=is.TRUE', [1, 4]),
    ('/sortable', 'flag=is.NuLl', [3]),
    ('/sortable', 'flag=not.is.true', [2, 3, 5]),
    ('/sortable', 't=is.null', [3, 5]),
    ('/t_json', 'j=is.null', [3]),
    # isdistinct
    ('/sortable', 'a=isdistinct.20', [2, 3, 5]),
    ('/sortable', 'a=not.isdistinct.20', [1, 4]),
    # containment
    ('/docs', 'tags=cs.["b"]', [1, 2]),
    ('/docs', 'tags=cs.{b}', [1, 2]),
    ('/docs', 'tags=cs.{a,b}', [1]),
    ('/docs', 'tags=not.cs.{a,b}', [2, 3, 5, 6, 7]),
    ('/docs', 'data=cs.{"ok":true}', [1]),
    ('/docs', 'data=cs.{"nested":{"deep":{"er":"x"}}}', [1]),
    ('/docs', 'data=cs.{"age":9}', [2]),
    ('/docs', 'tags=cd.["a","b"]', [1, 3, 5]),
    ('/docs', 'tags=cd.{a,b,c}', [1, 2, 3, 5]),
    ('/docs', 'tags=ov.{c,z}', [2]),
    ('/docs', 'tags=ov.["a"]', [1, 5]),
    ('/docs', 'data->list=cs.[1]', [1]),
    ('/t_texts', 's=cs.{red}', [1, 4]),
    ('/t_texts', 's=cs.{red,green}', [4]),
    # JSON paths
    ('/docs', 'data->>name=eq.one', [1]),
    ('/docs', 'data->>name=eq.One', []),
    ('/docs', 'data->>name=like.T*', [3]),
    ('/docs', 'data->>name=in.(one,two)', [1, 2]),
    ('/docs', 'data->age=gt.9', [1, 3]),
    ('/docs', 'data->age=eq.100.5', [3]),
    ('/docs', 'data->>age=eq.10', [1]),
    ('/docs', 'data->nested->deep->>er=eq.x', [1]),
    ('/docs', 'data->list->2->>k=eq.v', [1]),
    ('/docs', 'data->>ok=eq.true', [1]),
    ('/docs', 'data->ok=eq.false', [2]),
    ('/docs', 'data->0=eq.10', [5]),
    ('/docs', 'data->>-1=eq.30', [5]),
    ('/docs', 'data->>name=is.null', [4, 5, 6, 7]),
    ('/docs', 'data->nested=not.is.null', [1, 2]),
    ('/docs', 'data->"a b"=eq.2', [3]),
    # full text
    ('/articles', 'body=fts.impossible', [1]),
    ('/articles', 'body=fts.fat|possible', [2, 3, 5]),
    ('/articles', 'body=fts.fat%26rats', [3]),
    ('/articles', 'body=fts.fun%26!impossible', [2]),
    ('/articles', 'body=fts.rise:*', [5]),
    ('/articles', 'body=fts.fat<->cats', [3]),
    ('/articles', 'body=not.fts.fat', [1, 2, 4]),
    ('/articles', 'body=plfts.fat rats', [3]),
    ('/articles', 'body=phfts.blue mountain', [5]),
    ('/articles', 'body=phfts.cats fat', []),
    ('/articles', 'body=wfts."blue mountain" -rats', [5]),
    ('/articles', 'body=wfts.fat -rats', [5]),
    ('/articles', 'body=wfts.rats or mountain', [3, 5]),
    ('/articles', 'body=fts(english).impossible', [1]),
    ('/articles', 'title=fts.cats', [3]),
    ('/articles', 'body=plfts.%2B-><()~*"@', []),
    # trees
    ('/items', 'or=(id.eq.1,id.eq.2)', [1, 2]),
    ('/items', 'or=(id.lt.3,id.gt.14)', [1, 2, 15]),
    ('/items', 'and=(id.gt.3,id.lt.6)', [4, 5]),
    ('/items', 'not.or=(id.lt.14,id.eq.15)', [14]),
    ('/items', 'not.and=(id.gt.1,id.lt.15)', [1, 15]),
    ('/items', 'or=(and(id.gt.1,id.lt.4),id.eq.9)', [2, 3, 9]),
    ('/items', 'and=(or(id.eq.1,id.eq.2),not.or(id.eq.2,id.eq.3))', [1]),
    ('/items', 'or=(id.in.(1,2),id.not.lt.15)', [1, 2, 15]),
    ('/items', 'or=(id.eq(any).{3,4},id.eq.5)', [3, 4, 5]),
    ('/items', 'or=( id.eq.1 , id.eq.2 )', [1, 2]),
    ('/items', 'or=(id.eq.1)&id=lt.5', [1]),
    ('/items', 'or=(id.eq.1,id.eq.2)&or=(id.eq.2,id.eq.3)', [2]),
    ('/items', 'and=(not.and(id.gt.2))', [1, 2]),
    ('/texts', 'or=(cs.eq."with,comma",cs.eq."(paren)")', [9, 15]),
    ('/texts', 'or=(cs.in.("with,comma","a*b"),id.eq.1)', [1, 7, 9]),
    ('/texts', 'or=(cs.like.*slash,cs.is.null)', [8, 12]),
    ('/texts', 'or=(cs.not.is.null,id.eq.12)', TEXTS),
    ('/docs', 'or=(data->>name.eq.one,data->age.eq.9)', [1, 2]),
    ('/docs', 'or=(tags.cs.{c},tags.ov.["b"])', [1, 2]),
    ('/articles', 'or=(body.fts.cats,body.phfts."blue mountain")', [3, 5]),
    ('/sales', 'or=(qty.is.null,region.is.null)', [4, 5]),
    ('/sales', 'not.or=(region.eq.north,region.eq.south)', []),
]


@pytest.mark.parametrize('path, query, expected', FILTERS, ids=[f'{p}?{q}' for p, q, _ in FILTERS])
def test_filter(get, path, query, expected):
    assert ids(get(f'{path}?select=id&order=id&{query}')) == expected


REFUSED = [
    # literals that are not of the column's type
    ('/items?id=eq.abc', '22P02', 'invalid input syntax for type bigint: "abc"'),
    ('/projects?id=eq.abc', '22P02', 'invalid input syntax for type integer: "abc"'),
    ('/projects?id=eq.', '22P02', 'invalid input syntax for type integer: ""'),
    ('/projects?id=eq.1.5', '22P02', None),
    ('/projects?id=eq.1 OR 1=1', '22P02', None),
    ('/projects?id=eq.null', '22P02', None),
    ('/projects?id=in.(1,2,abc)', '22P02', 'invalid input syntax for type integer: "abc"'),
    ('/projects?id=in.(1,)', '22P02', None),
    ('/projects?id=eq(any).{1,x}', '22P02', None),
    ('/projects?id=gt.0x10', '22P02', None),
    ('/projects?or=(id.eq.1,id.eq.x)', '22P02', None),
    ('/projects?id=eq.99999999999', '22003', None),
    ('/items?id=eq.9223372036854775808', '22003', None),
    ('/t_ints?ti=eq.128', '22003', None),
    ('/t_ints?tiu=eq.-1', '22003', None),
    ('/t_ints?biu=eq.18446744073709551616', '22003', None),
    ('/t_ints?b=eq.maybe', '22P02', 'invalid input syntax for type boolean: "maybe"'),
    ('/sales?price=eq.1,5', '22P02', None),
    ('/sales?price=eq.1.2.3', '22P02', None),
    ('/sales?ratio=eq.x', '22P02', None),
    ('/sales?sold=eq.2024-13-01', None, None),
    ('/sales?sold=eq.2023-02-29', None, None),
    ('/sales?sold=eq.yesterday-ish', '22007', None),
    ('/t_times?dt=eq.2020-01-31T25:00:00', None, None),
    ('/t_times?ts=eq.nonsense', '22007', None),
    ('/t_times?t=eq.10 o clock', '22007', None),
    ('/t_texts?e=eq.huge', '22P02', None),
    (r'/t_binaries?vb=eq.\xzz', '22P02', None),
    ('/docs?data=cs.{"a":', '22P02', None),
    ('/docs?data=eq.{not json', '22P02', None),
    # the wrong operator for the type
    ('/sales?qty=is.true', None, None),
    ('/projects?id=like.1*', '42883', None),
    ('/projects?name=cs.{a}', '42883', None),
    ('/articles?author=fts.x', '42704', None),
    ('/texts?cs=match.(', '2201B', None),
    ('/texts?cs=match.[', '2201B', None),
    # the grammar
    ('/items?id=3', 'PGRST100', None),
    ('/items?id=foo.3', 'PGRST100', None),
    ('/items?id=not.3', 'PGRST100', None),
    ('/items?id=not.not.eq.3', 'PGRST100', None),
    ('/items?id=', 'PGRST100', None),
    ('/items?id=eq', 'PGRST100', None),
    ('/items?id=in.1,2', 'PGRST100', None),
    ('/items?id=in.(1,2', 'PGRST100', None),
    ('/items?id=is.foo', 'PGRST100', None),
    ('/items?id=is.', 'PGRST100', None),
    ('/items?id=in(any).(1)', 'PGRST100', None),
    ('/items?id=neq(any).{1}', 'PGRST100', None),
    ('/items?id=eq(some).{1}', 'PGRST100', None),
    ('/items?id=eq(any).1,2', 'PGRST100', None),
    ('/items?id=sl.[1,2]', 'PGRST100', None),
    ('/items?id=adj.(1,2)', 'PGRST100', None),
    ('/items?or=', 'PGRST100', None),
    ('/items?or=()', 'PGRST100', None),
    ('/items?or=id.eq.1', 'PGRST100', None),
    ('/items?or=(id.eq.1', 'PGRST100', None),
    ('/items?or=(id.eq.1,)', 'PGRST100', None),
    ('/items?or=(id.foo.1)', 'PGRST100', None),
    ('/items?or=(id)', 'PGRST100', None),
    ('/items?and=(or(id.eq.1)', 'PGRST100', None),
    ('/items?or=(id.eq.1))', 'PGRST100', None),
    ('/items?id->=eq.1', 'PGRST100', None),
    # names
    ('/items?nope=eq.1', '42703', 'column items.nope does not exist'),
    ('/items?or=(nope.eq.1)', '42703', None),
    ('/items?id::text=eq.1', None, None),
]


@pytest.mark.parametrize('path, code, message', REFUSED, ids=[c[0] for c in REFUSED])
def test_filter_refused(get, path, code, message):
    response = get(path)
    assert response.error()[0] == 400, response
    assert code is None or response.json()['code'] == code, response
    assert message is None or response.json()['message'] == message


def test_parse_error_tells_where(get):
    body = get('/items?id=foo.3').json()
    assert body['message'].startswith('"failed to parse filter (foo.3)" (line 1, column ')
    assert body['details']


def test_full_text_hint(get):
    body = get('/articles?author=fts.x').json()
    assert 'FULLTEXT' in body['message'] + (body['hint'] or '') + (body['details'] or '')


def test_language_is_refused_when_strict(get):
    response = get('/articles?body=fts(english).impossible', {'Prefer': 'handling=strict'})
    assert response.error()[0] == 400


def test_exact_text_comparison(stack):
    """text-compare = exact: bytes, whatever the collation."""
    get = stack.variant({'text-compare': 'exact'}).get
    assert ids(get('/texts?select=id&order=id&ci=eq.alpha')) == [2]
    assert ids(get('/texts?select=id&order=id&ci=in.(alpha,ÄLPHA)')) == [2, 3]
    assert ids(get('/texts?select=id&order=id&latin=eq.ÄLPHA')) == [3]
    assert ids(get('/texts?select=id&order=id&ci=neq.alpha&id=lt.4')) == [1, 3]


def test_long_lists(get):
    """10,000 items, most of them not there, as long as the URL may be."""
    values = ','.join(str(i) for i in range(100000, 110000))
    url = f'/items?select=id&order=id&id=in.(2,{values},4)'
    if len(url) < 60000:
        assert ids(get(url)) == [2, 4]
    short = ','.join(['7'] * 10000)
    assert ids(get(f'/items?select=id&id=in.({short})')) == [7]
    lots = ','.join(str(i) for i in range(3, 10003))
    response = get(f'/items?select=id&order=id&id=in.({lots})')
    assert response.status == 200 and ids(response) == list(range(3, 16))
