# SPDX-License-Identifier: Apache-2.0
"""excluded_urls on a running server: the URL that is searched, and what is counted."""
from test_core_life import HOST


def excluded(t, patterns, targets, **options):
    session = t.session(excluded_urls=patterns, **options)
    server = t.serve([HOST, "{port}"], session)
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
