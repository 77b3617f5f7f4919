"""Random queries over random rows, against what reference.py works out. The seed is fixed: a failure comes again."""
import csv
import datetime
import decimal
import io
import json
import os
import random

import pytest

import harness
from reference import Evaluator, Node, Writer

D = decimal.Decimal
# ROWGATE_SEED=... for other queries than those of every run.
SEED = os.environ.get('ROWGATE_SEED', '')
TEXTS = ['a', 'A', 'b', 'ab', 'aB', 'abc', 'a,b', 'a"b', 'a\\b', '(a)', 'a)b', '{a,b}', '"a"', '', 'ä', 'Äb', 'a%b', 'a_b',
         'a*b', 'a.b', 'null', 'not.eq.x', '[a]', '日本', '🙂', 'a\nb', 'a  b', "a'b", 'a`b', '\\', '"', ',', 'a;b--', '0', '1e1',
         'a\tb', 'true', 'x' * 60, '?', ':a', '%', "\\'", '}', ']', ')']
PATTERNS = ['*', 'a*', '*b', '*a*', 'a_b', 'A*', 'a\\*b', 'a\\%b', 'a\\_b', 'a%b', '', '_', '__', '*,*', '*)*', '*"*', '*日*', 'a.b', '*b*',
            '*\\\\*', 'Ä*', '*x', '{a,b}', '"a"']
REGEXES = ['a', '^a', 'b$', '^$', 'a.b', '[ab]', '^[^a]', 'a*b', '\\(a', ',', '"', '日', 'A', '^.$', 'a|b', 'ä', '\\\\', '[)]', 'x{60}',
           'a{1}', '\\.']
KEYS = ['a', 'b', 'c d', 'e,f', 'g"h']


@pytest.fixture(scope='module')
def data(stack):
    dice = random.Random('data' + SEED)

    def maybe(value):
        return None if dice.random() < .2 else value

    tables = {
        'rnd_groups': [{'id': i, 'name': dice.choice(TEXTS)} for i in range(1, 5)],
        'rnd_parents': [{'id': i, 'name': maybe(dice.choice(TEXTS)), 'grp_id': maybe(dice.randint(1, 4))} for i in range(1, 13)],
        'rnd_tags': [{'id': i, 'label': maybe(dice.choice(TEXTS))} for i in range(1, 9)],
        'rnd_items': [{
            'id': i, 'n': maybe(dice.randint(-4, 4)), 'big': maybe(dice.choice([0, -1, 2 ** 63 - 1, -2 ** 63, 10 ** 18 + 1])),
            'd': maybe(D(dice.randint(-500, 500)).scaleb(-2)), 'f': maybe(dice.choice([0.0, 0.1, -2.5, 1e300, 1 / 3])),
            't': maybe(dice.choice(TEXTS)),
            'day': maybe((datetime.date(2024, 2, 27) + datetime.timedelta(dice.randint(0, 4))).isoformat()),
            'flag': maybe(dice.random() < .5),
            'j': maybe({k: v for k, v in (('n', dice.randint(0, 3)), ('s', dice.choice(TEXTS))) if dice.random() < .7}),
            'tags': maybe(dice.sample(KEYS, dice.randint(0, 3))),
            'par_id': maybe(dice.randint(1, 12)),
        } for i in range(1, 61)],
    }
    pairs = sorted({(dice.randint(1, 60), dice.randint(1, 8)) for _ in range(80)})
    tables['rnd_items_tags'] = [{'item_id': i, 'tag_id': t} for i, t in pairs]
    text = 'CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'
    for name, columns in {
        'rnd_groups': f'id INT PRIMARY KEY, name VARCHAR(80) {text}',
        'rnd_parents': f'id INT PRIMARY KEY, name VARCHAR(80) {text}, grp_id INT, FOREIGN KEY (grp_id) REFERENCES rnd_groups (id)',
        'rnd_tags': f'id INT PRIMARY KEY, label VARCHAR(80) {text}',
        'rnd_items': f'''id INT PRIMARY KEY, n INT, big BIGINT, d DECIMAL(10,2), f DOUBLE, t VARCHAR(80) {text}, day DATE, flag TINYINT(1),
            j JSON, tags JSON, par_id INT, FOREIGN KEY (par_id) REFERENCES rnd_parents (id)''',
        'rnd_items_tags': '''item_id INT, tag_id INT, PRIMARY KEY (item_id, tag_id),
            FOREIGN KEY (item_id) REFERENCES rnd_items (id), FOREIGN KEY (tag_id) REFERENCES rnd_tags (id)''',
    }.items():
        stack.sql(f'CREATE TABLE spec.{name} ({columns})')
        stack.sql(f'GRANT SELECT ON spec.{name} TO anon')
        for row in tables[name]:
            values = [json.dumps(v) if isinstance(v, (dict, list)) else v for v in row.values()]
            stack.sql(f'INSERT INTO spec.{name} VALUES ({",".join(["%s"] * len(values))})', *values)
    assert harness.wait_until(lambda: all(stack.get(f'/{name}?limit=1').status == 200 for name in tables for _ in range(8)))
    yield tables
    for name in reversed(list(tables)):
        stack.sql(f'DROP TABLE spec.{name}')


