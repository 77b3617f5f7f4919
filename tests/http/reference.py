"""
What a read should answer, worked out in Python: a query is a tree that is written as a URL and evaluated over rows in
memory, with SQL's three-valued logic (True, False, None). Text compares by its bytes, the shorter one padded with
blanks (utf8mb4_bin on both servers); the model knows only what the dialect promises on both.
"""
import functools
import json
import re
import urllib.parse

# name -> (other table, to one?, key here, key there, junction)
RELATIONS = {
    'rnd_items': {'rnd_parents': (True, 'par_id', 'id', None),
                  'rnd_tags': (False, 'id', 'id', ('rnd_items_tags', 'item_id', 'tag_id'))},
    'rnd_parents': {'rnd_groups': (True, 'grp_id', 'id', None), 'rnd_items': (False, 'id', 'par_id', None)},
    'rnd_groups': {'rnd_parents': (False, 'id', 'grp_id', None)},
    'rnd_tags': {'rnd_items': (False, 'id', 'id', ('rnd_items_tags', 'tag_id', 'item_id'))},
}


class Node:
    """One level: items are ('col', column, alias, cast) or ('embed', relation, alias, 'inner'/'', spread, Node)."""

    def __init__(self, table, items, where=(), order=(), limit=None, offset=0):
        self.table, self.items, self.where = table, list(items), list(where)
        self.order, self.limit, self.offset = list(order), limit, offset


# --- values ---

def key(v):
    """What comparison and order look at."""
    return v.encode().ljust(300, b' ') if isinstance(v, str) else v


def both(test, a, b):
    return None if a is None or b is None else test(key(a), key(b))


def negate(v):
    return None if v is None else not v


def all_of(values):
    values = list(values)
    return False if False in values else None if None in values else True


def any_of(values):
    values = list(values)
    return True if True in values else None if None in values else False


def like(text, pattern, blind):
    out, i = '', 0
    while i < len(pattern):
        c = pattern[i]
        if c == '\\' and i + 1 < len(pattern):
            i += 1
            # A star is a percent sign before it is anything else.
            out += re.escape('%' if pattern[i] == '*' else pattern[i])
        elif c in '*%':
            out += '.*'
        elif c == '_':
            out += '.'
        else:
            out += re.escape(c)
        i += 1
    return re.fullmatch(out, text, re.DOTALL | (re.IGNORECASE if blind else 0)) is not None


COMPARE = {'eq': lambda a, b: a == b, 'neq': lambda a, b: a != b, 'gt': lambda a, b: a > b, 'gte': lambda a, b: a >= b,
           'lt': lambda a, b: a < b, 'lte': lambda a, b: a <= b}
TEXT = {'like': lambda a, b: like(a, b, False), 'ilike': lambda a, b: like(a, b, True),
        'match': lambda a, b: re.search(b, a) is not None, 'imatch': lambda a, b: re.search(b, a, re.I) is not None}
ARRAY = {'cs': lambda a, b: all(x in a for x in b), 'cd': lambda a, b: all(x in b for x in a),
         'ov': lambda a, b: any(x in b for x in a)}


def column(row, name):
    """A column, or a step into JSON: data->n, data->>s."""
    if '->' not in name:
        return row[name]
    base, step = name.split('->', 1)
    value = (row[base] or {}).get(step.lstrip('>'))
    return str(value) if step[0] == '>' and value is not None else value


def operate(op, have, want):
    if op in COMPARE:
        return both(COMPARE[op], have, want)
    if have is None:
        return None
    return TEXT[op](have, want) if op in TEXT else ARRAY[op](have, want)


def leaf(row, f):
    have, op = column(row, f['column']), f['op']
    if op == 'is':
        word = f['value'].lower()
        value = {'null': have is None, 'unknown': have is None, 'not_null': have is not None, 'true': have is True,
                 'false': have is False}[word]
    elif op == 'isdistinct':
        value = have is not f['value'] if have is None or f['value'] is None else key(have) != key(f['value'])
    elif op == 'in':
        value = any_of(both(COMPARE['eq'], have, v) for v in f['value']) if f['value'] else False
    elif f.get('quantifier'):
        join = any_of if f['quantifier'] == 'any' else all_of
        value = join(operate(op, have, v) for v in f['value'])
    else:
        value = operate(op, have, f['value'])
    return negate(value) if f.get('not') else value


# --- evaluation ---

