#!/usr/bin/python3
"""
All tests, one stage after the other: `make test`, or tests/all.py STAGE... for some of them.

unit     cmocka programs under build/tests/unit
sql      the databases on MariaDB          sql-mysql     on Oracle MySQL
http     through nginx on MariaDB          http-mysql    on Oracle MySQL
run      make up, down, reload
clients  npm clients
openapi  the description, as linters, a validator and a generator of types read it
browser  the web pages, used by Chromium
mysqlclient  built with Oracle's client library; some of http on Oracle MySQL and on MariaDB
asan     unit and http against a build with AddressSanitizer and UBSan
fault    writers while workers and the database are killed, 20 s          fault-mysql    on Oracle MySQL
fuzz     each target of tests/fuzz on the same inputs each time (FUZZ_RUNS below), at most FUZZ_SECS seconds, two at a time
lint     make lint: one test
memory   make valgrind: one test
scale    a writer with a replica: lag, failover           scale-mysql    on Oracle MySQL
galera   three nodes of MariaDB: clashes, nodes that die  group          three members of MySQL's Group Replication, the same
failover a reader and a failover as the playbooks have them, on a booted host
         (group and failover run when asked for: a machine that stands still for seconds is taken for one that died)
monitoring   alert rules, dashboard, runbooks, what the role writes; the CloudFormation template
deploy       the playbooks of ansible/ on two hosts that boot systemd; skipped where none can be booted
deploy-more  the same on one host: what is refused, a database elsewhere, certificates

Stages run one after the other, or LANES of them at once. Quiet where it is green; of what is red, the end is shown, and what
failed is named once more at the end of all. A few failures over HTTP are tried once more, alone: what passes then is named as
unstable, and is to be mended. The last line is `N passed, M failed[, K skipped]`. Oracle MySQL comes unpacked from Debian's
archive (tests/servers); where that is
impossible its stages are skipped and said to be, unless ROWGATE_REQUIRE_MYSQL is set.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parent.parent
PYTHON = '/usr/bin/python3'
BUILD = os.environ.get('BUILD', 'build')
FOLDER = pathlib.Path(os.environ.get('ROWGATE_TEST_DIR', REPO / 'var-test'))
UNSTABLE_MAX = 3
SANITIZE = ['SANITIZE=-fsanitize=address,undefined -fno-sanitize-recover=undefined', 'OPT=-O1 -g']
DEFAULT = ['unit', 'sql', 'http', 'run', 'clients', 'openapi', 'browser', 'fault', 'scale', 'galera', 'sql-mysql', 'http-mysql', 'fault-mysql',
           'scale-mysql', 'monitoring']


def run(command, **environment):
    """Exit status and everything it printed."""
    done = subprocess.run(command, cwd=REPO, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
    return done.returncode, done.stdout


def make(*words):
    return run(['make', '-s', '-j2', *words], MAKEFLAGS='', MFLAGS='')


def number(pattern, text):
    return sum(int(n) for n in re.findall(pattern, text, re.M))


def pytest(*tests, alone=True, **environment):
    """alone=False: tests that follow one another are tried again all together."""
    with tempfile.TemporaryDirectory() as cache:
        command = [PYTHON, '-m', 'pytest', '-q', '-o', f'cache_dir={cache}', *tests]
        passed, failed, skipped, out = counted(*run(command, **environment))
        if not 0 < failed <= UNSTABLE_MAX or not passed:
            return passed, failed, skipped, out
        again, still, _, more = counted(*run([*command, *(['--last-failed'] if alone else [])], **environment))
        if still or again != (failed if alone else passed + failed):
            return passed, failed, skipped, out + more
        print('\n'.join(f'{"unstable":12} {line}' for line in out.splitlines() if line.startswith(('FAILED', 'ERROR'))))
        return passed + failed, 0, skipped, ''


def counted(status, out):
    summary = out.strip().splitlines()[-1] if out.strip() else ''
    failed = number(r'(\d+) failed', summary) + number(r'(\d+) errors?', summary)
    passed = number(r'(\d+) passed', summary)
    skipped = number(r'(\d+) skipped', summary)
    if status not in (0, 1) or not passed + failed + skipped:
        failed = failed or 1
    return passed, failed, skipped, out


def unit(build=BUILD, *settings):
    status, out = make(f'BUILD={build}', *settings, 'unit-programs')
    if status:
        return 0, 1, 0, out
    passed = failed = 0
    bad = ''
    for program in sorted((REPO / build / 'tests/unit').glob('test_*')):
        if program.suffix:
            continue
        status, out = run([str(program)])
        ok = number(r'\[  PASSED  \] (\d+) test', out)
        wrong = number(r'\[  FAILED  \] \w+: (\d+) test', out) or number(r'(\d+) FAILED TEST', out) or (1 if status else 0)
        passed, failed = passed + ok, failed + wrong
        if wrong:
            bad += out
    return passed, failed, 0, bad


def mysql_missing():
    sys.path.insert(0, str(REPO / 'tests/http'))
    import harness
    return harness.mysql_missing()


def skipped_without(what, missing):
    if os.environ.get('ROWGATE_REQUIRE_MYSQL'):
        return 0, 1, 0, missing
    print(f'{"":12} no {what} here, so this half is skipped: {missing}')
    return 0, 0, 1, ''


def on_mysql(folder):
    missing = mysql_missing()
    if missing:
        return skipped_without('Oracle MySQL', missing)
    return pytest(folder, ROWGATE_TEST_SERVER='mysql')


def mysqlclient():
    script, folder = str(REPO / 'tests/servers/mysqlclient.sh'), FOLDER / 'mysqlclient'
    missing = mysql_missing()
    if not missing:
        status, out = run([script, str(folder), 'create'])
        missing = status and (out.strip().splitlines() or ['?'])[-1]
    if missing:
        return skipped_without("libmysqlclient of Oracle's", missing)
    compilers = [name for name in ('gcc', 'clang') if shutil.which(name)]
    for name in compilers:
        status, out = run([script, str(folder), 'build', name])
        if status:
            return 0, 1, 0, out
    # What depends on the library: values, long rows and cut ones, connections that are lost or refused, logins.
    with_it = {'BUILD': str(folder / 'gcc'), 'LIBMYSQL_PLUGIN_DIR': str(folder / 'root/usr/lib/mysql/plugin')}
    life = 'tests/http/test_life.py::test_'
    counts = [(len(compilers), 0, 0, ''),
              pytest('tests/http/test_types.py', 'tests/http/test_filter.py', 'tests/http/test_stream.py',
                     life + 'the_database_is_down', life + 'out_of_connections', ROWGATE_TEST_SERVER='mysql', **with_it),
              pytest('tests/http/test_types.py', ROWGATE_TEST_SERVER='mariadb', **with_it)]
    return *(sum(c[i] for c in counts) for i in range(3)), ''.join(c[3] for c in counts)


def node_tests(folder, settings, **environment):
    """The tests of an npm folder against an instance of their own."""
    status, out = run(['npm', 'ci', '--no-audit', '--no-fund', '--silent', '--ignore-scripts', '--prefix', folder])
    if status:
        return 0, 1, 0, out
    name = pathlib.Path(folder).name
    FOLDER.mkdir(exist_ok=True)
    settings = [f'VAR={FOLDER}/{name}', f'PORT={free_port()}', 'WORKERS=4', *settings]
    status, out = make(*settings, 'up')
    if status:
        return 0, 1, 0, out
    try:
        env = dict(re.findall(r"^(\w+)='?(.*?)'?$", (FOLDER / name / 'rowgate.env').read_text(), re.M))
        # One after the other: some write what others count.
        done = [run(['node', '--test', '--test-reporter=tap', str(tests)], NODE_EXTRA_CA_CERTS=env['ROWGATE_CA'], **env, **environment)
                for tests in sorted((REPO / folder).glob('*.test.mjs'))]
    finally:
        make(*settings, 'down')
    passed, failed, skipped = (sum(number(rf'^# {word} (\d+)', out) for _, out in done) for word in ('pass', 'fail', 'skipped'))
    return passed, failed or int(any(status for status, _ in done) or not passed), skipped, ''.join(out for _, out in done)


def clients():
    return node_tests('tests/clients', [])


def openapi():
    return node_tests('tests/openapi', [])


def browser_missing():
    """Why there is no browser, after an attempt to install one; None where there is."""
    names = ('chromium', 'chromium-browser', 'google-chrome')
    if not any(map(shutil.which, names)):
        root = [] if os.geteuid() == 0 else ['sudo', '-n']
        run([*root, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'chromium'], DEBIAN_FRONTEND='noninteractive')
    return None if any(map(shutil.which, names)) else "no Chromium, and apt's package 'chromium' could not be installed"


def browser():
    """SCREENSHOTS: pictures of every page, in BUILD/screenshots."""
    missing = browser_missing()
    if missing:
        return skipped_without('browser', missing)
    status, out = make(f'BUILD={BUILD}', 'pages')
    if status or not (REPO / BUILD / 'pages/index.html').exists():
        return 0, 1, 0, out
    pictures = {'SCREENSHOTS': str(REPO / BUILD / 'screenshots')} if os.environ.get('SCREENSHOTS') else {}
    return node_tests('tests/browser', [f'BUILD={BUILD}'], **pictures)


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def asan():
    """A finding ends the worker it is in, and is looked for in every log."""
    build, logs = f'{BUILD}/asan', FOLDER / 'asan'
    logs.mkdir(parents=True, exist_ok=True)
    logs.chmod(0o777)
    for old in logs.glob('report.*'):
        old.unlink()
    status, out = make(f'BUILD={build}', *SANITIZE, 'all')
    if status:
        return 0, 1, 0, out
    options = f'log_path={logs}/report:abort_on_error=0'
    # libfcgi loses what it has read of parameters that break off: records nginx does not send, but test_hostile does.
    known = logs / 'known-leaks'
    known.write_text('leak:libfcgi.so\n')
    known.chmod(0o644)
    # Memory figures mean nothing under the sanitizers.
    counts = [unit(build, *SANITIZE),
              pytest('tests/http', BUILD=build, ASAN_OPTIONS=options, UBSAN_OPTIONS=f'print_stacktrace=1:{options}',
                     LSAN_OPTIONS=f'suppressions={known}:print_suppressions=0', ROWGATE_SANITIZED='1')]
    reports = ''.join(p.read_text(errors='replace') for p in logs.glob('report.*'))
    passed, failed, skipped = (sum(c[i] for c in counts) for i in range(3))
    for line in (line for c in counts for line in c[3]):
        print(line)
    return passed, failed + (1 if reports else 0), skipped, ''.join(c[3] for c in counts) + reports


def fault(server):
    def stage():
        missing = mysql_missing() if server == 'mysql' else None
        if missing:
            return skipped_without('Oracle MySQL', missing)
        status, out = run([PYTHON, 'tests/fault/fault.py', '--server', server])
        return (0, 1, 0, out) if status else (1, 0, 0, out)
    return stage


# About half a minute each on a quiet core. Seed and number, not time, say which inputs: CI tries those that were tried
# before the commit, and the time is there only to end at all.
FUZZ_RUNS = {'accept': 350_000, 'body': 115_000, 'csv': 350_000, 'json_check': 1_800_000, 'jwks': 700_000,
             'prefer': 900_000, 'query': 450_000, 'token': 1_000_000}


def fuzz():
    script = str(REPO / 'tests/fuzz/fuzz.sh')
    status, out = run([script, 'build'])
    if status:
        return 0, 1, 0, out
    names = sorted(p.stem[5:] for p in (REPO / 'tests/fuzz').glob('fuzz_*.c'))
    seconds = os.environ.get('FUZZ_SECS', '900')
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda name: run([script, name, seconds], FUZZ_SEED='1', FUZZ_RUNS=str(FUZZ_RUNS.get(name, -1))), names))
    bad = [f'{name}:\n' + '\n'.join(out.splitlines()[-40:]) for name, (status, out) in zip(names, done) if status]
    return len(names) - len(bad), len(bad), 0, '\n'.join(bad)


def shown(counts):
    """What was skipped and why, and figures, of green stages too."""
    for line in dict.fromkeys(line for line in counts[3].splitlines() if line.startswith(('SKIPPED', 'writes again'))):
        print(f'{"":12} {line}')
    return counts


def deploy():
    return shown(pytest('tests/deploy/test_deploy.py', '-rfEs', alone=False))


def target(name):
    def stage():
        status, out = make(name)
        return (0, 1, 0, out) if status else (1, 0, 0, out)
    return stage


STAGES = {
    'unit': unit, 'sql': lambda: pytest('tests/sql'), 'http': lambda: pytest('tests/http'),
    'run': lambda: pytest('tests/run'), 'clients': clients, 'openapi': openapi, 'browser': browser, 'sql-mysql': lambda: on_mysql('tests/sql'),
    'http-mysql': lambda: on_mysql('tests/http'), 'asan': asan, 'lint': target('lint'), 'memory': target('valgrind'),
    'scale': lambda: shown(pytest('tests/scale/test_replica.py')), 'galera': lambda: shown(pytest('tests/scale/test_galera.py', '-rfEs')),
    'scale-mysql': lambda: shown(on_mysql('tests/scale/test_replica.py')), 'group': lambda: shown(on_mysql('tests/scale/test_group.py')),
    'failover': lambda: shown(pytest('tests/scale/test_hosts.py', '-rfEs')),
    'monitoring': lambda: pytest('tests/monitoring', 'tests/cloud'), 'fuzz': fuzz,
    'deploy': deploy, 'deploy-more': lambda: shown(pytest('tests/deploy/test_bad_input.py', 'tests/deploy/test_tls.py', '-rfEs', alone=False)),
    'mysqlclient': mysqlclient, 'fault': fault('mariadb'), 'fault-mysql': fault('mysql'),
}


def report(name):
    begun = time.monotonic()
    passed, failed, skipped, out = STAGES[name]()
    lines = out.splitlines()[-150:] if failed else []
    lines.append(f'{name:12} {passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else '') +
                 f' ({time.monotonic() - begun:.0f} s)')
    print('\n'.join(lines), flush=True)
    return passed, failed, skipped, [f'{name:12} {line[:300]}' for line in essence(out) if failed]


def essence(out):
    """The lines that name what failed, for the end of the output, where they are looked for."""
    lines = out.splitlines()
    named = [line for line in lines if re.match(r'(FAILED|ERROR|SUMMARY|Base64|not ok|lint:)', line.strip()) or ' error: ' in line]
    return (named or lines)[-15:]


def main(names):
    names, lanes = names or DEFAULT, int(os.environ.get('LANES', 1))
    if lanes > 1:
        # What several would make, or unpack, at once.
        make('all', 'unit-programs')
        mysql_missing()
    with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
        counts = list(pool.map(report, names))
    passed, failed, skipped = (sum(c[i] for c in counts) for i in range(3))
    for line in (line for c in counts for line in c[3]):
        print(line)
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
