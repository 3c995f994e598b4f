# SPDX-License-Identifier: Apache-2.0
"""Hosts at their limits: storms of processes, threads and connections, no descriptors. BTRACE_SOAK=1: the
long forms."""
import os
import resource
import threading

from client import Connection, ProtocolError
from harness import check_spans, limit

TIER = "kills"
LONG = bool(os.environ.get("BTRACE_SOAK"))
STORM = os.path.join(os.path.dirname(__file__), "hosts", "storm.py")
HOST = os.path.join(os.path.dirname(__file__), "hosts", "host.py")


def one_request_each(address, connections, clients=8, requests=1):
    """So many connections, some at a time, each with its requests and then closed; all exchanges, in any order."""
    log, errors = [], []

    def run(number):
        try:
            for i in range(number, connections, clients):
                connection = Connection(address, log, timeout=60)
                for k in range(requests):
                    connection.get("/s?n=%d.%d" % (i, k))
                connection.close()
        except (OSError, ProtocolError) as e:
            errors.append(e)
    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(1500)
        assert not thread.is_alive(), "a client hangs"
    assert not errors, errors[:3]
    return log


def storm(t, how, connections):
    session = t.session()
    server = t.serve([STORM, "{port}", how], session)
    exchanges = one_request_each(server.address, connections)
    server.stop()
    spans, ledger = session.finish(60)
    # more than the table holds may come faster than it is emptied: counted
    if ledger["dropped"]["table_full"] == 0:
        check_spans(exchanges, spans)
    assert ledger["requests"] == len(exchanges) == connections, ledger
    return spans, ledger


@limit(1800 if LONG else 120)
def test_a_process_for_each_connection(t):
    """In its long form more processes than the registry has entries."""
    spans, ledger = storm(t, "fork", 6000 if LONG else 300)
    assert len({s.resource["process.pid"] for s in spans}) > 100
    assert ledger["dropped"]["table_full"] == 0, ledger


@limit(1800 if LONG else 120)
def test_a_thread_for_each_connection(t):
    storm(t, "thread", 20000 if LONG else 1000)


@limit(1800 if LONG else 120)
def test_many_connections_opened_and_closed(t):
    t.need("nginx")
    session = t.session()
    server = t.serve("nginx", session)
    exchanges = one_request_each(server.address, 100000 if LONG else 3000)
    server.stop()
    spans, ledger = session.finish(60)
    assert ledger["connections"] == ledger["requests"] == len(exchanges), ledger
    assert len(spans) + ledger["dropped"]["table_full"] == len(exchanges), ledger


@limit(120)
def test_host_without_descriptors_left_is_traced_on(t):
    t.need("nginx")
    session = t.session()
    server = t.serve("nginx", session, env={"WORKERS": "1", "LOG": "crit"},
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32)))
    hoard = [t.connect(server) for _ in range(60)]  # accept() says EMFILE before the end of them
    exchanges = []
    for connection in hoard[:5]:
        exchanges.append(connection.get("/small.txt?n=%d" % len(exchanges)))
    for connection in hoard:
        connection.close()
    exchanges += one_request_each(server.address, 50)
    server.stop()
    spans, ledger = session.finish(30)
    check_spans(exchanges, spans)


@limit(120)
def test_clock_that_jumps_bends_no_duration(t):
    """Wall clock forward by a day and back by two, under load: durations come from the monotonic clock."""
    faketime = next((p for p in ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
                                 "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1") if os.path.exists(p)), None)
    if not faketime:
        t.skip("libfaketime is not installed")
    clock = t.path("clock")

    def set_clock(offset):
        with open(clock + ".new", "w") as f:
            f.write(offset + "\n")
        os.chmod(clock + ".new", 0o644)
        os.rename(clock + ".new", clock)

    set_clock("+0")
    session = t.session()
    server = t.serve([HOST, "{port}"], session, preload="%s %s" % (t.library, faketime),
                     env={"FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1"})
    exchanges = []
    connection = t.connect(server)
    for offset in ("+0", "+1d", "-1d", "+0"):
        set_clock(offset)
        exchanges += [connection.get("/x?n=%d" % (len(exchanges) + i)) for i in range(50)]
    server.stop()
    spans, ledger = session.finish(30)
    assert len(spans) == len(exchanges) == 200, ledger
    for s in spans:
        assert 0 <= s.end_ns - s.start_ns < 60e9, (s, s.start_ns, s.end_ns)
