"""dialect.md section 3: embedding of every kind."""
import pytest

from harness import assert_rows, ids

EMBEDS = [
    # to-one
    ('/projects?select=id,clients(id,name)&order=id', [
        {'id': 1, 'clients': {'id': 1, 'name': 'Microsoft'}}, {'id': 2, 'clients': {'id': 1, 'name': 'Microsoft'}},
        {'id': 3, 'clients': {'id': 2, 'name': 'Apple'}}, {'id': 4, 'clients': {'id': 2, 'name': 'Apple'}},
        {'id': 5, 'clients': None}]),
    ('/projects?select=id,owner:clients(name)&id=eq.3', [{'id': 3, 'owner': {'name': 'Apple'}}]),
    ('/projects?select=clients(*)&id=eq.3', [{'clients': {'id': 2, 'name': 'Apple'}}]),
    ('/projects?select=*,clients(*)&id=eq.3',
     [{'id': 3, 'name': 'IOS', 'client_id': 2, 'clients': {'id': 2, 'name': 'Apple'}}]),
    ('/projects?select=clients(name),id&id=eq.3', [{'clients': {'name': 'Apple'}, 'id': 3}]),
    # to-many
    ('/clients?select=name,projects(id)&order=id&projects.order=id', [
        {'name': 'Microsoft', 'projects': [{'id': 1}, {'id': 2}]}, {'name': 'Apple', 'projects': [{'id': 3}, {'id': 4}]},
        {'name': 'Idle', 'projects': []}]),
    # many-to-many
    ('/users?select=id,tasks(id)&order=id&tasks.order=id', [
        {'id': 1, 'tasks': [{'id': 1}, {'id': 2}, {'id': 3}, {'id': 4}]}, {'id': 2, 'tasks': [{'id': 5}, {'id': 6}, {'id': 7}]},
        {'id': 3, 'tasks': [{'id': 1}, {'id': 5}]}]),
    ('/tasks?select=id,users(name)&id=in.(1,8)&order=id&users.order=id', [
        {'id': 1, 'users': [{'name': 'Angela Martin'}, {'name': 'Dwight Schrute'}]}, {'id': 8, 'users': []}]),
    ('/users?select=id,users_tasks(task_id)&id=eq.3&users_tasks.order=task_id', [
        {'id': 3, 'users_tasks': [{'task_id': 1}, {'task_id': 5}]}]),
    # one-to-one, from both sides
    ('/trash?select=id,trash_details(note)&order=id&limit=1', [{'id': 1, 'trash_details': {'note': 'one'}}]),
    ('/trash_details?select=note,trash(id)&id=eq.2', [{'note': 'two', 'trash': {'id': 2}}]),
    ('/country?select=name,capital(name)&order=id', [
        {'name': 'Afghanistan', 'capital': {'name': 'Kabul'}}, {'name': 'Algeria', 'capital': {'name': 'Algiers'}},
        {'name': 'Atlantis', 'capital': None}]),
    ('/capital?select=name,country(name)&order=id&limit=1', [{'name': 'Kabul', 'country': {'name': 'Afghanistan'}}]),
    # composite keys
    ('/comments?select=id,users_tasks(user_id,task_id)&order=id', [
        {'id': 1, 'users_tasks': {'user_id': 1, 'task_id': 1}}, {'id': 2, 'users_tasks': {'user_id': 1, 'task_id': 1}},
        {'id': 3, 'users_tasks': {'user_id': 3, 'task_id': 5}}]),
    ('/users_tasks?select=user_id,task_id,comments(id)&task_id=in.(1,5)&order=task_id,user_id&comments.order=id', [
        {'user_id': 1, 'task_id': 1, 'comments': [{'id': 1}, {'id': 2}]}, {'user_id': 3, 'task_id': 1, 'comments': []},
        {'user_id': 2, 'task_id': 5, 'comments': []}, {'user_id': 3, 'task_id': 5, 'comments': [{'id': 3}]}]),
    ('/comments?select=id,user_task(user_id)&id=eq.3', [{'id': 3, 'user_task': {'user_id': 3}}]),
    # by name of the constraint, of the column, with a hint
    ('/projects?select=id,client(name)&id=eq.1', [{'id': 1, 'client': {'name': 'Microsoft'}}]),
    ('/projects?select=id,client_id(name)&id=eq.1', [{'id': 1, 'client_id': {'name': 'Microsoft'}}]),
    ('/projects?select=id,client_id,c:client_id(name)&id=eq.1', [{'id': 1, 'client_id': 1, 'c': {'name': 'Microsoft'}}]),
    ('/orders?select=name,billing(address),shipping(address)&id=eq.1',
     [{'name': 'order 1', 'billing': {'address': 'address 1'}, 'shipping': {'address': 'address 2'}}]),
    ('/orders?select=b:addresses!billing(id),s:addresses!shipping_id(id)&order=id', [
        {'b': {'id': 1}, 's': {'id': 2}}, {'b': {'id': 3}, 's': {'id': 4}}, {'b': {'id': 1}, 's': None}]),
    ('/addresses?select=id,orders!billing(id)&id=eq.1&orders.order=id', [{'id': 1, 'orders': [{'id': 1}, {'id': 3}]}]),
    ('/addresses?select=id,orders!shipping_id(id)&id=eq.4', [{'id': 4, 'orders': [{'id': 2}]}]),
    ('/users?select=id,tasks!users_tasks(id)&id=eq.3&tasks.order=id', [{'id': 3, 'tasks': [{'id': 1}, {'id': 5}]}]),
    ('/clients?select=id,projects!client(id)&id=eq.2&projects.order=id', [{'id': 2, 'projects': [{'id': 3}, {'id': 4}]}]),
    ('/orders?select=id,b:addresses!billing!inner(id)&order=id', [
        {'id': 1, 'b': {'id': 1}}, {'id': 2, 'b': {'id': 3}}, {'id': 3, 'b': {'id': 1}}]),
    ('/orders?select=id,s:addresses!inner!shipping(id)&order=id', [{'id': 1, 's': {'id': 2}}, {'id': 2, 's': {'id': 4}}]),
    # to itself
    ('/staff?select=name,manager_id(name)&order=id&limit=2', [
        {'name': 'Ada', 'manager_id': None}, {'name': 'Bob', 'manager_id': {'name': 'Ada'}}]),
    ('/staff?select=name,manager:manager_id(name,manager:manager_id(name))&id=eq.4', [
        {'name': 'Dan', 'manager': {'name': 'Bob', 'manager': {'name': 'Ada'}}}]),
    ('/staff?select=name,reports:staff!manager_id(name)&order=id&limit=2&reports.order=id', [
        {'name': 'Ada', 'reports': [{'name': 'Bob'}, {'name': 'Cyd'}]}, {'name': 'Bob', 'reports': [{'name': 'Dan'}]}]),
    # nested
    ('/clients?select=id,projects(id,tasks(id,users(id)))&id=eq.1&projects.order=id&projects.tasks.order=id'
     '&projects.tasks.users.order=id', [
         {'id': 1, 'projects': [
             {'id': 1, 'tasks': [{'id': 1, 'users': [{'id': 1}, {'id': 3}]}, {'id': 2, 'users': [{'id': 1}]}]},
             {'id': 2, 'tasks': [{'id': 3, 'users': [{'id': 1}]}, {'id': 4, 'users': [{'id': 1}]}]}]}]),
    ('/tasks?select=id,projects(id,clients(id))&order=id&limit=2', [
        {'id': 1, 'projects': {'id': 1, 'clients': {'id': 1}}}, {'id': 2, 'projects': {'id': 1, 'clients': {'id': 1}}}]),
    ('/projects?select=id,clients(name),tasks(id),users(id)&id=eq.1&tasks.order=id&users.order=id', [
        {'id': 1, 'clients': {'name': 'Microsoft'}, 'tasks': [{'id': 1}, {'id': 2}], 'users': [{'id': 1}, {'id': 3}]}]),
    ('/projects?select=id,a:tasks(id),b:tasks(name)&id=eq.1&a.order=id&b.order=name', [
        {'id': 1, 'a': [{'id': 1}, {'id': 2}], 'b': [{'name': 'Code w7'}, {'name': 'Design w7'}]}]),
    # keys that are text, dates, bytes
    ('/ships?select=id,ports(name)&order=id', [
        {'id': 1, 'ports': {'name': 'Hamburg'}}, {'id': 2, 'ports': {'name': 'Hamburg'}}, {'id': 3, 'ports': {'name': 'Rotterdam'}},
        {'id': 4, 'ports': {'name': 'Antwerp'}}, {'id': 5, 'ports': None}]),
    ('/ports?select=code,ships(id)&order=code&ships.order=id', [
        {'code': 'anr', 'ships': [{'id': 4}]}, {'code': 'HAM', 'ships': [{'id': 1}, {'id': 2}]}, {'code': 'RTM', 'ships': [{'id': 3}]}]),
    ('/shifts?select=id,days(name)&order=id', [
        {'id': 1, 'days': {'name': 'leap'}}, {'id': 2, 'days': {'name': 'eve'}}, {'id': 3, 'days': {'name': 'eve'}},
        {'id': 4, 'days': None}]),
    ('/days?select=day,shifts(id)&order=day&shifts.order=id', [
        {'day': '2024-02-29', 'shifts': [{'id': 1}]}, {'day': '2024-12-24', 'shifts': [{'id': 2}, {'id': 3}]}]),
    ('/blobs?select=name,blob_notes(id)&order=name&blob_notes.order=id', [
        {'name': 'first', 'blob_notes': [{'id': 1}, {'id': 2}]}, {'name': 'second', 'blob_notes': [{'id': 3}]}]),
    # filters, order, limit and offset of an embed
    ('/clients?select=id,projects(id)&order=id&projects.id=eq.2', [
        {'id': 1, 'projects': [{'id': 2}]}, {'id': 2, 'projects': []}, {'id': 3, 'projects': []}]),
    ('/clients?select=id,p:projects(id)&order=id&p.id=in.(2,3)', [
        {'id': 1, 'p': [{'id': 2}]}, {'id': 2, 'p': [{'id': 3}]}, {'id': 3, 'p': []}]),
    ('/projects?select=id,clients(name)&order=id&clients.name=eq.Apple&id=lt.4', [
        {'id': 1, 'clients': None}, {'id': 2, 'clients': None}, {'id': 3, 'clients': {'name': 'Apple'}}]),
    ('/users?select=id,tasks(id)&order=id&tasks.order=id.desc', [
        {'id': 1, 'tasks': [{'id': 4}, {'id': 3}, {'id': 2}, {'id': 1}]}, {'id': 2, 'tasks': [{'id': 7}, {'id': 6}, {'id': 5}]},
        {'id': 3, 'tasks': [{'id': 5}, {'id': 1}]}]),
    ('/users?select=id,tasks(id)&order=id&tasks.order=id&tasks.limit=2', [
        {'id': 1, 'tasks': [{'id': 1}, {'id': 2}]}, {'id': 2, 'tasks': [{'id': 5}, {'id': 6}]}, {'id': 3, 'tasks': [{'id': 1}, {'id': 5}]}]),
    ('/users?select=id,tasks(id)&order=id&tasks.order=id&tasks.limit=1&tasks.offset=1', [
        {'id': 1, 'tasks': [{'id': 2}]}, {'id': 2, 'tasks': [{'id': 6}]}, {'id': 3, 'tasks': [{'id': 5}]}]),
    ('/users?select=id,tasks(id)&order=id&tasks.order=id&tasks.offset=2', [
        {'id': 1, 'tasks': [{'id': 3}, {'id': 4}]}, {'id': 2, 'tasks': [{'id': 7}]}, {'id': 3, 'tasks': []}]),
    ('/clients?select=id,projects(id)&order=id&projects.limit=0', [
        {'id': 1, 'projects': []}, {'id': 2, 'projects': []}, {'id': 3, 'projects': []}]),
    ('/clients?select=id,projects(id,tasks(id))&order=id&limit=1&projects.order=id&projects.limit=2'
     '&projects.tasks.order=id&projects.tasks.limit=1',
     [{'id': 1, 'projects': [{'id': 1, 'tasks': [{'id': 1}]}, {'id': 2, 'tasks': [{'id': 3}]}]}]),
    ('/clients?select=id,projects(id)&order=id&limit=2&projects.or=(id.eq.1,name.eq.OSX)', [
        {'id': 1, 'projects': [{'id': 1}]}, {'id': 2, 'projects': [{'id': 4}]}]),
    ('/clients?select=id,projects(id)&order=id&limit=2&projects.not.and=(id.gt.1,id.lt.4)&projects.order=id', [
        {'id': 1, 'projects': [{'id': 1}]}, {'id': 2, 'projects': [{'id': 4}]}]),
    ('/clients?select=id,projects(id,tasks(id))&id=eq.1&projects.order=id&projects.tasks.name=like.Design*', [
        {'id': 1, 'projects': [{'id': 1, 'tasks': [{'id': 1}]}, {'id': 2, 'tasks': [{'id': 3}]}]}]),
    ('/users?select=id,tasks(id,projects(name))&id=eq.3&tasks.order=id&tasks.projects.name=eq.IOS', [
        {'id': 3, 'tasks': [{'id': 1, 'projects': None}, {'id': 5, 'projects': {'name': 'IOS'}}]}]),
    # empty embeds
    ('/projects?select=id,clients()&id=eq.1', [{'id': 1}]),
    ('/projects?select=id,tasks()&order=id&tasks.id=eq.3&tasks=not.is.null', [{'id': 2}]),
    # inner
    ('/projects?select=id,clients!inner(id)&order=id', [{'id': i, 'clients': {'id': (i + 1) // 2}} for i in (1, 2, 3, 4)]),
    ('/clients?select=id,projects!inner(id)&order=id&projects.id=eq.3', [{'id': 2, 'projects': [{'id': 3}]}]),
    ('/clients?select=id,projects!left(id)&order=id&projects.id=eq.3', [
        {'id': 1, 'projects': []}, {'id': 2, 'projects': [{'id': 3}]}, {'id': 3, 'projects': []}]),
    ('/clients?select=id,projects!inner(id,tasks!inner(id))&projects.tasks.id=eq.3',
     [{'id': 1, 'projects': [{'id': 2, 'tasks': [{'id': 3}]}]}]),
    ('/clients?select=id,projects(id,tasks!inner(id))&order=id&projects.tasks.id=eq.3', [
        {'id': 1, 'projects': [{'id': 2, 'tasks': [{'id': 3}]}]}, {'id': 2, 'projects': []}, {'id': 3, 'projects': []}]),
    ('/users?select=id,tasks!inner(id)&tasks.id=eq.7', [{'id': 2, 'tasks': [{'id': 7}]}]),
    ('/tasks?select=id,projects!inner(clients!inner(name))&projects.clients.name=eq.Apple&order=id&limit=1',
     [{'id': 5, 'projects': {'clients': {'name': 'Apple'}}}]),
    ('/clients?select=id,projects!inner()&order=id', [{'id': 1}, {'id': 2}]),
    ('/clients?select=id,projects!inner(id)&projects.or=(id.eq.1,id.eq.2)&projects.order=id',
     [{'id': 1, 'projects': [{'id': 1}, {'id': 2}]}]),
    # null tests
    ('/projects?select=id,clients(id)&clients=is.null', [{'id': 5, 'clients': None}]),
    ('/projects?select=id,clients(id)&clients=not.is.null&order=id&limit=1', [{'id': 1, 'clients': {'id': 1}}]),
    ('/clients?select=id,projects(id)&projects=is.null', [{'id': 3, 'projects': []}]),
    ('/clients?select=id,p:projects()&p=is.null', [{'id': 3}]),
    ('/clients?select=id,projects()&projects.id=eq.3&projects=not.is.null', [{'id': 2}]),
    ('/clients?select=id,projects()&or=(projects.is.null,id.eq.1)&order=id', [{'id': 1}, {'id': 3}]),
    ('/clients?select=id,projects()&or=(projects.not.is.null,id.eq.9)&order=id', [{'id': 1}, {'id': 2}]),
    ('/projects?select=id,tasks(),clients()&or=(tasks.is.null,clients.is.null)', [{'id': 5}]),
    # order by a to-one embed
    ('/projects?select=id,clients(name)&order=clients(name),id', [
        {'id': 3, 'clients': {'name': 'Apple'}}, {'id': 4, 'clients': {'name': 'Apple'}}, {'id': 1, 'clients': {'name': 'Microsoft'}},
        {'id': 2, 'clients': {'name': 'Microsoft'}}, {'id': 5, 'clients': None}]),
    ('/projects?select=id,clients()&order=clients(name).desc,id', [{'id': 5}, {'id': 1}, {'id': 2}, {'id': 3}, {'id': 4}]),
    ('/projects?select=id,client:clients(n:name)&order=client(n),id&client=not.is.null&limit=3', [
        {'id': 3, 'client': {'n': 'Apple'}}, {'id': 4, 'client': {'n': 'Apple'}}, {'id': 1, 'client': {'n': 'Microsoft'}}]),
    ('/projects?select=id,clients()&order=clients(name).desc.nullslast,id.desc',
     [{'id': 2}, {'id': 1}, {'id': 4}, {'id': 3}, {'id': 5}]),
    ('/projects?select=id,c:clients()&order=c(name),id&limit=2', [{'id': 3}, {'id': 4}]),
    ('/trash?select=id,trash_details(data->key)&order=trash_details(note).desc&limit=1', [{'id': 2, 'trash_details': {'key': 6}}]),
    ('/clients?select=id,projects(id,clients(name))&id=eq.1&projects.order=clients(name),id.desc', [
        {'id': 1, 'projects': [{'id': 2, 'clients': {'name': 'Microsoft'}}, {'id': 1, 'clients': {'name': 'Microsoft'}}]}]),
    # spread
    ('/projects?select=id,...clients(client_name:name)&order=id', [
        {'id': 1, 'client_name': 'Microsoft'}, {'id': 2, 'client_name': 'Microsoft'}, {'id': 3, 'client_name': 'Apple'},
        {'id': 4, 'client_name': 'Apple'}, {'id': 5, 'client_name': None}]),
    ('/tasks?select=id,...projects(project:name,...clients(client:name))&order=id&limit=1',
     [{'id': 1, 'project': 'Windows 7', 'client': 'Microsoft'}]),
    ('/country?select=name,...capital(capital:name)&order=id', [
        {'name': 'Afghanistan', 'capital': 'Kabul'}, {'name': 'Algeria', 'capital': 'Algiers'}, {'name': 'Atlantis', 'capital': None}]),
    ('/tasks?select=id,p:projects(name,...clients(client:name))&id=eq.5', [{'id': 5, 'p': {'name': 'IOS', 'client': 'Apple'}}]),
    ('/users?select=id,tasks:users_tasks(...tasks(id,name))&id=eq.3&tasks.order=task_id', [
        {'id': 3, 'tasks': [{'id': 1, 'name': 'Design w7'}, {'id': 5, 'name': 'Design IOS'}]}]),
    ('/projects?select=id,...clients!inner(client:name)&order=id.desc&limit=1', [{'id': 4, 'client': 'Apple'}]),
    ('/clients?select=name,...projects(numbers:id,titles:name)&order=id&projects.order=id', [
        {'name': 'Microsoft', 'numbers': [1, 2], 'titles': ['Windows 7', 'Windows 10']},
        {'name': 'Apple', 'numbers': [3, 4], 'titles': ['IOS', 'OSX']}, {'name': 'Idle', 'numbers': [], 'titles': []}]),
    ('/clients?select=name,...projects(numbers:id)&id=eq.1&projects.order=id.desc', [{'name': 'Microsoft', 'numbers': [2, 1]}]),
    ('/users?select=id,...tasks(task_ids:id)&order=id&tasks.order=id', [
        {'id': 1, 'task_ids': [1, 2, 3, 4]}, {'id': 2, 'task_ids': [5, 6, 7]}, {'id': 3, 'task_ids': [1, 5]}]),
    ('/clients?select=name,...projects(numbers:id,tasks(id))&id=eq.1&projects.order=id&projects.tasks.order=id', [
        {'name': 'Microsoft', 'numbers': [1, 2], 'tasks': [[{'id': 1}, {'id': 2}], [{'id': 3}, {'id': 4}]]}]),
    # views
    ('/projects_view?select=id,clients(name)&id=eq.3', [{'id': 3, 'clients': {'name': 'Apple'}}]),
    ('/projects_view?select=id,tasks(id)&id=eq.3&tasks.order=id', [{'id': 3, 'tasks': [{'id': 5}, {'id': 6}]}]),
    ('/clients?select=id,projects_view(id)&id=eq.2&projects_view.order=id', [{'id': 2, 'projects_view': [{'id': 3}, {'id': 4}]}]),
    ('/projects_renamed?select=t_id,clients(name)&t_id=eq.3', [{'t_id': 3, 'clients': {'name': 'Apple'}}]),
    ('/projects_twice?select=id,clients(name)&order=id&limit=2',
     [{'id': 1, 'clients': {'name': 'Microsoft'}}, {'id': 3, 'clients': {'name': 'Apple'}}]),
    ('/tasks?select=id,projects_view!project(name)&id=eq.1', [{'id': 1, 'projects_view': {'name': 'Windows 7'}}]),
    ('/project_clients?select=id,client_name,tasks(id)&id=eq.1&tasks.order=id',
     [{'id': 1, 'client_name': 'Microsoft', 'tasks': [{'id': 1}, {'id': 2}]}]),
]


@pytest.mark.parametrize('path, expected', EMBEDS, ids=lambda v: v if isinstance(v, str) else '')
def test_embed(get, path, expected):
    assert_rows(get(path), expected)


def test_spread_star(get):
    response = get('/projects?select=number:id,...clients(*)&id=eq.1')
    assert_rows(response, [{'number': 1, 'id': 1, 'name': 'Microsoft'}])


def test_order_by_json_of_an_embed(get):
    assert ids(get('/trash?select=id,trash_details()&order=trash_details(data->>key)&limit=2')) == [1, 2]


def test_inner_embeds_count(get):
    response = get('/clients?select=id,projects!inner(id)&projects.id=eq.3', {'Prefer': 'count=exact'})
    assert response.headers['Content-Range'] == '0-0/1'
    response = get('/projects?select=id,clients()&clients=is.null', {'Prefer': 'count=exact'})
    assert response.headers['Content-Range'] == '0-0/1'


@pytest.mark.parametrize('many', [7, 12, 40, 120])
def test_many_inner_embeds(get, many):
    """MySQL would try the orders of so many tables until the time limit; statements within its limit of 61 and beyond."""
    wanted = [{'id': i} for i in (1, 2, 3, 4)]
    named = ','.join(f'a{i}:tasks!inner()' for i in range(many))
    assert_rows(get(f'/projects?select=id,{named}&order=id'), wanted)
    assert_rows(get('/projects?select=id,tasks()&order=id&' + '&'.join(['tasks=not.is.null'] * many)), wanted)
    response = get(f'/projects?select=id,{named}', {'Prefer': 'count=exact'})
    assert response.headers['Content-Range'].endswith('/4')
    assert get(f'/projects?select=count(),{named}').rows() == [{'count': 1}] * 4


def test_ambiguous(get):
    response = get('/orders?select=*,addresses(*)')
    assert response.error() == (300, 'PGRST201')
    body = response.json()
    assert body['message'] == "Could not embed because more than one relationship was found for 'orders' and 'addresses'"
    assert sorted(body['details'], key=lambda d: d['relationship']) == [
        {'cardinality': 'many-to-one', 'relationship': 'billing using orders(billing_id) and addresses(id)',
         'embedding': 'orders with addresses'},
        {'cardinality': 'many-to-one', 'relationship': 'shipping using orders(shipping_id) and addresses(id)',
         'embedding': 'orders with addresses'}]
    assert body['hint'] in [
        f"Try changing 'addresses' to one of the following: 'addresses!{a}', 'addresses!{b}'."
        " Find the desired relationship in the 'details' key." for a, b in (('billing', 'shipping'), ('shipping', 'billing'))]


def test_ambiguous_from_the_other_side(get):
    body = get('/addresses?select=*,orders(*)').json()
    assert body['code'] == 'PGRST201'
    assert sorted(d['cardinality'] for d in body['details']) == ['one-to-many', 'one-to-many']


def test_ambiguous_self_reference(get):
    response = get('/staff?select=name,staff!boss(name)')
    assert response.error() == (300, 'PGRST201')
    assert sorted(d['cardinality'] for d in response.json()['details']) == ['many-to-one', 'one-to-many']


@pytest.mark.parametrize('path', ['/staff?select=name,staff(name)', '/staff?select=name,staff!manager_id(name)'])
def test_a_self_reference_by_its_table_is_the_rows_that_point_here(get, path):
    rows = get(path + '&order=id&limit=2&staff.order=id').json()
    assert rows == [{'name': 'Ada', 'staff': [{'name': 'Bob'}, {'name': 'Cyd'}]},
                    {'name': 'Bob', 'staff': [{'name': 'Dan'}]}]


REFUSED = [
    ('/projects?select=id,nothing(id)', 'PGRST200', {
        'message': "Could not find a relationship between 'projects' and 'nothing' in the schema cache",
        'details': "Searched for a foreign key relationship between 'projects' and 'nothing' in the schema 'spec',"
                   " but no matches were found."}),
    ('/projects?select=id,clients!nothing(id)', 'PGRST200', {
        'details': "Searched for a foreign key relationship between 'projects' and 'clients' using the hint 'nothing'"
                   " in the schema 'spec', but no matches were found."}),
    ('/projects?select=id,articles(id)', 'PGRST200', {}),
    ('/projects?select=id,clint(id)', 'PGRST200', {}),
    ('/names_union?select=id,projects(id)', 'PGRST200', {}),
    ('/projects?select=id&clients.name=eq.Apple', 'PGRST108', {
        'message': "'clients' is not an embedded resource in this request",
        'hint': "Verify that 'clients' is included in the 'select' query parameter."}),
    ('/projects?select=id,c:clients(id)&clients.name=eq.Apple', 'PGRST108', {}),
    ('/projects?select=id&clients.order=name', 'PGRST108', {}),
    ('/projects?select=id&clients.limit=1', 'PGRST108', {}),
    ('/projects?select=id&clients.or=(id.eq.1)', 'PGRST108', {}),
    ('/projects?select=id,clients(id)&clients.nothing.id=eq.1', 'PGRST108', {}),
    ('/clients?select=id,projects(id)&order=projects(name)', 'PGRST118', {
        'message': "A related order on 'projects' is not possible",
        'details': "'clients' and 'projects' do not form a many-to-one or one-to-one relationship"}),
    ('/projects?select=id&order=clients(name)', 'PGRST108', {}),
    ('/projects?select=id,clients(id)&order=clients(nope)', '42703', {}),
    ('/projects?select=id,clients(id)&clients=eq.1', 'PGRST120', {
        'message': "Bad operator on the 'clients' embedded resource",
        'details': "Only is null or not is null filters are allowed on embedded resources"}),
    ('/projects?select=id,clients(id)&clients=is.true', 'PGRST120', {}),
    ('/projects?select=id,clients(nope)', '42703', {}),
    ('/projects?select=id,clients(id)&clients.nope=eq.1', '42703', {}),
    ('/projects?select=id,clients(id)&clients.id=eq.x', '22P02', {}),
    ('/clients?select=name,...projects(id.count())', 'PGRST127', {}),
]


@pytest.mark.parametrize('path, code, texts', REFUSED, ids=[r[0] for r in REFUSED])
def test_embed_refused(get, path, code, texts):
    response = get(path)
    assert response.error() == (400, code), response
    body = response.json()
    assert {key: body[key] for key in texts} == texts


def test_relation_hint_guesses(get):
    assert "'clients'" in get('/projects?select=id,clint(id)').json()['hint']


def test_alias_hint(get):
    assert "c" in get('/projects?select=id,c:clients(id)&clients.name=eq.Apple').json()['hint']


def deep(levels):
    """clients(projects(clients(...))), levels of them."""
    text = 'id'
    for level in range(levels, 0, -1):
        text = f'id,{"projects" if level % 2 else "clients"}({text})'
    return f'/clients?select={text}&id=eq.2'


def test_depth(get):
    row, = get(deep(12)).rows()
    for level in range(1, 13):
        row = row['projects'][0] if level % 2 else row['clients']
    assert row == {'id': 2}
    assert get(deep(13)).error()[0] == 400
    assert get(deep(500)).error()[0] == 400


def test_many_parents(stack):
    """More parents than one batch of keys; each child where it belongs."""
    stack.sql('CREATE TABLE spec.many_parents (id INT PRIMARY KEY)')
    stack.sql('CREATE TABLE spec.many_kids (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES spec.many_parents (id))')
    try:
        stack.sql('INSERT INTO spec.many_parents WITH RECURSIVE n AS (SELECT 0 i UNION ALL SELECT i + 1 FROM n WHERE i < 999)'
                  ' SELECT a.i * 5 + b.i FROM n a JOIN n b ON b.i < 5')
        stack.sql('INSERT INTO spec.many_kids SELECT id * 2 + 1, id FROM spec.many_parents WHERE id % 3 = 0 UNION ALL'
                  ' SELECT id * 2, id FROM spec.many_parents WHERE id % 3 <= 1')
        for table in ('many_parents', 'many_kids'):
            stack.sql(f'GRANT SELECT ON spec.{table} TO anon')
        stack.make('reload')
        rows = stack.get('/many_parents?select=id,many_kids(id)&order=id&many_kids.order=id').rows()
        assert len(rows) == 5000
        for i, row in enumerate(rows):
            kids = [[i * 2, i * 2 + 1], [i * 2], []][i % 3]
            assert row == {'id': i, 'many_kids': [{'id': k} for k in kids]}
        rows = stack.get('/many_kids?select=id,many_parents(id)&order=id').rows()
        assert len(rows) == 5001 and all(row['many_parents'] == {'id': row['id'] // 2} for row in rows)
    finally:
        stack.sql('DROP TABLE spec.many_kids, spec.many_parents')


def test_across_databases(get):
    """A foreign key from one published database to another."""
    other = {'Accept-Profile': 'spec2'}
    assert_rows(get('/invoices?select=id,projects(name)&order=id', other), [
        {'id': 1, 'projects': {'name': 'Windows 7'}}, {'id': 2, 'projects': {'name': 'Windows 7'}},
        {'id': 3, 'projects': {'name': 'IOS'}}])
    assert_rows(get('/projects?select=id,invoices(total)&id=eq.1&invoices.order=total'),
                [{'id': 1, 'invoices': [{'total': 10.5}, {'total': 20.0}]}])
