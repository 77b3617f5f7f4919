"""Processes as /proc shows them: who belongs together, CPU time, private memory; and starting and ending our own."""
import os
import signal
import subprocess
import threading

MICROSECONDS_PER_TICK = 1e6 / os.sysconf("SC_CLK_TCK")


def stat(pid):
    """The fields of /proc/PID/stat from the state on, or None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None


def tree(root):
    """root and all its descendants."""
    children = {}
    for name in os.listdir("/proc"):
        fields = stat(name) if name.isdigit() else None
        if fields:
            children.setdefault(int(fields[1]), []).append(int(name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_microseconds(pids):
    """User and system time of these processes up to now."""
    total = 0
    for pid in pids:
        fields = stat(pid)
        if fields:
            total += int(fields[11]) + int(fields[12])
    return total * MICROSECONDS_PER_TICK


def private_kib(pid):
    """Memory that is this process's alone."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))


class MemoryWatch:
    """The peak of private_kib of each of pids while the `with` block runs, sampled every 20 ms."""

    def __init__(self, pids):
        self.before = {pid: private_kib(pid) for pid in pids}
        self.peak = dict(self.before)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.sample)

    def sample(self):
        while not self.ended.wait(0.02):
            for pid in self.peak:
                self.peak[pid] = max(self.peak[pid], private_kib(pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def growth_kib(self):
        return max(self.peak[pid] - self.before[pid] for pid in self.peak)


class Service:
    """A program in the foreground of a session of its own, its words in a log file; stop() ends it and its children."""

    def __init__(self, argv, log, env=None, cwd=None):
        self.log = log
        with open(log, "w", encoding="utf-8") as file:
            self.process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=file,
                                            stderr=subprocess.STDOUT, start_new_session=True)

    def check(self):
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                raise SystemExit(f"bench: {self.process.args[0]} ended by itself:\n{file.read()[-2000:]}")

    def stop(self):
        pids = {pid: stat(pid) for pid in tree(self.process.pid)}
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid, fields in pids.items():
            now = stat(pid)
            if fields and now and now[19] == fields[19] and now[0] != "Z":
                os.kill(pid, signal.SIGKILL)
