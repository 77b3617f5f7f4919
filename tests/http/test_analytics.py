"""
Aggregates that need every value - quantile, median, boxplot, histogram - with what stands beside them: parts of dates as
groups, having, order by aggregates, count(distinct), stddev. Expected figures are worked out here from the rows.
"""
import collections
import csv
import datetime
import io
import json
import math
import statistics
from fractions import Fraction as F

import pytest

from harness import REPO, assert_rows

WAGES = REPO.parent / 'shared/data/wages'


def exact(response):
    """Rows with every number as a fraction."""
    assert response.status in (200, 206), response
    return json.loads(response.text, parse_float=F, parse_int=F)


def quantile(values, p):
    """R's type 7, exactly."""
    values = sorted(values)
    h = (len(values) - 1) * F(p)
    low = values[math.floor(h)]
    return low + (values[math.ceil(h)] - low) * (h - math.floor(h))


def boxplot(values, listed=100):
    values = sorted(values)
    q1, q3 = quantile(values, F(1, 4)), quantile(values, F(3, 4))
    within = [v for v in values if q1 - (q3 - q1) * F(3, 2) <= v <= q3 + (q3 - q1) * F(3, 2)]
    out = [v for v in values if v < within[0] or v > within[-1]]
    assert len(out) <= listed
    return {'n': len(values), 'min': values[0], 'q1': q1, 'median': quantile(values, F(1, 2)), 'q3': q3, 'max': values[-1],
            'lower_whisker': within[0], 'upper_whisker': within[-1], 'outlier_count': len(out), 'outliers': out}


@pytest.fixture(scope='module')
def pays(stack):
    return exact(stack.get('/st_pays?select=*'))


def groups(rows, *keys):
    found = collections.defaultdict(list)
    for row in rows:
        found[tuple(k(row) if callable(k) else row[k] for k in keys)].append(row)
    return found


def column(rows, name):
    return [row[name] for row in rows if row[name] is not None]


def folded(row):
    """As utf8mb4_unicode_ci has it."""
    return row['grp'] and {'añil': 'anil'}.get(row['grp'], row['grp']).lower()


# ---- the figures ----

@pytest.mark.parametrize('name', ['n', 'big', 'pay', 'fine'])
def test_exact_figures(get, pays, name):
    have = exact(get(f'/st_pays?select=kind,b:{name}.boxplot(),m:{name}.median(),q:{name}.quantile(0.123),l:{name}.quantile(0),h:{name}.quantile(1)'))
    assert [row['kind'] for row in have] == ['small', 'large', 'huge']  # as the labels stand
    for row in have:
        values = column(groups(pays, 'kind')[row['kind'],], name)
        mean = row['b'].pop('mean')
        assert abs(mean - sum(values) / len(values)) <= F(1, 10 ** 4)
        assert row['b'] == boxplot(values)
        assert (row['m'], row['q'], row['l'], row['h']) == (quantile(values, F(1, 2)), quantile(values, F('0.123')), min(values), max(values))


@pytest.mark.parametrize('name', ['score', 'ratio'])
def test_figures_of_floats(get, pays, name):
    have = get(f'/st_pays?select=b:{name}.boxplot(1000),m:{name}.median(),q:{name}.quantile(.9)').json()[0]
    values = [float(v) for v in column(pays, name)]
    want = boxplot([F(v) for v in values], 1000)
    assert have['b']['n'] == len(values) and have['b']['outlier_count'] == want['outlier_count']
    for key in ('min', 'q1', 'median', 'q3', 'max', 'lower_whisker', 'upper_whisker'):
        assert have['b'][key] == pytest.approx(float(want[key]), rel=1e-12), key
    assert have['b']['mean'] == pytest.approx(statistics.fmean(values), rel=1e-12)
    assert have['m'] == pytest.approx(statistics.median(values)) and have['q'] == pytest.approx(float(quantile([F(v) for v in values], F('0.9'))))


def test_the_same_as_window_functions(stack):
    """Quartiles by SQL alone."""
    rows = stack.sql("""
        SELECT kind, MIN(CASE WHEN rn = FLOOR((n - 1) * .75) + 1 THEN pay END), MIN(CASE WHEN rn = CEIL((n - 1) * .75) + 1 THEN pay END),
               MAX((n - 1) * .75 - FLOOR((n - 1) * .75))
          FROM (SELECT kind, pay, ROW_NUMBER() OVER (PARTITION BY kind ORDER BY pay) AS rn, COUNT(*) OVER (PARTITION BY kind) AS n
                  FROM spec.st_pays WHERE pay IS NOT NULL) q GROUP BY kind""")
    want = {kind: low + (high - low) * part for kind, low, high, part in rows}
    have = exact(stack.get('/st_pays?select=kind,q:pay.quantile(0.75)'))
    assert {row['kind']: row['q'] for row in have} == {k: F(v) for k, v in want.items()}


def test_histogram(get, pays):
    have = exact(get('/st_pays?select=kind,h:n.histogram(20)'))
    for row in have:
        values = column(groups(pays, 'kind')[row['kind'],], 'n')
        low, high, counts = min(values), max(values), [0] * 20
        for v in values:
            counts[min(19, int((v - low) * 20 / (high - low)))] += 1
        h = row['h']
        assert (h['min'], h['max'], h['counts']) == (low, high, counts) and abs(h['width'] - (high - low) / 20) < F(1, 1000)


