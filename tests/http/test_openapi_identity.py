"""GET /auth/v1/: the OpenAPI description of users, sessions, keys (app/OPENAPI.md). That others can read it is tests/openapi's to say."""
import re

import pytest

import harness
from test_auth_sessions import refused
from test_openapi import refs

ROOT = '/auth/v1/'
OPENAPI = 'application/openapi+json; charset=utf-8'
METHODS = {'get', 'post', 'put', 'delete'}


def served():
    """(method, path, access, body) of each endpoint, from the table that serves them; a path that ends in / has a tail."""
    text = (harness.REPO / 'app/identity/serve.c').read_text()
    found = re.findall(r'\{ HTTP_([A-Z]+), "([^"]+)", ([A-Z]+), ([A-Z_]+), serve_', text)
    assert len(found) == text.count('{ HTTP_')
    return found


@pytest.fixture(scope='module')
def document(stack):
    response = stack.rq('GET', ROOT)
    assert (response.status, response.headers['Content-Type']) == (200, OPENAPI)
    return response.json()


def operations(document):
    return [(method, path, operation) for path, item in document['paths'].items() for method, operation in item.items()]


def serves(method, path, endpoint):
    tailed = len(endpoint[1]) > 1 and endpoint[1].endswith('/')
    return endpoint[0] == method.upper() and (path.startswith(endpoint[1]) and path != endpoint[1] if tailed else path == endpoint[1])


def test_the_request(stack, document):
    assert document['openapi'] == '3.1.0'
    assert document['servers'] == [{'url': stack.url + '/auth/v1'}]
    assert stack.rq('GET', ROOT, token='no.token.atall').json() == document
    head = stack.rq('HEAD', ROOT)
    assert (head.status, head.body, head.headers['Content-Type']) == (200, b'', OPENAPI)
    for method in ('POST', 'PUT', 'DELETE'):
        refused(stack.rq(method, ROOT, {}, {}), 405, 'method_not_allowed')
    refused(stack.rq('GET', '/auth/v1//'), 404, 'not_found')
    assert stack.rq('OPTIONS', ROOT, {'Origin': 'https://a.b', 'Access-Control-Request-Method': 'GET'}).status == 200


def test_all_that_is_served_is_described(document):
    for endpoint in served():
        assert any(serves(method, path, endpoint) for method, path, _ in operations(document)), endpoint


def test_all_that_is_described_is_served(document):
    for method, path, operation in operations(document):
        found = [e for e in served() if serves(method, path, e)]
        assert found, (method, path)
        # The exact one before one with a tail.
        _, _, access, body = max(found, key=lambda e: len(e[1]))
        assert (operation.get('security') == []) == (access == 'OPEN'), (method, path)
        assert body == 'MAY_BODY' or ('requestBody' in operation) == (body == 'BODY'), (method, path)
        assert operation.get('requestBody', {}).get('required', False) == (body == 'BODY')
    assert set(method for method, _, _ in operations(document)) == METHODS


def test_it_holds_together(document):
    for ref in refs(document):
        at = document
        for part in ref.lstrip('#/').split('/'):
            at = at[part]
    for method, path, operation in operations(document):
        named = [document['components']['parameters'][p['$ref'].split('/')[-1]] for p in operation.get('parameters', [])]
        assert set(re.findall(r'\{(\w+)\}', path)) == {p['name'] for p in named if p['in'] == 'path'}, path
    ids = [operation['operationId'] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_what_is_described_answers(stack, document):
    """Without a token: asked for one where the description says so, and otherwise anything but not being there."""
    for method, path, operation in operations(document):
        where = '/auth/v1' + re.sub(r'\{\w+\}', '00000000-0000-4000-8000-000000000000', path)
        answer = stack.rq(method.upper(), where, {}, {} if 'requestBody' in operation else None)
        assert (answer.status == 401) == ('security' not in operation), (method, path, answer)
        assert answer.status not in (404, 405), (method, path, answer)
        assert str(answer.status) in operation['responses'], (method, path, answer)


@pytest.mark.parametrize('uri, server', [
    ('https://api.example.com/rest/v1/', 'https://api.example.com/auth/v1'),
    ('https://example.com/deep/rest/v1', 'https://example.com/deep/auth/v1'),
    ('https://data.example.com/', None),
])
def test_the_proxys_address(stack, uri, server):
    one = stack.variant({'openapi-server-proxy-uri': uri}, workers=1)
    assert one.rq('GET', ROOT).json()['servers'] == [{'url': server or one.url + '/auth/v1'}]
    assert one.rq('GET', '/rest/v1/').json()['servers'] == [{'url': uri.rstrip('/')}]


def test_not_described(stack):
    refused(stack.variant({'openapi-mode': 'disabled'}, workers=1).rq('GET', ROOT), 404, 'not_found')
    refused(stack.variant({'db-identity-user': ''}).rq('GET', ROOT), 404, 'not_found')
