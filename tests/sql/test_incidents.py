"""The incidents data set: the procedure ingest_incident on the real documents, on bad ones, and again."""
import copy
import datetime
import json

import pymysql
import pytest

from conftest import SHARED, run

FOUND_ROWS = 2
FILES = [SHARED / f'incidents/F017051500{n}0.json' for n in (5, 9)]
DOCUMENT = {
    'version': '1.0.29',
    'address': {'address_id': '', 'address_line1': '12 MILL RD', 'city': 'Port Ellery', 'state': 'VA', 'latitude': 38.2,
                'longitude': -75.6, 'cross_street1': 'CEDAR ST', 'name': 'MILL', 'number': '12', 'type': 'RD'},
    'apparatus': [
        {'unit_id': 'E1', 'car_id': '111', 'unit_type': 'Engine', 'station': 'FSTA01', 'shift': 'A', 'distance': 2.6,
         'personnel': [], 'extended_data': {'event_duration': 900, 'turnout_duration': 60},
         'unit_status': {'dispatched': {'latitude': 38.1, 'longitude': -75.5, 'timestamp': '2025-06-30T22:00:10-04:00'},
                         'arrived': {'timestamp': '2025-06-30T22:05:10-04:00'},
                         '~': {'timestamp': '2025-06-30T22:06:10.500-04:00'}}},
        {'unit_id': 'M1', 'unit_type': 'Medic Unit', 'station': 'FSTA01', 'extended_data': {}, 'unit_status': {}}],
    'description': {'incident_number': 'T1', 'event_id': '1', 'type': 'FIRE', 'subtype': 'BRUSH FIRE', 'comments': 'Ünïcode 🔥',
                    'day_of_week': 'Monday', 'hour_of_day': 22, 'event_opened': '2025-06-30T22:00:00-04:00',
                    'first_unit_arrived': None, 'extended_data': {'dispatch_duration': 10}},
    'fire_department': {'fd_id': 'T', 'name': 'Test Department', 'shift': 'A', 'state': 'VA', 'timezone': 'US/Eastern'},
}


@pytest.fixture
def connection(database):
    """In a transaction that never commits, and with the flag that Rowgate's own connections have."""
    made = database.connect(database='incidents', autocommit=False, client_flag=FOUND_ROWS)
    yield made
    made.rollback()
    made.close()


def ingest(connection, body):
    return run(connection, 'CALL ingest_incident(%s)', body if isinstance(body, str) else json.dumps(body))


def changed(path, *value):
    """DOCUMENT with the value at the path, or without it."""
    document = copy.deepcopy(DOCUMENT)
    at = document
    for step in path[:-1]:
        at = at[step]
    if value:
        at[path[-1]] = value[0]
    else:
        del at[path[-1]]
    return document


@pytest.mark.skipif(not FILES[0].exists(), reason='needs ../shared/data')
def test_real_documents(connection):
    texts = [f.read_text() for f in FILES]
    assert ingest(connection, texts[0]) == [('F01705150050', 'inserted', 4, 26)]
    assert ingest(connection, f'[{texts[0]}, {texts[1]}]') == [('F01705150050', 'unchanged', 4, 26),
                                                              ('F01705150090', 'inserted', 1, 4)]
    assert ingest(connection, texts[1]) == [('F01705150090', 'unchanged', 1, 4)]
    for text in texts:
        document = json.loads(text)
        number = document['description']['incident_number']
        stored = run(connection, 'SELECT document, comments FROM incident_document WHERE incident_number = %s', number)[0]
        assert json.loads(stored[0]) == document and stored[1] == document['description']['comments']
        reports = run(connection, "SELECT unit_id, car_id, distance, response_duration, status, DATE_FORMAT(timestamp,"
                                  " '%%Y-%%m-%%dT%%TZ'), unit_status.utc_offset, latitude, longitude FROM apparatus"
                                  " JOIN unit_status ON apparatus_id = id WHERE incident_number = %s", number)
        expected = {(a['unit_id'], a['car_id'], a.get('distance'), a['extended_data']['response_duration'], name,
                     datetime.datetime.fromisoformat(s['timestamp']).astimezone(datetime.timezone.utc)
                     .strftime('%Y-%m-%dT%TZ'), '-04:00', s['latitude'], s['longitude'])
                    for a in document['apparatus'] for name, s in a['unit_status'].items()}
        assert {(*row[:7], float(row[7]), float(row[8])) for row in reports} == expected