def test_plain_aggregates_beside(get):
    """They are counted here then, and are what the database makes of them."""
    plain = 'count(),n.count(),s:n.sum(),a:n.avg(),lo:n.min(),hi:n.max(),ps:pay.sum(),pa:pay.avg(),plo:pay.min(),phi:pay.max(),' \
            'bs:big.sum(),bhi:big.max(),d:day.min(),t:at.max(),u:ts.min(),l:lasted.max(),g:grp.min(),gg:grp.max(),k:kind.max(),' \
            'dn:n.count(distinct),dg:grp.count(distinct),dd:day.count(distinct),f:flag.sum(),fa:flag.max(),j:data->>v::int.sum(),fs:fine.sum()'
    for groups_ in ('kind,', ''):
        alone = get(f'/st_pays?select={groups_}{plain}&order={"kind" if groups_ else "count()"}')
        beside = get(f'/st_pays?select={groups_}{plain},zz:n.median()')
        rows = json.loads(beside.text, parse_float=str, parse_int=str)
        for row in rows:
            row.pop('zz')
            for key in ('g', 'gg'):
                row[key] = row[key].lower()
        want = json.loads(alone.text, parse_float=str, parse_int=str)
        for row in want:
            for key in ('g', 'gg'):
                row[key] = row[key].lower()
        assert rows == want


CASTS = ['n.sum()::text', 'pay.sum()::text', 'n.count()::text', 'count()::text', 'day.max()::text', 'lasted.min()::text', 'flag.max()::text', 'kind.max()::text',
         'grp.min()::varchar(2)', 'pay.avg()::int', 'pay.min()::int', 'n.min()::bigint', 'score.avg()::int', 'score.min()::int8', 'big.max()::unsigned',
         'n.avg()::numeric(10,1)', 'pay.min()::numeric(10,1)', 'n.sum()::numeric(20,3)', 'n.max()::numeric', 'pay.avg()::float8', 'n.max()::float8',
         'n.max()::bool', 'pay.min()::bool', 'day.min()::timestamp', 'at.max()::date', 'at.min()::time', 'day.max()::date', 'fine.max()::numeric(38,10)',
         'at.max()::timestamptz', 'count()::float8', 'pay.sum()::bigint', 'n.min()::numeric(2,0)', 'score.stddev()::numeric(10,3)']


@pytest.mark.parametrize('groups_', ['kind,', ''])
def test_casts_beside(get, groups_):
    """What is cast behind an aggregate is the same whether the database does it or we do."""
    select = groups_ + ','.join(f'c{i}:{cast}' for i, cast in enumerate(CASTS))
    order = '&order=kind' if groups_ else ''
    alone, beside = (json.loads(get(f'/st_pays?select={select}{more}{order}').text, parse_float=F, parse_int=F) for more in ('', ',zz:n.median()'))
    for want, have in zip(alone, beside, strict=True):
        have.pop('zz')
        for i, cast in enumerate(CASTS):
            a, b = want[f'c{i}'], have[f'c{i}']
            if 'float8' in cast or 'stddev' in cast:
                assert float(a) == pytest.approx(float(b)), cast
            elif 'grp' in cast:
                assert a.lower() == b.lower(), cast
            elif 'lasted' in cast: # the database shows the declared fraction, be it 0
                assert a.removesuffix('.0') == b, cast
            else:
                assert a == b and type(a) is type(b), cast


def test_casts_of_what_is_counted(get, pays):
    values = column(pays, 'pay')
    row = get('/st_pays?select=m:pay.median(),t:pay.median()::text,i:pay.median()::int,d:pay.quantile(0.123)::numeric(10,1),f:pay.median()::float8,'
              'b:pay.median()::bool,x:day.median()::date,y:day.median()::text,z:ts.median()::timestamp,j:pay.boxplot(0)::text,n:n.median()::numeric(3,2)').json()[0]
    assert row['t'] == str(row['m']) and row['i'] == math.floor(F(str(row['m'])) + F(1, 2)) and row['f'] == row['m'] and row['b'] is True
    assert F(str(row['d'])) == math.floor(quantile(values, F('0.123')) * 10 + F(1, 2)) / F(10)
    assert row['y'].startswith(row['x'] + ' ') and '+' not in row['z'] and json.loads(row['j'])['median'] == row['m'] and -10 < row['n'] < 10
    assert get('/st_pays?select=pay.median()::text&id=lt.0').json() == [{'median': None}]
    for path in ('pay.max()::smallint,n.median()&pay=gt.1000&id=lt.0', ):
        assert get(f'/st_pays?select={path}').json() == [{'max': None, 'median': None}]
    for cast in ('big.median()::int', 'big.median()::numeric(3,1)', 'pay.min()::unsigned,n.median()', 'pay.quantile(0)::unsigned'):
        assert get(f'/st_pays?select={cast}').error() == (400, '22003'), cast
    rows = get('/st_pays?select=kind,m:n.median()::text&order=m').json()
    assert [r['m'] for r in rows] == sorted(r['m'] for r in rows)


