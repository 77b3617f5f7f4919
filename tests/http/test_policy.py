"""Row policies (app/POLICIES.md): which rows a role meets, on every road to them."""
import functools
import itertools
import subprocess
import threading

import pytest

from harness import REPO, BUILD, ids, wait_until

REFUSED = 'new row violates row-level security policy for table "{}"'


class Guard:
    """An instance that publishes guard, and a token for each name."""

    def __init__(self, stack, schemas='guard, wages'):
        self.stack, self.numbers = stack, itertools.count()
        stack.load('guard.sql')
        self.tables = [row[0] for row in stack.sql("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'guard'"
                                                   " AND TABLE_TYPE = 'BASE TABLE'")]
        stack.sql('DROP DATABASE IF EXISTS guard_kept')
        stack.sql('CREATE DATABASE guard_kept')
        for table in self.tables:
            stack.sql(f'CREATE TABLE guard_kept.{table} AS SELECT * FROM guard.{table}')
        self.instance = stack.variant({'db-schemas': schemas, 'db-plan-enabled': 'true',
                                       'db-tx-end': 'commit-allow-override', 'db-schema-poll': '1'}, fresh=True)

    def rq(self, method, path, who='ann', role='g_user', data=None, prefer=None, headers=None, **claims):
        token = None if role is None else self.stack.token(role, sub=who, **claims)
        headers = {**(headers or {}), **({'Prefer': prefer} if prefer else {})}
        return self.instance.rq(method, '/rest/v1' + path, headers, data, token)

    def get(self, path, *arguments, **more):
        return self.rq('GET', path, *arguments, **more)

    def sql(self, *arguments):
        return self.stack.sql(*arguments)

    def restore(self):
        """All rows as they were."""
        self.sql('SET SESSION foreign_key_checks = 0')
        for table in self.tables:
            self.sql(f'DELETE FROM guard.{table}')
            self.sql(f'INSERT INTO guard.{table} SELECT * FROM guard_kept.{table}')
        self.sql('SET SESSION foreign_key_checks = 1')

    def visible(self, who):
        return [row[0] for row in self.sql(
            'SELECT id FROM guard.doc WHERE owner = %s OR team IN (SELECT id FROM guard.team WHERE owner = %s)'
            ' ORDER BY id', who, who)]

    def policy(self, table, role, name, using, check=None, verbs='select,insert,update,delete', schema='guard'):
        self.sql('INSERT INTO rowgate.policy (schema_name, table_name, role, name, verbs, using_expression,'
                 ' check_expression) VALUES (%s, %s, %s, %s, %s, %s, %s)', schema, table, role, name, verbs, using, check)


@pytest.fixture(scope='module')
def guard(stack):
    made = Guard(stack)
    yield made
    stack.sql("DELETE FROM rowgate.policy WHERE schema_name = 'guard'")
    stack.forget(made.instance)
    stack.sql('DROP DATABASE guard')
    stack.sql('DROP DATABASE guard_kept')


def refused(response, table, status=403):
    assert response.error() == (status, '42501'), response
    assert response.json() == {'code': '42501', 'message': REFUSED.format(table), 'details': None, 'hint': None}


# --- reading ---

@pytest.mark.parametrize('who', ['ann', 'bob', 'cyd', 'dan', 'nobody', "ann' OR '1'='1", ''])
def test_rows(guard, who):
    assert ids(guard.get('/doc?select=id&order=id', who)) == guard.visible(who)


def test_sub_query_of_the_same_table(guard):
    """`id`, `owner` and `parent` in it are the inner table's, as SQL has it."""
    rows = guard.sql("SELECT id FROM guard.team WHERE owner = 'ann' OR id IN (SELECT team_id FROM guard.member WHERE name = 'ann')"
                     " OR parent IN (SELECT up.id FROM guard.team AS up WHERE up.owner = 'ann') ORDER BY id")
    assert ids(guard.get('/team?select=id&order=id')) == [row[0] for row in rows] == [1, 2, 3, 5, 6]


def test_a_role_without_a_policy_meets_nothing(guard):
    assert guard.get('/doc', role='g_none').rows() == []
    assert guard.get('/doc?select=count()', role='g_none').rows() == [{'count': 0}]
    assert guard.get('/doc', role=None).rows() == []
    assert guard.get('/doc', role='g_none', prefer='count=exact').headers['Content-Range'] == '*/0'
    refused(guard.rq('POST', '/note', role='g_none', data={'id': 900, 'doc': 1, 'name': 'x', 'owner': 'ann', 'body': 'x'}), 'note')
    refused(guard.rq('POST', '/note', role='g_none', data={'id': 1, 'doc': 1, 'name': 'x', 'owner': 'ann', 'body': 'x'}), 'note')
    assert guard.rq('PATCH', '/note?id=gt.0', role='g_none', data={'body': 'x'}, prefer='count=exact').headers['Content-Range'] == '*/0'
    assert guard.rq('DELETE', '/note?id=gt.0', role='g_none', prefer='count=exact').headers['Content-Range'] == '*/0'


def test_true_hides_nothing(guard):
    assert len(guard.get('/doc', role='g_admin').rows()) == 60
    assert guard.get('/doc?limit=1', role='g_admin', headers={'Accept': 'application/vnd.pgrst.plan'}).status == 200


