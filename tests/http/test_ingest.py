"""911 documents over HTTP: taken whole by ingest_incident, again without a change, refused by the path of a key, given back nested."""
import copy
import datetime
import json

import pytest

from harness import REPO

FILES = [REPO / f'../shared/data/incidents/F017051500{n}0.json' for n in (5, 9)]
NESTED = '/incident?select=*,apparatus(*,unit_status(*))&incident_number=eq.'
DOCUMENT = {
    'version': '1.0.29',
    'address': {'address_line1': '12 MILL RD', 'city': 'Port Ellery', 'state': 'VA', 'latitude': 38.2, 'longitude': -75.6},
    'apparatus': [
        {'unit_id': 'E1', 'car_id': '111', 'unit_type': 'Engine', 'station': 'FSTA01', 'distance': 2.6, 'mood': 'unknown key',
         'extended_data': {'event_duration': 900, 'turnout_duration': 60},
         'unit_status': {'dispatched': {'latitude': 38.1, 'longitude': -75.5, 'timestamp': '2025-06-30T22:00:10-04:00'},
                         'arrived': {'timestamp': '2025-06-30T22:05:10-04:00'}}},
        {'unit_id': 'M1', 'unit_type': 'Medic Unit', 'station': 'FSTA01', 'extended_data': {}, 'unit_status': {}}],
    'description': {'incident_number': 'H1', 'event_id': '1', 'type': 'FIRE', 'subtype': 'BRUSH FIRE', 'comments': 'Ünïcode 🔥',
                    'day_of_week': 'Monday', 'hour_of_day': 22, 'event_opened': '2025-06-30T22:00:00-04:00', 'extended_data': {}},
    'fire_department': {'fd_id': 'H', 'name': 'Test Department', 'state': 'VA', 'timezone': 'US/Eastern'},
    'unknown': {'a': [1, None]},
}
INSERTED = {'incident_number': 'H1', 'action': 'inserted', 'apparatus': 2, 'unit_status': 2}


@pytest.fixture
def ingest(stack):
    """ingest(document): as dispatcher. Incidents of these tests are gone before each."""
    schema = {'Accept-Profile': 'incidents', 'Content-Profile': 'incidents'}
    token = stack.token('dispatcher')

    def ask(body, headers=None, role='dispatcher', path='/rpc/ingest_incident'):
        return stack.rq('POST', '/rest/v1' + path, {**schema, 'Content-Type': 'application/json', **(headers or {})},
                        body if isinstance(body, (str, bytes)) else json.dumps(body), stack.token(role) if role else None)
    ask.get = lambda path: stack.get(path, schema, token)
    ask.delete = lambda path: stack.rq('DELETE', '/rest/v1' + path, schema, None, stack.token('service_role'))
    ask.state = lambda: [stack.sql(f'SELECT COUNT(*) FROM incidents.{t}')[0][0] for t in
                         ('incident', 'apparatus', 'unit_status', 'incident_document', 'fire_department')]
    for number in ('H1', 'H2', 'F01705150050', 'F01705150090'):
        stack.sql('DELETE FROM incidents.incident WHERE incident_number = %s', number)
    stack.sql("DELETE FROM incidents.fire_department WHERE fd_id = 'H'")
    return ask


def changed(path, *value):
    document = copy.deepcopy(DOCUMENT)
    at = document
    for step in path[:-1]:
        at = at[step]
    if value:
        at[path[-1]] = value[0]
    else:
        del at[path[-1]]
    return document


def test_insert_again_update(ingest):
    response = ingest(DOCUMENT)
    assert response.status == 200 and response.json() == [INSERTED]
    before = ingest.state(), ingest.get(NESTED + 'H1').json()
    assert ingest(DOCUMENT).json() == [{**INSERTED, 'action': 'unchanged'}]
    assert ingest(json.dumps(DOCUMENT, indent=3)).json() == [{**INSERTED, 'action': 'unchanged'}]
    assert (ingest.state(), ingest.get(NESTED + 'H1').json()) == before
    fewer = changed(['apparatus'], DOCUMENT['apparatus'][:1])
    assert ingest(fewer).json() == [{**INSERTED, 'action': 'updated', 'apparatus': 1}]
    assert [a['unit_id'] for a in ingest.get(NESTED + 'H1').json()[0]['apparatus']] == ['E1']


def test_nested_and_in_utc(ingest):
    ingest(DOCUMENT)
    incident, = ingest.get(NESTED + 'H1&apparatus.order=unit_id&apparatus.unit_status.order=timestamp').json()
    assert incident['event_opened'] == '2025-07-01T02:00:00+00:00' and incident['utc_offset'] == '-04:00'
    assert incident['latitude'] == 38.2 and incident['type'] == 'FIRE'
    engine, medic = incident['apparatus']
    assert [s['status'] for s in engine['unit_status']] == ['dispatched', 'arrived'] and medic['unit_status'] == []
    assert engine['unit_status'][0]['timestamp'] == '2025-07-01T02:00:10+00:00' and engine['turnout_duration'] == 60
    kept, = ingest.get('/incident_document?select=document,comments&incident_number=eq.H1').json()
    assert kept['document'] == DOCUMENT and kept['comments'] == 'Ünïcode 🔥'


