"""
Row policies by comparison: every table, role, verb and road to a row, against a database that holds just the rows which
MySQL, asked by hand with the policy, gives that caller, and that has no policies. Whatever tells more than it is a leak.
ROWGATE_MATRIX=full takes every filter with every road (some 10,000 cases).
"""
import itertools
import json
import os

import pytest

from harness import wait_until
from test_policy import Guard, refused

FULL = os.environ.get('ROWGATE_MATRIX') == 'full'
MEMBERS = "SELECT team_id FROM guard.member WHERE name = '{0}'"
OWN_TEAMS = "SELECT id FROM guard.team WHERE owner = '{0}'"
BY_HAND = {
    'team': "owner = '{0}' OR id IN (" + MEMBERS + ") OR parent IN (" + OWN_TEAMS + ")",
    'doc': "owner = '{0}' OR team IN (" + OWN_TEAMS + ")",
    'note': "owner = '{0}'",
    'tag': "owner = '{0}' OR name = 'public'",
    'doc_tag': "owner = '{0}'",
    'free': 'TRUE',
}
ALL, NONE = {t: 'TRUE' for t in BY_HAND}, {**{t: 'FALSE' for t in BY_HAND}, 'tag': "name = 'public'", 'free': 'TRUE'}
REPORTS = ("eid = {0} OR manager = (SELECT name FROM wages.employee_directory WHERE eid = {0})",
           "eid = {0} OR eid IN (SELECT r.eid FROM wages.employee_directory AS r JOIN wages.employee_directory AS m"
           " ON r.manager = m.name WHERE m.eid = {0})")
OWN = ('eid = {0}', 'eid = {0}')


def wages_by_hand(rules, eid):
    directory, salaries = (rule.format(eid) for rule in rules)
    return {'employee_directory': directory, 'salary_history': salaries, 'compensation': directory}


# The incidents in a database of their own, where policies reach two tables deep: crews see the calls of their station and
# shift, dispatchers those of a type, and what was reported then.
CALLS = 'calls'
CALLS_TABLES = ['fire_department', 'incident', 'apparatus', 'unit_status']
OF_STATION = "SELECT incident_number FROM calls.apparatus WHERE station = {station}"
OF_SHIFT = "SELECT incident_number FROM calls.incident WHERE shift = {shift}"
OF_TYPE = "SELECT incident_number FROM calls.incident WHERE type = {type}"
CALLS_POLICIES = [
    ('incident', 'g_user', 'call of station', 'shift = {shift} AND incident_number IN (' + OF_STATION + ')'),
    ('apparatus', 'g_user', 'own unit', 'station = {station}'),
    ('apparatus', 'g_user', 'beside own units', 'incident_number IN (' + OF_SHIFT + ' AND incident_number IN (' + OF_STATION + '))'),
    ('unit_status', 'g_user', 'of own units', "apparatus_id IN (SELECT id FROM calls.apparatus WHERE station = {station}"
     " AND incident_number IN (" + OF_SHIFT + "))"),
    ('incident', 'g_part', 'type', 'type = {type}'),
    ('apparatus', 'g_part', 'sent', 'incident_number IN (' + OF_TYPE + ')'),
    ('unit_status', 'g_part', 'reported', "status <> 'acknowledged' AND EXISTS (SELECT 1 FROM calls.apparatus WHERE apparatus.id ="
     " unit_status.apparatus_id AND EXISTS (SELECT 1 FROM calls.incident WHERE incident.incident_number = apparatus.incident_number"
     " AND incident.type = {type}))"),
    ('incident', 'g_admin', 'all', 'TRUE'), ('apparatus', 'g_admin', 'all', 'TRUE'), ('unit_status', 'g_admin', 'all', 'TRUE'),
]


def calls_by_hand(role, **claims):
    found = {'fire_department': 'TRUE'}
    for table in CALLS_TABLES[1:]:
        using = [f'({u})' for t, r, _, u in CALLS_POLICIES if (t, r) == (table, role)]
        found[table] = ' OR '.join(using).format(**{k: f"'{claims[k]}'" if k in claims else 'NULL' for k in ('station', 'shift', 'type')}) or 'FALSE'
    return found


