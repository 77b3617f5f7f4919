"""
What PostgREST's grammar takes and refuses beyond the ordinary, and the place a refusal names: clients show the message,
and some read the column out of it.
"""
import pytest

from harness import ids

TREES = [
    ('or=( and ( id.gte.2 , id.lt.4 ) , id.eq. 5 )', [2, 3, 5]),
    ('not.or= ( id.in. ( 1, 2 ) , not.and (id.gt.2,id.lt.9) ) ', [3, 4, 5]),
    ('or=(name.eq."IOS",name.eq."Orphan)', [3]),
]


@pytest.mark.parametrize('tree, expected', TREES)
def test_blanks_and_quotes_in_trees(get, tree, expected):
    assert ids(get(f'/projects?select=id&order=id&{tree}')) == expected


def test_a_quote_that_does_not_end_is_a_character(get):
    assert ids(get('/texts?select=id&cs=in.(with "quotes",")')) == [10]
    assert get('/texts?select=id&cs=in.(")').rows() == []


PLACES = [
    # Places in a tree count from its operator, which is the parameter's name.
    ('or=()', 'logic tree (())', 4, '")"'),
    ('not.and=(id.eq.1', 'logic tree ((id.eq.1)', 16, 'end of input'),
    ('or=(andy(id.eq.1))', 'logic tree ((andy(id.eq.1)))', 7, '"y"'),
    ('or=(not.nor(id.eq.1))', 'logic tree ((not.nor(id.eq.1)))', 8, '"n"'),
    # An operator is blamed behind the longest one it begins with.
    ('id=5', 'filter (5)', 1, '"5"'),
    ('id=gtx.5', 'filter (gtx.5)', 3, '"x"'),
    ('id=not.gtx.5', 'filter (not.gtx.5)', 7, '"x"'),
    ('id=not', 'filter (not)', 4, 'end of input'),
    ('id=is(any).{null}', 'filter (is(any).{null})', 3, '"("'),
    ('id=eq(one).{1}', 'filter (eq(one).{1})', 4, '"o"'),
    ('order=id.downwards', 'order (id.downwards)', 4, '"d"'),
    ('order=clients(id,name)', 'order (clients(id,name))', 8, '"("'),
    ('select=id!client', 'select parameter (id!client)', 3, '"!"'),
]


@pytest.mark.parametrize('query, what, column, unexpected', PLACES)
def test_the_place_of_an_error(get, query, what, column, unexpected):
    response = get('/projects?' + query)
    assert response.error() == (400, 'PGRST100')
    assert response.json()['message'] == f'"failed to parse {what}" (line 1, column {column})'
    assert response.json()['details'].startswith(f'unexpected {unexpected} expecting ')
    assert response.json()['hint'] is None


@pytest.mark.parametrize('step', ['--1', '-1x', '-x'])
def test_json_steps_that_begin_with_a_hyphen(get, step):
    for query in (f'select=data->{step}', f'select=id&data->>{step}=eq.1', f'select=id&order=data->{step}'):
        assert get('/docs?' + query).error() == (400, 'PGRST100')
    assert get(f'/docs?select=data->"{step}"&id=eq.1').rows() == [{step: None}]
    assert get('/docs?select=data->list->-1->>k&id=eq.1').rows() == [{'k': 'v'}]


def test_an_embed_with_an_alias_is_called_by_it(get):
    response = get('/projects?select=id,todo:tasks(id)&tasks.order=id')
    assert response.error() == (400, 'PGRST108')
    assert response.json()['message'] == "'tasks' is not an embedded resource in this request"
    assert "alias" in response.json()['details']
    assert "'tasks' to 'todo'" in response.json()['hint']


def test_options_without_an_origin(rq):
    assert rq('OPTIONS', '/rest/v1/items').headers['Access-Control-Allow-Origin'] == '*'


def test_preflight_lists_what_was_asked(rq):
    for asked, listed in (('Foo,Bar', 'Foo, Bar, '), (' Foo ,, Bar', 'Foo, Bar, '), ('', '')):
        response = rq('OPTIONS', '/rest/v1/items', {'Origin': 'https://a.example', 'Access-Control-Request-Method': 'POST',
                                                    'Access-Control-Request-Headers': asked})
        assert response.headers['Access-Control-Allow-Headers'] == \
            f'Authorization, {listed}Accept, Accept-Language, Content-Language'


@pytest.mark.parametrize('accept, name', [
    ('plan', 'plan+text; for="application/json"'),
    ('plan+json; options=verbose', 'plan+json; for="application/json"; options=verbose'),
    ('plan+json; for="application/vnd.pgrst.object"; options=verbose|analyze',
     'plan+json; for="application/vnd.pgrst.object+json"; options=analyze|verbose'),
])
def test_what_a_plan_is_of(stack, accept, name):
    response = stack.variant({'db-plan-enabled': 'true'}).get('/projects', {'Accept': 'application/vnd.pgrst.' + accept})
    assert response.status == 200
    assert response.headers['Content-Type'] == f'application/vnd.pgrst.{name}; charset=utf-8'


LOCATIONS = [
    ('/no_pk?b=eq.1&a=eq.x', '/no_pk?a=eq.x&b=eq.1'),
    ('/items', '/items'),
    ('/items?select=id&order=id&id=gt.3&id=lt.5', '/items?id=gt.3&id=lt.5&order=id&select=id'),
    ('/Order Items?"unit \\"price\\""=eq.10', '/Order%20Items?%22unit%20%5C%22price%5C%22%22=eq.10'),
    ('/items?id=in.(1,%202)', '/items?id=in.%281%2C%202%29'),
]


@pytest.mark.parametrize('asked, location', LOCATIONS)
def test_where_the_answer_is_found(get, rq, asked, location):
    for method in ('GET', 'HEAD'):
        response = rq(method, '/rest/v1' + asked)
        assert (response.status, response.headers['Content-Location']) == (200, location)
    assert get(location).json() == get(asked).json()


def test_where_it_is_not_said(get, rq):
    assert get('/items?id=eq.x').headers['Content-Location'] is None
    assert get(f'/items?id=in.({",".join(map(str, range(1000)))})').headers['Content-Location'] is None
    assert get('/rpc/twice?n=2').headers['Content-Location'] is None


def test_public_is_the_first_schema(get, rq, stack):
    """What supabase-js asks for when it is told of no schema."""
    response = get('/items?id=lt.3&order=id', {'Accept-Profile': 'public'})
    assert response.rows() == [{'id': 1}, {'id': 2}] and response.headers['Content-Profile'] == 'spec'
    assert rq('POST', '/rest/v1/rpc/twice', {'Content-Profile': 'public'}, {'n': 4}, stack.token('service_role')).json() == 8
    assert get('/items', {'Accept-Profile': 'Public'}).error() == (406, 'PGRST106')
