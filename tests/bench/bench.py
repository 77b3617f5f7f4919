"""Rowgate beside a bare C probe, FastAPI and Flask: see README.md. `make bench` runs it."""
import csv
import datetime
import decimal
import io
import json
import os
import platform
import signal
import statistics
import subprocess
import sys

from processes import MemoryWatch, cpu_microseconds, private_kib
from systems import HERE, REPO, SYSTEMS, Instance, say

VAR = os.environ.get("VAR", "var")
BUILD = os.environ.get("BUILD", "build")
PORT = int(os.environ.get("PORT") or 0)
WORKERS = int(os.environ.get("WORKERS") or max(8, 4 * os.cpu_count()))
SECS = int(os.environ.get("SECS") or 3)
ROUNDS = int(os.environ.get("ROUNDS") or 5)
CONNS = int(os.environ.get("CONNS") or 16)
ONLY = os.environ.get("ONLY") or ",".join(SYSTEMS)
PARTS = os.environ.get("PARTS") or "requests,p99,export,insert,import"
MANY = int(os.environ.get("MANY") or 10000000)

# case: what Rowgate is asked, what the others are asked. @eid and @division are drawn anew for each request.
CASES = {
    "key": ("/rest/v1/employees?eid=eq.@eid", "/rest/v1/employee/@eid"),
    "page": ("/rest/v1/employees?division=eq.Division%20@division&order=eid.desc&limit=25",
             "/rest/v1/employees?division=@division"),
    "nested": ("/rest/v1/employees?select=*,salary_history(id,salary,date)&order=eid&limit=25&offset=1000",
               "/rest/v1/nested"),
}
INSERT = {"rowgate": "/rest/v1/inserts", "probe": "/rest/v1/insert"}
BODY = '{"eid":@eid,"salary":@eid,"date":"2020-01-31"}'
EXPORT = "/rest/v1/salary_history?select=id,eid,salary,date"
QUARTILES = "/rest/v1/many?select=division,@column.boxplot(0)&order=division"

# What the project set itself to reach: at most so many times the probe's CPU, peers at least so many times Rowgate's,
# then the other figures of README.md.
PROBE_AT_MOST = {"key": 1.25, "page": 1.25, "nested": 1.0}
PEER_AT_LEAST = {"fastapi": 10, "flask": 5}
P99_AT_MOST, PRIVATE_MIB, EXPORT_PEER, EXPORT_BULK, GROWTH_MIB = 2, 3, 3, 2, 1
QUARTILES_BARE = 1.3
INSERT_PROBE, IMPORT_ROWS, IMPORT_GROWTH_MIB = 1.3, .6, 2