# (database, role, claims, rows by hand)
CALLERS = {
    'ann': ('guard', 'g_user', {'sub': 'ann'}, {t: c.format('ann') for t, c in BY_HAND.items()}),
    'bob': ('guard', 'g_user', {'sub': 'bob'}, {t: c.format('bob') for t, c in BY_HAND.items()}),
    'eve': ('guard', 'g_user', {'sub': 'eve'}, {t: c.format('eve') for t, c in BY_HAND.items()}),
    'admin': ('guard', 'g_admin', {'sub': 'ann'}, ALL),
    'none': ('guard', 'g_none', {'sub': 'ann'}, NONE),
    'anon': ('guard', 'anon', {'sub': 'ann'}, NONE),
    'manager': ('wages', 'manager', {'app_metadata': {'eid': 2}}, wages_by_hand(REPORTS, 2)),
    'lone manager': ('wages', 'manager', {'app_metadata': {'eid': 300}}, wages_by_hand(REPORTS, 300)),
    'employee': ('wages', 'employee', {'app_metadata': {'eid': 17}}, wages_by_hand(OWN, 17)),
    'nobody': ('wages', 'employee', {}, wages_by_hand(OWN, 'NULL')),
    'crew': (CALLS, 'g_user', {'station': 'FSTA01', 'shift': 'B'}, calls_by_hand('g_user', station='FSTA01', shift='B')),
    'crew of no shift': (CALLS, 'g_user', {'station': 'FSTA04'}, calls_by_hand('g_user', station='FSTA04')),
    'dispatcher': (CALLS, 'g_part', {'type': 'FIRE'}, calls_by_hand('g_part', type='FIRE')),
    'no crew': (CALLS, 'g_none', {'station': 'FSTA01', 'shift': 'B'}, calls_by_hand('g_none')),
    'chief': (CALLS, 'g_admin', {}, calls_by_hand('g_admin')),
}
SEES_ALL = ['admin', 'chief']
WITHOUT_POLICY = ['free', 'fire_department']

# columns, a number, a text, embeds of one and two levels, what they are filtered and ordered by
SHAPES = {
    'team': ('id,name,owner,parent', 'id', 'owner', ['doc(id,owner)', 'team(id,name)', 'doc(id,note(id,owner))', 'team(id,doc(id))',
             'parent(id,owner,parent(id))'], [('doc', 'owner')], 'parent(name)'),
    'doc': ('id,team,name,owner,secret,slug', 'secret', 'owner', ['team(id,owner)', 'note(id,secret)', 'tag(id,name)', 'note(id,doc(id,team(id)))',
            'tag(id,doc(id))', 'team(id,doc(id,secret))', '...team(t:name)', 'free(id,doc(id))'], [('note', 'secret'), ('team', 'name'), ('tag', 'name')],
            'team(owner)'),
    'note': ('id,doc,name,owner,secret', 'secret', 'name', ['doc(id,secret)', 'doc(id,team(id,name))', 'doc(id,tag(id))', '...doc(s:secret)'],
             [('doc', 'secret')], 'doc(secret)'),
    'tag': ('id,name,owner', 'id', 'name', ['doc(id,secret)', 'doc(id,note(id))', 'doc_tag(doc,doc(id))'], [('doc', 'owner')], None),
    'doc_tag': ('doc,tag,owner', 'doc', 'owner', ['doc(id,secret)', 'tag(name)', 'doc(id,team(id))'], [('doc', 'secret'), ('tag', 'name')], 'doc(secret)'),
    'free': ('id,doc,name', 'id', 'name', ['doc(id,secret)', 'doc(id,note(id))', 'doc(id,tag(id))'], [('doc', 'owner')], 'doc(secret)'),
    'employee_directory': ('eid,name,manager,performance', 'eid', 'manager', ['salary_history(salary,date)', 'salary_history(id,employee_directory(name))'],
                           [('salary_history', 'salary')], None),
    'salary_history': ('id,eid,salary,date', 'salary', 'date', ['employee_directory(name)', 'employee_directory(eid,salary_history(id))',
                       '...employee_directory(n:name)'], [('employee_directory', 'name')], 'employee_directory(name)'),
    'compensation': ('eid,name,salary,manager', 'salary', 'manager', [], [], None),
    'fire_department': ('fd_id,name,state', 'fd_id', 'name', ['incident(incident_number,type)', 'incident(type,apparatus(id,unit_id))'],
                        [('incident', 'type')], None),
    'incident': ('incident_number,type,shift,city,response_time', 'response_time', 'type', ['apparatus(id,unit_id,station)',
                 'apparatus(id,unit_status(status,latitude))', 'fire_department(name)', 'apparatus(id,incident(type,fire_department(name)))',
                 '...fire_department(n:name)'], [('apparatus', 'unit_id'), ('fire_department', 'name')], 'fire_department(name)'),
    'apparatus': ('id,incident_number,unit_id,station,response_duration', 'response_duration', 'station', ['incident(incident_number,type)',
                  'unit_status(status,latitude)', 'incident(type,apparatus(id,station))', 'incident(type,fire_department(name))',
                  '...incident(t:type)'], [('incident', 'type'), ('unit_status', 'status')], 'incident(type)'),
    'unit_status': ('apparatus_id,status,latitude', 'latitude', 'status', ['apparatus(id,station)', 'apparatus(id,incident(type,shift))',
                    'apparatus(id,unit_status(status))', '...apparatus(u:unit_id)'], [('apparatus', 'unit_id')], 'apparatus(station)'),
}
# Of keys of two columns the second.
SECOND = {'doc_tag': 'tag', 'unit_status': 'status'}