def test_a_table_without_policies_is_as_granted(guard):
    assert len(guard.get('/free').rows()) == 20


def test_policies_of_every_role(guard):
    assert ids(guard.get('/tag?order=id')) == [1, 2, 5]
    assert ids(guard.get('/tag?order=id', role='g_none')) == [1]
    assert ids(guard.get('/tag?order=id', role=None)) == [1]


@pytest.mark.parametrize('claim', [None, 0, 1, False, True, [], {}, ['ann'], 17.5])
def test_odd_claims(guard, claim):
    """A number would be equal to every text that is none."""
    assert guard.get('/note', who=claim).status in (200, 401)
    if guard.get('/note', who=claim).status == 200:
        assert guard.get('/note', who=claim).rows() == []


@pytest.mark.parametrize('path', [
    '/doc?select=secret,id&secret=gte.0', '/doc?select=id&or=(id.gt.0,owner.eq.dan)', '/doc?select=id&owner=neq.x',
    '/doc?select=id&not.and=(id.lt.0)', '/doc?select=id&owner=in.(ann,bob,cyd,dan)', '/doc?select=id&body=match.doc|text',
    '/doc?select=id&body=fts.apple', '/doc?select=id&data->>kind=in.(odd,even)', '/doc?select=id&order=secret.desc',
    '/doc?select=id&body=imatch.APPLE&id=gt.0', '/doc?select=id&name=like.doc*', '/doc?select=id,team(name)&limit=100',
    '/doc?select=id,team!left(id)&order=team(name)', '/doc?select=*,note(*),tag(*)', '/doc?select=id,...team(t:name)',
])
def test_filters_do_not_widen(guard, path):
    assert sorted(ids(guard.get(path))) == guard.visible('ann')


def test_counts(guard):
    n = len(guard.visible('ann'))
    for count in ('exact', 'planned', 'estimated'):
        assert guard.get('/doc?limit=2', prefer='count=' + count).headers['Content-Range'] == f'0-1/{n}'
        assert guard.rq('HEAD', '/doc?limit=2', prefer='count=' + count).headers['Content-Range'].endswith(f'/{n}')
    visible = guard.sql("SELECT COUNT(*) FROM guard.free WHERE doc IN (%s)" % ','.join(map(str, guard.visible('ann'))))[0][0]
    assert guard.get('/free?select=id,doc!inner()&limit=1', prefer='count=planned').headers['Content-Range'] == f'0-0/{visible}'


def test_query_plans_are_not_shown(guard):
    for path in ('/doc', '/free?select=id,doc(name)', '/free?select=id,doc!inner()&doc.id=eq.2'):
        response = guard.get(path, headers={'Accept': 'application/vnd.pgrst.plan+json'})
        assert response.error() == (406, 'PGRST107'), response
    assert guard.get('/free', headers={'Accept': 'application/vnd.pgrst.plan+json'}).status == 200


def test_aggregates(guard):
    mine = ','.join(map(str, guard.visible('ann')))
    total, top, n = guard.sql(f'SELECT SUM(secret), MAX(secret), COUNT(*) FROM guard.doc WHERE id IN ({mine})')[0]
    assert guard.get('/doc?select=secret.sum(),secret.max(),count()').rows() == [{'sum': int(total), 'max': top, 'count': n}]
    assert guard.get('/doc?select=secret.median(),id.quantile(0.5)', 'nobody').rows() == [{'median': None, 'quantile': None}]
    values = [row[0] for row in guard.sql(f'SELECT secret FROM guard.doc WHERE id IN ({mine}) ORDER BY secret')]
    assert guard.get('/doc?select=secret.max(),secret.boxplot()').rows()[0]['boxplot']['max'] == values[-1]
    assert sum(row['count'] for row in guard.get('/doc?select=owner,count()&having=count().gte.1').rows()) == n
    grouped = guard.get('/team?select=id,doc(secret.median(),count())').rows()
    assert {row['id']: row['doc'][0]['count'] for row in grouped if row['doc'] and row['doc'][0]['count']} == dict(guard.sql(
        f'SELECT team, COUNT(*) FROM guard.doc WHERE id IN ({mine}) AND team IN (1, 2, 3, 5, 6) GROUP BY team'))
    owners = {row['owner'] for row in guard.get('/doc?select=owner,count()').rows()}
    assert owners == {row[0] for row in guard.sql(f'SELECT DISTINCT owner FROM guard.doc WHERE id IN ({mine})')}


def test_embeds(guard):
    mine = set(guard.visible('ann'))
    for row in guard.get('/free?select=doc,seen:doc(id,name,secret)').rows():
        assert (row['seen'] is None) == (row['doc'] not in mine)
    for row in guard.get('/free?select=doc,...doc(secret)').rows():
        assert (row['secret'] is None) == (row['doc'] not in mine)
    notes = [note for row in guard.get('/doc?select=id,note(id,owner,doc(id,team(id,owner)))').rows() for note in row['note']]
    assert notes and {note['owner'] for note in notes} == {'ann'}
    assert {note['doc']['id'] for note in notes} <= mine
    assert {row['id'] for row in guard.get('/free?select=id,doc!inner(id)').rows()} == {i for i in mine if i <= 20}
    assert {row['id'] for row in guard.get('/free?select=id,doc()&doc=not.is.null').rows()} == {i for i in mine if i <= 20}
    assert {row['id'] for row in guard.get('/free?select=id,doc()&doc=is.null').rows()} == set(range(1, 21)) - mine


