"""dialect.md section 9: aggregates, grouping, aggregates in embeds and spreads."""
import pytest

from harness import assert_rows

AGGREGATES = [
    ('/sales?select=count()', [{'count': 5}]),
    ('/sales?select=count', [{'count': 5}]),
    ('/sales?select=n:count()', [{'n': 5}]),
    ('/sales?select=count()::text', [{'count': '5'}]),
    ('/sales?select=qty.sum()', [{'sum': 23}]),
    ('/sales?select=qty.count()', [{'count': 4}]),
    ('/sales?select=qty.max(),qty.min()', [{'max': 10, 'min': 1}]),
    ('/sales?select=qty.avg()', [{'avg': 5.75}]),
    ('/sales?select=a:price.sum(),b:ratio.sum()', [{'a': 107.35, 'b': 3.75}]),
    ('/sales?select=sold.max(),first:sold.min()', [{'max': '2024-02-02', 'first': '2024-01-01'}]),
    ('/sales?select=product.max()', [{'max': 'pear'}]),
    ('/sales?select=total:qty.sum()::text', [{'total': '23'}]),
    ('/sales?select=total:price::int.sum()', [{'total': 108}]),
    ('/sales?select=s:price::int.sum()::text', [{'s': '108'}]),
    ('/sales?select=region,qty.sum()&order=region', [
        {'region': 'north', 'sum': 15}, {'region': 'south', 'sum': 7}, {'region': None, 'sum': 1}]),
    ('/sales?select=qty.sum(),where:region&order=region.desc', [
        {'sum': 1, 'where': None}, {'sum': 7, 'where': 'south'}, {'sum': 15, 'where': 'north'}]),
    ('/sales?select=region,product,count()&order=product,region&region=not.is.null', [
        {'region': 'north', 'product': 'apple', 'count': 1}, {'region': 'south', 'product': 'apple', 'count': 1},
        {'region': 'north', 'product': 'pear', 'count': 1}, {'region': 'south', 'product': 'pear', 'count': 1}]),
    ('/sales?select=region,qty.sum()&order=region&limit=1&offset=1', [{'region': 'south', 'sum': 7}]),
    ('/sales?select=qty.sum()&region=eq.north', [{'sum': 15}]),
    ('/sales?select=qty.sum(),count()&id=eq.99', [{'sum': None, 'count': 0}]),
    ('/empty_table?select=k.sum(),count()', [{'sum': None, 'count': 0}]),
    ('/empty_table?select=extra,count()', []),
    ('/trash_details?select=data->>key::integer.sum()', [{'sum': 24}]),
    ('/projects?select=c:count(),client_id&order=client_id.desc', [
        {'c': 1, 'client_id': None}, {'c': 2, 'client_id': 2}, {'c': 2, 'client_id': 1}]),
    # in embeds: for each parent
    ('/clients?select=name,projects(count())&order=id', [
        {'name': 'Microsoft', 'projects': [{'count': 2}]}, {'name': 'Apple', 'projects': [{'count': 2}]},
        {'name': 'Idle', 'projects': [{'count': 0}]}]),
    ('/clients?select=name,projects(count)&id=eq.1', [{'name': 'Microsoft', 'projects': [{'count': 2}]}]),
    ('/projects?select=name,sales(qty.sum())&order=id', [
        {'name': 'Windows 7', 'sales': [{'sum': 15}]}, {'name': 'Windows 10', 'sales': [{'sum': 7}]},
        {'name': 'IOS', 'sales': [{'sum': None}]}, {'name': 'OSX', 'sales': [{'sum': None}]},
        {'name': 'Orphan', 'sales': [{'sum': None}]}]),
    ('/projects?select=id,sales(product,qty.sum())&id=in.(1,4)&order=id&sales.order=product', [
        {'id': 1, 'sales': [{'product': 'apple', 'sum': 10}, {'product': 'pear', 'sum': 5}]}, {'id': 4, 'sales': []}]),
    ('/projects?select=id,sales(qty.sum())&id=eq.1&sales.product=eq.pear', [{'id': 1, 'sales': [{'sum': 5}]}]),
    ('/users?select=id,tasks(count())&order=id', [
        {'id': 1, 'tasks': [{'count': 4}]}, {'id': 2, 'tasks': [{'count': 3}]}, {'id': 3, 'tasks': [{'count': 2}]}]),
    # an embed as part of the group
    ('/sales?select=project_id,total:qty.sum(),projects(name)&order=project_id&project_id=not.is.null', [
        {'project_id': 1, 'total': 15, 'projects': {'name': 'Windows 7'}}, {'project_id': 2, 'total': 7, 'projects': {'name': 'Windows 10'}},
        {'project_id': 3, 'total': None, 'projects': {'name': 'IOS'}}]),
    # spread: hoisted into the group above
    ('/sales?select=qty.sum(),...projects(project:name)&order=projects(name)&project_id=not.is.null', [
        {'sum': None, 'project': 'IOS'}, {'sum': 7, 'project': 'Windows 10'}, {'sum': 15, 'project': 'Windows 7'}]),
    ('/tasks?select=...projects(n:id.count())', [{'n': 8}]),
    ('/tasks?select=...projects(client_id,count())&order=projects(client_id)', [{'client_id': 1, 'count': 4}, {'client_id': 2, 'count': 4}]),
    # ordered by the name in the answer
    ('/tasks?select=...projects(client:client_id,n:count())&order=projects(client).desc', [{'client': 2, 'n': 4}, {'client': 1, 'n': 4}]),
    # embeds and spreads of every kind beside the aggregates of a spread
    ('/tasks?select=...projects(clients(name),count(),client_id)&order=projects(client_id)', [
        {'clients': {'name': 'Microsoft'}, 'count': 4, 'client_id': 1}, {'clients': {'name': 'Apple'}, 'count': 4, 'client_id': 2}]),
    ('/users_tasks?select=user_id,...tasks(id.sum(),...projects(project:name,...clients(client:name)))&user_id=eq.3&order=sum', [
        {'user_id': 3, 'sum': 1, 'project': 'Windows 7', 'client': 'Microsoft'}, {'user_id': 3, 'sum': 5, 'project': 'IOS', 'client': 'Apple'}]),
    ('/tasks?select=...projects(p:id,users(name),n:count())&order=projects(p)&limit=2&projects.users.order=id', [
        {'p': 1, 'users': [{'name': 'Angela Martin'}, {'name': 'Dwight Schrute'}], 'n': 2}, {'p': 2, 'users': [{'name': 'Angela Martin'}], 'n': 2}]),
    ('/users?select=name,users_tasks(...tasks(id.sum(),...projects(project:name)))&id=eq.3&users_tasks.order=sum', [
        {'name': 'Dwight Schrute', 'users_tasks': [{'sum': 1, 'project': 'Windows 7'}, {'sum': 5, 'project': 'IOS'}]}]),
    ('/sales?select=...projects(count(),clients(name))&id=eq.5', [{'count': 1, 'clients': None}]),
]


