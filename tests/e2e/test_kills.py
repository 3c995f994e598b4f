# SPDX-License-Identifier: Apache-2.0
"""Whatever is killed: every response that a client has got completely is one span, nothing is counted twice, the
exporter ends by itself. BTRACE_SOAK=1: the long forms (make soak)."""
import os
import random
import signal
import socket
import sys
import time

from harness import ROOT, Ledger, exporters, limit, wait_for
from load import Load

TIER = "kills"
LONG = bool(os.environ.get("BTRACE_SOAK"))
KILLS = 200 if LONG else 10
SIGNALS = [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT]
CROWD = os.path.join(os.path.dirname(__file__), "hosts", "crowd.py")


def send(pid, number):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def keeper():
    running = exporters()
    own = {p.pid for p in running}
    return [p for p in running if p.parent not in own]


def workers():
    running = exporters()
    own = {p.pid for p in running}
    return [p for p in running if p.parent in own]


def one_worker():
    return wait_for("the exporter's worker", workers)[0].pid


def tell(line):
    """Numbers for the README: of the long forms they stay in build/soak/numbers."""
    print(line)
    if LONG:
        os.makedirs(os.path.join(ROOT, "build", "soak"), exist_ok=True)
        with open(os.path.join(ROOT, "build", "soak", "numbers"), "a") as f:
            f.write("%s: %s\n" % (sys._getframe(2).f_code.co_name, line))


def check(complete, broken, spans, ledger, deaths, handed_over=0):
    """handed_over: so many complete responses may be told as aborted ones, their thread having been killed just when
    the last bytes were handed over."""
    rows = {}
    for s in spans:
        assert s.target not in rows, "twice: %s" % s
        rows[s.target] = s
    missing = [e for e in complete if e.target not in rows]
    assert not missing, "%d of %d complete responses have no span, %s" % (len(missing), len(complete), missing[:3])
    aborted = [e for e in complete if "error.type" in rows[e.target].attributes]
    assert len(aborted) <= handed_over, "%d complete ones are told as failed, %s" % (len(aborted), aborted[:3])
    known = {e.target for e in complete} | {e.target for e in broken}
    strange = [s for s in spans if s.target not in known]
    assert not strange, strange[:3]
    died = [s for s in spans if s.get("error.type") == "process_died"]
    assert len(died) == ledger["aborted"], (len(died), ledger)
    assert ledger["requests"] == len(spans), (len(spans), ledger)
    tell("%d responses, %d broken off, %d aborted, %d deaths" % (len(complete), len(broken), len(died), deaths))


def kill_family(t, server, load, kills, rng):
    """Kills one process of the server at a time, after a random time under load; how many were killed."""
    done = 0
    for _ in range(kills):
        assert load.wait_for_more(rng.randrange(1, 200)), "no more answers: %s" % server.text()[-500:]
        time.sleep(rng.random() * 0.02)
        members = [p for p in server.family() if p.pid != server.pid and p.state != "Z"]
        if members:
            done += send(rng.choice(members).pid, rng.choice(SIGNALS))
    return done


def survive(t, argv, threads):
    seed = int(os.environ.get("BTRACE_SEED", 0)) or random.randrange(1 << 30)
    print("BTRACE_SEED=%d" % seed)
    rng = random.Random(seed)
    session = t.session()
    server = t.serve(argv, session)
    load = Load(server.port)
    deaths = kill_family(t, server, load, KILLS, rng)
    assert load.wait_for_more(50), "it no longer answers"
    # the master last, and at once all that it leaves
    deaths += send(server.pid, rng.choice(SIGNALS))
    load.wait_for_more(50, 2)
    deaths += len(server.family())
    server.kill()
    complete, broken = load.stop()
    spans, ledger = session.finish(30, unbalanced=0)
    check(complete, broken, spans, ledger, deaths, deaths * threads)
    assert any(s.get("error.type") == "process_died" for s in spans) or threads == 1


@limit(1800 if LONG else 120)
def test_killed_workers_with_threads_lose_no_response(t):
    survive(t, [CROWD, "{port}", "2", "4"], 4)


