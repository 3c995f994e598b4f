# SPDX-License-Identifier: Apache-2.0
"""What a span says beyond method, target and status, as the config wants it: detail, names, trust, secrets, times."""
import os
import re

from harness import clean_environment, exporters, free_port, listening, wait_for
from test_core_life import HOST

TIMES = {"btrace.wait_ns", "btrace.time_to_first_byte_ns", "btrace.request_ns", "btrace.response_ns"}
PROXIED = [("X-Forwarded-For", "203.0.113.9, 10.0.0.1"), ("X-Forwarded-Proto", "https"),
           ("X-Forwarded-Host", "shop.example.com")]


class Host:
    """The small server, the policy already in force: what comes before it is judged later and without capture."""

    def __init__(self, t, session, env=None):
        self.t, self.port = t, free_port()
        self.process = t.spawn([HOST, str(self.port)],
                               env=dict(clean_environment(**session.environment), LD_PRELOAD=t.library, **(env or {})))
        wait_for("the server", lambda: listening(self.port))
        self.other_request()
        wait_for("keeper and worker", lambda: len(exporters()) == 2)

    def connect(self):
        return self.t.connect(("127.0.0.1", self.port))

    def other_request(self):
        with self.connect() as connection:
            connection.get("/other")

    def stop(self):
        self.other_request()  # one thread: the span before it is complete then, and not one of a killed process
        self.process.terminate()
        self.process.wait()


def one(t, target="/one", method="GET", env=None, config=None, **how):
    """The attributes of one request."""
    session = t.session(**(config or {}))
    host = Host(t, session, env)
    with host.connect() as connection:
        connection.request(method, target, **how)
    host.stop()
    spans, _ = session.finish()
    found = [s for s in spans if s.get("url.path", s.get("http.target")) != "/other" and s.kind == "SERVER"]
    assert len(found) == 1, spans
    return found[0].attributes


def test_detail_minimal_is_what_the_conventions_ask_for(t):
    got = set(one(t, "/echo", "POST", config={"detail": "minimal"}, body=b"abc"))
    assert {"http.request.method", "url.path", "url.scheme", "client.address", "http.response.status_code"} <= got, got
    assert not got & (TIMES | {"http.request.body.size", "http.response.body.size", "client.port"}), got


def test_detail_normal_adds_sizes_and_times(t):
    got = one(t, "/echo", "POST", body=b"abc")
    assert got["http.request.body.size"] == 3 and got["http.response.body.size"] == 3, got
    assert got["btrace.time_to_first_byte_ns"] > 0, got
    assert not {"client.port", "network.local.port", "http.request.size", "btrace.connection"} & set(got), got


def test_detail_full_adds_the_opt_in_attributes(t):
    got = one(t, "/echo", "POST", config={"detail": "full"}, body=b"abc")
    assert got["client.port"] == got["network.peer.port"] and got["network.transport"] == "tcp", got
    assert got["network.local.address"] == "127.0.0.1" and got["network.local.port"] > 0, got
    assert got["http.request.size"] > 3 and got["http.response.size"] > 3 and got["btrace.connection"] > 0, got


def test_the_time_before_the_first_read_is_told_of_the_first_request_alone(t):
    session = t.session()
    host = Host(t, session)
    connection = host.connect()
    exchanges = [connection.get("/wait?n=%d" % i) for i in range(2)]
    connection.close()
    host.stop()
    spans = {s.target: s for s in session.finish()[0]}
    first, second = (spans[e.target].get("btrace.wait_ns") for e in exchanges)
    assert first and first > 0 and second is None, (first, second)


def test_proxies_are_believed_by_default(t):
    got = one(t, headers=PROXIED)
    assert got["client.address"] == "203.0.113.9" and got["url.scheme"] == "https", got
    assert got["server.address"] == "shop.example.com", got
    assert got["network.peer.address"] == "127.0.0.1", got


def test_private_peers_are_believed_when_only_they_are_to_be(t):
    got = one(t, headers=PROXIED, config={"trust_forwarded": "private"})
    assert got["client.address"] == "203.0.113.9" and got["server.port"] == 443, got


def test_nobody_is_believed_when_nobody_is_to_be(t):
    got = one(t, headers=PROXIED + [("Forwarded", "for=203.0.113.8")], config={"trust_forwarded": "never"})
    assert (got["client.address"], got["url.scheme"], got["server.address"]) == ("127.0.0.1", "http", "localhost"), got


def shared_memory(pid):
    """What lies in the span table that a process has mapped."""
    out = b""
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in maps:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw-s .*/memfd:btrace\b", line)
            if m:
                begin, end = (int(x, 16) for x in m.groups())
                memory.seek(begin)
                out += memory.read(end - begin)
    return out