def test_every_column(connection):
    ingest(connection, DOCUMENT)
    with connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("SELECT * FROM incident JOIN fire_department USING (fd_id) WHERE incident_number = 'T1'")
        row = cursor.fetchone()
    assert {k: v for k, v in row.items() if v is not None and k not in ('latitude', 'longitude')} == {
        'fd_id': 'T', 'incident_number': 'T1', 'event_id': '1', 'type': 'FIRE', 'subtype': 'BRUSH FIRE', 'shift': 'A',
        'day_of_week': 'Monday', 'hour_of_day': 22, 'event_opened': datetime.datetime(2025, 7, 1, 2), 'utc_offset': '-04:00',
        'dispatch_duration': 10, 'address_line1': '12 MILL RD', 'street_number': '12', 'street_name': 'MILL',
        'street_type': 'RD', 'cross_street1': 'CEDAR ST', 'city': 'Port Ellery', 'state': 'VA', 'name': 'Test Department',
        'fire_department.state': 'VA', 'timezone': 'US/Eastern'}
    assert run(connection, "SELECT comments FROM incident_document WHERE incident_number = 'T1'") == [('Ünïcode 🔥',)]


@pytest.mark.parametrize('name, document, counts', [
    ('a unit goes', changed(['apparatus', 1]), (1, 3)),
    ('a report goes', changed(['apparatus', 0, 'unit_status', '~']), (2, 2)),
    ('a report comes', changed(['apparatus', 1, 'unit_status', 'enroute'], {'timestamp': '2025-06-30T22:06:10Z'}), (2, 4)),
    ('a report moves', changed(['apparatus', 0, 'unit_status', '~', 'timestamp'], '2025-06-30T22:07:10-04:00'), (2, 3)),
    ('a unit is another car', changed(['apparatus', 0, 'car_id'], '112'), (2, 3)),
    ('text', changed(['description', 'comments'], 'x'), (2, 3)),
    ('a key that is not known', changed(['description', 'mood'], {'a': [1, None]}), (2, 3)),
    ('the department', changed(['fire_department', 'name'], 'Renamed'), (2, 3)),
    ('no units', changed(['apparatus'], []), (0, 0)),
    ('a distance of null', changed(['apparatus', 0, 'distance'], None), (2, 3)),
])
def test_update_is_whole(connection, name, document, counts):
    assert ingest(connection, DOCUMENT) == [('T1', 'inserted', 2, 3)]
    ids = dict(run(connection, "SELECT unit_id, id FROM apparatus WHERE incident_number = 'T1' AND car_id <> '112'"))
    assert ingest(connection, document) == [('T1', 'updated', *counts)]
    assert ingest(connection, document) == [('T1', 'unchanged', *counts)]
    left = dict(run(connection, "SELECT unit_id, id FROM apparatus WHERE incident_number = 'T1' AND car_id <> '112'"))
    assert left.items() <= ids.items()
    assert ingest(connection, DOCUMENT) == [('T1', 'updated', 2, 3)]