def test_embeds_of_itself(guard):
    """The tables of one statement have all their columns in common."""
    teams = {row[0]: row[1] for row in guard.sql('SELECT id, parent FROM guard.team')}
    mine = set(ids(guard.get('/team?select=id')))
    for row in guard.get('/team?select=id,up:parent(id,name,owner,up:parent(id)),below:team(id,below:team(id))').rows():
        up = teams[row['id']]
        assert (row['up'] or {}).get('id') == (up if up in mine else None)
        assert {t['id'] for t in row['below']} == {i for i in mine if teams[i] == row['id']}
    assert set(ids(guard.get('/team?select=id,parent!inner(id)'))) == {i for i in mine if teams[i] in mine}
    assert set(ids(guard.get('/team?select=id,team!inner(id)'))) == {teams[i] for i in mine if teams[i] in mine}
    order = ids(guard.get('/team?select=id,parent(id)&order=parent(name).desc.nullslast,id'))
    names = dict(guard.sql('SELECT id, name FROM guard.team'))
    seen = [names[teams[i]] if teams[i] in mine else None for i in order]
    assert seen == sorted([s for s in seen if s], reverse=True) + [None] * seen.count(None) and set(order) == mine


def test_junctions(guard):
    """A row of the junction that is hidden joins nothing; nor does a tag that is."""
    rows = guard.sql("SELECT doc, tag FROM guard.doc_tag JOIN guard.tag ON tag.id = tag"
                     " WHERE doc_tag.owner = 'ann' AND (tag.owner = 'ann' OR tag.name = 'public')")
    mine = set(guard.visible('ann'))
    found = {(row['id'], tag['id']) for row in guard.get('/doc?select=id,tag(id,name)').rows() for tag in row['tag']}
    assert found == {(doc, tag) for doc, tag in rows if doc in mine} and found
    inner = set(ids(guard.get('/doc?select=id,tag!inner(id)&tag.name=neq.none')))
    assert inner == {doc for doc, _ in found}
    assert {row['id']: row['tag'][0]['count'] for row in guard.get('/doc?select=id,tag(count())').rows() if row['tag'] and row['tag'][0]['count']} == {
        doc: sum(1 for d, _ in found if d == doc) for doc, _ in found}


def test_limits_of_embeds(guard):
    rows = guard.get('/team?select=id,doc(id,owner)&doc.order=secret.desc&doc.limit=2').rows()
    mine = set(guard.visible('ann'))
    for row in rows:
        wanted = [r[0] for r in guard.sql('SELECT id FROM guard.doc WHERE team = %s ORDER BY secret DESC, id DESC', row['id']) if r[0] in mine]
        assert [doc['id'] for doc in row['doc']] == wanted[:2]


def test_full_text_in_an_embed(guard):
    found = ids(guard.get('/team?select=id,doc!inner(id)&doc.body=fts.banana&order=id'))
    mine = ','.join(map(str, guard.visible('ann')))
    seen = set(ids(guard.get('/team?select=id')))
    assert set(found) == {r[0] for r in guard.sql(f"SELECT DISTINCT team FROM guard.doc WHERE id IN ({mine}) AND body LIKE '%%banana%%'")} & seen


def test_regular_expressions_do_not_meet_hidden_rows(guard):
    """An expression that takes too long, or fails, by what it meets would tell of it."""
    guard.sql("INSERT INTO guard.note (id, doc, name, owner, body) VALUES (1000, 1, 'trap', 'zoe', REPEAT('a', 4000))")
    try:
        for path in ('/note?body=match.^(a|aa)%2B$&select=id', '/doc?select=id,note!inner()&note.body=match.^(a|aa)%2B$',
                     '/doc?select=id,note(id)&note.body=match.^(a|aa)%2B$'):
            assert guard.get(path).status == 200, path
        assert guard.rq('PATCH', '/note?body=match.^(a|aa)%2B$', data={'secret': 1}).status == 204
    finally:
        guard.sql('DELETE FROM guard.note WHERE id = 1000')


def test_column_grants(guard):
    """Only the columns in use are asked for, whichever way a table is met."""
    get = lambda path: guard.get(path, role='g_part')  # noqa: E731
    assert get('/doc?select=id,name').status == 200
    assert get('/doc?select=id,team(name)&order=team(name)').status == 200
    assert get('/doc?select=id,team!inner(name)').status == 200
    assert get('/team?select=id,doc(name),x:doc(count())').status == 200
    assert get('/doc?select=id,note!inner(name)').status == 200
    assert get('/doc?select=id', ).rows() and get('/doc?select=count()').rows()[0]['count'] == 15
    for path in ('/doc', '/doc?select=secret', '/doc?select=id&secret=gt.1', '/team?select=id,doc!inner(secret)',
                 '/doc?select=id,note!inner(body)', '/doc?select=id,note!inner()&note.secret=gt.1'):
        assert get(path).error() == (403, '42501'), path


