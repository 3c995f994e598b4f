# SPDX-License-Identifier: Apache-2.0
"""The chaos client (chaos.py) against real servers and one that does its calls in every way.

BTRACE_CHAOS_REQUESTS and BTRACE_CHAOS_SEED make the long form of it: make soak.
"""
import os
import subprocess

from chaos import Apache, Chaos, Gunicorn, ManyWays, Nginx, Node, check
from harness import LARGE, SMALL, limit

HOSTS = os.path.join(os.path.dirname(__file__), "hosts")
SEED = int(os.environ.get("BTRACE_CHAOS_SEED", "1"))
MINUTES = 60  # of the long form; the short one takes seconds


def build(t, name, *flags):
    """A server of hosts/ as a program."""
    program = t.path(name)
    subprocess.run(["cc", "-O1", "-g", "-Wall", "-Wextra", "-o", program, os.path.join(HOSTS, name + ".c"), "-pthread", *flags],
                   check=True)
    return program


def requests(short):
    return int(os.environ.get("BTRACE_CHAOS_REQUESTS", str(short)))


def run(t, dialect, what, short, **how):
    session = t.session(**{"queue": {"max_spans": 1000000, "max_bytes": "1GiB"}})
    server = t.serve(what, session, **how)
    chaos = Chaos(server.address, dialect(SMALL, LARGE), SEED, requests(short))
    assert not chaos.errors, "the client was not answered: " + "\n".join(chaos.errors[:5])
    server.stop()
    spans, ledger = session.finish(timeout=60)
    print("%d requests, %d spans, ledger %s" % (len(chaos.log), len(spans), dict(ledger)))
    served = [s for s in spans if s.kind == "SERVER"]  # nginx is a client as well
    check(chaos.log, served)
    assert ledger["requests"] == ledger["taken"] == len(served), ledger
    return ledger


@limit(60 * MINUTES)
def test_chaos_against_a_server_that_makes_its_calls_in_every_way(t):
    ledger = run(t, ManyWays, [build(t, "many_ways"), "{port}", str(SEED)], 4000)
    assert ledger["opaque_connections"] == 0 and ledger["counters"]["orphan_responses"] == 0, ledger


@limit(60 * MINUTES)
def test_chaos_against_nginx(t):
    t.need("nginx")
    run(t, Nginx, "nginx", 2500, env={"ECHO": "1"}, backend=t.backend())


@limit(60 * MINUTES)
def test_chaos_against_apache(t):
    t.need("apache2")
    t.need_root()
    run(t, Apache, "apache-event", 2500)


@limit(60 * MINUTES)
def test_chaos_against_node(t):
    t.need("node")
    run(t, Node, "node-http", 2500)


@limit(60 * MINUTES)
def test_chaos_against_gunicorn(t):
    t.need("gunicorn")
    run(t, Gunicorn, "gunicorn-gthread", 2500)