@pytest.mark.parametrize('statement', [
    "UPDATE incident SET city = 'Elsewhere' WHERE incident_number = 'T1'",
    "DELETE FROM apparatus WHERE incident_number = 'T1' AND unit_id = 'E1'",
    "UPDATE apparatus SET distance = 9 WHERE incident_number = 'T1' AND unit_id = 'E1'",
    "UPDATE unit_status SET latitude = NULL WHERE status = 'dispatched' AND apparatus_id ="
    " (SELECT id FROM apparatus WHERE incident_number = 'T1' AND unit_id = 'E1')",
    "UPDATE fire_department SET firecares_id = '5' WHERE fd_id = 'T'",
    "DELETE FROM incident_document WHERE incident_number = 'T1'",
])
def test_rows_follow_the_document(connection, statement):
    ingest(connection, DOCUMENT)
    run(connection, statement)
    assert ingest(connection, DOCUMENT) == [('T1', 'updated', 2, 3)]
    assert ingest(connection, DOCUMENT) == [('T1', 'unchanged', 2, 3)]


@pytest.mark.parametrize('zone', ['+00:00', '-05:00', '+13:00'])
@pytest.mark.parametrize('time, local', [('2025-06-30T22:00:00-04:00', (2025, 6, 30, 22)), ('2024-12-31T23:00:00Z', (2024, 12, 31, 23)),
                                         ('2025-01-01T03:30:00+05:30', (2025, 1, 1, 3, 30)),
                                         ('2025-01-01T00:15:00-09:30', (2025, 1, 1, 0, 15))])
def test_views_have_the_clock_of_the_place(connection, time, local, zone):
    run(connection, f"SET time_zone = '{zone}'")
    ingest(connection, changed(['description', 'event_opened'], time))
    local = datetime.datetime(*local)
    assert run(connection, "SELECT opened, YEAR(opened), type, city FROM incident_local WHERE incident_number = 'T1'") == [
        (local, local.year, 'FIRE', 'Port Ellery')]
    assert run(connection, "SELECT unit_id, opened, unit_type, hour_of_day, turnout_duration, travel_duration FROM unit_response"
                           " WHERE incident_number = 'T1' ORDER BY id") == [('E1', local, 'Engine', 22, 60, None),
                                                                            ('M1', local, 'Medic Unit', 22, None, None)]


def test_layout_of_the_text_does_not_matter(connection):
    ingest(connection, json.dumps(DOCUMENT, indent=4, sort_keys=True))
    assert ingest(connection, json.dumps(DOCUMENT)) == [('T1', 'unchanged', 2, 3)]


A_TIME = 'must be a time such as 2017-05-15T13:21:38-04:00'