def test_media(guard):
    mine = guard.visible('ann')
    assert guard.get('/doc?select=id&order=id', headers={'Accept': 'text/csv'}).text.split() == ['id', *map(str, mine)]
    hidden = next(i for i in range(1, 61) if i not in mine)
    single = {'Accept': 'application/vnd.pgrst.object+json'}
    assert guard.get(f'/doc?id=eq.{hidden}', headers=single).json() == {**guard.get('/doc?id=eq.999', headers=single).json()}


# --- views and routines ---

def test_views(guard):
    for view in ('doc_closed', 'doc_closed_again', 'doc_count'):
        assert guard.get('/' + view).rows() == [], view
        assert guard.get('/' + view, role='g_admin').rows() == [], view
    assert ids(guard.get('/doc_own?order=id')) == [r[0] for r in guard.sql("SELECT id FROM guard.doc WHERE owner = 'ann' ORDER BY id")]
    assert guard.get('/doc_own', role='g_admin').rows() == []


def test_routines_run_as_they_are(guard):
    assert guard.rq('POST', '/rpc/count_docs', data={}).json() == [{'n': 60}]
    rows = guard.rq('POST', '/rpc/all_docs?select=id,note(owner,doc(id)),team(id)', data={}).json()
    assert len(rows) == 60
    # but not what they embed
    assert {note['owner'] for row in rows for note in row['note']} == {'ann'}
    seen = {(row['team'] or {}).get('id') for row in rows}
    assert seen == {None, *ids(guard.get('/team?select=id'))}
    inner = guard.rq('POST', '/rpc/all_docs?select=id,note!inner(id)', data={}).json()
    assert {row['id'] for row in inner} == {row[0] for row in guard.sql("SELECT doc FROM guard.note WHERE owner = 'ann'")}


# --- writing ---

@pytest.fixture
def restored(guard):
    yield
    guard.restore()


def new(**more):
    return {'name': 'new', 'owner': 'ann', 'body': 'x', **more}


def test_insert(guard, restored):
    made = guard.rq('POST', '/doc?select=owner,name', data=new(), prefer='return=representation')
    assert (made.status, made.json()) == (201, [{'owner': 'ann', 'name': 'new'}])
    refused(guard.rq('POST', '/doc', data=new(name='n2', owner='bob')), 'doc')
    refused(guard.rq('POST', '/doc', data=new(name='n3', secret=1000), prefer='return=representation'), 'doc')
    refused(guard.rq('POST', '/doc', data=[new(name='n4'), new(name='n5', owner='bob')]), 'doc')
    refused(guard.rq('POST', '/doc', data=new(name='n6', owner='bob'), prefer='return=headers-only'), 'doc')
    assert guard.sql("SELECT name FROM guard.doc WHERE name LIKE 'n%%'") == (('new',),)


def test_a_long_insert(guard, restored):
    """Batches of their own: the bad row is the last."""
    rows = [new(name=f'many {i}') for i in range(1300)]
    refused(guard.rq('POST', '/doc', data=[*rows, new(name='last', owner='bob')]), 'doc')
    assert guard.sql("SELECT COUNT(*) FROM guard.doc WHERE name LIKE 'many%%'") == ((0,),)
    assert guard.rq('POST', '/doc', data=rows).status == 201
    assert guard.sql("SELECT COUNT(*) FROM guard.doc WHERE name LIKE 'many%%'") == ((1300,),)


def test_insert_that_cannot_be_read_again(guard, restored):
    assert guard.rq('POST', '/inbox', data={'owner': 'bob', 'body': 'hello'}).status == 201
    refused(guard.rq('POST', '/inbox', data={'owner': 'bob', 'body': 'hello'}, prefer='return=representation'), 'inbox')
    refused(guard.rq('POST', '/inbox', data={'owner': 'bob', 'body': ''}), 'inbox')
    assert guard.get('/inbox').rows() == []
    assert guard.sql('SELECT COUNT(*) FROM guard.inbox') == ((1,),)


def test_without_a_key(guard, restored):
    """What could not be found again cannot be checked."""
    assert guard.rq('POST', '/keyless', data={'owner': 'ann', 'n': 9}).error() == (400, 'PGRST127')
    assert guard.rq('PATCH', '/keyless?n=eq.1', data={'owner': 'bob'}).error() == (400, 'PGRST127')
    assert guard.get('/keyless?select=n&order=n').rows() == [{'n': 1}, {'n': 2}]
    assert guard.rq('DELETE', '/keyless?n=gt.1', prefer='count=exact').headers['Content-Range'] == '*/1'
    assert guard.sql('SELECT n FROM guard.keyless ORDER BY n') == ((1,), (3,))


