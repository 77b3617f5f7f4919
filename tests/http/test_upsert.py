"""Upserts, PUT and transactions that end otherwise: what comes back, and that the table is what was said."""
import pytest

SHOW = {'Prefer': 'return=representation'}
MERGE = {'Prefer': 'resolution=merge-duplicates, return=representation'}
IGNORE = {'Prefer': 'resolution=ignore-duplicates, return=representation'}


@pytest.fixture
def w(stack):
    for table in ('w_one', 'w_many', 'w_pair', 'w_log', 'w_made', 'w_keyless'):
        stack.sql(f'DELETE FROM spec.{table}')
    stack.sql("INSERT INTO spec.w_one VALUES (1, 'one', 1), (2, 'two', 2)")
    stack.sql("INSERT INTO spec.w_many VALUES (1, 'a@x', 10, 'A'), (2, 'b@x', 20, 'B')")
    stack.sql('ALTER TABLE spec.w_many AUTO_INCREMENT = 3')
    stack.sql("INSERT INTO spec.w_pair VALUES (1, 'x', 'old')")
    stack.sql('DELETE FROM spec.w_log')

    def ask(method, path, data=None, headers=None, role='service_role'):
        return stack.rq(method, '/rest/v1' + path, headers, data, stack.token(role))
    ask.sql = stack.sql
    ask.one = lambda: stack.sql('SELECT * FROM spec.w_one ORDER BY id')
    ask.many = lambda: stack.sql('SELECT * FROM spec.w_many ORDER BY id')
    ask.stack = stack
    return ask


# ---- merge ----

def test_merge(w):
    response = w('POST', '/w_one', [{'id': 3, 'name': 'three'}, {'id': 1, 'name': 'ONE'}], MERGE)
    assert response.status == 201
    assert response.json() == [{'id': 3, 'name': 'three', 'n': 7}, {'id': 1, 'name': 'ONE', 'n': 1}]
    assert response.headers['Preference-Applied'] == 'resolution=merge-duplicates, return=representation'
    assert w.one() == ((1, 'ONE', 1), (2, 'two', 2), (3, 'three', 7))


def test_a_merge_is_an_update_to_triggers(w):
    assert w('POST', '/w_one', [{'id': 1, 'name': 'x'}, {'id': 9, 'name': 'y'}], MERGE).status == 201
    assert sorted(row[0] for row in w.sql('SELECT what FROM spec.w_log')) == ['insert 9', 'update 1']


@pytest.mark.parametrize('rows, status', [([{'id': 1, 'name': 'x'}], 200), ([{'id': 1, 'name': 'x'}, {'id': 5, 'name': 'y'}], 201), ([], 200)])
def test_the_status_of_a_merge_tells_of_new_rows(w, rows, status):
    response = w('POST', '/w_one', rows, MERGE)
    assert response.status == status and [r['id'] for r in response.json()] == [r['id'] for r in rows]
    assert w('POST', '/w_one', rows, {'Prefer': 'resolution=merge-duplicates'}).status == 200


def test_merge_without_showing(w):
    response = w('POST', '/w_one', {'id': 1, 'name': 'x'}, {'Prefer': 'resolution=merge-duplicates, count=exact'})
    assert response.status == 200 and response.body == b'' and response.headers['Content-Range'] == '*/1'
    response = w('POST', '/w_one', {'id': 2, 'name': 'y'}, {'Prefer': 'resolution=merge-duplicates, return=headers-only'})
    assert response.status == 200 and response.headers['Location'] == '/w_one?id=eq.2'
    assert w.one() == ((1, 'x', 1), (2, 'y', 2))


def test_merge_of_keys_alone_changes_nothing(w):
    response = w('POST', '/w_one', [{'id': 1}, {'id': 4}], MERGE)
    assert response.json() == [{'id': 1, 'name': 'one', 'n': 1}, {'id': 4, 'name': None, 'n': 7}]


def test_merge_by_two_columns(w):
    rows = [{'a': 1, 'b': 'x', 'note': 'new'}, {'a': 1, 'b': 'z', 'note': None}]
    assert w('POST', '/w_pair', rows, MERGE).json() == rows
    assert w.sql('SELECT * FROM spec.w_pair ORDER BY b') == ((1, 'x', 'new'), (1, 'z', None))
    assert w('POST', '/w_pair?on_conflict=b,a', rows, MERGE).status == 200


