# SPDX-License-Identifier: Apache-2.0
"""Host and exporter in a control group whose memory is full: the kernel kills one of them."""
import os
import subprocess

from harness import Skip, exporters, limit, wait_for
from load import Load
from test_kills import CROWD, check, one_worker, workers

TIER = "kills"
MIB, STEP = 1 << 20, 1 << 18
# All of its memory is in use, and is more with each line on standard input.
HOG = """
import sys
hoard = []
for line in sys.stdin:
    hoard.append(b"x" * int(line))
    print("taken", flush=True)
"""


class Group:
    """A memory control group of either version, below where we are or at the top of what is mounted."""

    def __init__(self, t, limit):
        t.need_root()
        for parent, name in self.places():
            path = os.path.join(parent, "btrace-test-%d" % os.getpid())
            self.path, self.limit, self.limit_name = path, limit, name
            try:
                os.mkdir(path)
                self.set_limit(limit)
            except OSError as e:
                reason = "%s: %s" % (path, e.strerror)
                if os.path.isdir(path):
                    os.rmdir(path)
                continue
            break
        else:
            raise Skip("no memory control group can be made (%s)" % (
                reason if list(self.places()) else "none is mounted"))

    @staticmethod
    def places():
        """(directory, name of the file that limits) in the order of trying."""
        with open("/proc/self/cgroup") as f:
            own = {controllers: path.lstrip("/") for _, controllers, path in
                   (line.rstrip("\n").split(":", 2) for line in f)}
        with open("/proc/self/mounts") as f:
            mounts = [line.split()[1:4] for line in f]
        for where, kind, options in mounts:
            if kind == "cgroup2":
                paths, name = [own.get("", ""), ""], "memory.max"
            elif kind == "cgroup" and "memory" in options.split(","):
                paths, name = [next((p for c, p in own.items() if "memory" in c.split(",")), ""), ""], \
                    "memory.limit_in_bytes"
            else:
                continue
            for directory in dict.fromkeys(os.path.join(where, p) for p in paths):
                if os.path.isdir(directory):
                    yield directory, name

    def enter(self):
        """Of a process that is about to be started."""
        with open(os.path.join(self.path, "cgroup.procs"), "w") as f:
            f.write(str(os.getpid()))

    def set_limit(self, limit):
        with open(os.path.join(self.path, self.limit_name), "w") as f:
            f.write(str(limit))

    def used(self):
        for name in ("memory.current", "memory.usage_in_bytes"):
            if os.path.exists(os.path.join(self.path, name)):
                with open(os.path.join(self.path, name)) as f:
                    return int(f.read())
        raise Skip("this kernel does not count memory")

    def end(self, hog):
        """With room for all meanwhile: a process that ends is none that the kernel would choose, while its memory still
        fills the group. Whoever wants a page then would cost somebody else's life."""
        self.set_limit(4 * self.limit)
        hog.kill()
        hog.wait()
        wait_for("the memory to be free", lambda: self.used() < self.limit // 2)
        self.set_limit(self.limit)

    def kills(self):
        """How often the kernel has killed here."""
        for name in ("memory.events", "memory.oom_control"):
            try:
                with open(os.path.join(self.path, name)) as f:
                    return next(int(line.split()[1]) for line in f if line.startswith("oom_kill "))
            except FileNotFoundError:
                pass
        raise Skip("this kernel does not count what it kills")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Whoever is still in it, after a failed test, goes on above."""
        def removed():
            with open(os.path.join(self.path, "cgroup.procs")) as f:
                left = f.read().split()
            for pid in left:
                try:
                    with open(os.path.join(os.path.dirname(self.path), "cgroup.procs"), "w") as f:
                        f.write(pid)
                except OSError:
                    pass
            try:
                os.rmdir(self.path)
                return True
            except OSError:
                return False
        wait_for("the control group to be empty", removed)


def is_gone(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def choose(pid, score):
    """1000: the first to be killed; 0: as large as it is."""
    with open("/proc/%d/oom_score_adj" % pid, "w") as f:
        f.write(str(score))


def fill_until_killed(t, group, victim, others):
    """Takes memory until one of the group is killed, who is to be the victim and none of the others."""
    before = group.kills()
    hog = t.spawn(["/usr/bin/python3", "-c", HOG], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                  preexec_fn=group.enter)
    step = group.limit * 3 // 4 - group.used()
    while group.kills() == before:
        hog.stdin.write("%d\n" % step)
        hog.stdin.flush()
        if hog.stdout.readline() != "taken\n":
            break  # when the victim's memory was not enough it is the next, being the largest
        step = STEP
    wait_for("the victim to be killed", lambda: is_gone(victim))
    group.end(hog)
    killed = [p for p in others if p.pid != victim and is_gone(p.pid)]
    assert not killed, "the kernel killed others as well: %s" % killed


@limit(120)
def test_exporter_worker_is_killed_first_for_want_of_memory_and_loses_nothing(t):
    with Group(t, 160 * MIB) as group:
        session = t.session(batch={"max_spans": 50, "delay": "50ms"})
        server = t.serve([CROWD, "{port}", "2", "4"], session, preexec_fn=group.enter)
        load = Load(server.port, pause=0.002)
        for _ in range(3):
            assert load.wait_for_more(100)
            victim = one_worker()
            fill_until_killed(t, group, victim, exporters() + server.family())
            wait_for("another worker", lambda: [p for p in workers() if p.pid != victim], 30)
        assert load.wait_for_more(100)
        complete, broken = load.stop()
        server.stop()
        spans, ledger = session.finish(30)
        assert not broken, broken[:3]
        assert server.text().count("worker ended (signal 9); another one takes over") >= 3, server.text()
        check(complete, broken, spans, ledger, 3)


@limit(120)
def test_server_process_killed_for_want_of_memory_loses_no_response(t):
    with Group(t, 160 * MIB) as group:
        session = t.session()
        server = t.serve([CROWD, "{port}", "2", "4"], session, preexec_fn=group.enter)
        load = Load(server.port, pause=0.002)
        choose(one_worker(), 0)  # which would be the first
        for _ in range(3):
            assert load.wait_for_more(100)
            family = [p for p in server.family() if server.pid in (p.pid, p.parent)]
            victim = next(p.pid for p in family if p.pid != server.pid)
            choose(victim, 1000)
            fill_until_killed(t, group, victim, exporters() + family)
        assert load.wait_for_more(100)
        complete, broken = load.stop()
        server.stop()
        spans, ledger = session.finish(30)
        check(complete, broken, spans, ledger, 3, 3 * 4)