def test_update(guard, restored):
    before = dict(guard.sql("SELECT id, secret FROM guard.doc WHERE owner <> 'ann'"))
    done = guard.rq('PATCH', '/doc?id=gt.0&select=owner', data={'secret': 777}, prefer='return=representation,count=exact')
    assert done.headers['Content-Range'] == '0-14/15' and done.json() == [{'owner': 'ann'}] * 15
    assert dict(guard.sql("SELECT id, secret FROM guard.doc WHERE owner <> 'ann'")) == before
    refused(guard.rq('PATCH', '/doc?id=gt.0', data={'secret': 1000}), 'doc')
    refused(guard.rq('PATCH', '/doc?id=eq.4', data={'owner': 'bob'}), 'doc')
    assert guard.sql("SELECT COUNT(*) FROM guard.doc WHERE owner = 'ann' AND secret = 777") == ((15,),)
    # what it may read and not change
    other = next(i for i in guard.visible('ann') if guard.sql('SELECT owner FROM guard.doc WHERE id = %s', i) != (('ann',),))
    assert guard.rq('PATCH', f'/doc?id=eq.{other}', data={'secret': 1}, prefer='return=representation').json() == []
    # its key as well
    assert guard.rq('PATCH', '/note?id=eq.5', data={'id': 5005}, prefer='return=representation').json()[0]['id'] == 5005
    refused(guard.rq('PATCH', '/note?id=eq.5005', data={'id': 5006, 'owner': 'bob'}), 'note')


def test_update_that_filters_by_what_is_hidden(guard):
    for path in ('/note?owner=eq.bob', '/note?secret=gte.0&owner=neq.ann', '/note?select=id,doc!inner()&doc.owner=eq.cyd&owner=eq.bob'):
        assert guard.rq('PATCH', path, data={'body': 'x'}, prefer='count=exact').headers['Content-Range'] == '*/0'
        assert guard.rq('DELETE', path, prefer='count=exact').headers['Content-Range'] == '*/0'


def test_delete(guard, restored):
    """Its policy reads the table that it is about, which MySQL's DELETE itself may not."""
    guard.sql('DELETE FROM guard.note')
    guard.sql('DELETE FROM guard.doc_tag')
    guard.sql('DELETE FROM guard.free')
    guard.sql('DELETE FROM guard.broken')
    gone = {r[0] for r in guard.sql("SELECT id FROM guard.doc WHERE owner = 'ann' AND secret <= 90")}
    answer = guard.rq('DELETE', '/doc?id=gt.0&select=id', prefer='return=representation,tx=rollback')
    assert set(ids(answer)) == gone and len(gone) < 15
    assert guard.rq('DELETE', '/doc?id=gt.0', prefer='count=exact').headers['Content-Range'] == f'*/{len(gone)}'
    assert guard.sql('SELECT COUNT(*) FROM guard.doc') == ((60 - len(gone),),)


MERGE = 'resolution=merge-duplicates'
IGNORE = 'resolution=ignore-duplicates'


def test_upsert(guard, restored):
    bobs, anns = 1, 4
    row = lambda i, **more: {'id': i, 'name': f'up {i}', 'owner': 'ann', 'body': 'up', **more}  # noqa: E731
    assert guard.sql('SELECT id, owner FROM guard.doc WHERE id IN (1, 4) ORDER BY id') == ((bobs, 'bob'), (anns, 'ann'))
    before = guard.sql('SELECT name, body FROM guard.doc WHERE id = 1')
    hidden = guard.rq('POST', '/doc', data=row(bobs), prefer=MERGE)
    refused(hidden, 'doc')
    # the same words where there is none, and the new row may not be
    assert guard.rq('POST', '/doc', data=row(999, owner='bob'), prefer=MERGE).body == hidden.body
    refused(guard.rq('PUT', f'/doc?id=eq.{bobs}', data=row(bobs, team=None, secret=1, slug=None, data=None)), 'doc')
    refused(guard.rq('POST', '/doc', data=[row(anns), row(bobs)], prefer=MERGE), 'doc')
    refused(guard.rq('POST', '/doc', data=row(anns, owner='bob'), prefer=MERGE), 'doc')
    refused(guard.rq('POST', '/doc', data=row(anns, secret=1000), prefer=MERGE), 'doc')
    assert guard.sql('SELECT name, body FROM guard.doc WHERE id = 1') == before
    assert guard.rq('POST', '/doc', data=[row(anns), row(998)], prefer=MERGE).status == 201
    assert guard.sql('SELECT name FROM guard.doc WHERE id IN (4, 998) ORDER BY id') == (('up 4',), ('up 998',))
    ignored = guard.rq('POST', '/doc?select=id', data=[row(bobs), row(997)], prefer=IGNORE + ',return=representation')
    assert (ignored.status, ignored.json()) == (201, [{'id': 997}])
    assert guard.sql('SELECT name, body FROM guard.doc WHERE id = 1') == before


def test_a_clash_with_a_hidden_row_tells_nothing_of_it(guard, restored):
    """Who tries what they may not write learns nothing of what is there; a clash with their own is told."""
    there = guard.rq('POST', '/doc', data=new(owner='bob', name='doc 1'))
    assert there.body == guard.rq('POST', '/doc', data=new(owner='bob', name='no such doc')).body
    refused(there, 'doc')
    refused(guard.rq('POST', '/doc', data=new(slug='slug-1')), 'doc')
    assert guard.rq('POST', '/doc', data=new(slug='slug-4')).json() == {
        'code': '23505', 'message': 'duplicate key value violates unique constraint', 'details': None, 'hint': None}
    there = guard.rq('PATCH', '/doc?id=eq.4', data={'owner': 'bob', 'name': 'doc 1'})
    assert there.body == guard.rq('PATCH', '/doc?id=eq.4', data={'owner': 'bob', 'name': 'no such doc'}).body
    refused(guard.rq('PATCH', '/doc?id=eq.4', data={'slug': 'slug-1'}), 'doc')
    mixed = [new(owner='bob', name='doc 1'), new(name='doc 4')]
    assert guard.rq('POST', '/doc', data=mixed).body == guard.rq('POST', '/doc', data=[new(owner='bob', name='none'), mixed[1]]).body


