#!/usr/bin/python3
"""
What row policies cost a request: CPU of the worker and of the database (nanoseconds, /proc/PID/task/*/schedstat, so as
root), for the same rows of four tables that are equal but for their policy. Cases are interleaved, medians told.

    make up VAR=/tmp/v PORT=18888 WORKERS=1; tests/bench/policy_cost.py /tmp/v [ROUNDS]
"""
import pathlib
import re
import statistics
import subprocess
import sys
import time

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO / 'tests/http'), str(REPO / 'tests/bench')]
import harness  # noqa: E402
import jwt  # noqa: E402
import pymysql  # noqa: E402
from token_cost import workers  # noqa: E402

EACH = 50
POLICIES = {'without': None, 'always': 'TRUE', 'own': 'owner = :claims.sub',
            'of_team': 'EXISTS (SELECT 1 FROM bench_policy.member WHERE member.owner = of_team.owner AND member.name = :claims.sub)'}
REQUESTS = {'by key': 'id=eq.1007', 'page of 25': 'owner=eq.o7&order=id&limit=25', 'count': 'select=count()&owner=eq.o7'}


def cpu(pid):
    return sum(int(file.read_text().split()[0]) for file in pathlib.Path(f'/proc/{pid}/task').glob('*/schedstat'))


def prepare(var):
    with pymysql.connect(unix_socket=str(var / 'mysql.sock'), user='root', autocommit=True) as database, database.cursor() as c:
        for text in ('DROP DATABASE IF EXISTS bench_policy', 'CREATE DATABASE bench_policy', 'USE bench_policy',
                     'CREATE TABLE member (owner VARCHAR(20), name VARCHAR(20), PRIMARY KEY (owner, name))',
                     "INSERT INTO member SELECT CONCAT('o', seq), CONCAT('o', seq) FROM seq_0_to_99",
                     "DELETE FROM rowgate.policy WHERE schema_name = 'bench_policy'"):
            c.execute(text)
        for table, using in POLICIES.items():
            c.execute(f'CREATE TABLE {table} (id INT PRIMARY KEY, owner VARCHAR(20) NOT NULL, name VARCHAR(60) NOT NULL, n INT NOT NULL, KEY (owner))')
            c.execute(f"INSERT INTO {table} SELECT seq, CONCAT('o', seq % 100), CONCAT('name of ', seq), seq * 7 FROM seq_1_to_20000")
            if using:
                c.execute('INSERT INTO rowgate.policy (schema_name, table_name, role, name, using_expression) VALUES'
                          " ('bench_policy', %s, 'authenticated', 'bench', %s)", (table, using))
        c.execute('GRANT SELECT ON bench_policy.* TO authenticated')


def main():
    var, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 31
    prepare(var)
    harness.set_conf(var / 'rowgate.conf', {'db-schemas': 'bench_policy', 'jwt-secret-file': 'keys/jwt-secret', 'jwt-secret': '', 'jwt-aud': '',
                                            'jwt-issuer': ''})
    subprocess.run(['make', '-s', 'reload', f'VAR={var}'], cwd=REPO, check=True, capture_output=True)
    env = dict(re.findall(r"^(\w+)='?(.*?)'?$", (var / 'rowgate.env').read_text(), re.M))
    http = harness.Http(env['ROWGATE_URL'], env['ROWGATE_CA'])
    token = jwt.encode({'role': 'authenticated', 'sub': 'o7', 'exp': int(time.time()) + 36000},
                       (var / 'keys/jwt-secret').read_text().strip(), 'HS256')
    pids = {'worker': workers(var)[0], 'database': (var / 'run/mariadb.started').read_text().split()[0]}
    answers, took = {}, {}
    for number in range(-2, rounds):
        for name, query in REQUESTS.items():
            for table in POLICIES:
                before = {who: cpu(pid) for who, pid in pids.items()}
                for _ in range(EACH):
                    answer = http.request('GET', f'/rest/v1/{table}?{query}', None, None, token)
                    assert answer.status in (200, 206), answer
                    assert answers.setdefault(name, answer.body) == answer.body, (table, answer)
                if number >= 0:
                    for who, pid in pids.items():
                        took.setdefault((name, table, who), []).append((cpu(pid) - before[who]) / EACH / 1000)
    print('| | policy | worker, us | more | database, us | more |\n|---|---|---|---|---|---|')
    for name in REQUESTS:
        for table in POLICIES:
            row = []
            for who in pids:
                more = [one - plain for one, plain in zip(took[name, table, who], took[name, 'without', who])]
                row += [f'{statistics.median(took[name, table, who]):.1f}', f'{statistics.median(more):+.1f}']
            print(f'| {name} | {table} | {" | ".join(row)} |')


if __name__ == '__main__':
    main()
