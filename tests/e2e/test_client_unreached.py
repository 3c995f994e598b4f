# SPDX-License-Identifier: Apache-2.0
"""CLIENT spans of a backend that has gone: its connect() fails, and nothing is sent."""
import os

from harness import Server, exporters, free_port, wait_for
from test_client import ECHO, start

HERE = os.path.dirname(os.path.abspath(__file__))
NGINX = """daemon off; %(user)s worker_processes 1; pid %(work)s/nginx.pid; error_log stderr crit;
events { worker_connections 64; }
http { access_log off; client_body_temp_path %(work)s/b; proxy_temp_path %(work)s/p; fastcgi_temp_path %(work)s/f;
 uwsgi_temp_path %(work)s/u; scgi_temp_path %(work)s/s;
 server { listen 127.0.0.1:%(port)d; location / { proxy_pass http://127.0.0.1:%(backend)d; } } }
"""
CALLS = 12


def echo(t, *path):
    port = free_port()
    t.servers.append(Server(ECHO + [str(port), *path], t.directory, t.docroot, port=port))
    return t.servers[-1]


def ask_before_and_after(t, server, backend):
    """The statuses of one request that is answered, and of CALLS that are not."""
    connection = t.connect(server)
    before = connection.request("GET", "/before").status
    backend.stop()
    statuses = [connection.request("GET", "/after/%d" % i).status for i in range(CALLS)]
    connection.close()
    server.stop()
    return [before] + statuses


def check(spans, ledger, statuses):
    assert statuses == [200] + [502] * CALLS, statuses
    parents = {s.span_id: s for s in spans if s.kind == "SERVER" and s.target.startswith("/after")}
    failed = [s for s in spans if s.kind == "CLIENT" and s.get("error.type") == "connection_refused"]
    assert len(failed) == CALLS and {s.parent_span_id for s in failed} == set(parents), (failed, parents)
    for s in failed:
        parent = parents[s.parent_span_id]
        assert s.trace_id == parent.trace_id and parent.start_ns <= s.start_ns <= s.end_ns <= parent.end_ns, (s, parent)
        assert s.name == "HTTP" and s.status == "ERROR" and s.get("http.request.method") == "_OTHER", s.attributes
        assert s.get("http.response.status_code") is None, s.attributes
    client = ledger["client"]
    assert client["requests"] == client["taken"] == CALLS + 1 and not client["ambiguous"], ledger
    return failed


def run(t, backend, address, *options, **config):
    session = t.session(**config)
    server = start(t, session, address, *options)
    statuses = ask_before_and_after(t, server, backend)
    return (*session.finish(), statuses)


def test_a_connect_that_blocks_and_is_refused(t):
    backend = echo(t)
    for s in check(*run(t, backend, backend.port)):
        assert s.get("server.address") == s.get("network.peer.address") == "127.0.0.1", s.attributes
        assert s.get("url.full") == "http://127.0.0.1:%d" % backend.port, s.attributes
        assert s.get("server.port") == s.get("network.peer.port") == backend.port, s.attributes


def test_a_connect_that_does_not_block_and_is_refused(t):
    backend = echo(t)
    check(*run(t, backend, backend.port, "--timeout"))


def test_a_unix_socket_where_nobody_listens_any_more(t):
    for options in ((), ("--timeout",)):
        path = t.path("echo%d.sock" % len(options))
        for s in check(*run(t, echo(t, path), path, *options, name="unix%d" % len(options))):
            assert s.get("server.address") == s.get("network.peer.address") == path, s.attributes


def test_an_address_that_has_never_answered_is_not_known_to_be_http(t):
    session = t.session()
    server = start(t, session, free_port())
    connection = t.connect(server)
    assert [connection.request("GET", "/never").status for _ in range(3)] == [502] * 3
    connection.close()
    server.stop()
    spans, ledger = session.finish()
    assert {s.kind for s in spans} == {"SERVER"} and ledger["client"]["requests"] == 0, ledger


def test_without_client_spans_there_is_none(t):
    backend = echo(t)
    spans, ledger, statuses = run(t, backend, backend.port, client_spans=False)
    assert statuses[1:] == [502] * CALLS and {s.kind for s in spans} == {"SERVER"}, spans
    assert ledger["client"]["requests"] == 0, ledger


def test_the_upstream_of_nginx(t):
    backend, session, port, work = echo(t), t.session(), free_port(), t.path("nginx")
    os.mkdir(work)
    os.chmod(work, 0o755)
    with open(work + "/nginx.conf", "w") as f:
        f.write(NGINX % {"user": "user www-data;" if os.geteuid() == 0 else "", "work": work, "port": port,
                         "backend": backend.port})
    server = t.serve(["nginx", "-c", work + "/nginx.conf"], session, port=port)
    wait_for("keeper and worker", lambda: len(exporters()) == 2)  # then the policy is in force
    statuses = ask_before_and_after(t, server, backend)
    spans, ledger = session.finish()
    check(spans, ledger, statuses)