def test_anonymous_writes(guard):
    guard.sql('GRANT INSERT ON guard.tag TO anon')
    try:
        response = guard.rq('POST', '/tag', role=None, data={'id': 77, 'name': 'x', 'owner': 'ann'})
        refused(response, 'tag', 401)
    finally:
        guard.sql('REVOKE INSERT ON guard.tag FROM anon')


# --- loading ---

def test_a_bad_policy_closes_its_table(guard):
    """To those it is for, whatever else their policies say; on every road."""
    for method, path in (('GET', '/broken'), ('HEAD', '/broken'), ('GET', '/doc?select=id,broken(id)'),
                         ('GET', '/doc?select=id,broken!inner()'), ('PATCH', '/broken?id=eq.1'), ('POST', '/broken'),
                         ('DELETE', '/broken?id=eq.1')):
        response = guard.rq(method, path, data={'id': 1, 'owner': 'ann'} if method in ('PATCH', 'POST') else None)
        assert response.status == 503, (method, path)
        if method != 'HEAD':
            assert response.json()['code'] == 'PGRSTX05' and 'no_such_column' not in response.text
    assert len(guard.get('/broken', role='g_admin').rows()) == 10
    assert guard.get('/broken', role='g_none').rows() == []
    assert guard.get('/doc?limit=1').status == 200
    lines = [x for x in guard.instance.log() if 'no_such_column' in str(x)]
    assert lines and any('policy "bad" of guard.broken for g_user' in x['msg'] for x in lines)


def command(guard, *words):
    return subprocess.run([REPO / BUILD / 'rowgate', *words, '-c', guard.instance.folder / 'rowgate.conf'],
                          capture_output=True, text=True)


def test_check_names_what_is_wrong(guard):
    done = command(guard, 'check')
    assert done.returncode == 1
    assert 'policy "bad" of guard.broken for g_user' in done.stdout and 'no_such_column' in done.stdout
    assert 'view guard.doc_closed_again reads `guard`.`doc_closed`' in done.stdout


@pytest.mark.parametrize('expression', [
    'TRUE) OR (TRUE', 'TRUE; DROP TABLE guard.doc', 'name =', 'COUNT(*) > 0', '(SELECT id FROM guard.no_such) IS NULL', 'doc.owner = :user',
])
def test_bad_expressions_are_refused(guard, expression):
    guard.policy('free', 'g_user', 'tried', expression)
    try:
        assert wait_until(lambda: guard.get('/free').status == 503, 20), expression
        assert guard.get('/doc?limit=1').status == 200
    finally:
        guard.sql("DELETE FROM rowgate.policy WHERE table_name = 'free'")
    assert wait_until(lambda: len(guard.get('/free').json()) == 20, 20)


def test_changes_are_noticed(guard):
    def sees(n):
        return wait_until(lambda: all(len(guard.get('/free').json()) == n for _ in range(6)), 20)
    guard.policy('free', 'g_user', 'some', 'id <= :claims.limits.top', verbs='select')
    assert sees(0)
    assert len(guard.get('/free', limits={'top': 3}).rows()) == 3
    guard.sql("UPDATE rowgate.policy SET using_expression = 'id <= 5' WHERE table_name = 'free'")
    assert sees(5)
    guard.sql("UPDATE rowgate.policy SET role = 'g_admin' WHERE table_name = 'free'")
    assert sees(0)
    guard.sql("DELETE FROM rowgate.policy WHERE table_name = 'free'")
    assert sees(20)


def test_a_policy_that_gets_well(guard):
    """What an expression lacks may come later: definitions are looked at again."""
    guard.policy('free', 'g_user', 'late', 'id IN (SELECT id FROM guard.later)')
    try:
        assert wait_until(lambda: guard.get('/free').status == 503, 20)
        guard.sql('CREATE TABLE guard.later (id INT PRIMARY KEY)')
        guard.sql('INSERT INTO guard.later VALUES (7)')
        assert wait_until(lambda: guard.get('/free').status == 200 and ids(guard.get('/free')) == [7], 20)
    finally:
        guard.sql("DELETE FROM rowgate.policy WHERE table_name = 'free'")
        guard.sql('DROP TABLE IF EXISTS guard.later')
    assert wait_until(lambda: len(guard.get('/free').json()) == 20, 20)