def test_figures_by_themselves(get, stack):
    """A figure of a box plot is what the box plot says: shown, in the order, and as a condition."""
    names = ['n', 'min', 'q1', 'median', 'q3', 'max', 'mean', 'lower_whisker', 'upper_whisker', 'outlier_count']
    for name in ('n', 'pay', 'score', 'day', 'at', 'ts', 'lasted'):
        row = exact(get(f'/st_pays?select=b:{name}.boxplot(0),' + ','.join(f'{name}.boxplot()->{m}' for m in names)))[0]
        box = row.pop('b')
        box.pop('outliers')
        assert row == box, name
        row = exact(get(f'/st_pays?select=h:{name}.histogram(7),{name}.histogram(7)->min,{name}.histogram(7)->max,{name}.histogram(7)->width'))[0]
        counted = row.pop('h')
        counted.pop('counts')
        assert row == counted, name
    assert get('/st_pays?select=pay.boxplot()->>n,x:pay.boxplot()->n::text,pay.boxplot()->q1::int').json()[0]['n'] == \
        str(get('/st_pays?select=pay.count()').json()[0]['count'])
    everything = get('/st_pays?select=data->>v,b:pay.boxplot()').json()
    path = '/st_pays?select=data->>v,b:pay.boxplot()'
    for query, key in (('order=b->q3.desc', lambda r: -r['b']['q3']), ('order=b->outlier_count.desc,data->>v', lambda r: (-r['b']['outlier_count'], r['v'])),
                       ('order=pay.boxplot()->mean', lambda r: r['b']['mean']), ('order=pay.boxplot(3)->upper_whisker.desc', lambda r: -r['b']['upper_whisker'])):
        rows = get(f'{path}&{query}').json()
        assert [key(r) for r in rows] == sorted(map(key, everything)), query
    for query, holds in (('having=b->outlier_count.gt.1', lambda b: b['outlier_count'] > 1), ('b->median=lt.50', lambda b: b['median'] < 50),
                         ('having=or(b->min.lt.-3000,pay.boxplot()->max.gt.5000)', lambda b: b['min'] < -3000 or b['max'] > 5000),
                         ('having=pay.boxplot()->q1.gt.20,b->lower_whisker.gte.0', lambda b: b['q1'] > 20 and b['lower_whisker'] >= 0),
                         ('having=b->n.in.(55,56,57)', lambda b: b['n'] in (55, 56, 57))):
        rows = get(f'{path}&{query}').json()
        assert rows == [r for r in everything if holds(r['b'])] and 0 < len(rows) < 50, query
    # not shown, and of an embed
    rows = get('/st_pays?select=data->>v&having=pay.boxplot()->outlier_count.gt.1&order=pay.boxplot()->median').json()
    assert [r['v'] for r in rows] == [r['v'] for r in sorted((r for r in everything if r['b']['outlier_count'] > 1), key=lambda r: r['b']['median'])]
    rows = get('/st_teams?select=id,st_pays(kind,h:n.histogram(4))&st_pays.order=h->width.desc&st_pays.having=h->min.gt.-200&order=id&id=lt.3').json()
    assert all([p['h']['width'] for p in row['st_pays']] == sorted((p['h']['width'] for p in row['st_pays']), reverse=True) and len(row['st_pays']) == 3 for row in rows)
    assert get('/st_teams?select=id,st_pays(x:n.boxplot()->n,y:n.boxplot()->median,z:n.boxplot()->outlier_count::text)&st_pays.id=lt.0&id=eq.1').json() == \
        [{'id': 1, 'st_pays': [{'x': 0, 'y': None, 'z': '0'}]}]


@pytest.mark.parametrize('beside', ['', ',zz:n.median()'])
def test_stddev(get, pays, beside):
    row = get(f'/st_pays?select=a:n.stddev(),b:n.stddev_pop(),c:pay.stddev(),d:score.stddev(){beside}').json()[0]
    values = {name: [float(v) for v in column(pays, name)] for name in ('n', 'pay', 'score')}
    want = {'a': statistics.stdev(values['n']), 'b': statistics.pstdev(values['n']), 'c': statistics.stdev(values['pay']), 'd': statistics.stdev(values['score'])}
    for key, value in want.items():
        assert row[key] == pytest.approx(value, rel=1e-9)
    assert get(f'/st_pays?select=n.stddev(),p:n.stddev_pop(){beside}&id=eq.1').json()[0]['stddev'] is None


# ---- nothing and little ----

NOTHING = {'n': 0, 'min': None, 'q1': None, 'median': None, 'q3': None, 'max': None, 'mean': None, 'lower_whisker': None, 'upper_whisker': None,
           'outlier_count': 0, 'outliers': []}


def test_of_no_rows(get):
    assert_rows(get('/st_pays?select=n.median(),n.boxplot(),n.histogram(3),n.quantile(0.5),count(),n.sum(),n.count(distinct),grp.max()&id=eq.0'),
                [{'median': None, 'boxplot': NOTHING, 'histogram': {'min': None, 'max': None, 'width': None, 'counts': []}, 'quantile': None,
                  'count': 0, 'sum': None, 'max': None}])
    assert_rows(get('/st_pays?select=kind,n.median()&id=eq.0'), [])
    assert_rows(get('/t_ints?select=i.median(),i.boxplot(),n:count()&id=eq.3'), [{'median': None, 'boxplot': NOTHING, 'n': 1}])


def test_of_one_and_two(get):
    assert_rows(get('/sales?select=m:price.median(),b:price.quantile(0.3)&id=eq.1'), [{'m': 1.5, 'b': 1.5}])
    assert_rows(get('/sales?select=m:price.median(),b:price.quantile(0.3)&id=in.(1,2)'), [{'m': 1.875, 'b': 1.725}])


