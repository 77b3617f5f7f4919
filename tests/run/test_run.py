"""How a person meets Rowgate: make up, down, run, reload, with VAR, PORT, WORKERS and DB as in the contract.

Everything here goes through make and HTTPS. Each instance lives in a folder of its own under a scratch folder and
on a free port, so these tests run beside an instance of yours.
"""
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time

import pytest
import requests

REPO = pathlib.Path(__file__).resolve().parents[2]
ROOT = os.geteuid() == 0
SESSION = 3  # where /proc/PID/stat has it, behind the name


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def stats():
    """pid -> fields of /proc/PID/stat behind the name, of every process that has not ended."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] not in "ZX":
            found[int(path.parent.name)] = fields
    return found


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


class Instance:
    def __init__(self, var, port=None, workers=2, user=None, **variables):
        self.var = pathlib.Path(var)
        self.port = port or free_port()
        self.variables = {"VAR": str(self.var), "PORT": str(self.port), "WORKERS": str(workers), **variables}
        self.user = user

    def command(self, verb, **more):
        words = ["make", "-s", verb] + [f"{k}={v}" for k, v in {**self.variables, **more}.items()]
        if self.user:
            words = ["runuser", "-u", self.user, "--", "env", "SKIP_BUILD=1"] + words
        return words

    def make(self, verb, **more):
        return subprocess.run(self.command(verb, **more), cwd=REPO, text=True, timeout=180, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def up(self, **more):
        done = self.make("up", **more)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def down(self):
        done = self.make("down")
        assert done.returncode == 0, done.stdout

    def env(self):
        text = subprocess.run(["sh", "-c", '. "$0"; set', str(self.var / "rowgate.env")], text=True, check=True,
                              capture_output=True).stdout
        words = [shlex.split(line)[0] for line in text.splitlines() if line.startswith("ROWGATE_")]
        return dict(word.split("=", 1) for word in words)

    def get(self, path, **options):
        env = self.env()
        headers = {"Authorization": "Bearer " + env["ROWGATE_SERVICE_KEY"]}
        return requests.get(env["ROWGATE_URL"] + path, headers=headers, verify=env["ROWGATE_CA"], timeout=20, **options)

    def ready(self):
        return self.get("/health/ready").status_code == 200

    def leaders(self):
        return {f.stem: int(f.read_text().split()[0]) for f in (self.var / "run").glob("*.started")}

    def processes(self):
        """All of it: the sessions of what was started."""
        leaders = {str(pid) for pid in self.leaders().values()}
        return {pid for pid, fields in stats().items() if fields[SESSION] in leaders}

    def workers(self):
        pool = str(self.leaders()["pool"])
        return {pid for pid, fields in stats().items() if fields[1] == pool}

    def sql(self, text):
        return subprocess.run(["mariadb", "--no-defaults", "-N", "-u", "root", "-S", str(self.var / "mysql.sock"),
                               "-e", text], text=True, check=True, capture_output=True).stdout


def last_line(output):
    """What a person reads last: one line that says what to do (make adds its own about the recipe)."""
    lines = [line for line in output.splitlines() if line and not line.startswith("make")]
    return lines[-1]


def assert_nothing_left(var):
    assert not list((pathlib.Path(var) / "run").glob("*.started"))
    needle = str(var).encode()
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        name = words.split(b"\0")[0].rpartition(b"/")[2]
        assert not (needle in words and name in (b"mariadbd", b"multiwatch", b"rowgate", b"nginx:")), words


@pytest.fixture(scope="module")
def scratch():
    path = tempfile.mkdtemp(prefix="rgrun.", dir="/tmp")
    os.chmod(path, 0o755)
    yield pathlib.Path(path)
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def instance(scratch):
    one = Instance(scratch / "one")
    one.output = one.up()
    yield one
    one.down()
    assert_nothing_left(one.var)


@pytest.fixture
def other(scratch, request):
    two = Instance(scratch / re.sub(r"\W", "", request.node.name)[:40])
    yield two
    if two.var.exists():
        two.make("down")
    assert_nothing_left(two.var)


def test_up_returns_when_ready(instance):
    assert instance.ready()
    assert len(instance.workers()) == 2


def test_env_file(instance):
    env = instance.env()
    assert env["ROWGATE_URL"] == f"https://127.0.0.1:{instance.port}"
    assert set(env) >= {"ROWGATE_CA", "ROWGATE_ANON_KEY", "ROWGATE_SERVICE_KEY", "ROWGATE_JWT_SECRET_FILE",
                        "ROWGATE_ADMIN_EMAIL", "ROWGATE_ADMIN_PASSWORD"}
    assert stat.S_IMODE((instance.var / "rowgate.env").stat().st_mode) == 0o600


def test_secrets_are_closed_to_others(instance):
    for path in [*(instance.var / "keys").iterdir(), instance.var / "tls/ca.key", instance.var / "tls/server.key"]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o137 == 0, path


def test_no_secret_on_a_command_line(instance):
    secrets = [f.read_bytes().strip() for f in (instance.var / "keys").iterdir()]
    for pid in instance.processes():
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        assert not any(secret in words for secret in secrets)


def test_the_printed_request_works_as_pasted(instance):
    line = next(line for line in instance.output.splitlines() if "curl " in line)
    done = subprocess.run(["sh", "-c", line], cwd=REPO, text=True, capture_output=True)
    rows = requests.models.complexjson.loads(done.stdout)
    assert len(rows) == 3
    assert set(rows[0]) == {"name", "division", "salary"}
    assert rows[0]["salary"] >= rows[1]["salary"] >= rows[2]["salary"]


def test_relative_var_is_relative_to_the_clone(instance):
    relative = os.path.relpath(instance.var, REPO)
    done = instance.make("status", VAR=relative)
    assert done.returncode == 0 and f"nginx runs (pid {instance.leaders()['nginx']})" in done.stdout


def test_up_again_changes_nothing(instance):
    before = instance.processes()
    assert "already up" in instance.up()
    assert instance.processes() == before


def test_up_on_another_port_is_refused_while_up(instance):
    done = instance.make("up", PORT=free_port())
    assert done.returncode != 0
    assert f"runs on port {instance.port}" in last_line(done.stdout)


def test_port_in_use(other):
    with socket.socket() as s:
        s.bind(("127.0.0.1", other.port))
        s.listen()
        done = other.make("up")
    assert done.returncode != 0
    assert f"port {other.port} is in use by " in last_line(done.stdout)
    assert f"(pid {os.getpid()})" in last_line(done.stdout)


@pytest.mark.parametrize("name,value", [("PORT", "0"), ("PORT", "65536"), ("PORT", "x"), ("WORKERS", "-1"),
                                        ("WORKERS", "0"), ("DB", "127.0.0.1:x"), ("DB", "$(id)")])
def test_wrong_variable(other, name, value):
    done = other.make("up", **{name: value.replace("$", "$$")})
    assert done.returncode != 0
    assert last_line(done.stdout).startswith("rowgate: ") and name in last_line(done.stdout)


def test_two_instances_side_by_side(instance, other):
    other.up()
    assert other.ready() and instance.ready()
    assert not other.processes() & instance.processes()
    assert other.get("/rest/v1/compensation?limit=1").status_code == 200
    # Each has its own keys.
    foreign = {"Authorization": "Bearer " + instance.env()["ROWGATE_SERVICE_KEY"]}
    env = other.env()
    answer = requests.get(env["ROWGATE_URL"] + "/rest/v1/compensation", headers=foreign, verify=env["ROWGATE_CA"],
                          timeout=20)
    assert answer.status_code == 401
    other.down()
    assert instance.ready()


def test_down_ends_all_and_keeps_the_data(other):
    other.up()
    other.sql("CREATE DATABASE kept; CREATE TABLE kept.t (id INT); INSERT INTO kept.t VALUES (42)")
    secret = (other.var / "keys/jwt-secret").read_text()
    with open(other.var / "rowgate.conf", "a") as conf:
        conf.write("db-max-rows = 2\n")
    before = other.processes()
    assert len(before) >= 5
    other.down()
    assert not before & set(stats())
    other.up()
    assert other.sql("SELECT id FROM kept.t") == "42\n"
    assert (other.var / "keys/jwt-secret").read_text() == secret
    assert len(other.get("/rest/v1/compensation").json()) == 2
    other.down()


def test_down_lets_a_request_finish(other):
    other.up()
    answers = []
    holder = subprocess.Popen(["mariadb", "--no-defaults", "-u", "root", "-S", str(other.var / "mysql.sock"), "-e",
                               "LOCK TABLES wages.salary_history WRITE; DO SLEEP(3)"])
    time.sleep(0.5)
    thread = threading.Thread(target=lambda: answers.append(other.get("/rest/v1/salary_history?limit=1")))
    thread.start()
    time.sleep(0.5)
    other.down()
    thread.join()
    holder.wait()
    assert answers and answers[0].status_code == 200 and len(answers[0].json()) == 1


def test_down_spares_a_process_that_got_the_number(other):
    (other.var / "run").mkdir(parents=True)
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        (other.var / "run/nginx.started").write_text(f"{bystander.pid} 1\n")
        (other.var / "run/pool.started").write_text("4194304 1\n")
        other.down()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_up_after_a_crash_of_a_part(other):
    other.up()
    workers = other.workers()
    os.kill(other.leaders()["pool"], signal.SIGKILL)
    os.kill(other.leaders()["mariadb"], signal.SIGKILL)
    other.up()
    assert other.ready()
    assert not workers & set(stats()), "workers without a supervisor were left"
    other.down()


def test_killed_worker_is_replaced(instance):
    before = instance.workers()
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    assert wait_until(lambda: victim not in instance.workers() and len(instance.workers()) == len(before))
    assert instance.ready()


class Load:
    """Requests one after the other on several threads, from start to end of a with block."""

    def __init__(self, instance, path, threads=3):
        env = instance.env()
        self.url = env["ROWGATE_URL"] + path
        self.headers = {"Authorization": "Bearer " + env["ROWGATE_SERVICE_KEY"]}
        self.ca = env["ROWGATE_CA"]
        self.failed, self.done, self.ending = [], 0, False
        self.threads = [threading.Thread(target=self.work) for _ in range(threads)]

    def work(self):
        while not self.ending:
            try:
                status = requests.get(self.url, headers=self.headers, verify=self.ca, timeout=20).status_code
            except requests.RequestException as error:
                status = repr(error)
            self.done += 1
            if status != 200:
                self.failed.append(status)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending = True
        for thread in self.threads:
            thread.join()


def test_reload_takes_the_configuration_without_a_failed_request(instance):
    conf = instance.var / "rowgate.conf"
    kept = conf.read_text()
    before = instance.workers()
    try:
        with Load(instance, "/rest/v1/compensation?limit=1") as load:
            for rows in (1, 2, 3):
                conf.write_text(kept + f"db-max-rows = {rows}\n")
                done = instance.make("reload")
                assert done.returncode == 0, done.stdout
                # Whichever worker answers, it has the new setting.
                for _ in range(8):
                    assert len(instance.get("/rest/v1/compensation").json()) == rows
        assert load.done > 20
        assert load.failed == []
        assert instance.workers() == before
    finally:
        conf.write_text(kept)
        assert instance.make("reload").returncode == 0


def test_reload_refuses_a_wrong_configuration_and_goes_on(instance):
    conf = instance.var / "rowgate.conf"
    kept = conf.read_text()
    try:
        conf.write_text(kept + "no-such-setting = 1\n")
        done = instance.make("reload")
        assert done.returncode != 0
        assert "no-such-setting" in done.stdout
        assert instance.get("/rest/v1/compensation?limit=1").status_code == 200
    finally:
        conf.write_text(kept)
        assert instance.make("reload").returncode == 0


def test_reload_takes_a_new_signing_key(other):
    other.up()
    old = other.env()
    (other.var / "keys/jwt-secret").write_text("another secret of more than 32 bytes, to sign with")
    done = other.make("reload")
    assert done.returncode == 0, done.stdout

    def taken():
        """Of a worker that was busy `make reload` says that it follows: each answers some of these."""
        answers = {(other.get("/rest/v1/compensation?limit=1").status_code,
                    requests.get(old["ROWGATE_URL"] + "/rest/v1/compensation", verify=old["ROWGATE_CA"], timeout=20,
                                 headers={"Authorization": "Bearer " + old["ROWGATE_SERVICE_KEY"]}).status_code)
                   for _ in range(6)}
        return answers == {(200, 401)}

    assert wait_until(taken, 60), (done.stdout, (other.var / "log/rowgate.log").read_text()[-4000:])
    other.down()


def test_reload_renews_a_certificate_near_its_end(instance):
    tls = instance.var / "tls"
    shutil.copy(tls / "server.pem", tls / "kept.pem")
    command = (f"cd {shlex.quote(str(tls))} && openssl req -new -key server.key -subj /CN=localhost | "
               "openssl x509 -req -CA ca.pem -CAkey ca.key -set_serial 7 -days 3 -out server.pem")
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    assert instance.make("reload").returncode == 0
    left = subprocess.run(["openssl", "x509", "-in", str(tls / "server.pem"), "-noout", "-checkend",
                           str(300 * 86400)], capture_output=True)
    assert left.returncode == 0
    assert wait_until(instance.ready)


def test_reload_turns_the_rate_limit_on_and_off(instance):
    try:
        assert instance.make("reload", RATE="5").returncode == 0
        time.sleep(1)
        env = instance.env()
        with requests.Session() as session:
            answers = [session.get(env["ROWGATE_URL"] + "/rest/v1/", verify=env["ROWGATE_CA"], timeout=20)
                       for _ in range(140)]
        refused = [a for a in answers if a.status_code == 429]
        assert 10 <= len(refused) <= 40  # 100 at once, and 5 a second
        assert refused[0].headers["Retry-After"] == "1"
        assert set(refused[0].json()) == {"code", "message", "details", "hint"}
        assert refused[0].headers["X-Content-Type-Options"] == "nosniff"
    finally:
        assert instance.make("reload").returncode == 0


def test_reload_of_nothing(other):
    done = other.make("reload")
    assert done.returncode != 0
    assert "make up" in last_line(done.stdout)


def heed_ctrl_c():
    """Tests that run in the background of a shell are born without an ear for it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_run_ends_with_ctrl_c(other):
    with subprocess.Popen(other.command("run"), cwd=REPO, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=heed_ctrl_c) as run:
        output = ""
        while "Ctrl-C ends it" not in output:
            line = run.stdout.readline()
            assert line, output
            output += line
        assert other.ready()
        assert "curl " in output
        before = other.processes()
        os.killpg(run.pid, signal.SIGINT)  # what the terminal does
        run.communicate(timeout=60)
    assert not before & set(stats())


