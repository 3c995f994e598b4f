# SPDX-License-Identifier: Apache-2.0
"""Span names by route: configured ones, ids by their looks, and never the raw path."""
from test_core_life import HOST


def names(t, targets, **config):
    session = t.session(**config)
    server = t.serve([HOST, "{port}"], session)
    connection = t.connect(server)
    for target in targets:
        connection.get(target)
    connection.close()
    server.stop()
    spans, _ = session.finish()
    return {s.target: (s.name, s.get("http.route")) for s in spans}


def test_configured_routes_win(t):
    got = names(t, ["/users/alice", "/static/js/app.js?v=3", "/orders/17"],
                routes=["/users/{name}", "/static/*"], routes_inference="off")
    assert got == {"/users/alice": ("GET /users/{name}", "/users/{name}"),
                   "/static/js/app.js?v=3": ("GET /static/*", "/static/*"), "/orders/17": ("GET", None)}, got


def test_ids_are_collapsed_by_their_looks(t):
    got = names(t, ["/api/v1/orders/%d" % n for n in (17, 4711)], routes_inference="typed")
    routes = {route for _, route in got.values()}
    assert len(routes) == 1 and routes.pop().startswith("/api/v1/orders/{"), got
