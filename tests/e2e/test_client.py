# SPDX-License-Identifier: Apache-2.0
"""CLIENT spans: requests that a traced server makes itself, and whose children they are."""
import concurrent.futures
import json
import os

from harness import Server, exporters, free_port, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
ECHO, CALLER = (["/usr/bin/python3", os.path.join(HERE, "hosts", name)] for name in ("echo.py", "caller.py"))
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def echo(t, *path):
    """An untraced backend that answers with what it got; its port."""
    port = free_port()
    t.servers.append(Server(ECHO + [str(port), *path], t.directory, t.docroot, port=port))
    return port


def start(t, session, backend, *options):
    server = t.serve(CALLER + ["{port}", str(backend), *options], session)
    t.connect(server).get("/plain")  # before that the policy may not be in force
    wait_for("keeper and worker", lambda: len(exporters()) == 2)
    return server


def split(spans):
    """(SERVER spans by target, CLIENT spans by target of their URL)"""
    server = {s.target: s for s in spans if s.kind == "SERVER" and s.target != "/plain"}
    client = {"/" + s.get("url.full").split("/", 3)[3]: s for s in spans if s.kind == "CLIENT"}
    return server, client


def run(t, targets, *options, backend=None, headers=(), **config):
    session = t.session(**config)
    backend = backend or echo(t)
    server = start(t, session, backend, *options)
    connection = t.connect(server)
    bodies = [json.loads(connection.request("GET", target, headers=list(headers)).body) for target in targets]
    connection.close()
    server.stop()
    spans, ledger = session.finish()
    return spans, ledger, bodies, backend


def test_a_request_made_while_serving_is_a_child(t):
    spans, ledger, _, backend = run(t, ["/a?n=1&sig=secret", "/status/404", "/status/503"])
    server, client = split(spans)
    assert len(client) == 3 and ledger["client"]["requests"] == 3 and ledger["client"]["taken"] == 3, (spans, ledger)
    for target, parent in server.items():
        s = client[target]
        assert (s.trace_id, s.parent_span_id) == (parent.trace_id, parent.span_id), (s, parent)
        assert parent.start_ns <= s.start_ns <= s.end_ns <= parent.end_ns, (s, parent)
    s = client["/a?n=1&sig=REDACTED"]
    assert s.get("url.full") == "http://127.0.0.1:%d/a?n=1&sig=REDACTED" % backend, s.attributes
    assert s.get("server.address") == "127.0.0.1" and s.get("server.port") == backend, s.attributes
    assert s.get("network.peer.port") == backend and s.name == "GET" and s.status == "UNSET", s.attributes
    for status in ("404", "503"):
        s = client["/status/" + status]
        assert s.status == "ERROR" and s.get("error.type") == status == str(s.status_code), s.attributes


def test_a_kept_connection_has_the_parent_of_each_use(t):
    spans, ledger, _, _ = run(t, ["/p%d" % i for i in range(40)], "--pool")
    server, client = split(spans)
    assert len(server) == len(client) == 40 and ledger["client"]["connections"] == 1, ledger
    for target, s in client.items():
        assert (s.trace_id, s.parent_span_id) == (server[target].trace_id, server[target].span_id), s
    assert ledger["client"]["ambiguous"] == 0


def test_fifty_threads_that_share_a_pool_have_the_right_parents(t):
    session = t.session()
    server = start(t, session, echo(t), "--pool")

    def client(k):
        c = t.connect(server)
        for i in range(20):
            c.get("/slow/%d-%d" % (k, i))
        c.close()
    with concurrent.futures.ThreadPoolExecutor(50) as threads:
        list(threads.map(client, range(50)))
    server.stop()
    spans, ledger = session.finish()
    parents, children = split(spans)
    assert len(parents) == len(children) == 1000, ledger
    for target, s in children.items():
        assert (s.trace_id, s.parent_span_id) == (parents[target].trace_id, parents[target].span_id), s
    assert ledger["client"]["ambiguous"] == 0


