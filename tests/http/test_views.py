"""Views are read like tables."""
import pytest

from harness import assert_rows

VIEWS = [
    ('/projects_renamed?order=t_id.desc&limit=1', [{'t_id': 3, 't_name': 'IOS', 't_client': 2}]),
    ('/project_clients?select=name,client_name&id=eq.3', [{'name': 'IOS', 'client_name': 'Apple'}]),
    ('/client_totals?order=client_id.nullsfirst', [{'client_id': None, 'projects': 1}, {'client_id': 1, 'projects': 2}, {'client_id': 2, 'projects': 2}]),
    ('/client_totals?projects=gt.1&order=client_id&select=client_id', [{'client_id': 1}, {'client_id': 2}]),
    ('/names_union?name=eq.Apple', [{'id': 2, 'name': 'Apple'}]),
    ('/names_union?select=count()', [{'count': 6}]),
    ('/computed?id=eq.2', [{'id': 2, 'upper_name': 'APPLE', 'twice': 4, 'more': 1}]),
    ('/computed?upper_name=eq.IDLE&select=twice', [{'twice': 6}]),
    ('/projects_twice?select=id&order=id', [{'id': 1}, {'id': 3}, {'id': 4}, {'id': 5}]),
]


@pytest.mark.parametrize('path, expected', VIEWS)
def test_view(get, path, expected):
    assert_rows(get(path), expected)


def test_count(get):
    response = get('/project_clients?limit=1', {'Prefer': 'count=exact'})
    assert response.headers['Content-Range'] == '0-0/4' and response.status == 206


def test_invoker_view_with_its_rights(stack):
    assert_rows(stack.get('/invoker_on_private', token=stack.token('spec_reader')), [{'id': 1}])
