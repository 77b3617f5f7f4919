"""
Random writes, good and bad, in every form; after each the table must be what its answer said, and what a model of the
table in this file says. The seed is fixed unless ROWGATE_SEED says otherwise (a number, or `random`), and is printed.
"""
import csv
import datetime
import gzip
import io
import json
import os
import random
import urllib.parse
import uuid

import pytest

COLUMNS = ('id', 'n', 't', 'd', 'g')
STEPS = int(os.environ.get('ROWGATE_STEPS', '250'))
SEED = os.environ.get('ROWGATE_SEED', '20261121')
SEED = random.SystemRandom().randrange(10**9) if SEED == 'random' else int(SEED)
TEXTS = ['', 'a', 'ümläut', '日本語', '"quoted"', 'a,b', "it's", 'back\\', 'two\nrows', '🙂' * 8, ' blank ', ';--', '{}', '[1]', 'x' * 8]
BAD = [('n', 99999), ('n', -32769), ('n', 'abc'), ('n', None), ('n', 1.5), ('n', 13), ('t', 'x' * 9), ('t', '日' * 9), ('d', '2023-02-30'),
       ('d', 'soon'), ('g', 'z'), ('g', ''), ('id', None), ('id', 2**31), ('id', 'one')]


class Model:
    """The table as it should be: {id: row}."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.rows = {}

    # ---- what is asked ----

    def good_row(self, id_):
        dice = self.dice
        return {'id': id_, 'n': dice.choice([0, 1, -32768, 32767, dice.randrange(14, 999)]), 't': dice.choice([None, *TEXTS]),
                'd': dice.choice([None, '2024-02-29', '1000-01-01', '9999-12-31', str(datetime.date(2020, 1, 1) + datetime.timedelta(dice.randrange(999)))]),
                'g': dice.choice([None, 'x', 'y'])}

    def new_id(self):
        return self.dice.choice([self.dice.randrange(1, 40), self.dice.randrange(-2**31, 2**31)])

    def batch(self):
        """Rows, of which a few may be bad, and how the body fares: (rows, bad)."""
        dice = self.dice
        rows = [self.good_row(self.new_id()) for _ in range(dice.choice([0, 1, 1, 2, 3, 10, 60]))]
        bad = bool(rows) and dice.random() < .3
        if bad:
            for row in dice.sample(rows, dice.randrange(1, min(4, len(rows)) + 1)):
                column, value = dice.choice(BAD)
                row[column] = value
        return rows, bad

    # ---- what should come of it ----

    def insert(self, rows):
        ids = [row['id'] for row in rows]
        if len(set(ids)) < len(ids) or self.rows.keys() & set(ids):
            return None
        self.rows.update((row['id'], row) for row in rows)
        return rows

    def merge(self, rows):
        ids = [row['id'] for row in rows]
        if len(set(ids)) < len(ids):
            return None
        self.rows.update((row['id'], row) for row in rows)
        return rows

    def ignore(self, rows):
        new = []
        for row in rows:
            if row['id'] not in self.rows:
                self.rows[row['id']] = row
                new.append(row)
        return new


def filled(row):
    return {c: row.get(c) for c in COLUMNS}


def key_of(row):
    return str(row['id']).rjust(12)


class Forms:
    """A batch as a body: (media type, bytes). Which forms can say it is what the names say."""

    @staticmethod
    def json_array(rows, dice):
        return 'application/json', json.dumps(rows, ensure_ascii=dice.random() < .5, indent=dice.choice([None, 1])).encode()

    @staticmethod
    def json_object(rows, dice):
        return ('application/json', json.dumps(rows[0]).encode()) if len(rows) == 1 else None

    @staticmethod
    def ndjson(rows, dice):
        return ('application/x-ndjson', ''.join(json.dumps(row) + dice.choice(['\n', '\r\n', '\n\n']) for row in rows).encode()) if rows else None

    @staticmethod
    def csv(rows, dice):
        if not rows:
            return None
        out = io.StringIO()
        delimiter = dice.choice([',', ';', '\t'])
        writer = csv.writer(out, delimiter=delimiter, lineterminator=dice.choice(['\n', '\r\n']), quoting=csv.QUOTE_MINIMAL)
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow('~' if v is None else v for v in row.values())
        kind = 'text/csv; null="~"; delimiter=' + ('tab' if delimiter == '\t' else f'"{delimiter}"')
        return kind, dice.choice(['', '\ufeff']).encode() + out.getvalue().encode()

    @staticmethod
    def form(rows, dice):
        if len(rows) != 1 or None in rows[0].values():
            return None
        return 'application/x-www-form-urlencoded', urllib.parse.urlencode(rows[0]).encode()

    ALL = [json_array, json_object, ndjson, csv, form]


class Run:
    def __init__(self, stack, seed):
        self.stack, self.model, self.seed, self.step = stack, Model(seed), seed, 0
        self.dice = self.model.dice
        self.counts = {}

    def table(self):
        rows = self.stack.sql('SELECT id, n, t, CAST(d AS CHAR), g FROM spec.w_prop')
        return {row[0]: dict(zip(COLUMNS, row)) for row in rows}

    def ask(self, method, path, body, prefer):
        headers = {}
        if body is not None:
            headers['Content-Type'], data = body
            if self.dice.random() < .2:
                headers['Content-Encoding'], data = 'gzip', gzip.compress(data)
        else:
            data = None
        if self.dice.random() < .2:
            headers['Idempotency-Key'] = str(uuid.UUID(int=self.dice.getrandbits(128))) + str(uuid.uuid4())
        if prefer:
            headers['Prefer'] = ', '.join(prefer)
        return self.stack.rq(method, '/rest/v1' + path, headers, data, self.stack.token('service_role'))

    def judge(self, what, response, before, expected, shown, ordered=True):
        """expected: the rows the answer should be about, None where it should be refused."""
        where = f'seed {self.seed}, step {self.step}: {what} -> {response}'
        self.counts[(what.split()[0], expected is not None)] = self.counts.get((what.split()[0], expected is not None), 0) + 1
        after = self.table()
        if expected is None:
            assert 400 <= response.status < 500 and response.error(), where
            assert after == before, where + ' changed the table'
            self.model.rows = before
            return
        assert response.status in (200, 201, 204), where
        if shown:
            got = response.json()
            assert (got if ordered else sorted(got, key=key_of)) == (expected if ordered else sorted(expected, key=key_of)), where
        assert after == self.model.rows, where

    def write_rows(self, before):
        rows, bad = self.model.batch()
        body = None
        while body is None:
            body = self.dice.choice(Forms.ALL)(rows, self.dice)
        how = self.dice.choice(['insert', 'insert', 'merge', 'ignore'])
        shown = self.dice.random() < .5
        prefer = {'insert': [], 'merge': ['resolution=merge-duplicates'], 'ignore': ['resolution=ignore-duplicates']}[how]
        prefer = prefer + (['return=representation'] if shown else [])
        broken = len(body[1]) > 2 and body[0] == 'application/json' and self.dice.random() < .05
        if broken:
            body = body[0], body[1][:self.dice.randrange(1, len(body[1].rstrip()))]
        expected = None if bad or broken else getattr(self.model, how)([filled(r) for r in rows])
        response = self.ask('POST', '/w_prop?select=id,n,t,d,g', body, prefer)
        self.judge(f'{how} {body[0]} {body[1][:300]}', response, before, expected, shown, ordered=how == 'insert')

    def some_ids(self, before):
        known = sorted(before)
        return self.dice.sample(known, min(len(known), self.dice.randrange(6))) + [self.dice.randrange(41, 99)]

    def change(self, before):
        ids = self.some_ids(before)
        columns = self.dice.sample(['n', 't', 'd', 'g'], self.dice.randrange(1, 5))
        values = {c: v for c, v in self.model.good_row(0).items() if c in columns}
        bad = self.dice.random() < .3
        if bad:
            column, value = self.dice.choice([b for b in BAD if b[0] != 'id'])
            values[column] = value
            # A CHECK, and NOT NULL by the database, are met by rows only.
            bad = column != 'n' or value != 13 or bool(set(ids) & before.keys())
        body = None
        while body is None:
            body = self.dice.choice(Forms.ALL)([values], self.dice)
        shown = self.dice.random() < .5
        expected = None
        if not bad:
            met = [i for i in ids if i in before]
            for i in met:
                self.model.rows[i] = {**self.model.rows[i], **values}
            expected = [self.model.rows[i] for i in met]
        response = self.ask('PATCH', f'/w_prop?id=in.({",".join(map(str, ids))})&select=id,n,t,d,g', body,
                            ['return=representation'] if shown else [])
        self.judge(f'update {ids} {body}', response, before, expected, shown, ordered=False)

    def delete(self, before):
        ids = self.some_ids(before)
        shown = self.dice.random() < .5
        expected = [self.model.rows.pop(i) for i in ids if i in before]
        response = self.ask('DELETE', f'/w_prop?id=in.({",".join(map(str, ids))})&select=id,n,t,d,g', None,
                            ['return=representation'] if shown else [])
        self.judge(f'delete {ids}', response, before, expected, shown, ordered=False)

    def put(self, before):
        row = self.model.good_row(self.model.new_id())
        bad = self.dice.random() < .3
        if bad:
            column, value = self.dice.choice([b for b in BAD if b[0] != 'id'])
            row[column] = value
        shown = self.dice.random() < .5
        expected = None if bad else self.model.merge([filled(row)])
        response = self.ask('PUT', f'/w_prop?id=eq.{row["id"]}&select=id,n,t,d,g', Forms.json_object([row], self.dice),
                            ['return=representation'] if shown else [])
        self.judge(f'put {row}', response, before, expected, shown)

    def run(self, steps):
        kinds = [self.write_rows] * 5 + [self.change] * 2 + [self.delete, self.put]
        for self.step in range(steps):
            self.dice.choice(kinds)({k: dict(v) for k, v in self.model.rows.items()})


@pytest.mark.parametrize('part', range(2))
def test_the_table_is_what_the_answers_said(stack, part):
    stack.sql('DELETE FROM spec.w_prop')
    seed = SEED + part
    print(f'seed {seed}')
    run = Run(stack, seed)
    run.run(STEPS)
    # Else the dice have shown nothing.
    for what in ('insert', 'merge', 'ignore', 'update', 'put'):
        assert run.counts.get((what, True), 0) > 3 and run.counts.get((what, False), 0) > 3, run.counts
    assert run.counts['delete', True] > 3
