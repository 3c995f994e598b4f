# SPDX-License-Identifier: Apache-2.0
"""Real servers under load: every request is one span, and no byte is different."""
import signal

from harness import check_spans, difference, limit, load


def mixed_plan(n, echo="/echo", tag=""):
    """n requests, each with a target of its own: small and 3 MiB files, 404s, HEAD, POST bodies of many sizes."""
    plan = []
    for i in range(n):
        query = "?n=%d%s" % (i, tag)
        kind = i % 20
        if kind == 0:
            plan.append(("GET", "/large.bin" + query, {}))
        elif kind in (1, 6, 11):
            plan.append(("GET", "/missing" + query, {}))
        elif kind in (2, 7, 12, 17):
            size = (1, 100, 5000, 100000)[(i // 20) % 4]
            plan.append(("POST", echo + query, {"body": bytes(97 + j % 26 for j in range(size))}))
        elif kind == 3:
            plan.append(("HEAD", "/small.txt" + query, {}))
        else:
            plan.append(("GET", "/small.txt" + query, {}))
    return plan


def compare_runs(t, what, plan, **how):
    """The plan plain and traced; responses the same, spans exact, ledger balanced."""
    results = {}
    for kind in ("plain", "traced"):
        session = t.session() if kind == "traced" else None
        server = t.serve(what, session, **how)
        results[kind] = load(server.address, plan)
        status, _ = server.stop()
        results[kind + " status"] = status
    text = difference(results["plain"], results["traced"])
    assert not text, "responses differ:\n" + text
    assert results["plain status"] == results["traced status"], results
    spans, ledger = session.finish()
    check_spans(results["traced"], spans)
    assert ledger["requests"] == ledger["taken"] == len(plan), ledger
    return spans, ledger


@limit(240)
def test_nginx_with_two_workers_and_sendfile_loses_nothing(t):
    compare_runs(t, "nginx", mixed_plan(2000), env={"ECHO": "1"}, backend=t.backend())


@limit(240)
def test_python_http_server_loses_nothing(t):
    compare_runs(t, "py-httpserver", mixed_plan(2000))


@limit(240)
def test_node_http_loses_nothing(t):
    compare_runs(t, "node-http", mixed_plan(2000))


def killed_after_last_response(t, what, **how):
    session = t.session()
    server = t.serve(what, session, **how)
    exchanges = load(server.address, mixed_plan(200), connections=8)
    server.signal_family(signal.SIGKILL)
    server.kill()
    spans, ledger = session.finish(unbalanced=0)
    check_spans(exchanges, spans)
    assert ledger["aborted"] == 0, ledger


def test_nginx_killed_after_its_last_response_leaves_all_spans(t):
    killed_after_last_response(t, "nginx", env={"ECHO": "1"}, backend=t.backend())


def test_python_killed_after_its_last_response_leaves_all_spans(t):
    killed_after_last_response(t, "py-httpserver")


def test_node_killed_after_its_last_response_leaves_all_spans(t):
    killed_after_last_response(t, "node-http")
