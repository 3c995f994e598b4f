# SPDX-License-Identifier: Apache-2.0
"""Clocks that are not what they seem: time namespaces, everything stopped while the clock goes on."""
import json
import os
import signal
import time

from harness import check_spans, exporters, wait_for

HOST = os.path.join(os.path.dirname(__file__), "hosts", "host.py")
DAY = 86400


def elsewhere(offset):
    """A command in a time namespace of its own, whose monotonic clock is so many seconds ahead."""
    return ["unshare", "-T", "--monotonic", str(offset), "--boottime", str(offset)]


def in_flight(t, server):
    p = t.run([t.ctl, "top", "--once", "--json", "-d", "20ms", str(server.pid)])
    return p.returncode == 0 and json.loads(p.stdout)["in_flight"]


def need_time_namespaces(t):
    t.need_root()
    t.need("unshare")
    p = t.run([*elsewhere(DAY), "true"])
    if p.returncode:
        t.skip("no time namespaces: %s" % p.stderr.decode().strip())


def ask(t, server, tag, n=5):
    with t.connect(server) as connection:
        return [connection.get("/%s?n=%d" % (tag, i)) for i in range(n)]


def test_server_in_a_time_namespace_tells_the_right_time(t):
    need_time_namespaces(t)
    for offset in (DAY, 400 * DAY):
        session = t.session()
        server = t.serve([*elsewhere(offset), HOST, "{port}"], session)
        exchanges = ask(t, server, "x")
        server.stop()
        check_spans(exchanges, session.finish()[0])


def test_servers_of_several_time_namespaces_with_one_config_tell_the_right_time(t):
    need_time_namespaces(t)
    session = t.session()
    servers = [t.serve([*elsewhere(offset), HOST, "{port}"], session) for offset in (DAY, 7 * DAY)]
    servers.append(t.serve([HOST, "{port}"], session))
    exchanges = [e for i, server in enumerate(servers) for e in ask(t, server, "x%d" % i)]
    for server in servers:
        server.stop()
    check_spans(exchanges, session.finish()[0])


def test_everything_stopped_for_a_while_loses_nothing(t):
    """As a suspended machine or a frozen container: host, keeper and worker stand still, with a request in flight."""
    session = t.session()
    server = t.serve([HOST, "{port}"], session)
    exchanges = ask(t, server, "before")
    frozen = [p.pid for p in server.family() + exporters()]
    assert len(frozen) == 3, frozen
    with t.connect(server) as connection:
        exchange = connection.start("GET", "/sleep/5000")
        wait_for("it to be in flight", lambda: in_flight(t, server) == 1)
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(7)  # it is the thing itself
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        exchanges.append(connection.finish(exchange))
    exchanges += ask(t, server, "after")
    assert {p.pid for p in server.family() + exporters()} == set(frozen), "somebody was given up"
    server.stop()
    spans, _ = session.finish()
    check_spans(exchanges, spans)
    across = next(s for s in spans if s.target == "/sleep/5000")
    assert across.end_ns - across.start_ns >= 7e9, across