class Evaluator:
    def __init__(self, tables):
        self.tables = tables

    def kids(self, table, row, relation):
        _, here, there, junction = RELATIONS[table][relation]
        if row[here] is None:
            return []
        if junction:
            name, mine, theirs = junction
            wanted = {j[theirs] for j in self.tables[name] if j[mine] == row[here]}
            return [r for r in self.tables[relation] if r[there] in wanted]
        return [r for r in self.tables[relation] if r[there] == row[here]]

    def condition(self, node, row, c):
        kind = c['kind']
        if kind == 'leaf':
            return leaf(row, c)
        if kind == 'exists':
            embed = next(i for i in node.items if i[0] == 'embed' and (i[2] or i[1]) == c['embed'])
            found = bool(self.matching(embed[5], self.kids(node.table, row, embed[1])))
            return found != c['null']
        value = (all_of if kind == 'and' else any_of)(self.condition(node, row, k) for k in c['kids'])
        return negate(value) if c.get('not') else value

    def matching(self, node, rows):
        inner = [i for i in node.items if i[0] == 'embed' and i[3] == 'inner']
        return [r for r in rows if all_of(self.condition(node, r, c) for c in node.where) is True and
                all(self.matching(i[5], self.kids(node.table, r, i[1])) for i in inner)]

    def ordered(self, node, rows):
        def compare(a, b):
            for name, descending, nulls in node.order:
                x, y = self.order_value(node, a, name), self.order_value(node, b, name)
                if x == y:
                    continue
                if x is None or y is None:
                    first = (nulls or ('first' if descending else 'last')) == 'first'
                    return -1 if (x is None) == first else 1
                if key(x) != key(y):
                    return (-1 if key(x) < key(y) else 1) * (-1 if descending else 1)
            return 0
        return sorted(rows, key=functools.cmp_to_key(compare))

    def order_value(self, node, row, name):
        if '(' not in name:
            return column(row, name)
        relation, inside = name[:-1].split('(')
        embed = next(i for i in node.items if i[0] == 'embed' and (i[2] or i[1]) == relation)
        found = self.matching(embed[5], self.kids(node.table, row, embed[1]))
        return found[0][inside] if found else None

    def page(self, node, rows):
        rows = self.ordered(node, self.matching(node, rows))[node.offset:]
        return rows if node.limit is None else rows[:node.limit]

    def pairs(self, node, row):
        """The row's keys and values in their order; a spread's names may come more than once."""
        out = []
        for item in node.items:
            if item[0] == 'col':
                out.append((item[2] or item[1].split('->')[-1].lstrip('>'), cast(column(row, item[1]), item[3])))
                continue
            _, relation, alias, _, spread, kid = item
            rows = self.page(kid, self.kids(node.table, row, relation))
            one = RELATIONS[node.table][relation][0]
            if not spread:
                shown = [dict(self.pairs(kid, r)) for r in rows]
                out.append((alias or relation, (shown[0] if shown else None) if one else shown))
            elif one:
                out += self.pairs(kid, rows[0]) if rows else [(n, None) for n, _ in self.names(kid)]
            else:
                lists = [self.pairs(kid, r) for r in rows]
                out += [(n, [r[i][1] for r in lists]) for i, (n, _) in enumerate(self.names(kid))]
        return out

    @staticmethod
    def names(kid):
        return [(i[2] or i[1].split('->')[-1].lstrip('>'), None) for i in kid.items]

    def rows(self, node):
        return [dict(self.pairs(node, r)) for r in self.page(node, self.tables[node.table])]

    def total(self, node):
        return len(self.matching(node, self.tables[node.table]))


def cast(value, to):
    if value is None or not to:
        return value
    return ('true' if value else 'false') if isinstance(value, bool) else str(value)


# --- the URL ---

def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def text_of(value):
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


class Writer:
    """dice decides about what may be written in several ways."""

    def __init__(self, dice):
        self.dice = dice

    def item(self, value, ends):
        """One of a list, or a value in a tree: in quotes where it must be, and sometimes where it need not."""
        text = text_of(value)
        if isinstance(value, str) and (text[:1] in ('"', '{', '[') or any(c in text for c in ends) or
                                       self.dice.random() < .3):
            return quoted(text)
        return text

    def items(self, values, ends):
        """One empty text needs its quotes: without them the list is empty."""
        return '""' if values == [''] else ','.join(self.item(v, ends) for v in values)

    def operation(self, f, tree):
        op, value = f['op'], f['value']
        if f.get('quantifier'):
            text = '{' + self.items(value, ',}') + '}'
        elif op == 'in':
            text = '(' + self.items(value, ',)') + ')'
        elif tree and op != 'is':
            text = self.item(value, ',)') if not isinstance(value, list) else text_of(value)
        else:
            text = text_of(value)
        return ('not.' if f.get('not') else '') + op + (f'({f["quantifier"]})' if f.get('quantifier') else '') + '.' + text

    def in_tree(self, c):
        if c['kind'] == 'leaf':
            return c['column'] + '.' + self.operation(c, True)
        if c['kind'] == 'exists':
            return c['embed'] + ('.is.null' if c['null'] else '.not.is.null')
        return ('not.' if c.get('not') else '') + c['kind'] + '(' + ','.join(self.in_tree(k) for k in c['kids']) + ')'

    def select(self, node):
        out = []
        for i in node.items:
            if i[0] == 'col':
                out.append((i[2] + ':' if i[2] else '') + i[1] + ('::' + i[3] if i[3] else ''))
            else:
                out.append(('...' if i[4] else i[2] + ':' if i[2] else '') + i[1] + ('!inner' if i[3] else '') + '(' +
                           self.select(i[5]) + ')')
        return ','.join(out)

    def parameters(self, node, path=''):
        out = []
        for c in node.where:
            if c['kind'] == 'leaf':
                out.append((path + c['column'], self.operation(c, False)))
            elif c['kind'] == 'exists':
                out.append((path + c['embed'], 'is.null' if c['null'] else 'not.is.null'))
            else:
                out.append((path + ('not.' if c.get('not') else '') + c['kind'],
                            '(' + ','.join(self.in_tree(k) for k in c['kids']) + ')'))
        if node.order:
            out.append((path + 'order', ','.join(n + ('.desc' if d else self.dice.choice(['', '.asc'])) +
                                                 (f'.nulls{nulls}' if nulls else '') for n, d, nulls in node.order)))
        if node.limit is not None:
            out.append((path + 'limit', str(node.limit)))
        if node.offset:
            out.append((path + 'offset', str(node.offset)))
        for i in node.items:
            if i[0] == 'embed':
                out += self.parameters(i[5], path + (i[2] or i[1]) + '.')
        return out

    def url(self, node):
        parameters = [('select', self.select(node))] + self.parameters(node)
        self.dice.shuffle(parameters)
        quote = functools.partial(urllib.parse.quote, safe='' if self.dice.random() < .5 else ",.()*:!{}>-")
        return f'/{node.table}?' + '&'.join(quote(k) + '=' + quote(v) for k, v in parameters)
