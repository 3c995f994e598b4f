# SPDX-License-Identifier: Apache-2.0
"""Span names by route: configured ones, ids by their looks, and never the raw path."""
from test_core_life import HOST


def names(t, targets, host=(HOST, "{port}"), **config):
    session = t.session(**config)
    server = t.serve(host if isinstance(host, str) else list(host), session)
    for target in targets:
        with t.connect(server) as connection:
            connection.get(target)
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


def test_what_is_not_there_makes_no_route(t):
    got = names(t, ["/absent/page", "/small.txt", "/absent/page?again", "/small.txt?again"], host="py-httpserver")
    assert got == {"/absent/page": ("GET", None), "/absent/page?again": ("GET", None),
                   "/small.txt": ("GET /small.txt", "/small.txt"),
                   "/small.txt?again": ("GET /small.txt", "/small.txt")}, got


def test_beyond_the_bound_the_method_is_the_name(t):
    got = names(t, ["/users", "/orders", "/items", "/users?again"], routes_max=2)
    assert got == {"/users": ("GET /users", "/users"), "/orders": ("GET /orders", "/orders"), "/items": ("GET", None),
                   "/users?again": ("GET /users", "/users")}, got


def test_names_that_traffic_shows_to_be_ids_are_collapsed(t):
    """Nobody can tell from its looks whether /find/x is a page or a name; many of them, each once, are names."""
    people = ["ana", "bertl", "chidi", "dragan", "eilidh", "fatou", "gizem", "hiroki", "ingvild", "jarek", "kofi", "lwazi"]
    got = names(t, ["/find/%s" % name for name in people], routes_inference="learned")
    assert [got["/find/" + p][1] for p in people[-3:]] == ["/find/{id}"] * 3, got
    assert {route for _, route in got.values()} <= {None, "/find/{id}"}, got


def test_typed_inference_does_not_learn(t):
    got = names(t, ["/find/%s" % name for name in ("ana", "bertl", "17")], routes_inference="typed")
    assert {t: r for t, (_, r) in got.items()} == {"/find/ana": "/find/ana", "/find/bertl": "/find/bertl",
                                                   "/find/17": "/find/{id}"}, got
