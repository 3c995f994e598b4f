# SPDX-License-Identifier: Apache-2.0
"""The library itself under the address and undefined behaviour sanitizers, in servers that are under them as well."""
import os
import shutil

import test_http_chaos
from chaos import Chaos, ManyWays, check
from client import load
from harness import BUILD, LARGE, SMALL, check_spans, limit
from test_process_odd import requests

TIER = "sanitized"
LIBRARY = os.path.join(BUILD, "address-undefined", "libbtrace.so")
SANITIZERS = "-fsanitize=address,undefined"
# The library comes before the sanitizers' own, which it finds loaded all the same.
ENVIRONMENT = {"ASAN_OPTIONS": "verify_asan_link_order=0:detect_stack_use_after_return=1:strict_string_checks=1",
               "UBSAN_OPTIONS": "print_stacktrace=1"}


def sanitized_library(t):
    """Beside an exporter that is not: it is not what is tried here."""
    if not os.path.exists(LIBRARY):
        t.skip("%s is missing: make SAN=address,undefined sanitized-library" % LIBRARY)
    for path in (LIBRARY, os.path.join(t.stage, "btrace-exporter")):
        shutil.copy(path, t.directory)
    return t.path("libbtrace.so")


def said_nothing(server):
    text = server.text()
    assert "Sanitizer" not in text and "runtime error" not in text, text


@limit(300)
def test_chaos_finds_no_fault_in_the_library(t):
    library = sanitized_library(t)
    program = test_http_chaos.build(t, "many_ways", SANITIZERS, "-fno-sanitize-recover=all")
    session = t.session()
    server = t.serve([program, "{port}", "7"], session, preload=library, env=ENVIRONMENT)
    chaos = Chaos(server.address, ManyWays(SMALL, LARGE), 7, 2000)
    assert not chaos.errors, "\n".join(chaos.errors[:5] + [server.text()])
    assert server.stop()[0] in (0, -15)
    said_nothing(server)
    spans, ledger = session.finish(timeout=60)
    check(chaos.log, [s for s in spans if s.kind == "SERVER"])
    assert ledger["requests"] >= 1000, ledger


@limit(300)
def test_hosts_with_bad_habits_find_no_fault_in_the_library(t):
    library = sanitized_library(t)
    program = t.compile("odd", SANITIZERS, "-fno-sanitize-recover=all", "-g", "-pthread")
    for habit in ("plain", "vfork", "dup", "bytewise", "handler", "threads"):
        session = t.session()
        server = t.serve([program, "{port}", habit], session, preload=library, env=ENVIRONMENT)
        exchanges = requests(t, server, habit)
        assert server.stop()[0] in (0, -15), server.text()
        said_nothing(server)
        check_spans(exchanges, session.finish()[0])


@limit(300)
def test_requests_that_a_server_makes_find_no_fault_in_the_library(t):
    """CLIENT spans and the context that is written into what it sends."""
    program = t.compile("relay", SANITIZERS, "-fno-sanitize-recover=all", "-g", "-pthread")
    library = sanitized_library(t)
    session = t.session()
    server = t.serve([program, "{port}", str(t.backend())], session, preload=library, env=ENVIRONMENT)
    plan = [("GET", "/small.txt?n=%d" % i, {"headers": [("X-Long", "y" * (i * 7 % 3000))]}) for i in range(500)]
    exchanges = load(server.address, plan, connections=8)
    assert server.stop()[0] in (0, -15), server.text()
    said_nothing(server)
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["client"]["taken"] == 500, ledger