def filters(table):
    columns, number, text, _, _, _ = SHAPES[table]
    values = ['ann', 'bob', 'cyd', 'public', 'note 3', 'free 7', 'Vera Kestrel', '2016-06-06'] if FULL else ['bob', 'public', 'Vera Kestrel']
    if table == 'salary_history':
        values = ['2016-06-06', '2018-01-01']
    if table in CALLS_TABLES:
        values = ['FIRE', 'FSTA01', 'arrived'] + (['MVA', 'FSTA04', 'acknowledged'] if FULL else [])
    if table == 'fire_department':
        number = 'state'
        return ['', '&state=eq.VA', '&state=neq.VA', f'&{text}=not.is.null', f'&{text}=like.*n*', f'&{text}=match.^[A-N]', '&not.or=(state.lt.A,state.gt.X)']
    found = ['', f'&{number}=gt.20', f'&{number}=lte.30', f'&not.or=({number}.lt.10,{number}.gt.90)', f'&{number}=in.(1,2,3,17,40,77)',
             f'&{text}=neq.x' if table != 'salary_history' else f'&{text}=neq.2000-01-01', f'&{text}=is.null', f'&{text}=not.is.null']
    found += [f'&{text}=eq.{v}' for v in values]
    if table != 'salary_history':
        found += [f'&{text}=like.*n*', f'&{text}=match.^[a-n]', f'&{text}=imatch.AN|BO']
    if FULL:
        found += [f'&{number}=eq.{n}' for n in range(1, 40, 3)] + [f'&or=({number}.eq.{n},{number}.gt.{n + 50})' for n in range(1, 40, 5)]
    return found


def roads(table):
    """select=..., order, and headers: each a way to learn of rows."""
    columns, number, text, embeds, inner, related = SHAPES[table]
    key = columns.split(',')[0]
    order = f'&order={key},{number}' + (f',{SECOND[table]}' if table in SECOND else '')
    found = [(f'select={columns}{order}', {}), (f'select={key}&order={number}.desc,{key}&limit=3', {'Prefer': 'count=exact'}),
             (f'select={key}{order}&limit=2&offset=1', {'Prefer': 'count=exact'}), ('select=count()', {}),
             (f'select={number}.sum(),{number}.max(),{number}.min(),{number}.avg()', {}), (f'select={text},count()&order={text}', {}),
             (f'select={number}.median(),{number}.count()', {}), (f'select={key}&limit=1{order}', {'Accept': 'application/vnd.pgrst.object+json'}),
             (f'select={key}{order}', {'Accept': 'text/csv'}), (f'select={key}::text{order}', {}), (f'select={text}::int{order}', {}),
             (f'select={key}{order}&offset=1000', {'Prefer': 'count=exact'}), ('HEAD', {'Prefer': 'count=exact'}), ('HEAD', {'Prefer': 'count=planned'})]
    if table in SECOND:
        found[1] = (f'select={key},{SECOND[table]}&order={number}.desc,{key}.desc,{SECOND[table]}.desc&limit=3', {'Prefer': 'count=exact'})
    if table == 'fire_department':
        found = [road for road in found if f'{number}.' not in road[0].split('&')[0]]
    for embed in embeds:
        found.append((f'select={key},{embed}{order}', {}))
    for kid, column in inner:
        found += [(f'select={key},{kid}!inner({column}){order}', {'Prefer': 'count=exact'}), (f'select={key},{kid}()&{kid}=is.null{order}', {}),
                  (f'select={key},{kid}()&{kid}=not.is.null{order}', {}), (f'select={key},{kid}({column}.max(),count()){order}', {}),
                  (f'select={key},{kid}!inner({column})&{kid}.{column}=not.in.(x,bob,30){order}', {})]
    if related:
        found.append((f'select={key},{related.split("(")[0]}({related.split("(")[1][:-1]})&order={related}.desc.nullslast,{order[7:]}', {}))
    return found