@limit(1800 if LONG else 120)
def test_killed_nginx_workers_lose_no_response(t):
    t.need("nginx")
    survive(t, "nginx", 1)


@limit(1800 if LONG else 120)
def test_killed_exporter_worker_loses_nothing_and_sends_nothing_twice(t):
    session = t.session(batch={"max_spans": 50, "delay": "50ms"})
    server = t.serve([CROWD, "{port}", "2", "4"], session)
    load = Load(server.port)
    rng = random.Random(os.urandom(8))
    for i in range(KILLS):
        assert load.wait_for_more(rng.randrange(1, 300))
        pid = one_worker()
        send(pid, SIGNALS[i % 2])
        wait_for("another worker", lambda: [p for p in workers() if p.pid != pid], 30)
    load.wait_for_more(100)
    complete, broken = load.stop()
    server.stop()
    spans, ledger = session.finish(30)
    assert not broken, broken[:3]
    check(complete, broken, spans, ledger, KILLS)
    assert ledger["aborted"] == 0, ledger


@limit(300)
def test_stopped_exporter_worker_costs_no_more_than_what_is_counted(t):
    session = t.session()
    server = t.serve([CROWD, "{port}", "2", "4"], session)
    load = Load(server.port, slow_ms=0)
    load.wait_for_more(100)
    pid = one_worker()
    send(pid, signal.SIGSTOP)
    before = load.count()
    time.sleep(10)  # it is the thing itself
    assert load.count() - before > 1000, "the host waits for a stopped exporter"
    send(pid, signal.SIGCONT)
    load.wait_for_more(100)
    complete, broken = load.stop()
    server.stop()
    spans, ledger = session.finish(60)
    assert not broken, broken[:3]
    targets = {s.target for s in spans}
    assert len(targets) == len(spans)
    assert len(spans) + ledger["dropped"]["table_full"] == len(complete) == ledger["requests"], (len(spans), ledger)


@limit(120)
def test_worker_killed_at_the_end_loses_nothing(t):
    """The traced processes are gone, the table is sealed: what one worker has sent, the next does not send again."""
    session = t.session(batch={"max_spans": 20, "delay": "60s"})
    server = t.serve([CROWD, "{port}", "1", "4"], session)
    load = Load(server.port, slow_ms=0)
    load.wait_for_more(2000)
    complete, broken = load.stop()
    server.stop()
    for _ in range(5):
        for p in workers():
            send(p.pid, signal.SIGKILL)
        time.sleep(0.02)  # another moment
    spans, ledger = session.finish(60)
    check(complete, broken, spans, ledger, 5)


def told_by_a_later_one(t, session):
    server = t.serve([CROWD, "{port}", "1", "1"], session)
    exchange = t.connect(server).get("/after?n=1")
    server.stop()
    wait_for("the loss to be told", lambda: "was killed: 16384 spans of process" in server.text(), 20)
    return exchange


@limit(300)
def test_host_is_untroubled_by_a_killed_exporter_and_later_ones_are_traced(t):
    session = t.session()
    server = t.serve([CROWD, "{port}", "2", "4"], session)
    load = Load(server.port, slow_ms=0)
    load.wait_for_more(200)
    for p in keeper() + workers():
        send(p.pid, signal.SIGKILL)
    wait_for("the exporter to be gone", lambda: not exporters())
    # more than the table holds
    assert load.wait_for_more(20000, 200), "the host does not go on"
    complete, broken = load.stop()
    assert not broken, broken[:3]
    exchange = told_by_a_later_one(t, session)
    # the first host still has its table; its processes are not of the new session
    wait_for("the second session's end", lambda: not exporters() and session.read_ledger())
    with socket.create_server(("127.0.0.1", 0)) as silent:  # its end takes longer than standard error may be kept
        told_by_a_later_one(t, t.session(exporter_type="zipkin", timeout="3s", retry={"max_time": "3s"},
                                         zipkin={"endpoint": "http://127.0.0.1:%d/api/v2/spans" % silent.getsockname()[1]}))
        wait_for("the third session's end", lambda: not exporters(), 30)
    server.stop()
    ledger = Ledger(session.read_ledger()).check()
    assert ledger["requests"] == ledger["taken"] == 1 and exchange.status == 200, ledger