def test_a_forked_child_asks_for_its_parents_request(t):
    spans, _, _, _ = run(t, ["/fork/1", "/b", "/fork/2"])
    server, client = split(spans)
    for target, s in client.items():
        assert s.parent_span_id == server[target].span_id, (target, s, server[target])
    assert len(client) == 3


def test_the_request_says_itself_whose_it_is(t):
    context = "00-%s-%s-01" % (TRACE, PARENT)
    spans, ledger, _, _ = run(t, ["/h"], headers=[("traceparent", context), ("X-Context", context)])
    server, client = split(spans)
    assert server["/h"].parent_span_id == PARENT and client["/h"].parent_span_id == server["/h"].span_id, spans
    other = "00-%s-%s-01" % ("1" * 32, "2" * 16)
    spans, ledger, _, _ = run(t, ["/h"], headers=[("traceparent", context), ("X-Context", other)], name="other")
    server, client = split(spans)
    assert (client["/h"].trace_id, client["/h"].parent_span_id) == ("1" * 32, "2" * 16), spans


def test_the_parents_decision_is_the_childs(t):
    spans, ledger, _, _ = run(t, ["/x", "/skip"], excluded_urls="skip,plain", sample_rate=0.0)
    assert not spans and ledger["client"]["sampled_out"] == 1 and ledger["client"]["excluded"] == 1, ledger


def test_over_a_unix_socket(t):
    path = t.path("echo.sock")
    echo(t, path)
    spans, _, _, _ = run(t, ["/u"], backend=path)
    server, client = split(spans)
    s, = [s for s in spans if s.kind == "CLIENT"]
    assert s.parent_span_id == server["/u"].span_id and s.get("network.peer.address") == path, s.attributes


def test_a_body_until_the_end_and_an_answer_that_never_comes(t):
    session = t.session()
    server = start(t, session, echo(t))
    t.connect(server).get("/close")
    try:
        t.connect(server).get("/die")
    except Exception:  # the caller's thread ends with a traceback
        pass
    server.stop()
    spans, _ = session.finish()
    ends = {s.get("url.full").rsplit("/", 1)[1]: s for s in spans if s.kind == "CLIENT"}
    assert ends["close"].status == "UNSET" and ends["close"].get("http.response.body.size") > 50, ends["close"].attributes
    assert ends["die"].get("error.type") == "no_response" and ends["die"].status == "ERROR", ends["die"].attributes


def test_client_spans_off(t):
    spans, ledger, bodies, _ = run(t, ["/a"], client_spans=False)
    assert [s.kind for s in spans] == ["SERVER"] * 2 and ledger["client"]["connections"] == 0, ledger
    assert "traceparent" not in {k.lower() for k, _ in bodies[0]["headers"]}


def contexts(body):
    return [v for k, v in body["headers"] if k.lower() == "traceparent"]


def test_the_next_one_gets_the_context_of_the_client_span(t):
    old = "00-%s-%s-01" % ("1" * 32, "2" * 16)
    spans, ledger, bodies, _ = run(t, ["/a", "/b"], "--pool", headers=[("X-Context", old)])
    _, client = split(spans)
    for body in bodies:
        s = client[body["target"]]
        assert contexts(body) == ["00-%s-%s-01" % (s.trace_id, s.span_id)], (body, s)
        assert s.trace_id == "1" * 32 and s.parent_span_id == "2" * 16
    assert ledger["client"]["injected"] == 2, ledger


def fields(body, name):
    return [v for k, v in body["headers"] if k.lower() == name]