class Bench:
    def __init__(self, instance, systems):
        self.instance, self.systems = instance, systems
        self.ca = instance.env_file("ROWGATE_CA")
        self.token = instance.env_file("ROWGATE_SERVICE_KEY")
        self.goals = []

    # Asking

    def curl(self, system, path, *options, token=None):
        argv = ["curl", "-sS", "--http1.1", "--cacert", self.ca, "-H", f"Authorization: Bearer {token or self.token}",
                *options, f"https://127.0.0.1:{system.port}{path}"]
        done = subprocess.run(argv, check=False, capture_output=True)
        if done.returncode:
            raise SystemExit(f"bench: {system.name}: {path}: {done.stderr.decode()}")
        return done.stdout

    def wrk(self, system, target, conns, secs, body=None):
        env = dict(os.environ, TARGET=target, TOKEN=self.token, **({"BODY": body} if body else {}))
        argv = ["wrk", "-t1", f"-c{conns}", f"-d{secs}s", "-s", os.path.join(HERE, "wrk.lua"),
                f"https://127.0.0.1:{system.port}"]
        done = subprocess.run(argv, env=env, check=False, capture_output=True, text=True)
        result = json.loads(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 else None
        if not result or result["errors"] or not result["requests"]:
            raise SystemExit(f"bench: {system.name}: {target}: {done.stdout}{done.stderr}")
        return result

    def measure(self, system, target, conns, secs=SECS, body=None):
        groups = {"nginx": system.nginx(), "app": system.app(), "db": self.instance.database()}
        before = {name: cpu_microseconds(pids) for name, pids in groups.items()}
        result = self.wrk(system, target, conns, secs, body)
        for name, pids in groups.items():
            result[name] = (cpu_microseconds(pids) - before[name]) / result["requests"]
        if system.app() != groups["app"]:
            raise SystemExit(f"bench: {system.name}: a worker ended under {target}")
        result["cpu"] = sum(result[name] for name in groups)
        result["rate"] = result["requests"] / result["seconds"]
        return result

    def target(self, key, case):
        return CASES[case][0 if key == "rowgate" else 1]

    # The same rows from all, and none without a good token

    def check(self):
        for case in CASES:
            for eid, division in ((7, "A"), (50, "C"), (100000, "L")):
                answers = {}
                for key, system in self.systems.items():
                    path = self.target(key, case).replace("@eid", str(eid)).replace("@division", division)
                    answers[key] = rows(self.curl(system, path, "--globoff", "--fail"))
                first = next(iter(answers))
                for key, answer in answers.items():
                    if answer != answers[first] or not answer:
                        raise SystemExit(f"bench: {key} and {first} differ on {case}: {str(answer)[:500]} "
                                         f"{str(answers[first])[:500]}")
        forged = self.token[:-8] + ("A" * 8 if not self.token.endswith("A" * 8) else "B" * 8)
        for key, system in self.systems.items():
            path = self.target(key, "key").replace("@eid", "7")
            status = self.curl(system, path, "-o", os.devnull, "-w", "%{http_code}", token=forged)
            if status != b"401":
                raise SystemExit(f"bench: {key} answers {status.decode()} to a forged token")

    # Requests

    def all_requests(self):
        print(f"\n## Requests, {CONNS} connections, {ROUNDS} rounds of {SECS} s each in turn, medians\n\n"
              "CPU: microseconds of user and system time of all server processes per request.\n\n"
              "| case | system | CPU | min-max | nginx | app | db | req/s | p50 ms | p99 ms | CPU / probe | "
              "/ FastAPI | / Flask |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
        for case in CASES:
            self.requests(case)

    def requests(self, case):
        """Rounds of all systems in turn, so that what else the machine does hits all alike."""
        results = {key: [] for key in self.systems}
        for key, system in self.systems.items():
            self.wrk(system, self.target(key, case), CONNS, 1)
        for _ in range(ROUNDS):
            for key, system in self.systems.items():
                results[key].append(self.measure(system, self.target(key, case), CONNS))
        for key, system in self.systems.items():
            r = results[key]
            print(f"| {case} | {system.name} | **{median(r, 'cpu'):.0f}** | {low_high(r, 'cpu')} | "
                  + " | ".join(f"{median(r, part):.0f}" for part in ("nginx", "app", "db"))
                  + f" | {median(r, 'rate'):.0f} | {median(r, 'p50'):.2f} | {median(r, 'p99'):.2f} | "
                  + " | ".join(f"{ratio(r, results[o]):.2f}" if o in results else "-"
                               for o in ("probe", "fastapi", "flask")) + " |", flush=True)
        if "rowgate" not in results:
            return
        if "probe" in results:
            self.goal(f"CPU, {case}, Rowgate / probe", ratio(results["rowgate"], results["probe"]), "<=",
                      PROBE_AT_MOST[case])
        for peer, least in PEER_AT_LEAST.items():
            if peer in results:
                self.goal(f"CPU, {case}, {self.systems[peer].name} / Rowgate",
                          ratio(results[peer], results["rowgate"]), ">=", least)

    def all_latencies(self):
        print("\n## Latency in ms by connections\n\n"
              "| case | system | p50, 16 | p50, 64 | p99, 16 | p99, 64 | p99, 64 / 16 |\n|---|---|---|---|---|---|---|",
              flush=True)
        for case in CASES:
            self.latency(case)

    def latency(self, case):
        """p99 as connections outnumber the workers."""
        keys = [key for key in ("rowgate", "probe") if key in self.systems]
        results = {(key, conns): [] for key in keys for conns in (16, 64)}
        for _ in range(ROUNDS):
            for key, conns in results:
                results[key, conns].append(self.wrk(self.systems[key], self.target(key, case), conns, SECS))
        for key in keys:
            p50, p99 = ([median(results[key, conns], field) for conns in (16, 64)] for field in ("p50", "p99"))
            print(f"| {case} | {self.systems[key].name} | {p50[0]:.2f} | {p50[1]:.2f} | {p99[0]:.2f} | {p99[1]:.2f} | "
                  f"{p99[1] / p99[0]:.2f} |", flush=True)
            if key == "rowgate":
                self.goal(f"p99, {case}, 64 / 16 connections", p99[1] / p99[0], "<=", P99_AT_MOST)

    # Export

    def exports(self):
        """name: (rows, seconds) makers; seconds without the start of a client."""
        found = {}
        if "rowgate" in self.systems:
            for form, media in (("JSON", "application/json"), ("CSV", "text/csv")):
                found["Rowgate " + form] = self.exporter("rowgate", EXPORT, media)
        if "probe" in self.systems:
            for form in ("JSON", "CSV"):
                found["bare C client " + form] = self.bulk(form.lower())
        if "fastapi" in self.systems:
            found["FastAPI CSV"] = self.exporter("fastapi", "/rest/v1/export.csv", "text/csv")
        return found

    def exporter(self, key, path, media):
        sizes = set()

        def run(file):
            status, size, seconds = self.curl(self.systems[key], path, "-H", "Accept: " + media, "-o", file, "-w",
                                              "%{http_code} %{size_download} %{time_total}").decode().split()
            sizes.add(size)
            if status != "200" or len(sizes) > 1:
                raise SystemExit(f"bench: {key}: {path}: status {status}, sizes {sizes}")
            return float(seconds)
        return run

    def bulk(self, form):
        def run(file):
            start = datetime.datetime.now()
            subprocess.run([os.path.join(REPO, BUILD, "tests/bench/bulk"), form, file],
                           env=self.instance.settings(), check=True)
            return (datetime.datetime.now() - start).total_seconds()
        return run

    def check_exports(self, makers):
        """Once each into a file: all hold the same million rows. Meanwhile the workers' memory is watched, above what
        they need for a small request."""
        file = os.path.join(self.instance.var, "bench", "export")
        growth, digests = {}, {}
        for key, system in self.systems.items():
            self.wrk(system, self.target(key, "key"), CONNS, 1)
        for name, run in makers.items():
            system = self.systems["rowgate" if name.startswith("Rowgate") else
                                  "fastapi" if name.startswith("FastAPI") else "probe"]
            with MemoryWatch(system.workers()) as memory:
                run(file)
            growth[name] = None if name.startswith("bare") else memory.growth_kib() / 1024
            digests[name] = export_digest(file)
        os.remove(file)
        if len(set(digests.values())) > 1 or next(iter(digests.values()))[0] != 1000000:
            raise SystemExit(f"bench: the exports differ (rows, digest): {digests}")
        return growth

    def export(self):
        makers = self.exports()
        if not makers:
            return
        growth = self.check_exports(makers)
        times = {name: [] for name in makers}
        for _ in range(ROUNDS):
            for name, run in makers.items():
                times[name].append(run(os.devnull))
        seconds = {name: statistics.median(t) for name, t in times.items()}
        print("\n## Export of 1,000,000 rows, 4 columns\n\n"
              "| export | seconds | min-max | / bare C client | FastAPI CSV / this | memory growth, MiB |\n"
              "|---|---|---|---|---|---|")
        for name, t in times.items():
            bare = seconds.get("bare C client " + name.split()[-1])
            peer = seconds.get("FastAPI CSV")
            print(f"| {name} | {seconds[name]:.2f} | {min(t):.2f}-{max(t):.2f} | "
                  f"{f'{seconds[name] / bare:.2f}' if bare else '-'} | "
                  f"{f'{peer / seconds[name]:.1f}' if peer else '-'} | "
                  f"{'-' if growth[name] is None else f'{growth[name]:.2f}'} |", flush=True)
            if name.startswith("Rowgate"):
                if peer:
                    self.goal(f"export {name.split()[-1]}, FastAPI CSV / Rowgate", peer / seconds[name], ">=",
                              EXPORT_PEER)
                if bare:
                    self.goal(f"export {name.split()[-1]}, Rowgate / bare C client", seconds[name] / bare, "<=",
                              EXPORT_BULK)
                self.goal(f"export {name.split()[-1]}, memory growth of a worker, MiB", growth[name], "<=",
                          GROWTH_MIB)

    # Quartiles

    def all_quartiles(self):
        self.instance.many(MANY)
        print(f"\n## Quartiles of {MANY:,} rows in 12 groups\n\n"
              "| | seconds | CPU s | client or app | db | CPU / bare C client |\n|---|---|---|---|---|---|", flush=True)
        with MemoryWatch(self.systems["rowgate"].workers()) as memory:
            for column, about in (("salary", "whole salaries"), ("amount", "scattered amounts with cents")):
                self.quartiles(column, about)
        print(f"\nMemory growth of a worker: {memory.growth_kib() / 1024:.1f} MiB", flush=True)

    def quartiles(self, column, about):
        """Box plots of MANY rows in 12 groups, beside a bare client that knows what it counts."""
        rowgate, path = self.systems["rowgate"], QUARTILES.replace("@column", column)
        mine = sorted((row["division"], *(row["boxplot"][k] for k in ("n", "q1", "median", "q3")))
                      for row in json.loads(self.curl(rowgate, path)))
        lines = self.bare_quartiles(column).splitlines()
        theirs = sorted((name, *map(float, figures)) for name, *figures in (line.split("\t") for line in lines))
        if mine != theirs or len(mine) != 12 or sum(row[1] for row in mine) != MANY:
            raise SystemExit(f"bench: the quartiles differ: {mine} {theirs}")
        makers = {f"{about}, Rowgate `boxplot(0)`": (lambda: self.curl(rowgate, path), rowgate.app() + rowgate.nginx()),
                  "the same, bare C client": (lambda: self.bare_quartiles(column), [])}
        results = {name: [] for name in makers}
        for _ in range(ROUNDS):
            for name, (run, pids) in makers.items():
                results[name].append(self.cpu_of(run, pids))
        for name, rounds in results.items():
            print(f"| {name} | {median(rounds, 'seconds'):.2f} | {median(rounds, 'cpu'):.2f} | {median(rounds, 'app'):.2f} | "
                  f"{median(rounds, 'db'):.2f} | {ratio(rounds, results['the same, bare C client']):.2f} |", flush=True)
        self.goal(f"quartiles of {about}, CPU of Rowgate / bare C client", ratio(*results.values()), "<=", QUARTILES_BARE)

    def bare_quartiles(self, column):
        return subprocess.run([os.path.join(REPO, BUILD, "tests/bench/quartiles"), column], env=self.instance.settings(),
                              check=True, capture_output=True, text=True).stdout

    def cpu_of(self, run, pids):
        """Seconds of run, and the CPU seconds of pids, of a client that it starts and ends, and of the database."""
        database, before, start = self.instance.database(), os.times(), datetime.datetime.now()
        app, db = cpu_microseconds(pids), cpu_microseconds(database)
        run()
        seconds, after = (datetime.datetime.now() - start).total_seconds(), os.times()
        db = (cpu_microseconds(database) - db) / 1e6
        app = (cpu_microseconds(pids) - app) / 1e6
        if not pids:
            app = after.children_user + after.children_system - before.children_user - before.children_system
        return {"seconds": seconds, "cpu": app + db, "app": app, "db": db}

    # Writing

    def inserts(self):
        """One row a request, into a table that is emptied before each round."""
        keys = [key for key in INSERT if key in self.systems]
        results = {key: [] for key in keys}
        for key in keys:
            self.wrk(self.systems[key], INSERT[key], CONNS, 1, BODY)
        for _ in range(ROUNDS):
            for key in keys:
                self.instance.sql("TRUNCATE bench.inserts")
                results[key].append(self.measure(self.systems[key], INSERT[key], CONNS, body=BODY))
        print("\n## Inserts of one row, as above\n\n"
              "| system | CPU | min-max | nginx | app | db | req/s | p50 ms | p99 ms | CPU / probe |\n"
              "|---|---|---|---|---|---|---|---|---|---|")
        for key, r in results.items():
            print(f"| {self.systems[key].name} | **{median(r, 'cpu'):.0f}** | {low_high(r, 'cpu')} | "
                  + " | ".join(f"{median(r, part):.0f}" for part in ("nginx", "app", "db"))
                  + f" | {median(r, 'rate'):.0f} | {median(r, 'p50'):.2f} | {median(r, 'p99'):.2f} | "
                  + (f"{ratio(r, results['probe']):.2f}" if "probe" in results else "-") + " |", flush=True)
        if len(results) == 2:
            self.goal("CPU, insert, Rowgate / probe", ratio(results["rowgate"], results["probe"]), "<=", INSERT_PROBE)

    def imports(self):
        """A million rows into an empty table: the export's, as CSV and as JSON, beside the bare client's two ways."""
        if not {"rowgate", "probe"} <= set(self.systems):
            return
        rowgate, folder = self.systems["rowgate"], os.path.join(self.instance.var, "bench")
        files = {form: os.path.join(folder, "import." + form) for form in ("csv", "json")}
        for form, media in (("csv", "text/csv"), ("json", "application/json")):
            self.curl(rowgate, EXPORT, "--fail", "-H", "Accept: " + media, "-o", files[form])
        self.instance.sql("SET GLOBAL local_infile = 1")
        makers = {"bare C client, INSERTs of 1000 rows": self.loader("rows", files["csv"]),
                  "bare C client, LOAD DATA LOCAL": self.loader("infile", files["csv"]),
                  "Rowgate CSV": self.importer(files["csv"], "text/csv"),
                  "Rowgate JSON": self.importer(files["json"], "application/json")}
        times, growth = {name: [] for name in makers}, {}
        for turn in range(ROUNDS):
            for name, run in makers.items():
                self.instance.sql("TRUNCATE bench.imports")
                with MemoryWatch(rowgate.workers()) as memory:
                    times[name].append(run())
                if not turn:
                    growth[name] = memory.growth_kib() / 1024
                    self.check_import(name)
        for file in files.values():
            os.remove(file)
        self.print_imports(times, growth)

    def check_import(self, name):
        for table in ("imports", "salary_history"):
            found = self.instance.sql(f"SELECT COUNT(*), SUM(CRC32(CONCAT_WS(',', id, eid, salary, date))) FROM bench.{table}")
            if table == "imports":
                first = found
        if first != found:
            raise SystemExit(f"bench: {name}: {first} in place of {found}")

    def loader(self, how, file):
        def run():
            start = datetime.datetime.now()
            subprocess.run([os.path.join(REPO, BUILD, "tests/bench/load"), how, file], env=self.instance.settings(),
                           check=True)
            return (datetime.datetime.now() - start).total_seconds()
        return run

    def importer(self, file, media):
        def run():
            status, seconds = self.curl(self.systems["rowgate"], "/rest/v1/imports", "-H", "Content-Type: " + media, "-H",
                                        "Expect:", "-T", file, "-X", "POST", "-w", "%{http_code} %{time_total}").decode().split()
            if status != "201":
                raise SystemExit(f"bench: the import is answered by {status}")
            return float(seconds)
        return run

    def print_imports(self, times, growth):
        bare = statistics.median(times["bare C client, INSERTs of 1000 rows"])
        print("\n## Import of 1,000,000 rows, 4 columns\n\n| import | seconds | min-max | rows/s | rows/s / INSERTs | "
              "memory growth, MiB |\n|---|---|---|---|---|---|")
        for name, t in times.items():
            seconds = statistics.median(t)
            ours = name.startswith("Rowgate")
            print(f"| {name} | {seconds:.2f} | {min(t):.2f}-{max(t):.2f} | {1e6 / seconds:.0f} | {bare / seconds:.2f} | "
                  f"{f'{growth[name]:.2f}' if ours else '-'} |", flush=True)
            if ours:
                self.goal(f"import {name.split()[-1]}, rows/s, Rowgate / bare C client", bare / seconds, ">=", IMPORT_ROWS)
                self.goal(f"import {name.split()[-1]}, memory growth of a worker, MiB", growth[name], "<=",
                          IMPORT_GROWTH_MIB)

    # Memory, goals

    def memory(self):
        """Private MiB of the largest and the median worker of each system."""
        found = {}
        for key, system in self.systems.items():
            sizes = [private_kib(pid) / 1024 for pid in system.workers()]
            found[key] = (max(sizes), statistics.median(sizes), len(sizes))
        return found

    def goal(self, name, figure, sign, limit):
        reached = figure <= limit if sign == "<=" else figure >= limit
        self.goals.append((name, figure, f"{sign} {limit}", reached))

    def run(self):
        self.check()
        say("all systems answer the same rows, and 401 to a forged token")
        idle = self.memory()
        if "requests" in PARTS:
            self.all_requests()
        if "p99" in PARTS:
            self.all_latencies()
        if "export" in PARTS:
            self.export()
        if "analytics" in PARTS and "rowgate" in self.systems:
            self.all_quartiles()
        if "insert" in PARTS:
            self.inserts()
        if "import" in PARTS:
            self.imports()
        after = self.memory()
        print("\n## Private memory of a worker in MiB: largest (median)\n\n"
              "| system | workers | after start | after all the above |\n|---|---|---|---|")
        for key, system in self.systems.items():
            print(f"| {system.name} | {after[key][2]} | {idle[key][0]:.1f} ({idle[key][1]:.1f}) | "
                  f"{after[key][0]:.1f} ({after[key][1]:.1f}) |")
        if "rowgate" in self.systems:
            self.goal("private memory of the largest worker after all, MiB", after["rowgate"][0], "<=", PRIVATE_MIB)
        self.print_goals()

    def print_goals(self):
        if not self.goals:
            return
        print("\n## Goals\n\n| what | figure | goal | reached |\n|---|---|---|---|")
        for name, figure, limit, reached in self.goals:
            print(f"| {name} | {figure:.2f} | {limit} | {'yes' if reached else '**no**'} |")
        print(f"\n{sum(g[3] for g in self.goals)} of {len(self.goals)} goals reached", flush=True)


def rows(body):
    """A JSON answer as a list of rows, whatever form a system gives to decimals."""
    found = json.loads(body, parse_float=decimal.Decimal)
    found = found if isinstance(found, list) else [found]
    for row in found:
        row["annual_benefits_value"] = decimal.Decimal(row["annual_benefits_value"])
        row.get("salary_history", []).sort(key=lambda salary: salary["id"])
    return found


def export_digest(path):
    """(rows, a digest that does not depend on their order) of a JSON or CSV export."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    if text.startswith("["):
        found = [(r["id"], r["eid"], r["salary"], r["date"]) for r in json.loads(text)]
    else:
        found = [(int(r[0]), int(r[1]), int(r[2]), r[3]) for r in csv.reader(io.StringIO(text)) if r[0] != "id"]
    return len(found), len(set(found)), sum(hash((r[0] * 31 + r[1]) * 31 + r[2]) for r in found), \
        min(r[3] for r in found), max(r[3] for r in found)


def median(results, field):
    return statistics.median(r[field] for r in results)


def low_high(results, field):
    return f"{min(r[field] for r in results):.0f}-{max(r[field] for r in results):.0f}"


def ratio(ours, theirs):
    """Median over the rounds of the CPU ratio within a round: what slows the machine down slows both."""
    return statistics.median(a["cpu"] / b["cpu"] for a, b in zip(ours, theirs))


def describe(instance, systems):
    def first_line(*argv):
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip().splitlines()[0]

    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((l.split(":", 1)[1].strip() for l in file if l.startswith("model name")), platform.machine())
    commit = first_line("git", "-C", REPO, "describe", "--always", "--dirty")
    print(f"# Rowgate {commit}, {datetime.date.today()}, {os.cpu_count()} x {model}, load {os.getloadavg()[0]:.2f}\n\n"
          f"{first_line('nginx', '-v')}; {instance.sql('SELECT VERSION()')} on a unix socket for all; "
          f"{first_line('gcc', '--version')}.\n"
          "The same nginx files, TLS 1.3, access log and buffers in front of all, FastCGI or HTTP on a unix socket "
          "behind it,\na new connection for each request (no keepalive pool; fastcgi_keep_conn on for both C "
          "programs). wrk runs on the same\ncores, keeps its connections and does not ask for gzip.\n")
    for system in systems.values():
        print(f"- {system.name}: {system.about}")
    sys.stdout.flush()


def main():
    keys = [key for key in SYSTEMS if key in ONLY.split(",")]
    if not keys or set(ONLY.split(",")) - set(SYSTEMS):
        raise SystemExit(f"bench: ONLY is a list of {','.join(SYSTEMS)}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    instance = Instance(VAR, BUILD, PORT, WORKERS)
    systems = {key: SYSTEMS[key](instance) for key in keys}
    try:
        instance.up()
        instance.load()
        if instance.publish():
            instance.up()
        for system in systems.values():
            system.start()
        describe(instance, systems)
        Bench(instance, systems).run()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    finally:
        for system in systems.values():
            system.stop()
        instance.down()


if __name__ == "__main__":
    main()
