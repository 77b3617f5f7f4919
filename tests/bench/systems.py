"""The four systems under test, side by side on one machine and one database.

Rowgate is started by `make up`. Each of the others gets an nginx of its own that runs a copy of the very files of
Rowgate's: only socket, port and file names differ, and for HTTP instead of FastCGI behind it, `fastcgi_` reads
`proxy_`. TLS, logs, checks, headers, buffers, timeouts are the same for all.
"""
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time

from processes import Service, tree

# UVLOOP=1: FastAPI on uvicorn's optional C parts instead of what Debian's uvicorn comes with. That is the stronger
# peer, by 10 to 20% on small requests.
UVLOOP = os.environ.get("UVLOOP") == "1"
HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
PYTHON = "/usr/bin/python3"


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Instance:
    """The Rowgate of `make up` under VAR/bench, with the benchmark's database in its MariaDB."""

    def __init__(self, var, build, port, workers):
        self.var, self.build = os.path.join(os.path.abspath(var), "bench"), build
        self.port = port or free_port()
        self.workers = workers
        self.conf = os.path.join(self.var, "rowgate.conf")
        self.socket = os.path.join(self.var, "mysql.sock")
        self.password = secrets.token_hex(16)

    def make(self, *goals):
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        argv = ["make", "-s", "-C", REPO, *goals, f"VAR={self.var}", f"PORT={self.port}", f"BUILD={self.build}",
                f"WORKERS={self.workers}", "DB=local"]
        if subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, check=False).returncode:
            raise SystemExit(f"bench: {' '.join(argv)} failed")

    def up(self):
        if os.path.isdir(os.path.join(self.var, "run")):
            self.make("down")
        self.make("up")

    def down(self):
        self.make("down")

    def sql(self, text=None, file=None):
        argv = ["mariadb", "--no-defaults", "-u", "root", "-S", self.socket, "-N", "-B"]
        with open(file or os.devnull, encoding="utf-8") as stdin:
            if text:
                argv += ["-e", text]
            return subprocess.run(argv, stdin=stdin, check=True, capture_output=True, text=True).stdout.strip()

    def load(self):
        rows = ""
        if self.sql("SHOW DATABASES LIKE 'bench'"):
            rows = self.sql("SELECT COUNT(*) FROM bench.salary_history")
        if rows != "1000000":
            say("loading 100,000 employees and 1,000,000 salaries")
            self.sql(file=os.path.join(HERE, "schema.sql"))
        self.sql("CREATE TABLE IF NOT EXISTS bench.imports (id INT NOT NULL PRIMARY KEY, eid INT NOT NULL,"
                 " salary INT NOT NULL, `date` DATE NOT NULL, KEY imports_eid (eid));"
                 "CREATE TABLE IF NOT EXISTS bench.inserts (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,"
                 " eid INT NOT NULL, salary INT NOT NULL, `date` DATE NOT NULL)")
        self.sql(f"CREATE OR REPLACE USER bench@localhost IDENTIFIED BY '{self.password}';"
                 "GRANT SELECT ON bench.* TO bench@localhost; GRANT SELECT ON bench.* TO service_role;"
                 "GRANT INSERT ON bench.imports TO bench@localhost; GRANT INSERT ON bench.imports TO service_role;"
                 "GRANT INSERT ON bench.inserts TO bench@localhost; GRANT INSERT ON bench.inserts TO service_role")

    def many(self, rows):
        """bench.many: so many rows in 12 divisions, without an index. Up to 120,000 salaries in each, which lie close together, and
        as many amounts with cents, which do not."""
        if (self.sql("SHOW TABLES FROM bench LIKE 'many'") and self.sql("SHOW COLUMNS FROM bench.many LIKE 'amount'")
                and self.sql("SELECT COUNT(*) FROM bench.many") == str(rows)):
            return
        say(f"loading {rows:,} salaries")
        self.sql("USE bench; DROP TABLE IF EXISTS many; CREATE TABLE bench.many (id INT NOT NULL PRIMARY KEY,"
                 " division VARCHAR(40) NOT NULL, salary INT NOT NULL, amount DECIMAL(12,2) NOT NULL); INSERT INTO many"
                 " SELECT seq, CONCAT('Division ', CHAR(65 + (seq * 31) % 12 USING utf8mb4)), 30000 + CRC32(seq) % 120000,"
                 f" CRC32(seq) % 120000 * 73.57 + 0.19 FROM seq_1_to_{rows}")
        time.sleep(5)  # until the workers have looked for new tables (db-schema-poll)

    def publish(self):
        """db-schemas = bench, and time for box plots of many rows. True when that is new, and the workers are to be started anew."""
        with open(self.conf, encoding="utf-8") as file:
            before = file.read()
        after = re.sub(r"(?m)^db-schemas = .*$", "db-schemas = bench", before)
        after = re.sub(r"(?m)^db-statement-timeout = .*$", "db-statement-timeout = 600000", after)
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(after)
        return before != after

    def settings(self):
        """What the probe and the peers need to know, as environment."""
        return dict(os.environ, BENCH_DB_SOCKET=self.socket, BENCH_DB_USER="bench",
                    BENCH_DB_PASSWORD=self.password, BENCH_SECRET_FILE=os.path.join(self.var, "keys/jwt-secret"),
                    PYTHONPATH=os.path.join(HERE, "peers"), PYTHONDONTWRITEBYTECODE="1")

    def env_file(self, name):
        with open(os.path.join(self.var, "rowgate.env"), encoding="utf-8") as file:
            return re.search(rf"(?m)^{name}='?([^'\n]*)'?$", file.read()).group(1)

    def pid(self, name):
        with open(os.path.join(self.var, "run", name + ".started"), encoding="ascii") as file:
            return int(file.read().split()[0])

    def database(self):
        return tree(self.pid("mariadb"))