def unordered(value):
    """Embedded rows come in no order: what is compared is which they are."""
    if isinstance(value, dict):
        return {k: sorted(map(unordered, v), key=repr) if isinstance(v, list) else unordered(v) for k, v in value.items()}
    return [unordered(v) for v in value] if isinstance(value, list) else value


def content(body):
    try:
        return unordered(json.loads(body))
    except ValueError:
        return body


class Oracle:
    """The rows of a caller in a database of their own."""

    def __init__(self, guard, number, caller):
        self.name = f'oracle_{number}'
        source, _, _, by_hand = CALLERS[caller]
        sql = guard.sql
        sql(f'DROP DATABASE IF EXISTS {self.name}')
        sql(f'CREATE DATABASE {self.name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin')
        sql(f'USE {self.name}')
        sql('SET SESSION foreign_key_checks = 0')
        for table, condition in by_hand.items():
            if table == 'compensation':
                sql(f'CREATE TABLE {table} AS SELECT * FROM {source}.{table} WHERE {condition}')
                continue
            sql(sql(f'SHOW CREATE TABLE {source}.{table}')[0][1].replace('%', '%%'))
            sql(f'INSERT INTO {table} SELECT * FROM {source}.{table} WHERE {condition}')
        sql('SET SESSION foreign_key_checks = 1')
        sql(f'GRANT SELECT, INSERT, UPDATE, DELETE ON {self.name}.* TO service_role')


