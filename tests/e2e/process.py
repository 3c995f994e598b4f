# SPDX-License-Identifier: Apache-2.0
"""Processes of the end-to-end tests: starting servers, seeing what they leave behind.

Each test runs in a process of its own that is a subreaper: whatever a server daemonises, forks or spawns stays below
it and is found there. Nothing is ever ended by name.
"""
import ctypes
import fcntl
import functools
import os
import random
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SERVERS = os.path.join(ROOT, "tests", "servers")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PR_SET_CHILD_SUBREAPER = 36


@functools.lru_cache(None)
def build_tool(name):
    """The path of tests/tools/NAME. Tests run side by side: one of them builds it, the others wait."""
    with open(os.path.join(ROOT, "build", "tools.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "-s", "build/tools/" + name], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return os.path.join(ROOT, "build", "tools", name)


def become_subreaper():
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError("prctl(PR_SET_CHILD_SUBREAPER)")


def wait_for(what, condition, timeout=15):
    """Polls until condition() is true and returns its value; says what was waited for when time is up."""
    end = time.monotonic() + timeout
    pause = 0.001
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError("after %g s still waiting for %s" % (timeout, what))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    return value


def free_port():
    """A port that nothing listens on, below those that the kernel gives to clients."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def listening(port):
    """Does anybody listen there? Asked of the kernel: a connection made for this would be seen by the server."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as f:
                rows = f.readlines()[1:]
        except FileNotFoundError:
            continue
        for row in rows:
            part = row.split()
            if part[3] == "0A" and int(part[1].rpartition(":")[2], 16) == port:
                return True
    return False


class Process:
    """What /proc says of a process at one moment."""

    def __init__(self, pid):
        with open("/proc/%d/stat" % pid) as f:
            text = f.read()
        name, _, rest = text.partition("(")[2].rpartition(")")
        part = rest.split()
        self.pid, self.name, self.state, self.parent = pid, name, part[0], int(part[1])
        self.threads = int(part[17])

    def command(self):
        try:
            with open("/proc/%d/cmdline" % self.pid, "rb") as f:
                return f.read().replace(b"\0", b" ").decode("utf-8", "replace").strip() or "[%s]" % self.name
        except OSError:
            return "[%s]" % self.name

    def __repr__(self):
        return "%d %s %s" % (self.pid, self.state, self.command()[:100])


def processes():
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                yield Process(int(entry))
            except (FileNotFoundError, ProcessLookupError):
                pass


def descendants(of=None):
    """All living processes below one (default: this one), zombies of ours reaped on the way."""
    of = of or os.getpid()
    every = list(processes())
    found, level = [], {of}
    while level:
        children = [p for p in every if p.parent in level]
        found += children
        level = {p.pid for p in children}
    return [p for p in found if p.state != "Z"]


def reap_strangers(known):
    """Collects ended children which were adopted: nobody else will."""
    for p in list(processes()):
        if p.state == "Z" and p.parent == os.getpid() and p.pid not in known:
            try:
                os.waitpid(p.pid, os.WNOHANG)
            except ChildProcessError:
                pass


def is_exporter(process):
    return process.name.startswith("btrace-")


def exporters():
    return [p for p in descendants() if is_exporter(p)]


def clean_environment(**more):
    env = {"PATH": PATH, "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8", "TMPDIR": "/tmp",
           "PYTHONDONTWRITEBYTECODE": "1"}
    env.update({k: str(v) for k, v in more.items() if v is not None})
    return env


class Server:
    """A running server: a script of tests/servers by its name, or any argv.

    preload: the library, or None for a plain run; env: more environment (BTRACE_CONFIG...). argv may contain
    {port}, {work} and {docroot}. ready=False does not wait for the port.
    """
    started = []

    def __init__(self, what, directory, docroot, preload=None, env=None, port=None, ready=True, cwd=None, timeout=60,
                 stdout=None, backend=None, preexec_fn=None, pass_fds=()):
        self.name = what if isinstance(what, str) else os.path.basename(what[0])
        self.port = port or free_port()
        self.address = ("127.0.0.1", self.port)
        self.work = os.path.join(directory, "%s.%d" % (self.name, self.port))
        os.makedirs(self.work, exist_ok=True)
        os.chmod(self.work, 0o755)
        self.output = os.path.join(self.work, "output")
        before = {p.pid for p in descendants()}
        full = clean_environment(PORT=self.port, HOST="127.0.0.1", DOCROOT=docroot, WORK=self.work,
                                 SRV=os.path.join(ROOT, "build", "servers"), BACKEND_PORT=backend,
                                 BACKEND_READY="1" if backend else None)
        full.update(env or {})
        if isinstance(what, str):
            argv = ["/bin/bash", os.path.join(SERVERS, what + ".sh")]
            if preload:
                full["BT_PRELOAD"] = preload
        else:
            argv = [a.format(port=self.port, work=self.work, docroot=docroot) for a in what]
            if preload:
                full["LD_PRELOAD"] = preload
        out = stdout or open(self.output, "wb")
        try:
            self.popen = subprocess.Popen(argv, env=full, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          cwd=cwd or self.work, start_new_session=True, preexec_fn=preexec_fn,
                                          pass_fds=pass_fds)
        finally:
            if stdout is None:
                out.close()
        self.pid, self.before = self.popen.pid, before
        self.started.append(self)
        if ready:
            self.wait_ready(timeout)

    def wait_ready(self, timeout=60):
        def up():
            if listening(self.port):
                return True
            if self.popen.poll() not in (None, 0):  # 0: it has daemonised
                raise RuntimeError("%s ended with %s at start:\n%s" % (self.name, self.popen.returncode, self.text()))
            return False
        wait_for("%s on port %d; it said:\n%s" % (self.name, self.port, self.text()), up, timeout)

    def text(self):
        try:
            with open(self.output, "r", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def family(self):
        """Its processes, daemonised ones too, without exporters."""
        living = {p.pid: p for p in descendants()}
        others = {s.pid for s in self.started if s is not self}

        def ours(p):
            """Ours by a line of parents; else adopted: ours if it came after us and is nobody else's."""
            line, at = {p.pid}, p
            while at.parent in living:
                at = living[at.parent]
                line.add(at.pid)
            return self.pid in line or not line & others and at.pid not in self.before
        return [p for p in living.values() if not is_exporter(p) and ours(p)]

    def send_signal(self, number):
        os.kill(self.pid, number)

    def stop(self, number=signal.SIGTERM, timeout=20):
        """Ends it as its user would. (exit status as Popen gives it, seconds it took)."""
        begin = time.monotonic()
        if self.popen.poll() is None:
            self.send_signal(number)
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError("%s does not end on signal %d" % (self.name, number)) from None
        seconds = time.monotonic() - begin
        self.signal_family(number)
        try:
            wait_for("the family of %s to end" % self.name, lambda: not self.family(), timeout)
        finally:
            self.kill()
        return self.popen.returncode, seconds

    def signal_family(self, number):
        for p in self.family():
            try:
                os.kill(p.pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        """SIGKILL to all of its processes, again until none is left: one may fork meanwhile."""
        def gone():
            self.signal_family(signal.SIGKILL)
            self.popen.poll()
            return not self.family()
        wait_for("the killed %s to be gone" % self.name, gone, 10)
        self.popen.wait()