def test_merge_by_another_key(w):
    response = w('POST', '/w_many?on_conflict=email', [{'email': 'c@x', 'note': 'C'}, {'email': 'B@X', 'note': 'new'}], MERGE)
    assert response.status == 201
    assert response.json() == [{'id': 3, 'email': 'c@x', 'code': None, 'note': 'C'}, {'id': 2, 'email': 'b@x', 'code': 20, 'note': 'new'}]
    # the primary key is one of the columns that change
    response = w('POST', '/w_many?on_conflict=code', {'id': 9, 'email': 'd@x', 'code': 10}, MERGE)
    assert response.status == 200 and response.json() == [{'id': 9, 'email': 'd@x', 'code': 10, 'note': 'A'}]
    assert [row[0] for row in w.many()] == [2, 3, 9]


def test_a_clash_with_another_key_is_an_error(w):
    before = w.many()
    for path, row, constraint in (('/w_many', {'id': 5, 'email': 'a@x'}, 'w_many_email'), ('/w_many', {'id': 1, 'email': 'b@x'}, 'w_many_email'),
                                  ('/w_many?on_conflict=email', {'id': 1, 'email': 'b@x'}, 'PRIMARY'),
                                  ('/w_many?on_conflict=email', {'email': 'new@x', 'code': 10}, 'w_many_code')):
        for headers in (MERGE, IGNORE):
            if headers is IGNORE and row['email'] == 'b@x':
                continue
            response = w('POST', path, [{'email': 'first@x', **{k: 77 for k in row if k != 'email'}}, row], headers)
            assert response.error() == (409, '23505') and constraint in response.json()['message']
            assert w.many() == before


def test_a_key_nobody_sends_is_new(w):
    response = w('POST', '/w_many', [{'email': 'e@x'}, {'email': 'f@x'}], MERGE)
    assert response.status == 201 and [r['id'] for r in response.json()] == [3, 4]


def test_null_is_never_there_already(w):
    for _ in range(2):
        assert w('POST', '/w_many?on_conflict=code&columns=email,code', {'email': f'n{_}@x'}, MERGE).status == 201
    assert w.sql('SELECT COUNT(*) FROM spec.w_many WHERE code IS NULL') == ((2,),)


@pytest.mark.parametrize('rows', [
    [{'id': 1, 'name': 'x'}, {'id': 1, 'name': 'y'}],
    [{'id': 8, 'name': 'x'}, {'id': 8, 'name': 'y'}],
    [{'id': n, 'name': 'x'} for n in (*range(10, 300), 10)],
    [{'id': n, 'name': 'x'} for n in (1, *range(10, 300), 1)]])
def test_a_row_cannot_be_met_twice(w, rows):
    before = w.one()
    response = w('POST', '/w_one', rows, MERGE)
    assert response.error() == (400, '21000')
    assert response.json()['message'] == 'ON CONFLICT DO UPDATE command cannot affect row a second time'
    assert w.one() == before


def test_equal_is_what_the_collation_says(w):
    assert w('POST', '/w_many?on_conflict=email', [{'email': 'q@x'}, {'email': 'Q@X'}], MERGE).error() == (400, '21000')
    assert w('POST', '/w_many?on_conflict=email', [{'email': 'q@x'}, {'email': 'Q@X'}], IGNORE).json()[0]['email'] == 'q@x'


def test_unknown_targets(w):
    for target, error in (('name', (400, '42P10')), ('id,name', (400, '42P10')), ('nothing', (400, '42703'))):
        assert w('POST', f'/w_one?on_conflict={target}', {'id': 1}, MERGE).error() == error
    assert w('POST', '/w_one?on_conflict=name', {'id': 6}).status == 201  # no upsert was asked for


def test_upsert_of_a_table_without_a_key_is_an_insert(w):
    for _ in range(2):
        response = w('POST', '/w_keyless', {'a': 1, 'b': 1}, {'Prefer': 'resolution=merge-duplicates'})
        assert response.status == 201 and response.headers['Preference-Applied'] is None


# ---- ignore ----

def test_ignore(w):
    response = w('POST', '/w_one', [{'id': 1, 'name': 'x'}, {'id': 3, 'name': 'three'}], IGNORE)
    assert response.status == 201 and response.json() == [{'id': 3, 'name': 'three', 'n': 7}]
    response = w('POST', '/w_one', [{'id': 1, 'name': 'x'}], IGNORE)
    assert response.status == 201 and response.json() == []
    response = w('POST', '/w_one', [{'id': 1, 'name': 'x'}, {'id': 4, 'name': 'x'}], {'Prefer': 'resolution=ignore-duplicates, count=exact'})
    assert response.headers['Content-Range'] == '*/1'
    assert w.one() == ((1, 'one', 1), (2, 'two', 2), (3, 'three', 7), (4, 'x', 7))