class Generator:
    """Random trees; depth bounds the nesting of embeds."""
    COLUMNS = {'rnd_items': ['id', 'n', 'big', 'd', 'f', 't', 'day', 'flag', 'j->n', 'j->>s', 'tags'], 'rnd_parents': ['id', 'name', 'grp_id'],
               'rnd_groups': ['id', 'name'], 'rnd_tags': ['id', 'label']}
    RELATIONS = {'rnd_items': ['rnd_parents', 'rnd_tags'], 'rnd_parents': ['rnd_groups', 'rnd_items'], 'rnd_groups': ['rnd_parents'],
                 'rnd_tags': ['rnd_items']}
    ONE = {('rnd_items', 'rnd_parents'), ('rnd_parents', 'rnd_groups')}

    def __init__(self, dice):
        self.dice = dice
        self.aliases = 0

    def literal(self, name):
        d = self.dice
        return {
            'n': lambda: d.randint(-5, 5), 'id': lambda: d.randint(0, 61), 'grp_id': lambda: d.randint(0, 5),
            'big': lambda: d.choice([0, -1, 2 ** 63 - 1, -2 ** 63, 10 ** 18, 10 ** 18 + 1]),
            'd': lambda: D(d.randint(-500, 500)) / d.choice([1, 10, 100, 1000]), 'f': lambda: d.choice([0.0, 0.1, -2.5, 1e300, 1 / 3, 1.0]),
            'day': lambda: f'2024-{d.choice(["02-28", "02-29", "03-01", "03-02"])}', 'flag': lambda: d.random() < .5,
            'j->n': lambda: d.randint(0, 4), 'tags': lambda: d.sample(KEYS, d.randint(0, 2)),
        }.get(name, lambda: d.choice(TEXTS))()

    def leaf(self, table):
        d = self.dice
        name = d.choice(self.COLUMNS[table])
        text = name in ('t', 'name', 'label', 'j->>s')
        f = {'kind': 'leaf', 'column': name, 'not': d.random() < .25}
        ops = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'in', 'in', 'is', 'isdistinct', 'some'] + \
            ['like', 'ilike', 'match', 'imatch', 'some like'] * text
        if name == 'tags':
            ops = ['cs', 'cd', 'ov', 'is']
        elif name == 'j->n':
            ops = ['eq', 'gt', 'gte', 'lt', 'lte', 'in']
        op = d.choice(ops)
        if op == 'is':
            words = ['null', 'not_null', 'NULL'] + ['true', 'false', 'unknown', 'True'] * (name == 'flag')
            return {**f, 'op': 'is', 'value': d.choice(words)}
        if op == 'in':
            return {**f, 'op': 'in', 'value': [self.literal(name) for _ in range(d.randint(0, 5))]}
        if op == 'some':
            return {**f, 'op': d.choice(['eq', 'gt', 'gte', 'lt', 'lte']), 'quantifier': d.choice(['any', 'all']),
                    'value': [self.literal(name) for _ in range(d.randint(0, 3))]}
        if op == 'some like':
            return {**f, 'op': d.choice(['like', 'ilike']), 'quantifier': d.choice(['any', 'all']),
                    'value': [d.choice(PATTERNS) for _ in range(d.randint(0, 3))]}
        value = d.choice(PATTERNS) if 'like' in op else d.choice(REGEXES) if 'match' in op else self.literal(name)
        return {**f, 'op': op, 'value': value}

    def condition(self, table, depth=0):
        d = self.dice
        if depth > 3 or d.random() < .6 - .2 * depth * (depth < 2):
            return self.leaf(table)
        return {'kind': d.choice(['and', 'or']), 'not': d.random() < .3,
                'kids': [self.condition(table, depth + 1) for _ in range(d.randint(1, 4))]}

    def alias(self):
        self.aliases += 1
        return f'a{self.aliases}'

    def columns(self, table):
        out = []
        for name in self.dice.sample(self.COLUMNS[table], self.dice.randint(1, min(3, len(self.COLUMNS[table])))):
            castable = name in ('id', 'n', 'big', 'd', 'flag', 'grp_id', 'day')
            out.append(('col', name, self.alias(), 'text' if castable and self.dice.random() < .2 else ''))
        return out

    def order(self, table):
        d = self.dice
        names = [n for n in self.COLUMNS[table] if n not in ('tags', 'j->n', 'id')]
        out = [(n, d.random() < .5, d.choice(['', '', 'first', 'last'])) for n in d.sample(names, d.randint(0, min(2, len(names))))]
        return out + [('id', d.random() < .5, '')]

    def node(self, table, depth):
        d = self.dice
        node = Node(table, self.columns(table), [self.condition(table) for _ in range(d.choice([0, 0, 1, 1, 2]))], self.order(table))
        if d.random() < .4:
            node.limit = d.choice([0, 1, 2, 5, 30, 9223372036854775807])
        if d.random() < .3:
            node.offset = d.randint(0, 4)
        for _ in range(d.randint(0, 2) if depth else 0):
            self.embed(node, depth)
        return node

    def embed(self, node, depth):
        d = self.dice
        relation = d.choice(self.RELATIONS[node.table])
        one = (node.table, relation) in self.ONE
        spread = d.random() < .2 and not any(i[0] == 'embed' and i[1] == relation for i in node.items)
        kid = self.node(relation, 0 if spread else depth - 1)
        if one:
            kid.limit, kid.offset, kid.order = None, 0, []
        if spread:
            kid.limit, kid.offset = None, 0
        alias = '' if spread else self.alias()
        node.items.append(('embed', relation, alias, 'inner' if d.random() < .3 else '', spread, kid))
        if spread:
            return
        if d.random() < .25:
            c = {'kind': 'exists', 'embed': alias, 'null': d.random() < .5}
            node.where.append(c if d.random() < .5 else {'kind': 'or', 'kids': [c, self.leaf(node.table)]})
        if one and d.random() < .4 and relation == 'rnd_parents':
            node.order.insert(0, (f'{alias}(name)', d.random() < .5, d.choice(['', 'first', 'last'])))


