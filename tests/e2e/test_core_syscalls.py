# SPDX-License-Identifier: Apache-2.0
"""System calls of a traced nginx worker, counted by strace against those of an untraced one."""
import collections
import glob
import os
import re
import signal

from harness import limit, wait_for

CALL = re.compile(r"^(?:\d+ +)?([a-z_0-9]+)\(")


def calls_of(t, traced, requests, keep_alive):
    """System calls by name in the one worker process, while it serves so many requests."""
    directory = t.path("strace-%s-%d-%s" % (traced, requests, keep_alive))
    os.mkdir(directory)
    session = t.session() if traced else None
    server = t.serve("nginx", session, env={"WORKERS": "1", "WRAP": "strace -ff -q -o %s/log" % directory})
    log = []
    connection = t.connect(server, log)
    for i in range(requests):
        if not keep_alive and i:
            connection.close()
            connection = t.connect(server, log)
        connection.get("/small.txt?n=%d" % i, headers=() if keep_alive else (("Connection", "close"),))
    connection.close()
    nginx = [p for p in server.family() if p.name == "nginx"]
    master = [p for p in nginx if p.parent not in {q.pid for q in nginx}]
    os.kill(master[0].pid, signal.SIGTERM)  # strace, its parent, blocks it
    wait_for("nginx and strace to end", lambda: not server.family(), 20)
    if session:
        session.finish()
    worker = max(glob.glob(directory + "/log.*"), key=lambda f: open(f, errors="replace").read().count("/small.txt?n="))
    with open(worker, errors="replace") as f:
        return collections.Counter(m[1] for line in f if (m := CALL.match(line)))


def per_request(t, traced, keep_alive, few=40, many=240):
    """Calls by name for one more request: what happens once is subtracted away."""
    a, b = calls_of(t, traced, few, keep_alive), calls_of(t, traced, many, keep_alive)
    return {name: (b[name] - a[name]) / (many - few) for name in a | b}


def added(t, keep_alive):
    plain, traced = per_request(t, False, keep_alive), per_request(t, True, keep_alive)
    assert sum(plain.values()) > 3, "strace saw nothing: %s" % plain
    return {n: traced.get(n, 0) - plain.get(n, 0) for n in traced if traced.get(n, 0) - plain.get(n, 0) > 0.02}


@limit(120)
def test_a_request_on_a_kept_connection_costs_no_system_call(t):
    t.need("strace", "nginx")
    more = added(t, True)
    assert not more, "added for each request: %s" % more


@limit(120)
def test_a_connection_costs_at_most_one_system_call(t):
    t.need("strace", "nginx")
    more = added(t, False)
    assert sum(more.values()) <= 1.02, "added for each connection: %s" % more
