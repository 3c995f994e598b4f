# SPDX-License-Identifier: Apache-2.0
"""CPython's own tests of sockets, processes, threads and signals: the same result for each of them plain, under the
library without a config, and traced. CI runs the quick modules; all of them: `make soak SOAK=cpython`."""
import os
import subprocess
import tempfile
import threading

from harness import Skip, exporters, reap_strangers, wait_for
from programs import record

PYTHON = "/usr/bin/python3"
RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cpython.py")
WAYS = ("plain", "inert", "active")

# module: (tier, seconds that each of its runs may take)
MODULES = {
    "test_fork1": ("servers", 120),
    "test_httpservers": ("servers", 120),
    "test_selectors": ("servers", 120),
    "test_socketserver": ("servers", 120),
    "test_asyncio": ("runtimes", 2400),
    "test_multiprocessing_fork": ("runtimes", 1200),
    "test_multiprocessing_forkserver": ("runtimes", 1200),
    "test_multiprocessing_main_handling": ("runtimes", 600),
    "test_multiprocessing_spawn": ("runtimes", 1200),
    "test_os": ("runtimes", 600),
    "test_posix": ("runtimes", 600),
    "test_signal": ("runtimes", 600),
    "test_socket": ("runtimes", 600),
    "test_subprocess": ("runtimes", 600),
    "test_threading": ("runtimes", 600),
}

# Tests that do not run, as they fail plain on some machines: why
LEFT_OUT = {
    "test.test_socket.ThreadedVSOCKSocketStreamTest": "never ends on a machine whose vsock leads nowhere",
}
# Tests whose result differs between two plain runs: why
FLAKY = {
}
# Classes of tests which want an empty standard error when traced: the exporter says its line
# of the ledger there when it ends.
SEES_THE_LEDGER = ("test.test_multiprocessing_main_handling.ForkServerCmdLineTest.",)


class Way:
    """One of the three ways to run tests, with its own session and directories."""

    def __init__(self, t, name):
        self.t, self.name = t, name
        self.session = t.session(name=name) if name == "active" else None

    def run(self, what, seconds):
        """{test id: result} of modules or tests; the output."""
        # not below the test's own, whose name is long: the tests bind UNIX sockets there
        work = tempfile.mkdtemp(dir=os.path.dirname(self.t.directory), prefix=self.name)
        os.makedirs(os.path.join(work, "cwd"))
        results = os.path.join(work, "results")
        try:
            done = self.t.run([PYTHON, RUNNER, results, *what, *("-" + i for i in LEFT_OUT)], self.session, env={"HOME": work, "TMPDIR": work},
                              preload=self.name != "plain", timeout=seconds, cwd=os.path.join(work, "cwd"),
                              stderr=subprocess.STDOUT, start_new_session=True)
        except subprocess.TimeoutExpired as e:
            return {"the end of the process": "none after %d s" % seconds}, e.output or b""
        found = {"the end of the process": str(done.returncode)}
        if os.path.exists(results):
            with open(results) as f:
                found.update(line.rstrip("\n").split(" ", 1)[::-1] for line in f)
        return found, done.stdout


def at_once(ways, what, seconds):
    """All ways at the same time: many of the tests only wait."""
    out = {}

    def one(way):
        out[way.name] = way.run(what, seconds)
    threads = [threading.Thread(target=one, args=(way,)) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [out[way.name] for way in ways]


def different(runs):
    """Tests that have not the same result in all the runs; of those that see the ledger's line, in all but the traced."""
    ids = sorted(set().union(*(found for found, _ in runs)))
    return [i for i in ids if i not in FLAKY and
            len({found.get(i, "missing") for found, _ in (runs[:-1] if i.startswith(SEES_THE_LEDGER) else runs)}) > 1]


def show(ids, ways, runs):
    lines = ["%s: %s" % (i, ", ".join("%s %s" % (w.name, found.get(i, "missing")) for w, (found, _) in zip(ways, runs)))
             for i in ids]
    tails = ["--- %s said ---\n%s" % (w.name, output.decode(errors="replace")[-6000:]) for w, (_, output) in zip(ways, runs)]
    return "\n".join(lines + tails)


def quiet_again(ways, ids, runs, seconds):
    """A test with a time in it may fail for the load of three runs: those that differed have to be the same twice,
    one after the other. What has no test to run again (a process that died) stays a difference."""
    again = [i for i in ids if i.startswith("test.") and "missing" not in {f.get(i, "missing") for f, _ in runs}]
    assert again == ids, show(ids, ways, runs)
    for _ in range(2):
        runs = [way.run(again, seconds) for way in ways]
        assert not different(runs), show(different(runs), ways, runs)
    print("different under load, and the same when run again: " + " ".join(again))


def counts(found):
    words = [word for test, word in found.items() if test.startswith("test.")]
    return {word: words.count(word) for word in ("ok", "skipped", "failed")}


def compare(t, module, seconds):
    t.need(PYTHON)
    if subprocess.run([PYTHON, "-c", "import test.%s" % module], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        raise Skip("libpython3.11-testsuite is not installed")
    ways = [Way(t, name) for name in WAYS]
    runs = at_once(ways, ["test." + module], seconds)
    assert "ok" in runs[0][0].values(), show([], ways, runs)
    ids = different(runs)
    if ids:
        quiet_again(ways, ids, runs, seconds)
    record("cpython", module, {"plain": counts(runs[0][0]), "again": ids,
                               "ledger": counts({i: "ok" for i in runs[0][0] if i.startswith(SEES_THE_LEDGER)})["ok"]})
    wait_for("exporters to end", lambda: not exporters(), 30)
    reap_strangers(set())
    if module == "test_httpservers":
        spans, ledger = ways[-1].session.finish()
        assert ledger["requests"] > 0 and spans, ledger


def add(module, tier, seconds):
    def test(t):
        compare(t, module, seconds)
    test.tier, test.limit = tier, 4 * seconds
    globals()["test_cpython_" + module[5:]] = test


for _module, _how in MODULES.items():
    add(_module, *_how)
del _module, _how