def exact(response):
    return json.loads(response.body, parse_float=D)


def same(have, want):
    """Numbers by their value, doubles as doubles, the order of keys and rows as it stands."""
    if isinstance(want, dict) and isinstance(have, dict):
        return list(have) == list(want) and all(same(have[k], want[k]) for k in want)
    if isinstance(want, list) and isinstance(have, list):
        return len(have) == len(want) and all(map(same, have, want))
    if isinstance(want, bool) or isinstance(have, bool) or want is None or have is None:
        return have is want
    if isinstance(want, float):
        return not isinstance(have, str) and float(have) == want
    return have == want and isinstance(have, str) == isinstance(want, str)


def check(response, url, want):
    assert response.status in (200, 206), (url, response)
    have = exact(response)
    assert same(have, want), f'{url}\nhave {have}\nwant {want}'


@pytest.mark.parametrize('seed', range(12))
def test_filters(stack, data, seed):
    """One level: trees of conditions, order, pages, casts."""
    dice = random.Random(f'filters {seed}{SEED}')
    reference, generator, writer = Evaluator(data), Generator(dice), Writer(dice)
    for _ in range(60):
        node = generator.node(dice.choice(['rnd_items'] * 4 + ['rnd_parents', 'rnd_tags']), 0)
        url = writer.url(node)
        check(stack.get(url), url, reference.rows(node))


@pytest.mark.parametrize('seed', range(12))
def test_embeds(stack, data, seed):
    """Nested embeds of every kind with filters, orders and pages of their own."""
    dice = random.Random(f'embeds {seed}{SEED}')
    reference, generator, writer = Evaluator(data), Generator(dice), Writer(dice)
    for _ in range(40):
        node = generator.node(dice.choice(list(Generator.RELATIONS)), dice.randint(1, 4))
        url = writer.url(node)
        check(stack.get(url), url, reference.rows(node))