@pytest.mark.parametrize('path, expected', AGGREGATES)
def test_aggregate(get, path, expected):
    assert_rows(get(path), expected)


def test_text_of_sums(get):
    """A sum of whole numbers has no point; one of decimals keeps its digits."""
    assert get('/sales?select=qty.sum()').text == '[{"sum":23}]'
    assert get('/sales?select=price.sum()').text == '[{"sum":107.35}]'
    assert get('/t_ints?select=biu.sum()&id=in.(2,4)').text == '[{"sum":27670116110564327423}]'


def test_count_of_groups(get):
    response = get('/sales?select=region,count()&order=region&limit=2', {'Prefer': 'count=exact'})
    assert response.headers['Content-Range'] == '0-1/3' and response.status == 206


@pytest.mark.parametrize('path, code', [
    ('/sales?select=region.sum()', None), ('/sales?select=qty.mode()', 'PGRST100'), ('/sales?select=sum()', None),
    ('/sales?select=nope.sum()', '42703'), ('/sales?select=qty.sum(1)', 'PGRST100'), ('/sales?select=*.count()', None),
])
def test_aggregate_refused(get, path, code):
    refusal = get(path).error()
    assert refusal[0] == 400 and (code is None or refusal[1] == code)


def test_switched_off(stack):
    get = stack.variant({'db-aggregates-enabled': 'false'}).get
    response = get('/sales?select=qty.sum()')
    assert response.error() == (400, 'PGRST123')
    assert response.json()['message'] == 'Use of aggregate functions is not allowed'
    assert get('/projects?select=id,tasks(count())').error() == (400, 'PGRST123')
    assert get('/sales?select=qty&id=eq.1').rows() == [{'qty': 10}]


@pytest.mark.parametrize('path', [
    '/sales?select=region,qty.sum()&order=product', '/sales?select=qty.sum()&order=product', '/sales?select=qty.sum(),projects(name)&order=qty',
    '/sales?select=qty.sum(),projects(name)&order=projects(id)', '/projects?select=id,sales(product,qty.sum())&sales.order=region',
    '/docs?select=data->>name,count()&order=data->>age',
])
def test_order_by_what_is_not_grouped(get, path):
    assert get(path).error() == (400, '42803')


@pytest.mark.parametrize('path, expected', [
    ('/sales?select=id,count()&order=product.desc,id&limit=2', [{'id': 2, 'count': 1}, {'id': 4, 'count': 1}]),
    ('/sales?select=r:region,count()&order=region', [{'r': 'north', 'count': 2}, {'r': 'south', 'count': 2}, {'r': None, 'count': 1}]),
    ('/docs?select=data->>name,count()&order=data->>name', [{'name': 'Three', 'count': 1}, {'name': 'one', 'count': 1}, {'name': 'two', 'count': 1}, {'name': None, 'count': 4}]),
])
def test_order_by_what_is_grouped(get, path, expected):
    assert get(path).rows() == expected


def test_csv_of_embeds_beside_aggregates(get):
    response = get('/tasks?select=...projects(client_id,count(),clients(name),...clients(client:name))&order=projects(client_id)', {'Accept': 'text/csv'})
    assert response.text.splitlines() == [
        'client_id,count,clients,client', '1,4,"{""name"":""Microsoft""}",Microsoft', '2,4,"{""name"":""Apple""}",Apple']