class Matrix:
    def __init__(self, stack):
        self.make_calls(stack)
        self.guard = Guard(stack, f'guard, wages, {CALLS}')
        self.guard.sql("GRANT SELECT ON guard.* TO anon")
        self.guard.sql(f'GRANT SELECT, INSERT, UPDATE, DELETE ON {CALLS}.* TO g_user, g_part, g_admin, g_none')
        self.oracles = {caller: Oracle(self.guard, i, caller) for i, caller in enumerate(CALLERS)}
        self.plain = stack.variant({'db-schemas': ', '.join(o.name for o in self.oracles.values()), 'db-tx-end': 'commit-allow-override'},
                                   fresh=True)
        self.cases = self.good = 0
        self.leaks = []

    @staticmethod
    def make_calls(stack):
        """The incidents, or the first of them."""
        sql = stack.sql
        sql(f'DROP DATABASE IF EXISTS {CALLS}')
        sql(f'CREATE DATABASE {CALLS} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin')
        sql(f'USE {CALLS}')
        for table in CALLS_TABLES:
            sql(sql(f'SHOW CREATE TABLE incidents.{table}')[0][1].replace('%', '%%'))
        few = '' if FULL else ' WHERE incident_number <= (SELECT incident_number FROM incidents.incident ORDER BY 1 LIMIT 23, 1)'
        sql('INSERT INTO fire_department SELECT * FROM incidents.fire_department')
        sql(f'INSERT INTO incident SELECT * FROM incidents.incident{few}')
        sql('INSERT INTO apparatus SELECT * FROM incidents.apparatus WHERE incident_number IN (SELECT incident_number FROM incident)')
        sql('INSERT INTO unit_status SELECT * FROM incidents.unit_status WHERE apparatus_id IN (SELECT id FROM apparatus)')
        sql('DELETE FROM rowgate.policy WHERE schema_name = %s', CALLS)
        claims = {name: f':claims.{name}' for name in ('station', 'shift', 'type')}
        for table, role, name, using in CALLS_POLICIES:
            sql('INSERT INTO rowgate.policy (schema_name, table_name, role, name, using_expression) VALUES (%s, %s, %s, %s, %s)',
                CALLS, table, role, name, using.format(**claims))

    def ask(self, caller, method, path, headers=None, data=None):
        """(the answer under policies, the answer of the rows by hand)"""
        source, role, claims, _ = CALLERS[caller]
        stack = self.guard.stack
        token = None if role == 'anon' else stack.token(role, **claims)
        profile = 'Accept-Profile' if method in ('GET', 'HEAD') else 'Content-Profile'
        return (self.guard.instance.rq(method, '/rest/v1' + path, {**(headers or {}), profile: source}, data, token),
                self.plain.rq(method, '/rest/v1' + path, {**(headers or {}), profile: self.oracles[caller].name}, data, stack.service_key))

    def same(self, caller, method, path, headers=None, data=None):
        got, wanted = self.ask(caller, method, path, headers, data)
        self.cases += 1
        self.good += got.status in (200, 206)
        one, other = ((r.status, r.headers.get('Content-Range') if 'planned' not in str(headers) else None,
                       content(r.body.replace(self.oracles[caller].name.encode(), CALLERS[caller][0].encode()))) for r in (got, wanted))
        if one != other:
            self.leaks.append((caller, method, path, headers, got, wanted))

    def check(self):
        leaks, self.leaks = self.leaks, []
        assert not leaks, f'{len(leaks)} of {self.cases}: {leaks[:5]}'


@pytest.fixture(scope='module')
def matrix(stack):
    made = Matrix(stack)
    yield made
    print(f'\n{made.cases} cases compared, {made.good} of them rows')
    stack.forget(made.plain)
    stack.forget(made.guard.instance)
    stack.sql("DELETE FROM rowgate.policy WHERE schema_name IN ('guard', %s)", CALLS)
    for name in ['guard', 'guard_kept', CALLS, *(o.name for o in made.oracles.values())]:
        stack.sql('DROP DATABASE ' + name)


PAIRS = [(caller, table) for caller in CALLERS for table in CALLERS[caller][3]]


@pytest.mark.parametrize('caller, table', PAIRS)
def test_reading(matrix, caller, table):
    pairs = list(itertools.product(roads(table), filters(table)))
    if not FULL:
        # every road without a filter, and each filter on some of them
        pairs = [pair for i, pair in enumerate(pairs) if not pair[1] or i % 17 == len(caller + table) % 17]
    for (select, headers), where in pairs:
        if select == 'HEAD':
            got, wanted = matrix.ask(caller, 'HEAD', f'/{table}?{where[1:]}', headers)
            exact = matrix.ask(caller, 'HEAD', f'/{table}?{where[1:]}', {'Prefer': 'count=exact'})[1]
            matrix.cases += 1
            # an estimate under policies is exact; a table without any is estimated
            if table not in WITHOUT_POLICY and caller not in SEES_ALL and got.headers['Content-Range'] != exact.headers['Content-Range']:
                matrix.leaks.append((caller, 'HEAD', table, headers, where, got, exact))
            continue
        matrix.same(caller, 'GET', f'/{table}?{select}{where}', headers)
    matrix.check()


@pytest.mark.parametrize('caller', ['ann', 'bob', 'eve', 'none', 'admin'])
def test_writing(matrix, caller):
    """PATCH and DELETE meet the rows that are seen, and say so of them alone; nothing is kept."""
    shown, quiet = {'Prefer': 'return=representation,tx=rollback'}, {'Prefer': 'count=exact,tx=rollback'}
    for table in ('note', 'doc_tag'):
        key = 'doc,tag' if table == 'doc_tag' else 'id'
        for where in filters(table)[1:]:
            for headers in (shown, quiet):
                matrix.same(caller, 'DELETE', f'/{table}?select={key}{where}&order={key}', headers)
                if table == 'note':
                    matrix.same(caller, 'PATCH', f'/note?select=id,body,doc(id)&order=id{where}', headers, {'body': 'new'})
    matrix.check()