def test_run_ends_when_a_part_does(other):
    with subprocess.Popen(other.command("run"), cwd=REPO, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as run:
        while "Ctrl-C ends it" not in run.stdout.readline():
            assert run.poll() is None
        os.kill(other.leaders()["mariadb"], signal.SIGKILL)
        output = run.communicate(timeout=60)[0]
    assert run.returncode != 0
    assert "ended by itself" in output


@pytest.mark.parametrize("name", ["with blanks & 'quotes' $HOME", "long/" + "x" * 100])
def test_unusual_folder(scratch, name):
    odd = Instance(scratch / name)
    odd.variables["VAR"] = odd.variables["VAR"].replace("$", "$$")
    output = odd.up()
    try:
        assert odd.ready()
        line = next(line for line in output.splitlines() if "curl " in line)
        assert subprocess.run(["sh", "-c", line], cwd=REPO, capture_output=True, text=True).stdout.startswith("[")
        assert odd.make("reload").returncode == 0
    finally:
        odd.down()
    assert_nothing_left(odd.var)


def test_database_that_does_not_come_up(other):
    (other.var / "mysql").mkdir(parents=True)
    (other.var / "mysql/ibdata1").write_text("not a tablespace")
    done = other.make("up")
    assert done.returncode != 0
    assert "MariaDB" in last_line(done.stdout) and "mariadb.log" in last_line(done.stdout)


def test_a_configuration_that_cannot_serve_is_told(other):
    other.up()
    other.down()
    conf = other.var / "rowgate.conf"
    good = conf.read_text()
    conf.write_text(good.replace("keys/authenticator-password", "keys/jwt-secret"))
    # The definitions are read by another login, but the sample's policies tried with this one.
    done = other.make("up")
    assert done.returncode != 0 and "authenticator logs in and may take the role anon: Database login failed" in done.stdout
    other.down()
    conf.write_text(good.replace("keys/catalogue-password", "keys/jwt-secret"))
    begun = time.monotonic()
    done = other.make("up")
    assert done.returncode != 0 and time.monotonic() - begun < 25
    assert "Access denied for user 'rowgate_catalogue'" in done.stdout
    assert "correct what is named above" in last_line(done.stdout)


@pytest.mark.skipif(not ROOT, reason="needs root to mount a small file system")
def test_full_disk(other):
    other.var.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=50m", "none", str(other.var)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        done = other.make("up")
        assert done.returncode != 0
        assert re.search(r"disk .* has \d+ MiB left and 600 are needed", last_line(done.stdout))
    finally:
        subprocess.run(["umount", str(other.var)], check=True)


@pytest.mark.skipif(not ROOT, reason="needs root to become another user")
def test_ordinary_user(scratch):
    name = "rgtest%d" % os.getpid()
    home = scratch / "home"
    home.mkdir()
    made = subprocess.run(["useradd", "-d", str(home), name], capture_output=True)
    if made.returncode:
        pytest.skip("no user can be added here")
    try:
        shutil.chown(home, name)
        plain = Instance(home / "var", user=name)
        if subprocess.run(["runuser", "-u", name, "--", "test", "-r", str(REPO / "Makefile")]).returncode:
            pytest.skip("the clone is closed to other users")
        plain.up()
        assert plain.ready()
        owners = {os.stat(f"/proc/{pid}").st_uid for pid in plain.processes()}
        assert owners == {home.stat().st_uid}
        assert plain.get("/rest/v1/compensation?limit=1").status_code == 200
        # Its database root has no password, so nobody else may come near the socket.
        assert stat.S_IMODE((plain.var / "mysql.sock").resolve().parent.stat().st_mode) == 0o700
        plain.down()
        assert_nothing_left(plain.var)
        low = plain.make("up", PORT="81")
        assert low.returncode != 0 and "port 81 is for root alone" in last_line(low.stdout)
        assert f"PORT={plain.port}" in (plain.var / "run/settings").read_text().split()
    finally:
        subprocess.run(["userdel", name], check=True)


@pytest.mark.skipif(not ROOT, reason="started as root only")
def test_root_does_not_serve_as_root(instance):
    owners = {os.stat(f"/proc/{pid}").st_uid for pid in instance.workers()}
    assert 0 not in owners
    assert os.stat(f"/proc/{instance.leaders()['mariadb']}").st_uid != 0


@pytest.mark.skipif(not ROOT, reason="needs a folder that only root can enter")
def test_folder_that_only_root_can_enter(scratch):
    (scratch / "closed").mkdir(mode=0o700)
    closed = Instance(scratch / "closed/var")
    output = closed.up()
    try:
        assert "everything runs as root" in output
        assert closed.ready()
        assert closed.make("reload").returncode == 0
    finally:
        closed.down()
    assert_nothing_left(closed.var)


class Server:
    """A MariaDB on TCP with TLS that is not ours: what DB=HOST:PORT is for."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        folder.mkdir()
        user = "mysql" if ROOT else os.environ["USER"]
        shutil.chown(folder, user)
        make_tls(folder)
        options = ["--no-defaults", f"--user={user}", f"--datadir={folder}/data"]
        subprocess.run(["mariadb-install-db", *options, "--force", "--skip-test-db"], check=True, capture_output=True)
        init = folder / "init.sql"
        init.write_text("CREATE USER boss@'%' IDENTIFIED BY 'the \"right\" one';\n"
                        "GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION;\n")
        (folder / "password").write_text('the "right" one\n')
        self.process = subprocess.Popen(
            ["mariadbd", *options, f"--socket={folder}/s", f"--port={self.port}", "--bind-address=127.0.0.1",
             f"--init-file={init}", f"--ssl-ca={folder}/ca.pem", f"--ssl-cert={folder}/server.pem",
             f"--ssl-key={folder}/server.key", "--innodb-buffer-pool-size=64M"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_until(self.answers, 60)

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        self.process.terminate()
        self.process.wait()


def make_tls(folder):
    script = """
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 -subj /CN=ca -keyout ca.key -out ca.pem
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out csr
        echo subjectAltName=DNS:localhost,IP:127.0.0.1 > ext
        openssl x509 -req -in csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 3 -extfile ext -out server.pem
        chmod 644 server.key
    """
    subprocess.run(["sh", "-ec", script], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def server(scratch):
    one = Server(scratch / "server")
    yield one
    one.close()


def elsewhere(instance, server, **more):
    instance.variables.update(DB=f"127.0.0.1:{server.port}", DB_USER="boss", DB_PASSWORD_FILE=f"{server.folder}/password",
                              DB_CA=f"{server.folder}/ca.pem", **more)
    return instance


def test_server_that_runs_already(other, server):
    elsewhere(other, server).up()
    assert other.ready()
    assert "mariadb" not in other.leaders()
    assert not (other.var / "mysql").exists()
    assert other.get("/rest/v1/compensation?limit=1").status_code == 200
    other.down()
    assert server.answers()


def test_from_a_private_database_to_a_server_and_back(other, server):
    """The configuration is the person's own, but for the lines that say where the database is."""
    other.up()
    other.down()
    conf = other.var / "rowgate.conf"
    conf.write_text(conf.read_text().replace("db-max-rows = 0", "db-max-rows = 7"))
    private = conf.read_text()
    conf.chmod(0o600)
    there = {"DB": f"127.0.0.1:{server.port}", "DB_USER": "boss", "DB_PASSWORD_FILE": f"{server.folder}/password"}
    done = other.make("up", DB_CA=f"{server.folder}/ca.pem", **there)
    assert done.returncode == 0, done.stdout
    assert "mariadb" not in other.leaders()
    assert len(other.get("/rest/v1/compensation").json()) == 7
    assert f"db-port = {server.port}\n" in conf.read_text() and "db-socket" not in conf.read_text()
    assert stat.S_IMODE(conf.stat().st_mode) & 0o007 == 0
    other.down()
    refused = other.make("up", DB=f"127.0.0.1:{free_port()}")
    assert refused.returncode != 0
    other.up()  # as at the last start that went well
    assert "mariadb" not in other.leaders()
    other.down()
    other.up(DB="local")
    assert len(other.get("/rest/v1/compensation").json()) == 7
    assert conf.read_text() == private


def test_wrong_password(other, server):
    wrong = server.folder / "wrong"
    wrong.write_text("not it")
    elsewhere(other, server)
    done = other.make("up", DB_PASSWORD_FILE=str(wrong))
    assert done.returncode != 0
    assert "refuses the login 'boss'" in last_line(done.stdout)
    assert "not it" not in done.stdout


def test_password_file_that_cannot_be_read(other, server):
    elsewhere(other, server)
    done = other.make("up", DB_PASSWORD_FILE="/nonexistent/password")
    assert done.returncode != 0
    assert "DB_PASSWORD_FILE '/nonexistent/password' cannot be read" in last_line(done.stdout)


def test_server_without_the_right_certificate(other, server, instance):
    elsewhere(other, server)
    done = other.make("up", DB_CA=str(instance.var / "tls/ca.pem"))
    assert done.returncode != 0
    assert "DB_CA" in last_line(done.stdout)


def test_server_that_does_not_answer(other, server):
    elsewhere(other, server)
    done = other.make("up", DB=f"127.0.0.1:{free_port()}")
    assert done.returncode != 0
    assert "does not answer" in last_line(done.stdout)