def test_ignore_minds_the_body_too(w):
    rows = [{'id': n % 5, 'name': str(n)} for n in range(250)]
    response = w('POST', '/w_one', rows, IGNORE)
    assert [r['name'] for r in response.json()] == ['0', '3', '4']


def test_ignore_swallows_nothing_else(w):
    assert w('POST', '/w_one', {'id': 5, 'n': None}, IGNORE).error() == (400, '23502')
    assert w('POST', '/w_one', {'id': 5, 'name': 'x' * 21}, IGNORE).error() == (400, '22001')
    assert w('POST', '/w_kid', {'id': 500, 'item_id': 999}, IGNORE).error() == (409, '23503')


def test_many_rows(w):
    rows = [{'id': n, 'name': str(n)} for n in range(1500)]
    assert w('POST', '/w_one', rows, {'Prefer': 'resolution=merge-duplicates, count=exact'}).headers['Content-Range'] == '*/1500'
    response = w('POST', '/w_one?select=id', rows, MERGE)
    assert response.status == 200 and len(response.json()) == 1500
    assert w.sql("SELECT COUNT(*), SUM(name = id) FROM spec.w_one") == ((1500, 1500),)


def test_rights_of_an_upsert(w):
    for headers in (MERGE, IGNORE):
        assert w('POST', '/w_one', {'id': 1}, headers, role='authenticated').error() == (403, '42501')


# ---- keys that the table makes ----

def test_keys_made_by_defaults(w):
    response = w('POST', '/w_made', [{'name': 'a'}, {'name': 'b'}], SHOW)
    rows = response.json()
    assert response.status == 201 and [r['name'] for r in rows] == ['a', 'b'] and [r['name_size'] for r in rows] == [4, 4]
    assert len({r['id'] for r in rows}) == 2 and all(len(r['id']) == 36 for r in rows)
    assert sorted(w.sql('SELECT id, name FROM spec.w_made')) == sorted((r['id'], r['name']) for r in rows)
    response = w('POST', '/w_made', {'name': 'c'}, {'Prefer': 'return=headers-only'})
    assert w('GET', response.headers['Location']).rows()[0]['name'] == 'c'


def test_given_and_made_keys_in_one_body(w):
    response = w('POST', '/w_many?columns=id,email', [{'email': '1@x'}, {'id': 50, 'email': '2@x'}, {'email': '3@x'}],
                 {'Prefer': 'missing=default, return=representation'})
    assert response.status == 201
    ids = {r['email']: r['id'] for r in response.json()}
    assert ids['2@x'] == 50 and ids == {email: key for key, email in w.sql("SELECT id, email FROM spec.w_many WHERE email LIKE '_@x' AND note = 'none'")}
    response = w('POST', '/w_made?columns=id,name', [{'name': 'a'}, {'id': 'mine', 'name': 'b'}], {'Prefer': 'missing=default, return=representation'})
    assert [r['name'] for r in response.json()] == ['a', 'b'] and response.json()[1]['id'] == 'mine'


# ---- PUT ----

def test_put_makes_a_row(w):
    response = w('PUT', '/w_one?id=eq.7', {'id': 7, 'name': 'seven', 'n': 70}, SHOW)
    assert response.status == 201 and response.json() == [{'id': 7, 'name': 'seven', 'n': 70}]
    assert w('PUT', '/w_one?id=eq.8', {'id': 8, 'name': 'eight', 'n': 80}).status == 204
    assert w.one()[2:] == ((7, 'seven', 70), (8, 'eight', 80))


def test_put_replaces_a_row(w):
    response = w('PUT', '/w_one?id=eq.1', [{'id': 1, 'n': 5}], SHOW)
    assert response.status == 200 and response.json() == [{'id': 1, 'name': None, 'n': 5}]
    response = w('PUT', '/w_one?id=eq.1', {'id': 1, 'name': 'x', 'n': 6})
    assert response.status == 204 and response.body == b''
    response = w('PUT', '/w_one?id=eq.2', {'id': 2}, {'Prefer': 'missing=default, return=representation'})
    assert response.json() == [{'id': 2, 'name': None, 'n': 7}]
    assert sorted(row[0] for row in w.sql('SELECT what FROM spec.w_log')) == ['update 1', 'update 1', 'update 2']