def test_a_table_that_is_locked_for_a_while(guard):
    """
    While an ALTER TABLE waits, the policies of its table stay what they were, and definitions are read as ever. A new one that
    reads the table closes its own until it can be tried, though no counter moves then: by the one worker that there is, for
    another may not have tried before.
    """
    guard.sql('CREATE TABLE guard.later (id INT PRIMARY KEY)')
    guard.sql('INSERT INTO guard.later VALUES (7)')
    guard.policy('later', 'g_user', 'plain', 'id > 0')
    one = guard.stack.variant({'db-schemas': 'guard', 'db-schema-poll': '1'}, workers=1, fresh=True)
    ask = functools.partial(one.rq, 'GET', token=guard.stack.token('g_user', sub='ann'))
    reader, changer = guard.stack.connect(autocommit=False), guard.stack.connect()
    change = threading.Thread(target=changer.query, args=('ALTER TABLE guard.later ADD COLUMN more INT',))
    try:
        assert ids(ask('/rest/v1/later')) == [7]
        reader.query('SELECT id FROM guard.later')
        change.start()
        assert wait_until(lambda: guard.sql("SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = %s AND STATE LIKE '%%metadata lock'",
                                            changer.thread_id()), 60)
        guard.policy('free', 'g_user', 'waits', 'id IN (SELECT id FROM guard.later)')
        assert wait_until(lambda: (r := ask('/rest/v1/free')).status == 503 and r.error() == (503, 'PGRSTX05'), 90)
        guard.sql('CREATE TABLE guard.meanwhile (id INT PRIMARY KEY)')
        assert wait_until(lambda: ask('/rest/v1/meanwhile').status == 200, 90)
        assert ask('/rest/v1/free').status == 503 and change.is_alive()
        reader.rollback()
        change.join()
        assert wait_until(lambda: ask('/rest/v1/free').status == 200, 90)
        assert ids(ask('/rest/v1/free')) == [7] == ids(ask('/rest/v1/later'))
        log = ' '.join(str(line) for line in one.log())
        assert 'policy "waits" of guard.free' in log and 'policy "plain" of guard.later' not in log
    finally:
        reader.close()
        if change.ident:
            change.join()
        changer.close()
        guard.stack.forget(one)
        guard.sql("DELETE FROM rowgate.policy WHERE table_name IN ('free', 'later')")
        guard.sql('DROP TABLE IF EXISTS guard.later, guard.meanwhile')
    assert wait_until(lambda: len(guard.get('/free').json()) == 20, 90)


@pytest.fixture
def hidden(guard):
    """
    A table that the roles of policies may not read, and on MariaDB a function they may call, which does there what its caller
    may; in a database of its own for each test, for rights outlive what they are to.
    """
    guard.hidden = f'guard_hidden_{next(guard.numbers)}'
    for statement in (f'DROP DATABASE IF EXISTS {guard.hidden}', f'CREATE DATABASE {guard.hidden}',
                      f'CREATE TABLE {guard.hidden}.secret (word VARCHAR(40))', f"INSERT INTO {guard.hidden}.secret VALUES ('swordfish')",
                      f'CREATE TABLE {guard.hidden}.called (who VARCHAR(200))'):
        guard.sql(statement)
    if not guard.stack.is_mysql:
        guard.sql(f'CREATE FUNCTION {guard.hidden}.mark() RETURNS INT DETERMINISTIC MODIFIES SQL DATA SQL SECURITY INVOKER'
                  f' BEGIN INSERT INTO {guard.hidden}.called VALUES (CURRENT_USER()); RETURN 1; END')
        guard.sql(f'GRANT EXECUTE ON FUNCTION {guard.hidden}.mark TO g_user')
    yield guard
    guard.sql("DELETE FROM rowgate.policy WHERE table_name = 'free'")
    guard.sql(f'DROP DATABASE {guard.hidden}')
    assert wait_until(lambda: len(guard.get('/free').json()) == 20, 90)


def becomes(guard, status, code=None):
    """What /free answers, once the definitions are read."""
    assert wait_until(lambda: guard.get('/free').status == status, 60), guard.get('/free')
    answer = guard.get('/free')
    assert code is None or answer.error() == (status, code)
    assert 'swordfish' not in answer.text
    return answer


# MariaDB works the first two out while it prepares; the first tells the value in its error.
@pytest.mark.parametrize('role, expression', [
    ('g_user', 'EXTRACTVALUE(1, CONCAT(0x7e, (SELECT word FROM HIDDEN.secret))) = 1'),
    ('g_user', "name LIKE 'a' ESCAPE (SELECT word FROM HIDDEN.secret)"),
    ('g_user', 'name = (SELECT word FROM HIDDEN.secret)'),
    ('*', 'EXTRACTVALUE(1, CONCAT(0x7e, (SELECT word FROM HIDDEN.secret))) = 1'),
])
def test_loading_reads_no_more_than_the_role(hidden, role, expression):
    """What the role may not read is not read for it when definitions are: its requests are refused, as MySQL has it."""
    hidden.policy('free', role, 'curious', expression.replace('HIDDEN', hidden.hidden))
    becomes(hidden, 403, '42501')
    assert not [line for line in hidden.instance.log() if 'swordfish' in str(line)]


def test_a_right_that_comes_later(hidden):
    hidden.policy('free', 'g_user', 'curious', f'name = (SELECT word FROM {hidden.hidden}.secret)')
    becomes(hidden, 403, '42501')
    hidden.sql(f"UPDATE {hidden.hidden}.secret SET word = 'free 3'")
    hidden.sql(f'GRANT SELECT ON {hidden.hidden}.secret TO g_user')
    assert ids(becomes(hidden, 200)) == [3]


