# SPDX-License-Identifier: Apache-2.0
"""keep: requests that lose the draw but end in an error, or slowly, come out all the same, marked."""
from harness import exporters, wait_for
from test_core_life import HOST

T, S = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
UNSAMPLED = [("traceparent", "00-%s-%s-00" % (T, S))]
TARGETS = ["/a", "/status/500", "/status/404", "/sleep/400", "/status/503", "/b"]


def kept(t, early=False, headers=(), targets=TARGETS, **config):
    session = t.session(**config)
    server = t.serve([HOST, "{port}"], session)
    if not early:
        wait_for("keeper and worker", lambda: len(exporters()) == 2)  # then the policy is in force
    connection = t.connect(server)
    for target in targets:
        connection.request("GET", target, headers=list(headers))
    connection.close()
    server.stop()
    spans, ledger = session.finish()
    assert ledger["requests"] == len(targets) and ledger["sampled_out"] == len(targets) - len(spans), ledger
    return {s.target: s for s in spans}


def marked(spans):
    return {target for target, span in spans.items() if span.get("btrace.tail_kept")}


def test_errors_that_lost_the_draw_are_kept_and_marked(t):
    for early in (True, False):
        spans = kept(t, early, sample_rate=0.0, keep={"errors": True}, name="early" if early else "late")
        assert set(spans) == {"/status/500", "/status/503"} == marked(spans), spans
        assert spans["/status/500"].status_code == 500


def test_slow_ones_that_lost_the_draw_are_kept_and_marked(t):
    spans = kept(t, sample_rate=0.0, keep={"slower_than": "390ms"})
    assert "/sleep/400" in marked(spans) == set(spans), spans
    spans = kept(t, sample_rate=0.0, keep={"slower_than": "1h", "errors": True}, name="never")
    assert set(spans) == {"/status/500", "/status/503"}, spans


def test_what_won_the_draw_is_not_marked(t):
    spans = kept(t, sample_rate=1.0, keep={"errors": True, "slower_than": "1ms"})
    assert set(spans) == set(TARGETS) and not marked(spans), spans


def test_a_parent_that_said_no_is_no_obstacle(t):
    spans = kept(t, sample_rate=1.0, keep={"errors": True}, headers=UNSAMPLED)
    assert set(spans) == {"/status/500", "/status/503"} == marked(spans), spans
    assert all((s.trace_id, s.parent_span_id) == (T, S) for s in spans.values()), spans


def test_what_is_excluded_is_not_kept(t):
    spans = kept(t, sample_rate=0.0, keep={"errors": True}, excluded_urls="status/5", targets=["/a"])
    assert spans == {}, spans


def test_without_rules_nothing_is_kept(t):
    assert kept(t, sample_rate=0.0) == {}