def test_extreme_values(get):
    assert get('/t_ints?select=a:bi.median(),b:biu.median(),c:biu.max(),d:bi.min(),e:b.median(),y:y.median()').text == \
        '[{"a":1,"b":9223372036854775808,"c":18446744073709551615,"d":-9223372036854775808,"e":1,"y":2024}]'
    assert get('/t_numbers?select=m:m.median(),u:u.boxplot(),db.max()').json()[0]['m'] == 0.005
    response = get('/t_numbers?select=d.median()')
    assert response.error() == (400, '22003') and 'float8' in response.json()['hint']
    assert get('/t_numbers?select=d::float8.median(),db.boxplot()').status == 200
    assert get('/t_numbers?select=d.median()&id=in.(1,4)').text == '[{"median":0.75}]'


# ---- dates and times ----

def test_dates_and_times(get, pays):
    row = get('/st_pays?select=d:day.median(),t:at.median(),u:ts.median(),l:lasted.median(),b:lasted.boxplot(0),h:lasted.histogram(4),q:ts.boxplot(0)').json()[0]
    days = [datetime.date.fromisoformat(v) for v in column(pays, 'day')]
    middle = quantile([F(d.toordinal()) for d in days], F(1, 2))
    assert row['d'] == (datetime.datetime.fromordinal(math.floor(middle)) + datetime.timedelta(hours=12 * (middle.denominator - 1))).isoformat()

    def seconds(text):
        sign, text = (-1, text[1:]) if text[0] == '-' else (1, text)
        h, m, s = text.split(':')
        return sign * (int(h) * 3600 + int(m) * 60 + F(s))
    lasted = [seconds(v) for v in column(pays, 'lasted')]
    assert seconds(row['l']) == quantile(lasted, F(1, 2)) == seconds(row['b']['median'])
    assert seconds(row['b']['min']) == min(lasted) < 0 and row['b']['n'] == 3000
    assert abs(F(row['h']['width']) - (max(lasted) - min(lasted)) / 4) < F(1, 1000) and sum(row['h']['counts']) == 3000
    stamps = [datetime.datetime.fromisoformat(v) for v in column(pays, 'ts')]
    have = datetime.datetime.fromisoformat(row['u'])
    assert abs((have - sorted(stamps)[1499]) + (have - sorted(stamps)[1500])) <= datetime.timedelta(microseconds=1)
    assert row['q']['median'] == row['u'] and row['u'].endswith('+00:00')


def test_instants_in_another_zone(get, pays):
    """A median is an instant, whatever zone the groups are told by."""
    plain = get('/st_pays?select=m:ts.median(),lo:ts.min()').json()
    moved = get('/st_pays?select=m:ts.median(),lo:ts.min()', {'Prefer': 'timezone=+05:30'}).json()
    for key in ('m', 'lo'):
        assert datetime.datetime.fromisoformat(plain[0][key]) == datetime.datetime.fromisoformat(moved[0][key])
    shifted = get('/st_pays?select=h:ts.hour(),n:count(),n.median()', {'Prefer': 'timezone=+05:30'}).json()
    want = collections.Counter((datetime.datetime.fromisoformat(v) + datetime.timedelta(hours=5, minutes=30)).hour for v in column(pays, 'ts'))
    assert {row['h']: row['n'] for row in shifted} == want


