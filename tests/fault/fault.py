#!/usr/bin/python3
"""
Writers with idempotency keys, while workers and the database are killed with SIGKILL at random: `make fault` (2 minutes, at
least 20 kills of each, on both servers), `make test` a short one.

    tests/fault/fault.py [--server mariadb|mysql] [--seconds 20] [--kills 3] [--writers 8] [--seed N]

Each writer sends a write again, with its key, for as long as it is answered 5xx, or 409 for one under way. Afterwards the
table must be what the answers said: no acknowledged row lost, none twice, no batch in part. What would be a contradiction:
a good write refused, a bad one in the table, an answer with another id than the table's, and a write that was said to be
not applied whose repetition is a replay.
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import signal
import sys
import threading
import time
import uuid

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / 'tests/http'))
import harness  # noqa: E402

BATCH = 5
TABLE = ('CREATE TABLE spec.f_row (id BIGINT PRIMARY KEY AUTO_INCREMENT, writer INT NOT NULL, seq INT NOT NULL, part INT NOT NULL,'
         ' version INT NOT NULL DEFAULT 0, CONSTRAINT f_row_part CHECK (part < 100), KEY (writer, seq))')
PATIENCE = 60


class Writer(threading.Thread):
    """Does one write after the other and keeps book of what must be in the table."""

    def __init__(self, instance, token, number, seed, over):
        super().__init__()
        self.http = harness.Http(instance.url, instance.ca, timeout=30)
        self.token, self.number, self.over = token, number, over
        self.random = random.Random(seed * 1000 + number)
        self.counts = collections.Counter()
        self.contradictions = []
        self.rows = {}     # (seq, part) -> [id or None, version]
        self.pending = []  # what was never answered: may be there or not
        self.seq = 0

    def contradict(self, what, response):
        self.contradictions.append(f'writer {self.number}: {what}: {response}')

    def once(self, method, path, data, prefer, key):
        headers = {'Idempotency-Key': key, 'Content-Type': 'application/json', 'Prefer': prefer}
        try:
            return self.http.request(method, '/rest/v1' + path, headers, None if data is None else json.dumps(data), self.token)
        except Exception as e:
            self.http.close()
            self.counts[type(e).__name__] += 1

    def write(self, method, path, data=None, prefer='return=representation'):
        """The answer below 500, or None when there was none in all that time."""
        key, unknown, attempts = str(uuid.uuid4()), False, 0
        end = None
        while True:
            attempts += 1
            response = self.once(method, path, data, prefer, key)
            if response is not None and response.status < 500 and not (
                    response.status == 409 and response.json()['code'] == 'PGRSTX03'):
                replayed = response.headers['Idempotency-Replayed'] == 'true'
                if replayed:
                    self.counts['replays'] += 1
                    if attempts > 1 and not unknown:
                        self.contradict('all said it was not applied, yet it is replayed', response)
                self.counts['retried'] += attempts > 1
                self.counts['answered'] += 1
                return response
            if response is None or response.status == 409 or response.headers['Rowgate-Outcome'] != 'not-applied':
                unknown = True
            if response is not None:
                outcome = response.headers['Rowgate-Outcome'] or 'no word of the outcome'
                self.counts[f'{response.status} {response.json()["code"]} ({outcome})'] += 1
            # After the end there are no more kills: everything is settled soon.
            if self.over.is_set():
                end = end or time.monotonic() + PATIENCE
                if time.monotonic() > end:
                    return None
            time.sleep(self.random.uniform(.01, .1))

    def insert(self, parts):
        self.seq += 1
        rows = [{'writer': self.number, 'seq': self.seq, 'part': part} for part in range(parts)]
        show = self.random.random() < .5
        response = self.write('POST', '/f_row?select=id,seq,part', rows if parts > 1 else rows[0],
                              'return=representation' if show else 'return=minimal')
        if response is None:
            self.pending += [(self.seq, part) for part in range(parts)]
            return
        if response.status != 201:
            self.contradict('a good insert was refused', response)
            return
        ids = {(row['seq'], row['part']): row['id'] for row in response.json()} if show else {}
        for part in range(parts):
            self.rows[self.seq, part] = [ids.get((self.seq, part)), 0]
        self.counts['rows acknowledged'] += parts

    def refused(self):
        """The last row of the batch breaks a CHECK: nothing of it stays."""
        self.seq += 1
        rows = [{'writer': self.number, 'seq': self.seq, 'part': part} for part in (0, 1, 100)]
        response = self.write('POST', '/f_row', rows, 'return=minimal')
        if response is not None and response.status != 400:
            self.contradict('a bad insert was not refused', response)

    def choose(self):
        return self.random.choice(list(self.rows)) if self.rows else None

    def update(self):
        key = self.choose()
        if key is None:
            return
        version = self.rows[key][1]
        # A second time it would meet no row.
        response = self.write('PATCH', f'/f_row?writer=eq.{self.number}&seq=eq.{key[0]}&part=eq.{key[1]}&version=eq.{version}&select=version',
                              {'version': version + 1})
        if response is None:
            self.pending.append(key)
            del self.rows[key]
        elif response.status != 200 or response.json() != [{'version': version + 1}]:
            self.contradict('an update', response)
        else:
            self.rows[key][1] += 1

    def delete(self):
        key = self.choose()
        if key is None:
            return
        response = self.write('DELETE', f'/f_row?writer=eq.{self.number}&seq=eq.{key[0]}&part=eq.{key[1]}&select=part')
        expected, row = [{'part': key[1]}], self.rows.pop(key)
        if response is None:
            self.pending.append(key)
        elif response.status != 200 or response.json() != expected:
            self.contradict(f'a delete of {key} {row}', response)

    def run(self):
        kinds = [lambda: self.insert(1)] * 5 + [lambda: self.insert(BATCH)] * 2 + [self.update] * 2 + [self.delete, self.refused]
        while not self.over.is_set():
            self.random.choice(kinds)()
        self.http.close()


class Killer(threading.Thread):
    def __init__(self, kill, wanted, seconds, seed):
        super().__init__()
        self.kill, self.wanted, self.seconds = kill, wanted, seconds
        self.random, self.done = random.Random(seed), 0
        self.failed = None

    def run(self):
        end, pause = time.monotonic() + self.seconds, self.seconds / self.wanted
        # At least as many as were asked for, though a slow restart may take longer than planned.
        while time.monotonic() < end or self.done < self.wanted:
            time.sleep(self.random.uniform(.1, .9) * pause * .7)
            try:
                self.done += self.kill(self.random)
            except Exception as e:
                self.failed = repr(e)
                return


def answers(stack):
    with contextlib.suppress(Exception):
        return stack.sql('SELECT 1') == ((1,),)


def kill_database(stack):
    def kill(_):
        stack.server.stop(signal.SIGKILL)
        time.sleep(.1)
        stack.server.start()
        assert harness.wait_until(lambda: answers(stack), 120), 'the database does not come back'
        time.sleep(1)
        return 1
    return kill


def kill_worker(instance):
    def kill(rnd):
        pids = instance.workers()
        if not pids:
            return 0
        with contextlib.suppress(ProcessLookupError):
            os.kill(rnd.choice(pids), signal.SIGKILL)
            return 1
        return 0
    return kill


def compare(stack, writers):
    """(lost, duplicates, contradictions) of the table against the writers' books."""
    lost, twice, wrong = [], [], []
    found = collections.defaultdict(list)
    for row in stack.sql('SELECT writer, seq, part, id, version FROM spec.f_row'):
        found[row[:3]].append(row[3:])
    twice += [f'{key}: {rows}' for key, rows in found.items() if len(rows) > 1]
    for w in writers:
        pending = {(w.number, *key) for key in w.pending}
        for (seq, part), (id_, version) in w.rows.items():
            rows = found.pop((w.number, seq, part), [])
            if not rows:
                lost.append(f'{(w.number, seq, part)}')
            elif (id_ is not None and rows[0][0] != id_) or rows[0][1] != version:
                wrong.append(f'{(w.number, seq, part)}: {rows[0]} and not {(id_, version)}')
        for key in pending:
            found.pop(key, None)
        wrong += w.contradictions
    wrong += [f'{key} is in the table and should not be: {rows}' for key, rows in found.items()]
    return lost, twice, wrong