@pytest.mark.parametrize('caller', ['crew', 'dispatcher'])
def test_some_calls_are_seen(matrix, caller):
    for table in CALLS_TABLES[1:]:
        seen, there = (matrix.guard.sql(f'SELECT COUNT(*) FROM {name}.{table}')[0][0] for name in (matrix.oracles[caller].name, CALLS))
        assert 0 < seen < there


@pytest.mark.parametrize('caller', ['crew', 'dispatcher', 'no crew', 'chief'])
def test_writing_calls(matrix, caller):
    shown, quiet = {'Prefer': 'return=representation,tx=rollback'}, {'Prefer': 'count=exact,tx=rollback'}
    for where in filters('apparatus')[1:] if FULL else filters('apparatus')[1::5]:
        for headers in (shown, quiet):
            matrix.same(caller, 'DELETE', f'/apparatus?select=id,incident(type)&order=id{where}', headers)
            matrix.same(caller, 'PATCH', f'/apparatus?select=id,car_id,incident(type)&order=id{where}', headers, {'distance': 1.5})
    for where in filters('unit_status')[1:] if FULL else filters('unit_status')[1::5]:
        matrix.same(caller, 'DELETE', f'/unit_status?select=apparatus_id,status&order=apparatus_id,status{where}', shown)
    matrix.check()


@pytest.mark.parametrize('caller', ['ann', 'bob', 'eve', 'none'])
def test_keys_of_hidden_rows(matrix, caller):
    """A clash with what is hidden and the refusal of a row that may not be are the same to the byte."""
    owner = caller if caller != 'none' else 'ann'
    seen = {row[0] for row in matrix.guard.sql(f"SELECT id FROM guard.note WHERE {CALLERS[caller][3]['note']}")}
    merge, plain = {'Prefer': 'resolution=merge-duplicates,tx=rollback'}, {'Prefer': 'tx=rollback'}
    row = lambda i, who: {'id': i, 'doc': 1, 'name': 'x', 'owner': who, 'body': 'x'}  # noqa: E731
    for i in range(1, 151, 1 if FULL else 6):
        for headers in (merge, plain):
            for who in (owner, 'zoe'):
                answer, _ = matrix.ask(caller, 'POST', '/note', headers, row(i, who))
                absent, _ = matrix.ask(caller, 'POST', '/note', headers, row(i + 5000, 'zoe'))
                matrix.cases += 1
                if i not in seen:
                    refused(answer, 'note')
                    assert answer.body == absent.body
                elif headers is plain:
                    assert answer.error() == (409, '23505') and answer.json()['details'] is None
                elif who == 'zoe':
                    refused(answer, 'note')
                else:
                    assert answer.status in (200, 201), answer
    matrix.check()


def test_mistakes(matrix):
    """The text of a refusal is the same whatever is there."""
    for caller, table in PAIRS:
        for path in (f'/{table}?no_such=eq.1', f'/{table}?select=no_such', f'/{table}?select=no_such(id)', f'/{table}?order=no_such',
                     f'/{table}?select={SHAPES[table][1]}&{SHAPES[table][1]}=eq.abc', f'/{table}?select=count()&limit=x'):
            matrix.same(caller, 'GET', path)
    matrix.check()


def test_there_were_enough(matrix, request):
    """And that the comparison can fail: a policy that is widened shows at once."""
    if len(request.session.items) > len(PAIRS):
        assert matrix.cases >= (5000 if FULL else 1200) and matrix.good > matrix.cases / 2, (matrix.cases, matrix.good)
    matrix.guard.sql("UPDATE rowgate.policy SET using_expression = 'owner = :user OR secret = 77' WHERE table_name = 'note' AND role = 'g_user'")
    try:
        def leaks():
            matrix.same('eve', 'GET', '/note?select=id&order=id')
            found, matrix.leaks = matrix.leaks, []
            return found
        assert wait_until(leaks, 20), 'a wider policy was not seen'
    finally:
        matrix.guard.sql("UPDATE rowgate.policy SET using_expression = 'owner = :user' WHERE table_name = 'note' AND role = 'g_user'")