def test_pages_and_counts(stack, data):
    """count=exact is the number of rows, a Range header is a slice, and HEAD has none."""
    dice = random.Random('pages' + SEED)
    reference, generator, writer = Evaluator(data), Generator(dice), Writer(dice)
    for _ in range(60):
        node = generator.node('rnd_items', dice.randint(0, 2))
        node.limit, node.offset = None, 0
        rows, total = reference.rows(node), reference.total(node)
        first = dice.randint(0, 20)
        last = dice.choice(['', first, first + dice.randint(0, 70)])
        url = writer.url(node)
        headers = {'Range': f'{first}-{last}', 'Prefer': 'count=exact'}
        part = rows[first:last + 1] if last != '' else rows[first:]
        response = stack.get(url, headers)
        head = stack.rq('HEAD', '/rest/v1' + url, headers)
        if first > total:
            assert (response.status, response.headers['Content-Range']) == (416, f'*/{total}')
        else:
            check(response, url, part)
            span = f'{first}-{first + len(part) - 1}' if part else '*'
            assert response.headers['Content-Range'] == f'{span}/{total}', url
            assert response.status == (206 if len(part) < total else 200), url
        assert (head.status, head.headers['Content-Range']) == (200, f'0-{total - 1}/{total}' if total else '*/0'), url


def field(value):
    return '' if value is None else ('t' if value else 'f') if isinstance(value, bool) else value if isinstance(value, str) else \
        json.dumps(value, separators=(',', ':'), ensure_ascii=False)


def test_csv_and_ndjson(stack, data):
    """The same rows in every format."""
    dice = random.Random('csv' + SEED)
    generator, writer = Generator(dice), Writer(dice)
    for _ in range(60):
        node = generator.node(dice.choice(['rnd_items', 'rnd_items', 'rnd_parents']), dice.randint(0, 2))
        url = writer.url(node)
        rows = json.loads(stack.get(url).body, parse_float=str, parse_int=str)
        lines = stack.get(url, {'Accept': 'application/x-ndjson'}).text.split('\n')
        assert [json.loads(x, parse_float=str, parse_int=str) for x in lines if x] == rows, url
        header, *table = csv.reader(io.StringIO(stack.get(url, {'Accept': 'text/csv'}).text + '\n', newline=''))
        assert len(table) == len(rows), url
        for row, fields in zip(rows, table):
            assert header == list(row), url
            for want, have in zip(row.values(), fields or ['']):
                if isinstance(want, (dict, list)):
                    assert json.loads(have, parse_float=str, parse_int=str) == want, url
                else:
                    assert have == field(want), url


def aggregate(function, values):
    if function == 'count':
        return len(values)
    if not values:
        return None
    if function in ('min', 'max'):
        return (min if function == 'min' else max)(values)
    return sum(values) if function == 'sum' else D(sum(values)) / len(values)


def close(have, want):
    return have == want if want is None or have is None or isinstance(want, str) else abs(D(have) - D(want)) < D('0.0001')


def test_aggregates(stack, data):
    dice = random.Random('aggregates' + SEED)
    reference, generator, writer = Evaluator(data), Generator(dice), Writer(dice)
    for _ in range(120):
        node = Node('rnd_items', [], [generator.condition('rnd_items') for _ in range(dice.choice([0, 1, 1]))])
        groups = dice.sample(['n', 't', 'day', 'flag', 'par_id', 'j->>s'], dice.randint(0, 2))
        wanted = [(dice.choice(['n', 'd', 'id']), dice.choice(['sum', 'avg', 'min', 'max', 'count'])) for _ in range(dice.randint(1, 3))]
        wanted += [('day', dice.choice(['min', 'max', 'count']))] * dice.randint(0, 1)
        buckets = {}
        for row in reference.matching(node, data['rnd_items']):
            key = tuple((row['j'] or {}).get('s') if g == 'j->>s' else row[g] for g in groups)
            buckets.setdefault(key, []).append(row)
        if not groups and not buckets:
            buckets[()] = []
        want = []
        for key, rows in buckets.items():
            row = {f'g{i}': v for i, v in enumerate(key)}
            row.update({f'v{i}': aggregate(f, [r[c] for r in rows if r[c] is not None]) for i, (c, f) in enumerate(wanted)})
            want.append(row)
        node.items = [('col', g, f'g{i}', '') for i, g in enumerate(groups)] + \
            [('col', f'{c}.{f}()', f'v{i}', '') for i, (c, f) in enumerate(wanted)]
        url = writer.url(node)
        response = stack.get(url, {'Prefer': 'count=exact'})
        assert response.status == 200, (url, response)
        have = exact(response)
        assert response.headers['Content-Range'].endswith(f'/{len(want)}'), (url, response.headers['Content-Range'])

        def group(row):
            return repr([row[f'g{i}'] for i in range(len(groups))])
        assert len(have) == len(want), url
        for a, b in zip(sorted(have, key=group), sorted(want, key=group)):
            assert list(a) == list(b) and all(close(a[k], b[k]) for k in b), (url, a, b)
