# SPDX-License-Identifier: Apache-2.0
"""excluded_urls on a running server: the URL that is searched, and what is counted."""
import socket

from harness import clean_environment, exporters, free_port, wait_for
from receivers import own_network
from test_core_life import HOST


def connected(host, port):
    try:
        return socket.create_connection((host, port))
    except ConnectionRefusedError:
        return None


def excluded(t, patterns, targets, **options):
    session = t.session(excluded_urls=patterns, **options)
    server = t.serve([HOST, "{port}"], session)
    wait_for("keeper and worker", lambda: len(exporters()) == 2)  # then the policy is in force
    connection = t.connect(server)
    for target in targets:
        connection.get(target.replace("PORT", str(server.port)))
    connection.close()
    server.stop()
    spans, ledger = session.finish()
    assert ledger["requests"] == len(targets) and ledger["excluded"] == len(targets) - len(spans), ledger
    return [s.target for s in spans]


def test_patterns_are_searched_in_the_decoded_path_without_the_query(t):
    left = excluded(t, ["healthz", "/metrics$", "caf\u00e9"],
                    ["/healthz", "/metrics", "/metrics/x", "/x?healthz", "/%68ealthz", "/caf%C3%A9", "/open"])
    assert left == ["/metrics/x", "/x?healthz", "/open"], left


def test_the_host_of_the_url_is_where_the_server_listens(t):
    assert excluded(t, [r"^http://127\.0\.0\.1:\d+/only"], ["/only", "/other/only"]) == ["/other/only"]
    assert excluded(t, ["^http://localhost"], ["/a"]) == ["/a"]


def test_the_host_of_the_url_can_be_the_host_header(t):
    assert excluded(t, ["^http://localhost"], ["/a"], excluded_urls_host="header") == []


def test_a_path_is_searched_to_its_end(t):
    long = ["/" + "a" * n + "/metrics" + "b" * 50 for n in (1000, 1020, 5000, 40000, 60000)]
    left = excluded(t, ["metrics", "^http://127.0.0.1:[0-9]+/z*/healthz$"],
                    long + ["/" + "z" * 50000 + "/health%7A", "/open"] + ["/" + "a" * 50000 + "?metrics"])
    assert [target[:5] for target in left] == ["/open", "/aaaa"], [len(target) for target in left]


def test_a_path_is_searched_to_its_end_with_the_host_header_in_front(t):
    long = ["/" + "a" * n + "/metrics" for n in (10, 2000, 60000)]
    left = excluded(t, ["^http://localhost/a*/metrics$"], long + ["/" + "a" * 60000 + "/metric"], excluded_urls_host="header")
    assert [len(target) for target in left] == [1024], left


def test_the_host_of_an_ipv6_listener_is_its_address_too(t):
    session = t.session(excluded_urls=["^http://::1:[0-9]+/only$"])
    port = free_port()
    server = t.spawn([HOST, str(port), "--inet6"], env=dict(clean_environment(**session.environment), LD_PRELOAD=t.library))
    connection = wait_for("the server", lambda: connected("::1", port))
    wait_for("keeper and worker", lambda: len(exporters()) == 2)
    for target in (b"/only", b"/other"):
        connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    connection.close()
    server.terminate()
    server.wait()
    spans, ledger = session.finish()
    assert [s.target for s in spans] == ["/other"] and ledger["excluded"] == 1, (spans, ledger)


def test_a_server_that_listens_everywhere_is_where_the_connection_came_in(t):
    own_network()
    for arguments, address, pattern in (
            ([], ("127.0.0.1",), "^http://127.0.0.1:[0-9]+/only$"),
            (["--inet6"], ("::1",), "^http://::1:[0-9]+/only$"),
            (["--inet6"], ("127.0.0.1",), "^http://::ffff:127.0.0.1:[0-9]+/only$")):
        for early in (True, False):
            session = t.session(excluded_urls=[pattern])
            port = free_port()
            server = t.spawn([HOST, str(port), "--any", *arguments],
                             env=dict(clean_environment(**session.environment), LD_PRELOAD=t.library))
            connection = wait_for("the server", lambda: connected(address[0], port))
            if not early:
                connection.close()
                wait_for("keeper and worker", lambda: len(exporters()) == 2)
                connection = connected(address[0], port)
            for target in (b"/only", b"/other"):
                connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            connection.close()
            server.terminate()
            server.wait()
            spans, ledger = session.finish()
            assert [s.target for s in spans] == ["/other"] and ledger["excluded"] == 1, (pattern, early, spans, ledger)