@pytest.mark.parametrize('body, message', [
    (changed(['address']), 'address is missing'),
    (changed(['description']), 'description is missing'),
    (changed(['fire_department', 'fd_id']), 'fire_department.fd_id is missing'),
    (changed(['apparatus']), 'apparatus is missing'),
    (changed(['version']), 'version is missing'),
    (changed(['description', 'incident_number']), 'description.incident_number is missing'),
    (changed(['description', 'incident_number'], None), 'description.incident_number must not be null'),
    (changed(['description', 'incident_number'], ''), 'description.incident_number must not be empty'),
    (changed(['description', 'incident_number'], 'x' * 33), 'description.incident_number must be at most 32 characters'),
    (changed(['description', 'incident_number'], 17), 'description.incident_number must be text'),
    (changed(['description', 'hour_of_day'], 24), 'description.hour_of_day must be at most 23'),
    (changed(['description', 'hour_of_day'], '5'), 'description.hour_of_day must be an integer'),
    (changed(['description', 'hour_of_day'], True), 'description.hour_of_day must be an integer'),
    (changed(['description', 'day_of_week'], 'Someday'), 'description.day_of_week must be a day such as Monday'),
    (changed(['description', 'event_opened'], 'yesterday'), f'description.event_opened {A_TIME}'),
    (changed(['description', 'event_opened'], '2025-06-30T22:00:00'), f'description.event_opened {A_TIME}'),
    (changed(['description', 'event_opened'], '2025-02-29T22:00:00Z'), f'description.event_opened {A_TIME}'),
    (changed(['description', 'event_closed'], 5), f'description.event_closed {A_TIME}'),
    (changed(['description', 'extended_data', 'dispatch_duration'], 1.5),
     'description.extended_data.dispatch_duration must be an integer'),
    (changed(['address', 'latitude'], -91), 'address.latitude must be at least -90'),
    (changed(['address', 'latitude'], '38'), 'address.latitude must be a number'),
    (changed(['address'], []), 'address must be an object'),
    (changed(['apparatus'], {}), 'apparatus must be an array'),
    (changed(['apparatus', 1], 5), 'apparatus[1] must be an object'),
    (changed(['apparatus', 1, 'unit_id']), 'apparatus[1].unit_id is missing'),
    (changed(['apparatus', 0, 'distance'], 'far'), 'apparatus[0].distance must be a number'),
    (changed(['apparatus', 0, 'unit_status'], []), 'apparatus[0].unit_status must be an object'),
    (changed(['apparatus', 0, 'unit_status', '~', 'timestamp']), 'apparatus[0].unit_status.~.timestamp is missing'),
    (changed(['apparatus', 0, 'unit_status', '~'], None), 'apparatus[0].unit_status.~ must not be null'),
    (changed(['apparatus', 0, 'unit_status', 'a"b'], {}),
     'apparatus[0].unit_status.a"b must have a name of 1 to 40 characters without quotes and backslashes'),
    (changed(['apparatus', 1], DOCUMENT['apparatus'][0]), 'apparatus[1] is the same unit as apparatus[0]'),
    ([DOCUMENT, changed(['address', 'city'])], 'address.city is missing (document 2)'),
    ([DOCUMENT, DOCUMENT], 'description.incident_number is that of an earlier document (document 2)'),
    ([DOCUMENT, 'x'], 'the document must be an object (document 2)'),
    ('"text"', 'body must be an incident document or an array of them'),
    ('5', 'body must be an incident document or an array of them'),
])
def test_bad_document(connection, body, message):
    with connection.cursor() as cursor:
        with pytest.raises(pymysql.err.MySQLError) as caught:
            cursor.execute('CALL ingest_incident(%s)', body if isinstance(body, str) else json.dumps(body))
    assert caught.value.args == (1644, message) and len(message) <= 128
    assert run(connection, "SELECT COUNT(*) FROM incident WHERE incident_number = 'T1'") == [(0,)]


def test_bad_document_has_an_sqlstate(connection):
    with pytest.raises(pymysql.err.MySQLError):
        ingest(connection, '5')
    run(connection, 'GET DIAGNOSTICS CONDITION 1 @state = RETURNED_SQLSTATE')
    assert run(connection, 'SELECT @state') == [('22023',)]


def test_no_document(connection):
    assert ingest(connection, '[]') == []


@pytest.mark.parametrize('zone', ['-08:00', '+05:30'])
def test_session_time_zone_does_not_matter(connection, zone):
    run(connection, 'SET time_zone = %s', zone)
    ingest(connection, DOCUMENT)
    with pytest.raises(pymysql.err.MySQLError):
        ingest(connection, '[5]')
    assert run(connection, 'SELECT @@time_zone') == [(zone,)]
    assert run(connection, "SELECT UNIX_TIMESTAMP(event_opened) FROM incident WHERE incident_number = 'T1'") == [(1751335200,)]


def test_incident_takes_its_parts_with_it(connection):
    ingest(connection, DOCUMENT)
    ids = [row[0] for row in run(connection, "SELECT id FROM apparatus WHERE incident_number = 'T1'")]
    run(connection, "DELETE FROM incident WHERE incident_number = 'T1'")
    assert run(connection, "SELECT COUNT(*) FROM incident_document WHERE incident_number = 'T1'") == [(0,)]
    assert run(connection, 'SELECT COUNT(*) FROM apparatus JOIN unit_status ON apparatus_id = id WHERE id IN %s', ids) == [(0,)]


def test_dispatcher_may(database):
    connection = database.as_role('dispatcher')
    connection.autocommit(False)
    assert run(connection, 'CALL incidents.ingest_incident(%s)', json.dumps(DOCUMENT)) == [('T1', 'inserted', 2, 3)]
    connection.rollback()