def test_loading_calls_no_function_with_more_rights(hidden):
    if hidden.stack.is_mysql:
        pytest.skip('it works nothing out while it prepares')
    hidden.policy('free', 'g_user', 'eager', f'EXTRACTVALUE(1, {hidden.hidden}.mark()) = 1')
    becomes(hidden, 403, '42501')
    assert hidden.sql(f'SELECT who FROM {hidden.hidden}.called') == ()


def test_a_function_without_end_holds_up_nobody(hidden):
    if hidden.stack.is_mysql:
        pytest.skip('it works nothing out while it prepares')
    hidden.sql(f'CREATE FUNCTION {hidden.hidden}.ages() RETURNS INT DETERMINISTIC NO SQL BEGIN WHILE TRUE DO SET @x = 1; END WHILE; RETURN 1; END')
    hidden.sql(f'GRANT EXECUTE ON FUNCTION {hidden.hidden}.ages TO g_user')
    hidden.policy('free', 'g_user', 'endless', f'EXTRACTVALUE(1, {hidden.hidden}.ages()) = 1')
    becomes(hidden, 503, 'PGRSTX05')
    assert hidden.get('/doc?limit=1').status == 200


@pytest.mark.parametrize('expression', ['EXISTS (SELECT 1 FROM policy)', 'heartbeat_read() > 0'])
def test_names_mean_what_they_mean_in_requests(hidden, expression):
    """Without a database they are nothing, though the procedure that tries others stands in one."""
    hidden.policy('free', 'g_user', 'bare', expression)
    becomes(hidden, 503, 'PGRSTX05')


def test_a_policy_for_all_that_some_may_read(hidden):
    """Tried as one of the roles that can."""
    hidden.policy('free', '*', 'shared', "id IN (SELECT id FROM guard.team WHERE owner = 'ann')")
    wanted = [row[0] for row in hidden.sql("SELECT id FROM guard.free WHERE id IN (SELECT id FROM guard.team WHERE owner = 'ann') ORDER BY id")]
    assert wanted and wait_until(lambda: hidden.get('/free').status == 200 and ids(hidden.get('/free?order=id')) == wanted, 60)
    assert ids(hidden.get('/free?order=id', role='g_none')) == wanted
    hidden.sql("UPDATE rowgate.policy SET using_expression = 'id IN (SELECT no_such FROM guard.team)' WHERE table_name = 'free'")
    becomes(hidden, 503, 'PGRSTX05')


def test_unreadable_policies_are_not_no_policies(guard):
    """A worker that starts when rowgate.policy cannot be read serves nothing rather than everything."""
    guard.sql("REVOKE SELECT ON rowgate.policy FROM rowgate_catalogue@'%'")
    fresh = None
    try:
        fresh = guard.stack.variant({'db-schemas': 'guard'}, fresh=True, ready=False)
        assert wait_until(lambda: (fresh.folder / 'log/rowgate.log').exists() and 'definitions cannot be read' in (fresh.folder / 'log/rowgate.log').read_text(), 30)

        def closed():
            try:
                return fresh.rq('GET', '/rest/v1/doc', token=guard.stack.token('g_user', sub='ann')).error() == (503, 'PGRST002')
            except OSError:
                return False
        assert wait_until(closed, 30)
    finally:
        guard.sql("GRANT SELECT ON rowgate.policy TO rowgate_catalogue@'%'")
        if fresh:
            fresh.wait_ready()
            # Each worker tries again for itself.
            ask = functools.partial(fresh.rq, 'GET', '/rest/v1/doc?select=id&order=id', token=guard.stack.token('g_user', sub='ann'))
            assert wait_until(lambda: [ask().status for _ in range(8)] == [200] * 8, 30)
            assert ids(ask()) == guard.visible('ann')
            guard.stack.forget(fresh)


def test_nobody_reads_the_policies(guard):
    for role in ('anon', 'authenticated', 'service_role', 'hr', 'manager'):
        assert not [grant for grant, in guard.sql(f'SHOW GRANTS FOR {role}') if 'policy' in grant or '*.*' in grant and 'SELECT' in grant]


# --- wages ---

def wages(guard, role, eid, path):
    return guard.get(path, role=role, headers={'Accept-Profile': 'wages'}, app_metadata={'eid': eid}).rows()


def test_employees_and_managers(guard):
    assert [r['eid'] for r in wages(guard, 'employee', 17, '/employee_directory')] == [17]
    assert {r['eid'] for r in wages(guard, 'employee', 17, '/salary_history')} == {17}
    assert [r['eid'] for r in wages(guard, 'employee', 17, '/compensation')] == [17]
    reports = [r[0] for r in guard.sql('SELECT r.eid FROM wages.employee_directory AS r JOIN wages.employee_directory AS m'
                                       ' ON m.name = r.manager WHERE m.eid = 2')]
    assert len(reports) > 10
    for path in ('/employee_directory', '/salary_history', '/compensation'):
        assert {r['eid'] for r in wages(guard, 'manager', 2, path)} == {2, *reports}
        assert {r['eid'] for r in wages(guard, 'manager', 300, path)} == {300}
        assert wages(guard, 'manager', None, path) == wages(guard, 'employee', None, path) == []
    assert len(wages(guard, 'hr', None, '/employee_directory')) == len(wages(guard, 'wages_analyst', None, '/employee_directory')) == 500
