# SPDX-License-Identifier: Apache-2.0
"""Several programs in a row under the library: one trace a request, the right tree in each, and no byte changed but the
context header."""
import collections
import json
import os
import re

from harness import exporters, free_port, limit, load, wait_for

TIER = "servers"
CLOCK = re.compile("20[0-9-]+ [0-9:]+ *$|FINISHED|Total wall clock|Downloaded:")
HERE = os.path.dirname(os.path.abspath(__file__))
HOSTS = os.path.join(HERE, "hosts")
PYTHON = "/usr/bin/python3"
NGINX = """daemon off; %(user)s worker_processes 2; pid %(work)s/nginx.pid; error_log stderr warn;
events { worker_connections 512; }
http { access_log off; client_body_temp_path %(work)s/b; proxy_temp_path %(work)s/p; fastcgi_temp_path %(work)s/f;
 uwsgi_temp_path %(work)s/u; scgi_temp_path %(work)s/s;
 upstream app { server 127.0.0.1:%(backend)d; keepalive 16; }
 server { listen 127.0.0.1:%(port)d backlog=512; location / { proxy_http_version 1.1; proxy_set_header Connection "";
  proxy_next_upstream off; proxy_pass http://app; } } }
"""


def trace_id(i):
    return "%032x" % (0xabc0000000000000000 + i)


def parent_id(i):
    return "%016x" % (0xdef0000000 + i)


def plan(n, path="/r%d"):
    """n requests, each in a trace of its own: GETs, and POSTs of many sizes."""
    rows = []
    for i in range(n):
        how = {"headers": [("TraceParent" if i % 3 else "traceparent", "00-%s-%s-01" % (trace_id(i), parent_id(i)))]}
        if i % 4 == 1:
            how["body"] = bytes(97 + j % 26 for j in range(i * 37 % 20000))
        rows.append(("POST" if "body" in how else "GET", (path % i) + "?n=%d" % i, how))
    return rows


def contexts(answer):
    return [v for k, v in answer["headers"] if k.lower() == "traceparent"]


def without_context(answer):
    """What the backend got, but for the context header and for ports, which differ from run to run."""
    fields = [(k, v.split(":")[0] if k.lower() == "host" else v) for k, v in answer["headers"] if k.lower() != "traceparent"]
    return answer["target"], fields, answer["body"]


def answers(exchanges):
    assert all(e.status == 200 and e.complete for e in exchanges), [e for e in exchanges if e.status != 200][:5]
    return [json.loads(e.body) for e in exchanges]


def same(plain, traced):
    assert len(plain) == len(traced)
    for a, b in zip(plain, traced):
        assert without_context(a) == without_context(b), (a, b)


def echo(t, session=None):
    port = free_port()
    return t.serve([PYTHON, os.path.join(HOSTS, "echo.py"), str(port)], session, port=port)


def begin(t, server, session):
    """A request that is not counted: before it the policy may not be in force."""
    t.connect(server).get("/first")
    if session:
        wait_for("keeper and worker", lambda: len(exporters()) == 2)


def three_tiers(t, session):
    """(exchanges, the backend's answers) of 2,000 requests over 50 connections."""
    backend = echo(t, session)
    app = t.serve([PYTHON, "/usr/bin/gunicorn", "-k", "gthread", "-w", "2", "--threads", "4", "--keep-alive", "30",
                   "--chdir", HOSTS, "-b", "127.0.0.1:{port}", "tier_app:app"], session,
                  env={"ASK_PORT": str(backend.port)}, preload=session is not None)
    port, work = free_port(), t.path("nginx%d" % bool(session))
    os.mkdir(work)
    os.chmod(work, 0o755)
    with open(work + "/nginx.conf", "w") as f:
        f.write(NGINX % {"user": "user www-data;" if os.geteuid() == 0 else "", "work": work, "port": port,
                         "backend": app.port})
    proxy = t.serve(["nginx", "-c", work + "/nginx.conf"], session, port=port)
    begin(t, proxy, session)
    exchanges = load(proxy.address, plan(2000), connections=50)
    for server in (proxy, app, backend):
        server.stop()
    return answers(exchanges)