def run(stack, options):
    stack.sql(TABLE)
    stack.sql('GRANT SELECT, INSERT, UPDATE, DELETE ON spec.f_row TO service_role')
    instance = stack.variant({'log-level': 'error'}, workers=4, fresh=True)
    over = threading.Event()
    token = stack.token('service_role', sub='fault', exp=int(time.time()) + 36000)
    writers = [Writer(instance, token, i, options.seed, over) for i in range(options.writers)]
    killers = [Killer(kill_worker(instance), options.kills, options.seconds, options.seed),
               Killer(kill_database(stack), options.kills, options.seconds, options.seed + 1)]
    begun = time.monotonic()
    for thread in writers + killers:
        thread.start()
    for thread in killers:
        thread.join()
    over.set()
    for thread in writers:
        thread.join()
    seconds = time.monotonic() - begun
    harness.wait_until(lambda: answers(stack), 60)
    lost, twice, wrong = compare(stack, writers)
    counts = sum((w.counts for w in writers), collections.Counter())
    wrong += [f'a killer failed: {k.failed}' for k in killers if k.failed]
    unanswered = sum(len(w.pending) for w in writers)
    print(f'{stack.kind}: {seconds:.0f} s, seed {options.seed}, {options.writers} writers; kills: {killers[0].done} workers, '
          f'{killers[1].done} database; writes answered {counts.pop("answered", 0)}, of them sent again '
          f'{counts.pop("retried", 0)}, replayed {counts.pop("replays", 0)}; rows acknowledged {counts.pop("rows acknowledged", 0)}')
    print('  ' + ', '.join(f'{what}: {n}' for what, n in sorted(counts.items())))
    print(f'  {len(lost)} lost, {len(twice)} duplicates, {len(wrong)} contradictions, {unanswered} never answered')
    for name, list_ in (('lost', lost), ('duplicate', twice), ('contradiction', wrong)):
        for what in list_[:10]:
            print(f'  {name}: {what}')
    return not (lost or twice or wrong or unanswered) and min(k.done for k in killers) >= options.kills


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--server', choices=('mariadb', 'mysql'), default='mariadb')
    parser.add_argument('--seconds', type=float, default=20)
    parser.add_argument('--kills', type=int, default=3)
    parser.add_argument('--writers', type=int, default=8)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    if options.server == 'mysql':
        missing = harness.mysql_missing()
        if missing:
            sys.exit(missing)
    stack = harness.Stack(options.server)
    good = False
    try:
        good = run(stack, options)
    finally:
        stack.close()
        if good:
            stack.remove()
        else:
            print(f'  logs: {stack.base}')
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