def test_several_documents(ingest):
    other = changed(['description', 'incident_number'], 'H2')
    assert ingest([DOCUMENT, other]).json() == [INSERTED, {**INSERTED, 'incident_number': 'H2'}]
    assert ingest([]).json() == []
    bad = copy.deepcopy(other)
    del bad['address']['city']
    before = ingest.state()
    response = ingest([changed(['description', 'type'], 'HAZMAT'), bad])
    assert response.error() == (400, '22023') and response.json()['message'] == 'address.city is missing (document 2)'
    assert ingest.state() == before and ingest.get('/incident?select=type&incident_number=eq.H1').json() == [{'type': 'FIRE'}]


@pytest.mark.parametrize('document, message', [
    (changed(['address']), 'address is missing'),
    (changed(['address', 'latitude'], 'north'), 'address.latitude must be a number'),
    (changed(['description', 'incident_number']), 'description.incident_number is missing'),
    (changed(['description', 'incident_number'], None), 'description.incident_number must not be null'),
    (changed(['description', 'event_opened'], '2025-06-30 22:00'),
     'description.event_opened must be a time such as 2017-05-15T13:21:38-04:00'),
    (changed(['apparatus', 1, 'unit_id'], 7), 'apparatus[1].unit_id must be text'),
    (changed(['apparatus', 0, 'unit_status', 'arrived', 'timestamp']), 'apparatus[0].unit_status.arrived.timestamp is missing'),
    (changed(['apparatus', 0, 'unit_status', 'arrived', 'latitude'], 91),
     'apparatus[0].unit_status.arrived.latitude must be at most 90'),
    ([], None), ({}, 'address is missing'), ('"text"', 'body must be an incident document or an array of them'),
    ('null', 'body must be an incident document or an array of them'), ([1], None),
])
def test_refused_by_path(ingest, document, message):
    before = ingest.state()
    response = ingest(document)
    if document != []:
        assert response.error() == (400, '22023'), response
        assert message is None or response.json()['message'] == message
    assert ingest.state() == before


@pytest.mark.parametrize('body', ['', '{"version":', '[{}', json.dumps(DOCUMENT)[:-1], '{"a":1,"a":2}', 'x'])
def test_no_json(ingest, body):
    before = ingest.state()
    assert ingest(body).error() == (400, 'PGRST102')
    assert ingest.state() == before


def test_rights_and_method(ingest, stack):
    assert ingest(DOCUMENT, role=None).error() == (401, '42501')
    assert ingest(DOCUMENT, role='authenticated').error() == (403, '42501')
    assert stack.get('/rpc/ingest_incident', {'Accept-Profile': 'incidents'}, stack.token('dispatcher')).status in (404, 405)
    assert ingest(DOCUMENT, path='/rpc/store_incident_documents').error()[0] in (403, 404)
    assert ingest(DOCUMENT, path='/rpc/check_incident_documents').error()[0] in (403, 404)


def test_answer_is_shaped(ingest):
    response = ingest(DOCUMENT, {'Accept': 'application/vnd.pgrst.object+json'}, path='/rpc/ingest_incident?select=action')
    assert response.status == 200 and response.json() == {'action': 'inserted'}
    assert ingest(DOCUMENT, {'Accept': 'text/csv'}).text == 'incident_number,action,apparatus,unit_status\nH1,unchanged,2,2'


def test_delete_cascades(ingest):
    before = ingest.state()
    ingest(DOCUMENT)
    assert ingest.delete('/incident?incident_number=eq.H1').status == 204
    after = ingest.state()
    assert after[:4] == before[:4]


@pytest.mark.skipif(not FILES[0].exists(), reason='needs ../shared/data')
def test_real_documents(ingest):
    texts = [f.read_text() for f in FILES]
    documents = [json.loads(t) for t in texts]
    answers = [{'incident_number': 'F01705150050', 'action': 'inserted', 'apparatus': 4, 'unit_status': 26},
               {'incident_number': 'F01705150090', 'action': 'inserted', 'apparatus': 1, 'unit_status': 4}]
    assert ingest(texts[0]).json() == answers[:1]
    assert ingest(f'[{texts[0]},{texts[1]}]').json() == [{**answers[0], 'action': 'unchanged'}, answers[1]]
    assert ingest(texts[1]).json() == [{**answers[1], 'action': 'unchanged'}]
    for document in documents:
        incident, = ingest.get(NESTED + document['description']['incident_number']).json()
        given = {(a['unit_id'], status, s['timestamp']) for a in incident['apparatus'] for s in a['unit_status']
                 for status in [s['status']]}
        assert given == {(a['unit_id'], status, datetime.datetime.fromisoformat(s['timestamp'])
                          .astimezone(datetime.timezone.utc).isoformat(timespec='seconds'))
                         for a in document['apparatus'] for status, s in a['unit_status'].items()}
        stored, = ingest.get('/incident_document?select=document&incident_number=eq.' + document['description']['incident_number']).json()
        assert stored['document'] == document
        assert ingest.delete('/incident?incident_number=eq.' + document['description']['incident_number']).status == 204