def test_put_by_names_in_another_letter_case(w):
    response = w('PUT', '/w_pair?B=eq.x&A=eq.1', {'A': 1, 'b': 'x', 'NOTE': 'new'}, SHOW)
    assert (response.status, response.json()) == (200, [{'a': 1, 'b': 'x', 'note': 'new'}])
    assert w('PUT', '/w_pair?A=eq.1&a=eq.1', {'a': 1, 'b': 'x'}).error() == (405, 'PGRST105')


def test_put_by_two_columns(w):
    row = {'a': 1, 'b': 'x', 'note': 'put'}
    assert w('PUT', '/w_pair?b=eq.x&a=eq.1', row, SHOW).json() == [row]
    assert w('PUT', '/w_pair?a=eq.1', row).error() == (405, 'PGRST105')


@pytest.mark.parametrize('path, row, error', [
    ('/w_one', {'id': 1}, (405, 'PGRST105')),
    ('/w_one?id=gt.1', {'id': 1, 'n': 1}, (405, 'PGRST105')),
    ('/w_one?id=not.eq.1', {'id': 1, 'n': 1}, (405, 'PGRST105')),
    ('/w_one?id=eq.1&n=eq.1', {'id': 1, 'n': 1}, (405, 'PGRST105')),
    ('/w_one?id=eq.1&id=eq.1', {'id': 1, 'n': 1}, (405, 'PGRST105')),
    ('/w_one?or=(id.eq.1)', {'id': 1, 'n': 1}, (405, 'PGRST105')),
    ('/w_one?name=eq.x', {'id': 1, 'n': 1}, (405, 'PGRST105')),
    ('/w_keyless?a=eq.1', {'a': 1}, (405, 'PGRST105')),
    ('/w_one?id=eq.1&limit=1', {'id': 1, 'n': 1}, (400, 'PGRST114')),
    ('/w_one?id=eq.1&offset=1', {'id': 1, 'n': 1}, (400, 'PGRST114')),
    ('/w_one?id=eq.1', {'id': 2, 'n': 1}, (400, 'PGRST115')),
    ('/w_one?id=eq.1', [{'id': 1, 'n': 1}, {'id': 1, 'n': 2}], (400, 'PGRST115')),
    ('/w_one?id=eq.1', [{'id': 1, 'n': 1}, {'id': 2, 'n': 2}], (400, 'PGRST115')),
    ('/w_one?id=eq.1', {'id': 1, 'what': 1}, (400, 'PGRST204')),
    ('/w_one?id=eq.1', {'id': 1}, (400, '23502')),
    ('/w_one?id=eq.x', {'id': 1, 'n': 1}, (400, '22P02')),
    ('/w_nothing?id=eq.1', {'id': 1}, (404, 'PGRST205'))])
def test_puts_that_are_refused(w, path, row, error):
    before = w.one()
    assert w('PUT', path, row).error() == error
    assert w.one() == before


def test_put_without_the_key_in_the_body(w):
    assert w('PUT', '/w_one?id=eq.1', {'n': 3}).status == 400
    assert w('PUT', '/w_one?id=eq.1', []).error() == (400, 'PGRST115')


# ---- one object, and transactions that are not kept ----

def test_one_object_means_one_row(w):
    one = {'Accept': 'application/vnd.pgrst.object+json'}
    before = w.one()
    for method, path, data in (('PATCH', '/w_one?id=gt.0', {'n': 9}), ('DELETE', '/w_one?id=gt.0', None), ('PATCH', '/w_one?id=gt.99', {'n': 9}),
                               ('POST', '/w_one', [{'id': 11}, {'id': 12}])):
        for prefer in ({}, SHOW):
            assert w(method, path, data, {**one, **prefer}).error() == (406, 'PGRST116')
            assert w.one() == before
    assert w('PATCH', '/w_one?id=eq.1', {'n': 9}, {**one, **SHOW}).json() == {'id': 1, 'name': 'one', 'n': 9}


def test_tx_is_not_heeded_by_default(w):
    response = w('POST', '/w_one', {'id': 5}, {'Prefer': 'tx=rollback'})
    assert response.status == 201 and response.headers['Preference-Applied'] is None
    assert len(w.one()) == 3


def ending(w, how):
    variant = w.stack.variant({'db-tx-end': how})
    return lambda method, path, data, prefer: variant.rq(method, '/rest/v1' + path, {'Prefer': prefer}, data, w.stack.token('service_role'))