def check_tree(i, spans, answer):
    """client -> nginx -> gunicorn -> backend, each the child of the one before; the header is the last client's."""
    by_id = {s.span_id: s for s in spans}
    children = collections.defaultdict(list)
    for s in spans:
        children[s.parent_span_id].append(s)
    at, line = parent_id(i), []
    while children[at]:
        assert len(children[at]) == 1, children[at]
        line.append(children[at][0])
        at = line[-1].span_id
    shape = [(s.resource["service.name"], s.kind) for s in line]
    assert [kind for _, kind in shape] == ["SERVER", "CLIENT", "SERVER", "CLIENT", "SERVER"], (shape, spans)
    assert len(by_id) == len(spans) == 5 and len({name for name, _ in shape}) == 3, (shape, spans)
    assert shape[0][0] == shape[1][0] and shape[2][0] == shape[3][0], shape
    assert contexts(answer) == ["00-%s-%s-01" % (trace_id(i), line[3].span_id)], (answer, line)


@limit(180)
def test_nginx_gunicorn_backend_is_one_trace_a_request(t):
    t.need("nginx", "gunicorn")
    if t.run([PYTHON, "-c", "import urllib3"]).returncode:
        t.skip("python3 module urllib3 is not installed")
    session = t.session()
    plain, traced = three_tiers(t, None), three_tiers(t, session)
    same(plain, traced)
    spans, ledger = session.finish()
    traces = collections.defaultdict(list)
    for s in spans:
        if s.get("url.path") != "/first" and not (s.get("url.full") or "").endswith("/first"):
            traces[s.trace_id].append(s)
    assert set(traces) == {trace_id(i) for i in range(2000)}, (len(traces), ledger)
    for i, answer in enumerate(traced):
        check_tree(i, traces[trace_id(i)], answer)


def node(t, session, backend):
    proxy = t.serve(["node", os.path.join(HOSTS, "proxy.js"), "{port}", str(backend.port)], session)
    begin(t, proxy, session)
    named = load(proxy.address, plan(1000, "/slow/r%d"), connections=50)
    bare = load(proxy.address, plan(1000, "/bare/r%d"), connections=50)
    proxy.stop()
    return answers(named), answers(bare)


def by_number(spans, kind):
    """Spans by path and the n of their query, without the first request."""
    key = {"SERVER": lambda s: s.target, "CLIENT": lambda s: "/" + s.get("url.full").split("/", 3)[3]}[kind]
    mine = [s for s in spans if s.kind == kind and not key(s).endswith("/first")]
    found = {key(s): s for s in mine}
    assert len(found) == len(mine)
    return found


@limit(180)
def test_an_event_loop_with_fifty_in_flight_never_names_a_wrong_parent(t):
    t.need("node")
    session, backend = t.session(), echo(t)
    plain, traced = node(t, None, backend), node(t, session, backend)
    spans, ledger = session.finish()
    server, client = by_number(spans, "SERVER"), by_number(spans, "CLIENT")
    assert len(server) == len(client) == 2000 and server.keys() == client.keys(), ledger
    ambiguous = 0
    for a, b in zip(plain, traced):
        same(a, b)
    for answer in traced[0] + traced[1]:
        target = answer["target"]
        parent, child = server[target], client[target]
        assert contexts(answer) == ["00-%s-%s-01" % (child.trace_id, child.span_id)], (answer, child)
        if child.get("btrace.ambiguous_parent"):
            ambiguous += 1
            assert not child.parent_span_id and target.startswith("/bare"), child.neutral
        else:
            assert (child.trace_id, child.parent_span_id) == (parent.trace_id, parent.span_id), (child.neutral, parent)
    # the first request is ambiguous when its parent came before the policy
    ambiguous += sum(bool(c.get("btrace.ambiguous_parent")) for c in spans if (c.get("url.full") or "").endswith("/first"))
    assert ledger["client"]["ambiguous"] == ambiguous, (ambiguous, ledger["client"])
    assert ledger["client"]["injected"] == ledger["client"]["requests"] == 2001, ledger


