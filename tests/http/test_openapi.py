"""GET /rest/v1/: the OpenAPI description, as the caller's role sees it (app/OPENAPI.md)."""
import urllib.parse

import pytest

import harness

ROOT = '/rest/v1/'
OPENAPI = 'application/openapi+json; charset=utf-8'


def describe(stack, token=None, database=None, instance=None):
    response = (instance or stack).rq('GET', ROOT, {'Accept-Profile': database} if database else {}, None, token)
    assert response.status == 200, response
    return response.json()


def described_with(stack, path):
    """As spec_reader, once the definitions with path have been read."""
    def there():
        document = describe(stack, stack.token('spec_reader'))
        return document if path in document['paths'] else None
    document = harness.wait_until(there, 60)
    assert document, path + ' does not appear'
    return document


@pytest.fixture(scope='module')
def anon(stack):
    return describe(stack)


@pytest.fixture(scope='module')
def service(stack):
    return describe(stack, stack.service_key)


def schema(document, name):
    return document['components']['schemas'][name]


def column(document, table, name):
    return schema(document, table)['properties'][name]


def refs(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == '$ref':
                yield inner
            else:
                yield from refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from refs(inner)


def names_of(document):
    return {path for path in document['paths']}


# --- the request ---

@pytest.mark.parametrize('accept, content_type', [
    (None, OPENAPI), ('*/*', OPENAPI), ('application/openapi+json', OPENAPI), ('application/*', OPENAPI),
    ('application/json', 'application/json; charset=utf-8'), ('text/html, application/json;q=0.5, */*;q=0.1',
                                                             'application/json; charset=utf-8'),
])
def test_media(rq, accept, content_type):
    response = rq('GET', ROOT, {'Accept': accept} if accept else {})
    assert (response.status, response.headers['Content-Type']) == (200, content_type)
    assert response.json()['openapi'] == '3.1.0'


@pytest.mark.parametrize('path', ['/rest/v1/', '/rest/v1'])
def test_paths_of_the_root(rq, path):
    assert rq('GET', path).json()['openapi'] == '3.1.0'


def test_not_acceptable(rq):
    assert rq('GET', ROOT, {'Accept': 'text/csv'}).error() == (406, 'PGRST107')


def test_head(rq):
    response = rq('HEAD', ROOT)
    assert (response.status, response.body, response.headers['Content-Type']) == (200, b'', OPENAPI)


@pytest.mark.parametrize('method', ['POST', 'PUT', 'PATCH', 'DELETE'])
def test_other_methods(rq, method):
    response = rq(method, ROOT, {}, '{}' if method != 'DELETE' else None)
    assert response.error() == (405, 'PGRST117')
    assert response.headers['Allow'] == 'OPTIONS,GET,HEAD'


def test_options(rq):
    response = rq('OPTIONS', ROOT)
    assert (response.status, response.headers['Allow']) == (200, 'OPTIONS,GET,HEAD')


def test_profile(stack, rq):
    response = rq('GET', ROOT, {'Accept-Profile': 'spec2'})
    assert response.headers['Content-Profile'] == 'spec2'
    document = response.json()
    assert {'/clients', '/invoices'} <= names_of(document) and '/projects' not in names_of(document)
    # Every request needs the header then, and says so.
    header = document['components']['parameters']['acceptProfile']
    assert header['required'] and header['schema']['default'] == 'spec2'
    assert {'$ref': '#/components/parameters/acceptProfile'} in document['paths']['/clients']['get']['parameters']
    assert rq('GET', ROOT, {'Accept-Profile': 'mysql'}).error() == (406, 'PGRST106')


def test_etag(rq):
    first = rq('GET', ROOT)
    etag = first.headers['ETag']
    again = rq('GET', ROOT, {'If-None-Match': etag})
    assert (again.status, again.body, again.headers['ETag']) == (304, b'', etag)
    assert rq('GET', ROOT, {'If-None-Match': 'W/' + etag}).status == 304
    assert rq('GET', ROOT, {'If-None-Match': '"other"'}).status == 200
    assert rq('GET', ROOT, {'If-None-Match': etag, 'Accept-Profile': 'spec2'}).status == 200


def test_bad_token(rq):
    assert rq('GET', ROOT, token='none.of.it').error() == (401, 'PGRST301')


def test_it_is_never_given_to_another_role(stack):
    tags = {stack.rq('GET', ROOT, token=token).headers['ETag']
            for token in (None, stack.service_key, stack.token('spec_reader'), stack.token('authenticated'))}
    assert len(tags) == 4


# --- modes ---

def test_disabled(stack):
    off = stack.variant({'openapi-mode': 'disabled'})
    for method in ('GET', 'OPTIONS'):
        assert off.rq(method, ROOT).error() == (404, 'PGRST126')
    assert off.rq('HEAD', ROOT).status == 404


def test_ignore_privileges(stack):
    everything = describe(stack, instance=stack.variant({'openapi-mode': 'ignore-privileges'}))
    assert '/private_things' in names_of(everything) and '/rpc/not_for_anon' in names_of(everything)
    assert {'get', 'post', 'put', 'patch', 'delete'} == set(everything['paths']['/clients'])


def test_settings(stack):
    conf = {'openapi-server-proxy-uri': 'https://api.example.org/data/', 'openapi-title': 'Our data',
            'openapi-description': 'What "we" <have>.'}
    document = describe(stack, instance=stack.variant(conf))
    assert document['servers'] == [{'url': 'https://api.example.org/data'}]
    assert (document['info']['title'], document['info']['description']) == ('Our data', 'What "we" <have>.')


@pytest.mark.mariadb
def test_title_is_the_comment_of_the_database(stack):
    stack.sql("ALTER DATABASE spec2 COMMENT 'Other things\nand what they are for'")
    try:
        def told():
            info = describe(stack, database='spec2')['info']
            return info if info['title'] == 'Other things' else None
        info = harness.wait_until(told, 60)
        assert info and info['description'] == 'and what they are for'
    finally:
        stack.sql("ALTER DATABASE spec2 COMMENT ''")


def test_no_anonymous_role(stack):
    closed = stack.variant({'db-anon-role': ''})
    assert closed.rq('GET', ROOT).error() == (401, 'PGRST302')
    assert describe(stack, stack.service_key, instance=closed)['security'] == [{'bearer': []}, {'apikey': []}]


def test_server_is_the_host_asked(stack, anon):
    assert anon['servers'] == [{'url': stack.url + '/rest/v1'}]
    assert anon['security'][-1] == {}
    assert (anon['x-role'], anon['x-database']) == ('anon', 'spec')


# --- its form ---

def test_every_reference_leads_somewhere_and_nothing_is_left_over(anon, service):
    for document in (anon, service):
        used = set(refs(document))
        for ref in used:
            at = document
            for part in ref.removeprefix('#/').split('/'):
                at = at[part]
        for kind in ('schemas', 'parameters', 'responses', 'headers'):
            for name in document['components'][kind]:
                assert f'#/components/{kind}/{name}' in used, (kind, name)


def test_operation_ids_and_tags(service):
    tags = {tag['name'] for tag in service['tags']}
    seen = set()
    for path in service['paths'].values():
        for operation in path.values():
            assert operation['operationId'] not in seen
            seen.add(operation['operationId'])
            assert set(operation['tags']) <= tags and operation['summary'] and operation['description']
            assert '401' in operation['responses']


# --- rights ---

def test_what_a_role_may_not_see_is_not_there(stack, anon):
    text = stack.rq('GET', ROOT).text
    assert 'private_things' not in text and 'closed_text' not in text and 'not_for_anon' not in text
    # A view of it is granted.
    assert '/window_on_private' in names_of(anon)


def test_columns_that_are_granted(anon):
    assert list(schema(anon, 'private_columns')['properties']) == ['id', 'open_text']
    select = anon['paths']['/private_columns']['get']['parameters'][0]
    assert (select['name'], select['required'], select['schema']['default']) == ('select', True, 'id,open_text')


def test_operations_by_right(anon, service):
    assert set(anon['paths']['/clients']) == {'get'}
    assert set(anon['paths']['/r_stuff']) == {'get', 'post', 'put', 'patch'}
    assert set(service['paths']['/w_item']) == {'get', 'post', 'put', 'patch', 'delete'}
    assert set(service['paths']['/w_keyless']) == {'get', 'post', 'patch', 'delete'}
    # A view that groups cannot be written to.
    assert set(service['paths']['/w_sums']) == {'get'}
    # A view that hides a column which new rows must have cannot be inserted into.
    assert set(service['paths']['/w_view']) == {'get', 'post', 'put', 'patch', 'delete'}
    assert set(service['paths']['/w_nameless']) == {'get', 'patch', 'delete'}
    rights = {k: v for k, v in schema(anon, 'r_stuff').items() if k.endswith('able') and k != 'x-table'}
    assert rights == {'x-selectable': True, 'x-insertable': True, 'x-updatable': True, 'x-deletable': False}


def test_a_grant_is_seen_at_once(stack):
    stack.sql('CREATE TABLE spec.private_oa (id INT PRIMARY KEY, a INT, b INT)')
    try:
        stack.sql('GRANT SELECT (id), INSERT (a), UPDATE (a, b) ON spec.private_oa TO spec_reader')
        document = described_with(stack, '/private_oa')
        assert set(document['paths']['/private_oa']) == {'get', 'post', 'put', 'patch'}
        properties = schema(document, 'private_oa')['properties']
        assert properties['id']['readOnly'] and properties['id'].get('x-updatable') is False
        assert properties['a']['writeOnly'] and 'x-insertable' not in properties['a']
        assert properties['b']['x-insertable'] is False
        stack.sql('REVOKE SELECT (id), INSERT (a), UPDATE (a, b) ON spec.private_oa FROM spec_reader')
        # No definition has changed: grants are looked at each time.
        assert '/private_oa' not in describe(stack, stack.token('spec_reader'))['paths']
    finally:
        stack.sql('DROP TABLE spec.private_oa')


def test_routines_by_right(anon, service):
    assert set(anon['paths']['/rpc/sayhello']) == {'get', 'post'}
    assert set(anon['paths']['/rpc/log_it']) == {'post'}
    assert '/rpc/not_for_anon' not in anon['paths'] and '/rpc/not_for_anon' in service['paths']


# --- columns ---

def test_keys_and_relations(service):
    client = column(service, 'projects', 'client_id')
    assert client['x-foreign-key'] == {'constraint': 'client', 'table': 'clients', 'column': 'id', 'columns': ['client_id'],
                                       'target_columns': ['id'], 'embed': 'clients'}
    assert client['description'] == "Note:\nThis is a Foreign Key to `clients.id`.<fk table='clients' column='id'/>"
    assert client['type'] == ['integer', 'null']
    key = column(service, 'projects', 'id')
    assert key['x-primary-key'] and key['description'] == 'Note:\nThis is a Primary Key.<pk/>'
    assert schema(service, 'users_projects')['x-primary-key'] == ['project_id', 'user_id']
    assert {'name': 'w_item_name', 'columns': ['name']} in schema(service, 'w_item')['x-unique-keys']


def test_every_relation_can_be_embedded(stack, service):
    """embed is what select takes, and means that relation."""
    n = 0
    for name, table in [(k, v) for k, v in service['components']['schemas'].items() if 'x-table' in v and v['x-selectable']]:
        for relation in table['x-relationships']:
            # Rows of broken or slow views are no matter here.
            path = '/' + urllib.parse.quote(table['x-table'], safe='')
            answer = stack.get(f'{path}?select=x:{urllib.parse.quote(relation["embed"])}(*)&limit=1', token=stack.service_key)
            assert answer.status == 200, (name, relation, answer)
            many = relation['cardinality'].endswith('to-many')
            for row in answer.json():
                assert isinstance(row['x'], list) == many, (name, relation)
            n += 1
    assert n > 100


def test_relations_of_every_kind(service):
    def relations(name):
        return {r['embed']: r['cardinality'] for r in schema(service, name)['x-relationships']}
    assert relations('orders')['addresses!billing'] == 'many-to-one'
    assert relations('addresses')['orders!shipping'] == 'one-to-many'
    assert relations('trash')['trash_details'] == 'one-to-one'
    assert relations('users')['projects'] == 'many-to-many'
    # To itself: the row above by the key's name, the rows below by the table's.
    assert relations('staff')['boss'] == 'many-to-one' and relations('staff')['staff'] == 'one-to-many'


def test_types(service):
    def kind(table, name, *keys):
        return tuple(column(service, table, name).get(key) for key in keys)
    nullable = ['integer', 'null']
    assert kind('t_ints', 'ti', 'type', 'minimum', 'maximum') == (nullable, -128, 127)
    assert kind('t_ints', 'miu', 'type', 'minimum', 'maximum') == (nullable, 0, 16777215)
    assert kind('t_ints', 'bi', 'format', 'minimum', 'maximum') == ('int64', -2**63, 2**63 - 1)
    assert kind('t_ints', 'biu', 'format', 'minimum', 'maximum') == ('uint64', 0, 2**64 - 1)
    assert kind('t_ints', 'b', 'type') == (['boolean', 'null'],)
    assert kind('t_numbers', 'm', 'type', 'exclusiveMinimum', 'exclusiveMaximum') == (['number', 'null'], -10**8, 10**8)
    assert kind('t_bits', 'b8', 'type', 'maxLength', 'pattern') == (['string', 'null'], 8, '^[01]*$')
    assert kind('t_bits', 'b1', 'type') == (['boolean', 'null'],)
    assert kind('t_times', 'd', 'format') == ('date',)
    assert kind('t_times', 'dt', 'format') == ('date-time-local',)
    assert kind('t_times', 'ts', 'format') == ('date-time',)
    assert kind('t_texts', 'v', 'type', 'maxLength') == (['string', 'null'], 100)
    assert kind('t_texts', 'x', 'type', 'maxLength') == (['string', 'null'], None)
    assert kind('t_texts', 'e', 'enum') == (['small', 'me"dium', 'größe', None],)
    assert kind('t_texts', 's', 'x-set') == (['red', 'green', 'blue'],)
    assert kind('t_binaries', 'b', 'pattern') == (r'^\\x([0-9a-fA-F]{2})*$',)
    assert kind('t_json', 'j', 'type', 'x-json', 'x-nullable') == (None, True, True)
    assert kind('t_geo', 'p', 'type', 'format') == (['object', 'null'], 'geojson')
    assert column(service, 't_texts', 'v')['x-db-type'] == 'varchar(100)'


def test_defaults_and_generated(service):
    assert column(service, 'w_item', 'made')['default'] == 'here'
    assert column(service, 'w_one', 'n')['default'] == 7
    assert column(service, 'w_prop', 'g')['default'] == 'y'
    assert 'uuid()' in column(service, 'w_made', 'id')['x-default'].lower()
    assert 'default' not in column(service, 'w_item', 'n')
    assert column(service, 'w_item', 'twice')['readOnly'] and column(service, 'w_item', 'twice')['x-generated']
    assert column(service, 'w_item', 'id')['x-auto-increment']
    assert column(service, 'articles', 'body')['x-fulltext'] and 'x-fulltext' not in column(service, 'articles', 'title')
    assert schema(service, 'w_item.insert')['required'] == ['name']
    assert schema(service, 'w_kid.insert')['required'] == ['id', 'item_id']


@pytest.mark.mariadb
def test_types_of_mariadb(service):
    assert [column(service, 't_mariadb', c)['format'] for c in ('u', 'i6', 'i4')] == ['uuid', 'ipv6', 'ipv4']


def test_comments(stack):
    stack.sql("""CREATE TABLE spec.oa_told (
        id INT PRIMARY KEY COMMENT 'Number. Example: 42',
        t VARCHAR(5) COMMENT 'Word.\nExample: ab\nExample: too long\nExample: "c"\nMore of it.' DEFAULT 'it''s',
        e ENUM('x', 'y') COMMENT 'Example: z', dt DATETIME COMMENT 'Example: 2020-01-31 10:00:00' DEFAULT '2020-02-29 00:00:00',
        j JSON COMMENT 'Example: {"a": [1]}', d DECIMAL(4,1) DEFAULT 1.5 COMMENT 'Example: 3.5', label VARCHAR(20) COMMENT '@label'
    ) COMMENT 'All there is to <b>tell</b>, "quoted".'""")
    stack.sql('GRANT SELECT ON spec.oa_told TO spec_reader')
    try:
        document = described_with(stack, '/oa_told')
        told = schema(document, 'oa_told')
        assert told['description'] == 'All there is to <b>tell</b>, "quoted".'
        assert {'name': 'oa_told', 'description': told['description']} in document['tags']
        c = told['properties']
        assert c['id']['examples'] == [42] and c['id']['description'].startswith('Number.\n\nNote:')
        assert c['t']['examples'] == ['ab', '"c"'] and c['t']['description'] == 'Word.\nMore of it.'
        assert c['t']['default'] == "it's"
        assert 'examples' not in c['e']
        assert c['dt']['examples'] == ['2020-01-31T10:00:00'] and c['dt']['default'] == '2020-02-29T00:00:00'
        assert c['j']['examples'] == [{'a': [1]}]
        assert c['d']['examples'] == [3.5] and c['d']['default'] == 1.5
        assert told['x-label-column'] == 'label'
    finally:
        stack.sql('DROP TABLE spec.oa_told')


# --- names that hurt ---

def test_evil_names(stack, service):
    for name in ('Order Items', '日本 語', 'limit', 'q"u\'o`te\\;', 'hyphen-ated', 'evil child'):
        path = '/' + urllib.parse.quote(name, safe='')
        operation = service['paths'][path]['get']
        described = next(s for s in service['components']['schemas'].values() if s.get('x-table') == name)
        assert operation['tags'] == [name]
        filters = [service['components']['parameters'][p['$ref'].rpartition('/')[2]] for p in operation['parameters']
                   if 'rowFilter.' in p['$ref']]
        row, = stack.get(path + '?limit=1', token=stack.service_key).json()
        assert list(row) == list(described['properties'])
        assert len(filters) == len(row)
        for value, parameter in zip(row.values(), filters):
            key = urllib.parse.quote(parameter['name'], safe='')
            test = 'is.null' if value is None else 'eq.' + urllib.parse.quote(str(value), safe='')
            found = stack.get(f'{path}?{key}={test}&limit=1', token=stack.service_key)
            assert found.status == 200 and found.json(), (parameter, found)


def test_keys_never_clash(service):
    keys = list(service['components']['parameters'])
    assert len(keys) == len(set(keys))
    assert all(c.isascii() and (c.isalnum() or c in '._-') for key in keys for c in key)