def test_tx_rollback(w):
    ask = ending(w, 'commit-allow-override')
    before = w.one()
    for method, path, data in (('POST', '/w_one', {'id': 5}), ('PATCH', '/w_one?id=eq.1', {'n': 9}), ('DELETE', '/w_one?id=eq.1', None),
                               ('PUT', '/w_one?id=eq.6', {'id': 6, 'n': 1})):
        response = ask(method, path, data, 'tx=rollback, return=representation')
        assert response.status < 300 and len(response.json()) == 1
        assert response.headers['Preference-Applied'] == 'return=representation, tx=rollback'
        assert w.one() == before
    assert ask('POST', '/w_one', {'id': 5}, 'tx=commit').headers['Preference-Applied'] == 'tx=commit'
    assert len(w.one()) == 3


def test_tx_end_rollback(w):
    ask = ending(w, 'rollback')
    assert ask('POST', '/w_one', {'id': 5}, 'tx=commit').status == 201
    assert len(w.one()) == 2
    ask = ending(w, 'rollback-allow-override')
    assert ask('POST', '/w_one', {'id': 6}, '').status == 201 and len(w.one()) == 2
    assert ask('POST', '/w_one', {'id': 6}, 'tx=commit').status == 201 and len(w.one()) == 3


# ---- triggers, generated columns, views ----

@pytest.fixture
def touched(w):
    w.sql('DELETE FROM spec.w_touched')
    w.sql('ALTER TABLE spec.w_touched AUTO_INCREMENT = 1')
    return w


def test_what_triggers_and_defaults_make_is_shown(touched):
    assert touched('POST', '/w_touched', {'name': 'abc'}, SHOW).json() == [{'id': 1, 'name': 'ABC', 'size': 3, 'stamp': 2, 'parent_id': None}]
    assert touched('PATCH', '/w_touched?id=eq.1', {'name': 'x'}, SHOW).json() == [{'id': 1, 'name': 'x', 'size': 1, 'stamp': 12, 'parent_id': None}]
    assert touched('POST', '/w_touched', {'id': 1, 'name': 'y'}, MERGE).json()[0]['stamp'] == 22
    assert touched('POST', '/w_touched', {'name': 'y', 'size': 1}).error() == (400, '428C9')
    assert touched('PATCH', '/w_touched?id=eq.1', {'size': 1}).error() == (400, '428C9')


def test_triggers_refuse(touched):
    assert touched('POST', '/w_touched', [{'name': 'a'}, {'name': 'b'}]).status == 201
    response = touched('PATCH', '/w_touched?id=gte.1', {'name': 'stop'})
    assert response.error() == (400, 'P0001') and response.json()['message'] == 'no stops here'
    response = touched('PATCH', '/w_touched?id=gte.1', {'name': 'teapot'})
    assert response.error() == (418, 'PT418') and response.json()['message'] == 'short and stout'
    assert touched.sql('SELECT name FROM spec.w_touched') == (('A',), ('B',))


def test_a_view_checks_what_goes_through_it(touched):
    response = touched('POST', '/w_big?select=name', {'name': 'a', 'stamp': 5}, SHOW)
    assert response.status == 201 and response.json() == [{'name': 'A'}]
    response = touched('POST', '/w_big', {'name': 'b', 'stamp': 500})
    assert response.error() == (400, '44000') and 'w_big' in response.json()['message']
    assert touched('DELETE', '/w_big?name=eq.A', None, SHOW).json()[0]['stamp'] == 5
    assert touched.sql('SELECT COUNT(*) FROM spec.w_touched') == ((0,),)


def test_deletes_cascade(touched):
    assert touched('POST', '/w_touched', [{'id': 1, 'name': 'a', 'parent_id': None}, {'id': 2, 'name': 'b', 'parent_id': 1}]).status == 201
    response = touched('DELETE', '/w_touched?id=eq.1&select=id,w_touched!parent_id(id)', None, SHOW)
    assert response.json() == [{'id': 1, 'w_touched': [{'id': 2}]}]
    assert touched.sql('SELECT COUNT(*) FROM spec.w_touched') == ((0,),)


# ---- keys that the server rounds, fills up, trims or puts in order ----

SENT = {'at': '2024-12-31T23:59:59.7', 'price': '9.995', 'raw': '\\xff00', 'code': 'ab  ', 'flags': '00101', 'marks': 'c,A', 'order': '09:59:59.5',
        'live': True}