def test_secrets_reach_neither_shared_memory_nor_the_trace(t):
    session = t.session(redact={"query": ["token", "sig"]}, capture={"request_headers": ["Cookie", "Referer", "x-order"]})
    host = Host(t, session)
    with host.connect() as connection:
        connection.get("/a?token=hush1&x=1&sig=hush2", headers=[("Cookie", "sid=hush3"), ("X-Order", "seen")])
        connection.get("http://user:hush4@shop.example.com/b;jsessionid=hush5")
        kept = shared_memory(host.process.pid)
        connection.get("/c", headers=[("Referer", "http://user:hush6@h/?token=hush7")])
    host.stop()
    spans = {s.get("url.path"): s.attributes for s in session.finish()[0]}
    with open(session.trace_file, "rb") as f:
        assert b"hush" not in f.read()
    leaked = re.findall(rb"[ -~]*hush[ -~]*", kept)
    assert b"seen" in kept and not leaked, "the table: %d bytes, %s" % (len(kept), leaked)
    assert spans["/a"]["url.query"] == "token=REDACTED&x=1&sig=REDACTED", spans["/a"]
    assert spans["/a"]["http.request.header.cookie"] == ["REDACTED"], spans["/a"]
    assert spans["/a"]["http.request.header.x-order"] == ["seen"], spans["/a"]
    assert spans["/b;jsessionid=REDACTED"]["server.address"] == "shop.example.com", spans
    assert spans["/c"]["http.request.header.referer"] == ["http://REDACTED:REDACTED@h/?token=REDACTED"], spans["/c"]


def test_names_of_2022_alone(t):
    got = one(t, "/old?a=b", config={"semantic_conventions": "legacy"})
    assert (got["http.method"], got["http.target"], got["http.status_code"]) == ("GET", "/old?a=b", 200), got
    assert "http.request.method" not in got and "url.path" not in got, got


def test_both_sets_of_names(t):
    got = one(t, "/both?a=b", config={"semantic_conventions": "both"})
    assert got["http.method"] == got["http.request.method"] == "GET", got
    assert got["http.target"] == "/both?a=b" and got["url.path"] == "/both" and got["url.query"] == "a=b", got


def test_the_environment_of_opentelemetry_chooses_the_names(t):
    got = one(t, "/dup", env={"OTEL_SEMCONV_STABILITY_OPT_IN": "http/dup"})
    assert got["http.method"] == got["http.request.method"] == "GET", got


def test_children_on_request(t):
    session = t.session(child_spans=True)
    host = Host(t, session)
    with host.connect() as connection:
        connection.get("/parent")
    host.stop()
    spans, ledger = session.finish()
    parent = [s for s in spans if s.target == "/parent"][0]
    names = sorted(s.name for s in spans if s.parent_span_id == parent.span_id)
    assert names == [parent.name + " http receive"] + [parent.name + " http send"] * 2, names
    assert ledger["child_spans"] == sum(s.kind == "INTERNAL" for s in spans), ledger


SHOPFRONT = r"""
use IO::Socket::INET;
my $s = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], ReuseAddr => 1) or die;
$0 = "a title that is longer than the whole command line was, as setproctitle writes it: master";
if (my $pid = fork) { $SIG{TERM} = sub { kill 'TERM', $pid }; 1 while waitpid($pid, 0) != $pid; exit 0 }
$0 = "worker";
while (my $c = $s->accept) {
	my $head = '';
	sysread($c, $head, 4096, length $head) or last until $head =~ /\r\n\r\n/;
	syswrite($c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	close $c;
}
"""


def test_an_overwritten_title_names_nobody(t):
    t.need("perl")
    script = t.path("shopfront.pl")
    with open(script, "w") as f:
        f.write(SHOPFRONT)
    session = t.session()
    server = t.serve(["perl", script, "{port}"], session)
    for i in range(2):
        with t.connect(server) as connection:
            connection.get("/t?n=%d" % i)
    server.stop()
    spans, _ = session.finish()
    for s in spans:
        assert s.resource["service.name"] == "shopfront" and s.resource["process.command"] == "perl", s.resource
        assert os.path.basename(s.resource["process.executable.path"]).startswith("perl"), s.resource
        assert s.resource["process.pid"] != server.pid, "the child served"


def test_processes_of_one_session_have_resources_of_their_own(t):
    session = t.session(resource_attributes={"team": "shop"})
    servers = [t.serve([HOST, "{port}"], session, env={"BTRACE_SERVICE": name}) for name in ("front", "back")]
    for server in servers:
        with t.connect(server) as connection:
            connection.get("/%d" % server.port)
    pids = {server.port: server.pid for server in servers}
    for server in servers:
        server.stop()
    spans, _ = session.finish()
    found = {s.target: s.resource for s in spans}
    resources = [found["/%d" % server.port] for server in servers]
    assert [r["service.name"] for r in resources] == ["front", "back"], resources
    assert [r["process.pid"] for r in resources] == [pids[s.port] for s in servers], resources
    assert resources[0]["service.instance.id"] != resources[1]["service.instance.id"], resources
    assert all(r["team"] == "shop" for r in resources), resources