PARTS = [('day', 'year', lambda d: d.year), ('day', 'quarter', lambda d: (d.month + 2) // 3), ('at', 'month', lambda d: d.month), ('day', 'day', lambda d: d.day),
         ('at', 'hour', lambda d: d.hour), ('at', 'minute', lambda d: d.minute), ('day', 'weekday', lambda d: d.isoweekday()),
         ('at', 'date', lambda d: d.date().isoformat()), ('day', 'year_month', lambda d: f'{d.year:04}-{d.month:02}')]


@pytest.mark.parametrize('beside', ['', ',m:n.median()'])
@pytest.mark.parametrize('name, part, of', PARTS)
def test_parts_of_dates(get, pays, name, part, of, beside):
    """In chronological order, without being told to."""
    read = datetime.date.fromisoformat if name == 'day' else datetime.datetime.fromisoformat
    found = groups(pays, lambda row: of(read(row[name])))
    rows = get(f'/st_pays?select={name}.{part}(),n:count(){beside}').json()
    assert [(row[part], row['n']) for row in rows] == [(key, len(found[key,])) for key, in sorted(found)]
    if beside:
        assert [F(str(row['m'])) for row in rows] == [quantile(column(found[key,], 'n'), F(1, 2)) for key, in sorted(found)]


def test_parts_without_groups(get):
    assert_rows(get('/sales?select=id,sold.year(),m:sold.month(),wd:sold.weekday()&order=id.desc&limit=2'),
                [{'id': 5, 'year': None, 'm': None, 'wd': None}, {'id': 4, 'year': 2024, 'm': 2, 'wd': 5}])
    assert_rows(get('/sales?select=id&order=sold.month().desc.nullslast,id&limit=2'), [{'id': 3}, {'id': 4}])
    assert_rows(get('/sales?select=id,m:sold.month()&m=eq.2&order=id'), [{'id': 3, 'm': 2}, {'id': 4, 'm': 2}])
    assert_rows(get('/sales?select=y:sold.year().max()'), [{'y': 2024}])


# ---- groups ----

@pytest.mark.parametrize('beside', ['', ',m:n.median()'])
def test_groups_by_collation(get, pays, beside):
    """red, Red and RED are one."""
    found = groups(pays, folded)
    rows = get(f'/st_pays?select=grp,n:count(){beside}&order=grp').json()
    fold = {'añil': 'anil'}
    have = [(row['grp'] and fold.get(row['grp'], row['grp']).lower(), row['n']) for row in rows]
    assert have == [(key, len(found[key,])) for key in ('anil', 'blue', 'bluish', 'red', None)]


def test_groups_of_many_kinds(get, pays):
    rows = get('/st_pays?select=kind,flag,y:day.year(),data->>w,m:pay.median(),n:count()').json()
    found = groups(pays, 'kind', 'flag', lambda r: int(r['day'][:4]), lambda r: r['data']['w'])
    assert len(rows) == len(found)
    for row in rows:
        mine = found[row['kind'], row['flag'], row['y'], row['w']]
        assert row['n'] == len(mine) and F(str(row['m'])) == quantile(column(mine, 'pay'), F(1, 2))
    order = [(['small', 'large', 'huge'].index(r['kind']), r['flag'], r['y'], r['w']) for r in rows]
    assert order == sorted(order)


def test_embeds(get, pays):
    found = groups(pays, 'team_id')
    rows = get('/st_teams?select=id,name,st_pays(m:n.median(),n:count())&order=id').json()
    assert rows == [{'id': i, 'name': name, 'st_pays': [{'m': float(quantile(column(found[F(i),], 'n'), F(1, 2))), 'n': len(found[F(i),])}]}
                    for i, name in ((1, 'Ada'), (2, 'Bob'), (3, 'Cyd'))] + [{'id': 4, 'name': 'Eve', 'st_pays': [{'m': None, 'n': 0}]}]
    # groups of an embed, a page for each parent
    rows = get('/st_teams?select=id,st_pays(kind,m:n.median())&id=lt.3&order=id&st_pays.order=kind.desc&st_pays.limit=2').json()
    assert [[kid['kind'] for kid in row['st_pays']] for row in rows] == [['huge', 'large']] * 2
    rows = get('/st_teams?select=id,st_pays(kind,n:count(),m:n.median())&id=lt.3&st_pays.having=count().lt.0').json()
    assert [row['st_pays'] for row in rows] == [[], []]
    # the other way round: what is embedded makes the groups
    rows = get('/st_pays?select=...st_teams(team:name),m:n.median(),n:count()&order=st_teams(name).desc').json()
    assert [row['team'] for row in rows] == [None, 'Cyd', 'Bob', 'Ada']
    assert all(row['n'] == len(found[{'Ada': 1, 'Bob': 2, 'Cyd': 3, None: None}[row['team']],]) for row in rows)
    rows = get('/st_pays?select=st_teams(city),n.median()&order=st_teams(city)').json()
    assert [row['st_teams'] for row in rows] in ([{'city': 'Bonn'}, {'city': 'Cork'}, None], [{'city': 'Bonn'}, {'city': 'Cork'}, {'city': None}])
    rows = get('/st_pays?select=...st_teams(city,id.count(distinct),id.median())&order=st_teams(city)').json()
    assert [(row['city'], row['count']) for row in rows][:2] == [('Bonn', 2), ('Cork', 1)]


def test_filters(get, pays):
    rows = get('/st_pays?select=kind,pay.median(),...st_teams!inner(name)&n=gte.0&st_teams.city=eq.Bonn&or=(flag.is.true,n.gt.50)').json()
    mine = [r for r in pays if r['n'] is not None and r['n'] >= 0 and r['team_id'] in (1, 3) and (r['flag'] or r['n'] > 50)]
    found = groups(mine, 'kind', lambda r: {1: 'Ada', 3: 'Cyd'}[r['team_id']])
    assert {(r['kind'], r['name']): F(str(r['median'])) for r in rows} == {k: quantile(column(v, 'pay'), F(1, 2)) for k, v in found.items()}


# ---- order, having, pages ----

@pytest.mark.parametrize('order, key', [
    ('m.desc', lambda r: -r['m']), ('n.median().desc', lambda r: -r['m']), ('n.median(),data->>v', lambda r: (r['m'], r['v'])),
    ('pay.sum()', lambda r: r['s']), ('c,data->>v', lambda r: (r['c'], r['v'])), ('pay.stddev().desc', lambda r: -r['d'])])
def test_order_by_aggregates(get, order, key):
    rows = get(f'/st_pays?select=data->>v,m:n.median(),s:pay.sum(),c:count(),d:pay.stddev()&order={order}').json()
    assert len(rows) == 50 and [key(r) for r in rows] == sorted(key(r) for r in rows)


@pytest.mark.parametrize('order', ['s.desc', 'pay.sum().desc', 'count(),data->>v', 'pay.max().desc.nullslast', 'n.count(distinct)', 'stddev.desc'])
def test_order_by_aggregates_of_the_database(get, order):
    rows = get(f'/st_pays?select=data->>v,s:pay.sum(),c:count(),hi:pay.max(),pay.stddev(),d:n.count(distinct)&order={order}').json()
    key = {'s': 's', 'pay.sum()': 's', 'count()': 'c', 'pay.max()': 'hi', 'n.count(distinct)': 'd', 'stddev': 'stddev'}[order.split(',')[0].removesuffix('.nullslast').removesuffix('.desc')]
    assert [r[key] for r in rows] == sorted((r[key] for r in rows), reverse='.desc' in order) and len(rows) == 50


def test_order_by_what_is_not_shown(get):
    rows = get('/st_pays?select=kind&order=n.median().desc,kind').json()
    have = get('/st_pays?select=kind,m:n.median()').json()
    assert [r['kind'] for r in rows] == [r['kind'] for r in sorted(have, key=lambda r: -r['m'])]


HAVING = [('having=count().gt.60', lambda r: r['c'] > 60), ('c=gt.60', lambda r: r['c'] > 60), ('having=c.gt.60,c.lt.65', lambda r: 60 < r['c'] < 65),
          ('having=(c.gt.60,c.lt.65)', lambda r: 60 < r['c'] < 65), ('having=or(c.gt.65,s.lt.2000)', lambda r: r['c'] > 65 or r['s'] < 2000),
          ('having=not.or(c.gt.65,s.lt.2000)', lambda r: not (r['c'] > 65 or r['s'] < 2000)), ('c=in.(58,59,60)', lambda r: r['c'] in (58, 59, 60)),
          ('c=not.in.(58,59,60)', lambda r: r['c'] not in (58, 59, 60)), ('or=(c.eq.60,s.gt.3500)', lambda r: r['c'] == 60 or r['s'] > 3500),
          ('having=pay.avg().gte.50.5', lambda r: r['a'] >= 50.5), ('having=count().gt(any).{70,60}', lambda r: r['c'] > 60),
          ('having=count().gt.55&having=count().lt.60', lambda r: 55 < r['c'] < 60), ('c=gt.55&c=lt.60', lambda r: 55 < r['c'] < 60),
          ('having=lo.is.not_null', lambda r: True), ('having=lo.is.null', lambda r: False), ('having=count().neq.60', lambda r: r['c'] != 60),
          ('having=count().gt.60,data->>v.eq.7', lambda r: r['c'] > 60 and r['v'] == '7')]


@pytest.mark.parametrize('beside', ['', ',m:n.median()'])
@pytest.mark.parametrize('condition, holds', HAVING)
def test_having(get, condition, holds, beside):
    select = f'data->>v,c:count(),s:pay.sum(),a:pay.avg(),lo:day.min(){beside}'
    everything = get(f'/st_pays?select={select}').json()
    want = [r for r in everything if holds(r)]
    response = get(f'/st_pays?select={select}&{condition}', {'Prefer': 'count=exact'})
    have = response.json()
    assert sorted(r['v'] for r in have) == sorted(r['v'] for r in want)
    assert response.headers['Content-Range'].endswith(f'/{len(want)}')


def test_having_a_median(get):
    everything = get('/st_pays?select=data->>v,m:n.median(),t:at.median()').json()
    for condition, holds in (('having=n.median().gt.3', lambda r: r['m'] > 3), ('m=lte.-1.5', lambda r: r['m'] <= -1.5), ('m=neq.0', lambda r: r['m'] != 0),
                             ('having=or(m.gt.10,m.lt.-10)', lambda r: abs(r['m']) > 10), ('t=gt.2020-07-01T00:00:00', lambda r: r['t'] > '2020-07-01T00:00:00'),
                             ('having=not.and(m.gt.0,t.gt.2020-07-01)', lambda r: not (r['m'] > 0 and r['t'] > '2020-07-01'))):
        rows = get(f'/st_pays?select=data->>v,m:n.median(),t:at.median()&{condition}').json()
        assert rows == [r for r in everything if holds(r)], condition
        assert 0 < len(rows) < 50, condition


def test_pages_of_groups(stack, get):
    everything = get('/st_pays?select=data->>v,m:n.median()').json()
    path = '/st_pays?select=data->>v,m:n.median()'
    for headers, query, want, status, content_range in (
            ({}, '&limit=10', everything[:10], 200, '0-9/*'), ({}, '&limit=10&offset=45', everything[45:], 200, '45-49/*'),
            ({'Prefer': 'count=exact'}, '&limit=10', everything[:10], 206, '0-9/50'), ({'Prefer': 'count=exact'}, '', everything, 200, '0-49/50'),
            ({'Prefer': 'count=planned'}, '&limit=2&offset=1', everything[1:3], 206, '1-2/50'), ({'Prefer': 'count=estimated'}, '&limit=0', [], 206, '*/50'),
            ({'Range': '5-9', 'Prefer': 'count=exact'}, '', everything[5:10], 206, '5-9/50')):
        response = get(path + query, headers)
        assert (response.json(), response.status, response.headers['Content-Range']) == (want, status, content_range)
        if 'Range' not in headers:
            head = stack.rq('HEAD', '/rest/v1' + path + query, headers)
            assert (head.status, head.headers['Content-Range'], head.body) == (status, content_range, b'')
    response = get(path + '&offset=51', {'Prefer': 'count=exact'})
    assert response.error() == (416, 'PGRST103')
    few = stack.variant({'db-max-rows': '7'}).get(path)
    assert few.json() == everything[:7]


def test_one_object_and_other_forms(get):
    one = {'Accept': 'application/vnd.pgrst.object+json'}
    assert get('/st_pays?select=n.median(),count()', one).json() == {'median': get('/st_pays?select=n.median()').json()[0]['median'], 'count': 3000}
    assert get('/st_pays?select=kind,n.median()', one).error() == (406, 'PGRST116')
    lines = list(csv.reader(io.StringIO(get('/st_pays?select=kind,b:n.boxplot(3),m:n.median()&limit=1', {'Accept': 'text/csv'}).text)))
    assert lines[0] == ['kind', 'b', 'm'] and json.loads(lines[1][1])['median'] == float(lines[1][2])
    assert len(get('/st_pays?select=kind,b:n.boxplot()', {'Accept': 'application/x-ndjson'}).text.splitlines()) == 3
    assert 'median' not in get('/st_pays?select=count(),n.median()&id=eq.0', {'Accept': 'application/vnd.pgrst.array+json;nulls=stripped'}).json()[0]


# ---- refusals ----

@pytest.mark.parametrize('path, status, code', [
    ('/st_pays?select=grp.median()', 400, '42883'), ('/st_pays?select=data.boxplot()', 400, '42883'), ('/st_pays?select=kind.histogram(3)', 400, '42883'),
    ('/st_pays?select=nope.median()', 400, '42703'), ('/st_pays?select=day.stddev()', 400, '42883'), ('/st_pays?select=n.year()', 400, '42883'),
    ('/st_pays?select=day.hour()', 400, '42883'), ('/st_pays?select=lasted.year()', 400, '42883'), ('/st_pays?select=n.quantile(2)', 400, 'PGRST100'),
    ('/st_pays?select=n.histogram(0)', 400, 'PGRST100'), ('/st_pays?select=n.histogram(1000000000)', 400, 'PGRST100'), ('/st_pays?select=n.boxplot(-1)', 400, 'PGRST100'),
    ('/st_pays?select=n.mode()', 400, 'PGRST100'), ('/st_pays?select=kind,n.median()&order=n.boxplot()', 400, '42883'),
    ('/st_pays?select=kind,n.median()&having=n.gt.1', 400, '42803'), ('/st_pays?select=kind,n.median()&order=n', 400, '42803'),
    ('/st_pays?select=kind,n.median()&having=count()', 400, 'PGRST100'), ('/st_pays?select=kind,n.median()&having=count().gt.x', 400, '22P02'),
    ('/st_pays?select=kind,n.median()&having=count().gt.1)', 400, 'PGRST100'), ('/st_pays?select=kind,n.median()&having=', 400, 'PGRST100'),
    ('/st_pays?select=kind,n.median()&having=n.boxplot().eq.1', 400, None), ('/st_pays?select=kind,g:grp.max(),n.median()&g=eq.x', 400, 'PGRST127'),
    ('/st_pays?select=n.median()::bytea', 400, 'PGRST127'), ('/st_pays?select=grp.max()::int,n.median()', 400, 'PGRST127'), ('/st_pays?select=n.median()::date', 400, '42846'),
    ('/st_pays?select=n.boxplot()->nope', 400, '42703'), ('/st_pays?select=n.boxplot()->outliers', 400, '42703'), ('/st_pays?select=n.histogram(3)->q1', 400, '42703'),
    ('/st_pays?select=n.median()->x', 400, 'PGRST100'), ('/st_pays?select=n.boxplot()->', 400, 'PGRST100'), ('/st_pays?select=kind,b:n.boxplot()&order=b->x', 400, '42703'),
    ('/st_pays?select=kind,b:n.boxplot()&order=b->min->max', 400, '42703'), ('/st_pays?select=kind,b:n.boxplot()&order=b', 400, '42883'),
    ('/st_pays?select=kind,b:n.boxplot()&having=b->>median.gt.1', 400, 'PGRST127'), ('/st_pays?select=kind,b:n.boxplot()&having=b->median.gt.x', 400, '22P02'),
    ('/st_pays?select=kind,b:n.boxplot()::text&having=b->median.gt.1', 400, '42703'), ('/st_pays?select=kind,m:n.median()::text&having=m.gt.1', 400, 'PGRST127'),
    ('/st_teams?select=...st_pays(n.median())', 400, 'PGRST127'),
    ('/st_pays?select=' + ','.join(f'q{i}:n.quantile(0.{i})' for i in range(10, 111)), 400, 'PGRST127'),
    ('/st_pays?select=id&m=gt.1', 400, '42703'), ('/st_pays?select=kind,n:count()&having=or(count().gt.1,day.year().eq.2020)', 400, None),
    ('/st_pays?select=y:day.year(),n:count()&having=or(count().gt.1,y.eq.2020)', 400, 'PGRST127'),
    ('/st_pays?select=kind,n:count()&having=kind.fts.x', 400, None),
])
def test_refused(get, path, status, code):
    refusal = get(path).error()
    assert refusal[0] == status and (code is None or refusal[1] == code)


def test_too_many_values(stack):
    few = stack.variant({'db-max-distinct': '500'})
    response = few.get('/st_pays?select=score.median()')
    assert response.error() == (413, '54000') and 'db-max-distinct' in response.json()['hint']
    assert few.get('/st_pays?select=id,n.median()').error() == (413, '54000')
    assert few.get('/st_pays?select=n.median(),s:score.sum()').status == 200
    assert few.get('/st_pays?select=n.median(),grp.count(distinct)').status == 200
    # a long answer counts as well
    assert few.get('/st_pays?select=' + ','.join(f'h{i}:flag.histogram({900 + i})' for i in range(20))).error() == (413, '54000')
    # the connection goes on, or another takes its place
    assert few.get('/st_pays?select=count()').json() == [{'count': 3000}]
    assert few.get('/st_pays?select=kind,n.median()&n=lt.0').status == 200


def test_switched_off(stack):
    get = stack.variant({'db-aggregates-enabled': 'false'}).get
    for path in ('/sales?select=qty.median()', '/sales?select=id&order=qty.median()', '/sales?select=region&having=count().gt.1', '/sales?select=qty.count(distinct)'):
        assert get(path).error() == (400, 'PGRST123')
    assert get('/sales?select=sold.year()&id=eq.1').rows() == [{'year': 2024}]


def test_rights(stack):
    get = stack.get
    for path in ('/private_columns?select=closed_text.count(distinct)', '/private_columns?select=id.median()&closed_text=eq.x', '/private_things?select=id.median()',
                 '/clients?select=id,private_things(id.median())', '/private_columns?select=id.median()&having=closed_text.max().eq.a',
                 '/private_columns?select=id.median(),closed_text.max()'):
        assert get(path).error()[1] in ('42501', 'PGRST127'), path
    assert get('/private_things?select=id.median()', token=stack.token('authenticated')).error() == (403, '42501')
    assert_rows(get('/private_columns?select=id.median()'), [{'median': 1}])


# ---- the wages ----

@pytest.mark.skipif(not WAGES.exists(), reason='needs ../shared/data')
def test_the_real_wages(stack):
    def w(method, path, data=None, headers=None):
        return stack.rq(method, '/rest/v1' + path, headers, data, stack.token('service_role'))
    headers = {'Content-Type': 'text/csv; date-format="%m/%d/%y"'}
    for table, name in (('w_employee', 'employee_directory'), ('w_salary', 'salary_history')):
        stack.sql(f'DELETE FROM spec.{table}')
        assert w('POST', f'/{table}', (WAGES / f'{name}.csv').read_bytes(), headers).status == 201
    rows = {row['division']: row['boxplot'] for row in w('GET', '/st_compensation?select=division,salary.boxplot()').json()}
    hr = rows['HR']
    assert (hr['n'], [hr['min'], hr['q1'], hr['median'], hr['q3'], hr['max']]) == (41, [55558, 95413, 131465, 198242, 332100])
    assert len(rows) == 12 and sum(box['n'] for box in rows.values()) == 500


# ---- with writes, calls and plans ----

@pytest.mark.parametrize('query', ['select=k:count()&k=gt.0', 'select=name,k:count()&k=gte.0', 'having=count().gte.0', 'select=m:n.median()&m=gte.0',
                                   'having=n.median().gte.0', 'select=id,c:count()&or=(c.gte.0,id.eq.1)'])
@pytest.mark.parametrize('method, data', [('DELETE', None), ('PATCH', {'n': 5})])
def test_a_write_takes_no_condition_on_groups(stack, method, data, query):
    """It would be no condition on the rows: all of them would be written."""
    stack.sql("DELETE FROM spec.w_one")
    stack.sql("INSERT INTO spec.w_one VALUES (1, 'a', 1), (2, 'b', 2)")
    response = stack.rq(method, f'/rest/v1/w_one?{query}', {'Prefer': 'return=representation'}, data, stack.service_key)
    assert response.error() == (400, '42803')
    assert stack.sql('SELECT COUNT(*), SUM(n) FROM spec.w_one') == ((2, 3),)


def test_what_a_write_shows(stack):
    stack.sql("DELETE FROM spec.w_one")
    show = {'Prefer': 'return=representation'}
    rows = [{'id': i, 'name': 'x' if i < 3 else 'y', 'n': i * i} for i in range(1, 6)]
    response = stack.rq('POST', '/rest/v1/w_one?select=name,m:n.median(),c:count()&having=count().gt.1&order=m.desc', show, rows, stack.service_key)
    assert (response.status, response.json()) == (201, [{'name': 'y', 'm': 16, 'c': 3}, {'name': 'x', 'm': 2.5, 'c': 2}])
    response = stack.rq('DELETE', '/rest/v1/w_one?select=n.quantile(0.25)&id=gt.2', show, None, stack.service_key)
    assert response.json() == [{'quantile': 12.5}]


def test_plans(stack):
    response = stack.variant({'db-plan-enabled': 'true'}).get('/st_pays?select=kind,n.median()&order=n.median()', {'Accept': 'application/vnd.pgrst.plan+json'})
    assert response.status == 200 and 'GROUP' not in response.text.upper()


def test_rows_of_a_procedure(get):
    assert_rows(get('/rpc/getallprojects?select=client_id,m:id.median(),b:id.boxplot(0)&order=client_id&client_id=not.is.null'),
                [{'client_id': i, 'm': 2 * i - .5, 'b': {'n': 2, 'min': 2 * i - 1, 'q1': 2 * i - .75, 'median': 2 * i - .5, 'q3': 2 * i - .25, 'max': 2 * i,
                                                          'mean': 2 * i - .5, 'lower_whisker': 2 * i - 1, 'upper_whisker': 2 * i, 'outlier_count': 0, 'outliers': []}}
                 for i in (1, 2)])
    assert_rows(get('/rpc/getallprojects?select=client_id,n:count()&having=count().gt.1&order=client_id'), [{'client_id': 1, 'n': 2}, {'client_id': 2, 'n': 2}])