KEPT = {'at': '2025-01-01T00:00:00', 'price': 10.0, 'raw': '\\xff000000', 'code': 'ab', 'flags': '00101', 'marks': 'A,c', 'order': '10:00:00',
        'live': True}


@pytest.fixture
def kept(w):
    for table in ('w_kept', 'w_instant'):
        w.sql(f'DELETE FROM spec.{table}')
    yield w
    for table in ('w_kept', 'w_instant'):
        w.sql(f'DELETE FROM spec.{table}')


def test_a_row_is_found_by_what_its_key_has_become(kept):
    """A clock of milliseconds fills a DATETIME of seconds: the row is shown, and met again."""
    assert kept('POST', '/w_kept', dict(SENT, n=1), SHOW).json() == [dict(KEPT, n=1)]
    for number, headers, shown in ((2, MERGE, [dict(KEPT, n=2)]), (3, IGNORE, [])):
        response = kept('POST', '/w_kept', dict(SENT, n=number), headers)
        assert (response.status, response.json()) == (200 if shown else 201, shown)
    assert kept('POST', '/w_kept', dict(SENT, n=4), SHOW).error() == (409, '23505')
    response = kept('POST', '/w_kept', [dict(SENT, n=5), dict(KEPT, n=6)], MERGE)
    assert response.error() == (400, '21000')
    assert kept('PATCH', '/w_kept?n=eq.2', dict(SENT, price='0.1249', n=7), SHOW).json() == [dict(KEPT, price=.12, n=7)]
    assert kept('DELETE', '/w_kept?n=eq.7', None, SHOW).json() == [dict(KEPT, price=.12, n=7)]


@pytest.mark.parametrize('price, kept_price', [('-1.005', -1.01), ('1e-3', 0), ('99.994e1', 999.94), ('1.2e1', 12), ('.994999', .99)])
def test_decimals_are_rounded_as_the_server_does(kept, price, kept_price):
    for number in (1, 2):
        assert kept('POST', '/w_kept', dict(SENT, price=price, n=number), MERGE).json() == [dict(KEPT, price=kept_price, n=number)]
    assert kept('POST', '/w_kept', dict(SENT, price='999.995'), MERGE).error() == (400, '22003')


def test_put_of_a_key_that_is_rounded(kept):
    key = '&'.join(f'"{name}"=eq.{"true" if value is True else value}' for name, value in SENT.items())
    assert kept('PUT', '/w_kept?' + key, dict(SENT, n=1), SHOW).status == 201
    assert kept('PUT', '/w_kept?' + key, dict(SENT, n=2), SHOW).json() == [dict(KEPT, n=2)]
    assert len(kept.sql('SELECT * FROM spec.w_kept')) == 1


def test_a_bit_in_a_key(kept):
    rows = [dict(SENT, n=1), dict(SENT, live=False, n=2)]
    assert kept('POST', '/w_kept?order=n', rows, SHOW).json() == [dict(KEPT, n=1), dict(KEPT, live=False, n=2)]
    assert kept('POST', '/w_kept', dict(SENT, n=9), MERGE).json() == [dict(KEPT, n=9)]
    assert kept.sql('SELECT n FROM spec.w_kept ORDER BY live + 0') == ((2,), (9,))


def test_location_finds_the_row(kept):
    response = kept('POST', '/w_kept', dict(SENT, n=1), {'Prefer': 'return=headers-only'})
    assert kept('GET', response.headers['Location']).rows() == [dict(KEPT, n=1)]


def test_instants_as_keys_in_another_time_zone(kept):
    row, shown = {'at': '2024-05-01T10:00:00Z'}, {'at': '2024-05-01T15:30:00+05:30'}

    def prefer(more):
        return {'Prefer': more['Prefer'] + ', timezone=+05:30'}
    assert kept('POST', '/w_instant', dict(row, n=1), prefer(SHOW)).json() == [dict(shown, n=1)]
    assert kept('POST', '/w_instant', dict(row, n=2), prefer(MERGE)).json() == [dict(shown, n=2)]
    assert kept('PUT', '/w_instant?at=eq.2024-05-01T10:00:00Z', dict(row, n=3), prefer(SHOW)).json() == [dict(shown, n=3)]
    assert kept('PATCH', '/w_instant?n=eq.3', {'at': '2024-06-01T00:00:00Z'}, prefer(SHOW)).json() == [
        {'at': '2024-06-01T05:30:00+05:30', 'n': 3}]
    assert kept('GET', '/w_instant').rows() == [{'at': '2024-06-01T00:00:00+00:00', 'n': 3}]