@limit(120)
def test_a_request_that_was_queued_is_no_child_of_the_one_that_is_open_when_it_is_sent(t):
    t.need("node")
    session, backend = t.session(), echo(t)
    server = t.serve(["node", os.path.join(HOSTS, "later.js"), "{port}", str(backend.port)], session)
    t.connect(server).get("/wait/first")
    wait_for("keeper and worker", lambda: len(exporters()) == 2)
    load(server.address, [("GET", "/ask/%d" % i, {}) for i in range(50)], connections=50)
    one = t.connect(server)
    for i in range(10):  # alone, while the queue is worked off
        one.get("/wait/%d" % i)
    server.stop()
    spans, ledger = session.finish()
    server = {s.span_id: s for s in spans if s.kind == "SERVER"}
    client = [s for s in spans if s.kind == "CLIENT"]
    assert len(client) > 20, ledger
    for s in client:
        parent = server.get(s.parent_span_id)
        assert not s.parent_span_id or parent.target.replace("ask", "slow/ask") == "/" + s.get("url.full").split("/", 3)[3], \
            (s.neutral, parent)
    assert ledger["client"]["ambiguous"] >= 10, ledger["client"]


def commands(t):
    """Commands that end well, and ones that do not. {backend} is the port; 1: nobody listens."""
    big = t.path("big")
    with open(big, "wb") as f:
        f.write(bytes(97 + j % 26 for j in range(20000)))
    url = "http://127.0.0.1:{backend}"
    yield from ((["curl", "-sS", *more]) for more in (
        [url + "/a?x=1"], [url + "/a", url + "/b", url + "/c"], ["-d", "k=v", url + "/post"], ["-T", big, url + "/put"],
        ["-H", "Transfer-Encoding: chunked", "--data-binary", "@" + big, url + "/chunked"], ["-0", url + "/old"],
        ["-i", "-f", url + "/status/404"], [url + "/status/503"], [url + "/close"], [url + "/die"],
        ["-H", "traceparent: 00-%s-%s-01" % (trace_id(1), parent_id(1)), url + "/with"],
        ["http://127.0.0.1:1/refused"]))
    yield from ((["wget", "-nv", "-t", "1", "-O", "-", *more]) for more in (
        [url + "/a?x=1"], [url + "/a", url + "/b"], ["--post-file=" + big, url + "/post"], [url + "/status/404"],
        [url + "/close"], ["http://127.0.0.1:1/refused"]))


def outcome(answer):
    """Status and output of a command: what the backend got with its contexts apart, messages without times."""
    out = answer["out"]
    decoder, at, told = json.JSONDecoder(), 0, []
    while (start := out.find('{"target"', at)) >= 0:
        value, at = decoder.raw_decode(out, start)
        told.append((out[:start] if not told else "", without_context(value), contexts(value)))
    err = [re.sub("^20[0-9-]+ [0-9:]+ | after [0-9]+ ms", "", line) for line in answer["err"].splitlines()]
    return answer["status"], told or out, [line for line in err if not CLOCK.match(line)]


@limit(120)
def test_commands_that_a_server_runs_do_the_same_as_without(t):
    t.need("curl", "wget")
    session, backend, seen = t.session(), echo(t), {}
    for kind in ("plain", "traced"):
        server = t.serve([PYTHON, os.path.join(HOSTS, "runner.py"), "{port}", str(backend.port)],
                         session if kind == "traced" else None)
        connection = t.connect(server)
        run = [connection.request("POST", "/", body=json.dumps(c).encode()) for c in commands(t)]
        seen[kind] = [outcome(json.loads(e.body)) for e in run]
        connection.close()
        server.stop()
    for command, plain, traced in zip(commands(t), seen["plain"], seen["traced"]):
        assert plain == traced, (command, plain, traced)
    statuses = [s[0] for s in seen["plain"]]
    assert [s for s in statuses if s] == [22, 52, 7, 8, 4], statuses
    spans, ledger = session.finish()
    assert len([s for s in spans if s.kind == "SERVER"]) == len(statuses), ledger