def test_what_came_with_the_parent_is_handed_on(t):
    came = [("traceparent", "00-%s-%s-01" % (TRACE, PARENT)), ("tracestate", "a=1,b=2"), ("tracestate", "c=3"), ("Baggage", "user=x,%s=1" % ("k" * 90))]
    spans, _, bodies, _ = run(t, ["/a", "/b"], "--pool", headers=came)
    _, client = split(spans)
    for body in bodies:
        s = client[body["target"]]
        assert contexts(body) == ["00-%s-%s-01" % (TRACE, s.span_id)] and s.neutral["trace_state"] == "a=1,b=2,c=3", (body, s.neutral)
        assert fields(body, "tracestate") == ["a=1,b=2,c=3"] and fields(body, "baggage") == [came[3][1]], body
    # not recorded, not asked for, too long, without a valid traceparent
    _, _, bodies, _ = run(t, ["/a"], name="unsampled", sample_rate=0.0, headers=[(came[0][0], came[0][1][:-1] + "0")] + came[1:])
    assert fields(bodies[0], "tracestate") == ["a=1,b=2,c=3"] and fields(bodies[0], "baggage") == [came[3][1]], bodies
    _, _, bodies, _ = run(t, ["/a"], name="w3c", propagators=["tracecontext"], headers=came)
    assert fields(bodies[0], "tracestate") and not fields(bodies[0], "baggage"), bodies
    _, _, bodies, _ = run(t, ["/a"], name="long", headers=[("Baggage", ",".join("k%03d=%s" % (i, "v" * 40) for i in range(40)))])
    baggage = fields(bodies[0], "baggage")[0].split(",")
    assert 8 < len(baggage) < 12 and all(len(b) == 45 for b in baggage), bodies
    _, _, bodies, _ = run(t, ["/a"], name="invalid", headers=[("tracestate", "a=1"), ("traceparent", "what")])
    assert not fields(bodies[0], "tracestate") and len(contexts(bodies[0])) == 1, bodies


def test_what_is_not_recorded_is_passed_on_with_the_flag_0(t):
    spans, ledger, bodies, _ = run(t, ["/x", "/skip"], excluded_urls="skip,plain", sample_rate=0.0)
    assert not spans and [contexts(b)[0][-3:] for b in bodies] == ["-00"] * 2, bodies


def test_hosts_that_are_denied_get_nothing(t):
    old = "00-%s-%s-01" % ("1" * 32, "2" * 16)
    spans, _, bodies, _ = run(t, ["/a"], headers=[("X-Context", old)], inject_hosts={"deny": ["127.0.*"]})
    assert contexts(bodies[0]) == [old], bodies
    spans, _, bodies, _ = run(t, ["/a"], name="off", inject=False)
    assert contexts(bodies[0]) == [] and len(spans) == 3, bodies


def test_every_format_that_is_asked_for(t):
    spans, _, bodies, _ = run(t, ["/a"], propagators=["b3", "jaeger", "b3multi"])
    s, = [s for s in spans if s.kind == "CLIENT"]
    got = {k.lower(): v for k, v in bodies[0]["headers"]}
    assert got["b3"] == "%s-%s-1" % (s.trace_id, s.span_id) and got["uber-trace-id"] == "%s:%s:0:1" % (s.trace_id, s.span_id)
    assert (got["x-b3-traceid"], got["x-b3-spanid"], got["x-b3-sampled"]) == (s.trace_id, s.span_id, "1")


def test_however_it_is_sent_each_request_arrives_whole_with_one_header(t):
    path = t.path("echo.sock")
    echo(t, path)
    for seed in range(6):
        session = t.session()
        p = t.run(["/usr/bin/python3", os.path.join(HERE, "hosts", "chaos.py"), path, str(seed), "300"], session, preload=True)
        assert p.returncode == 0, p.stderr.decode()
        first, *lines = [json.loads(line) for line in p.stdout.splitlines()]
        assert first["refused"] and len(lines) == 300, first
        spans, ledger = session.finish()
        client = {"/" + s.get("url.full").rsplit("/", 1)[1]: s for s in spans}
        for i, got in enumerate(lines):
            s = client["/%d" % i]
            assert got["target"] == "/%d" % i and len(got["body"]) == i % 50, got
            assert sorted(k for k, _ in got["headers"] if k != "traceparent") == ["Content-Length", "Host", "X-Test"], got
            assert contexts(got) == ["00-%s-%s-01" % (s.trace_id, s.span_id)], (seed, got, s)
        assert (ledger["client"]["requests"], ledger["client"]["injected"]) == (300 + first["asked"], 300 + 1), ledger