class Rowgate:
    name = "Rowgate"

    def __init__(self, instance):
        self.instance, self.port = instance, instance.port
        self.about = f"{instance.workers} workers by multiwatch"

    def start(self):
        pass

    def nginx(self):
        return tree(self.instance.pid("nginx"))

    def app(self):
        return tree(self.instance.pid("pool"))

    def workers(self):
        return self.app()[1:]

    def stop(self):
        pass


class Neighbour:
    """A system that is not Rowgate: its program on a unix socket, and a copy of Rowgate's nginx in front."""
    fastcgi = False

    def __init__(self, instance, key):
        self.instance = instance
        self.port = free_port()
        self.folder = os.path.join(instance.var, "bench", key)
        self.listen = os.path.join(self.folder, "app.sock")
        self.services = []
        if len(self.listen) > 100:
            raise SystemExit(f"bench: {self.listen} is too long for a socket, choose a shorter VAR")

    def command(self):
        raise NotImplementedError

    def start(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(os.path.join(self.folder, "nginx/tmp"))
        self.program = Service(self.command(), os.path.join(self.folder, "app.log"), self.instance.settings(),
                               os.path.join(HERE, "peers"))
        self.services.append(self.program)
        self.configure_nginx()
        self.front = Service(["nginx", "-p", self.folder, "-c", os.path.join(self.folder, "nginx/nginx.conf")],
                             os.path.join(self.folder, "nginx.out"))
        self.services.append(self.front)
        self.wait()

    def configure_nginx(self):
        theirs, ours = os.path.join(self.instance.var, "run/nginx"), os.path.join(self.folder, "nginx")
        shutil.copytree(os.path.join(theirs, "rowgate"), os.path.join(ours, "rowgate"))
        with open(os.path.join(theirs, "nginx.conf"), encoding="utf-8") as file:
            text = file.read()
        # VAR may be known to it by a short name.
        var = re.search(r'(?m)^pid "(.*)/run/nginx.pid"', text).group(1)
        for before, after in ((f"{var}/run/live.sock", self.listen), (f"{var}/run/nginx", ours),
                              (f"{var}/log/", f"{self.folder}/"),
                              (f"127.0.0.1:{self.instance.port} ", f"127.0.0.1:{self.port} ")):
            if before not in text:
                raise SystemExit(f"bench: nginx.conf of the instance does not say {before}")
            text = text.replace(before, after)
        with open(os.path.join(ours, "nginx.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        if not self.fastcgi:
            self.speak_http(os.path.join(ours, "rowgate/fastcgi.conf"))

    @staticmethod
    def speak_http(path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = re.sub(r"(?m)^\s*fastcgi_(param|keep_conn)\b.*\n", "", text)
        text = text.replace("fastcgi_pass ", "proxy_pass http://").replace("fastcgi_", "proxy_")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def wait(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for service in self.services:
                service.check()
            try:
                with socket.socket(socket.AF_UNIX) as app, socket.socket() as front:
                    app.connect(self.listen)
                    front.connect(("127.0.0.1", self.port))
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"bench: {self.name} does not come up, see {self.folder}")

    def nginx(self):
        return tree(self.front.process.pid)

    def app(self):
        return tree(self.program.process.pid)

    def workers(self):
        return self.app()[1:]

    def stop(self):
        for service in reversed(self.services):
            service.stop()


class Probe(Neighbour):
    name = "C probe"
    fastcgi = True

    def __init__(self, instance):
        super().__init__(instance, "probe")
        self.about = f"{instance.workers} workers by multiwatch"

    def user(self):
        """Who runs Rowgate's workers."""
        return pwd.getpwuid(os.stat(os.path.join(self.instance.var, "run/live.sock")).st_uid).pw_name

    def command(self):
        user = ["-u", self.user(), "-U", self.user()] if os.getuid() == 0 else []
        return ["spawn-fcgi", "-n", "-s", self.listen, "-b", "1024", "-M", "0660", *user, "--",
                shutil.which("multiwatch"), "-f", str(self.instance.workers), "-s", "TERM", "--",
                os.path.join(REPO, self.instance.build, "tests/bench/probe")]


class FastAPI(Neighbour):
    name = "FastAPI"
    about = f"uvicorn ({'uvloop, httptools' if UVLOOP else 'asyncio, h11'}), 2 workers, SQLAlchemy ORM"

    def __init__(self, instance):
        super().__init__(instance, "fastapi")

    def command(self):
        return [PYTHON, "-m", "uvicorn", "--workers", "2", "--uds", self.listen, "--log-level", "warning",
                "--no-access-log", "--loop", "uvloop" if UVLOOP else "asyncio", "--http",
                "httptools" if UVLOOP else "h11", "fastapi_app:app"]


class Flask(Neighbour):
    name = "Flask"
    about = "gunicorn, 4 sync workers, SQLAlchemy ORM"

    def __init__(self, instance):
        super().__init__(instance, "flask")

    def command(self):
        return ["gunicorn", "--workers", "4", "--bind", "unix:" + self.listen, "--log-level", "warning",
                "flask_app:app"]


SYSTEMS = {"rowgate": Rowgate, "probe": Probe, "fastapi": FastAPI, "flask": Flask}
