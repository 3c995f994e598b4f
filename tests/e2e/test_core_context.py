# SPDX-License-Identifier: Apache-2.0
"""The parent of a request: every header format, in the order the config lists them."""
from harness import exporters, wait_for
from test_core_life import HOST

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
OTHER, OTHER_PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
W3C = ("traceparent", "00-%s-%s-01" % (TRACE, PARENT))


def spans_of(t, requests, **config):
    session = t.session(**config)
    server = t.serve([HOST, "{port}"], session)
    wait_for("keeper and worker", lambda: len(exporters()) == 2)  # then the policy is in force
    connection = t.connect(server)
    for i, headers in enumerate(requests):
        connection.request("GET", "/c?n=%d" % i, headers=headers)
    connection.close()
    server.stop()
    spans, ledger = session.finish()
    return {s.target[5:]: s for s in spans}, ledger


def test_each_format_gives_the_parent(t):
    spans, _ = spans_of(t, [
        [W3C], [("TraceParent", "  00-%s-%s-01 " % (TRACE, PARENT))], [("b3", "%s-%s-1" % (TRACE, PARENT))],
        [("X-B3-TraceId", TRACE), ("X-B3-SpanId", PARENT), ("X-B3-Sampled", "1")],
        [("uber-trace-id", "%s:%s:0:1" % (TRACE, PARENT))]],
        propagators=["tracecontext", "b3", "jaeger"])
    for s in spans.values():
        assert (s.trace_id, s.parent_span_id) == (TRACE, PARENT), s


def test_the_first_listed_valid_format_wins(t):
    both = [("b3", "%s-%s-1" % (OTHER, OTHER_PARENT)), W3C]
    spans, _ = spans_of(t, [both, [both[0], ("traceparent", "00-broken")]], propagators=["tracecontext", "b3"])
    assert spans["0"].trace_id == TRACE and spans["1"].trace_id == OTHER, spans


def test_two_traceparents_are_none(t):
    spans, _ = spans_of(t, [[W3C, W3C]])
    assert spans["0"].trace_id != TRACE and not spans["0"].parent_span_id, spans["0"]


def test_the_parents_decision_beats_the_rate(t):
    off = ("traceparent", "00-%s-%s-00" % (TRACE, PARENT))
    spans, ledger = spans_of(t, [[off], [W3C], []], sample_rate=0.0)
    assert list(spans) == ["1"] and ledger["sampled_out"] == 2, (spans, ledger)
    spans, ledger = spans_of(t, [[off], []], sample_rate=1.0, name="second")
    assert list(spans) == ["1"] and ledger["sampled_out"] == 1, (spans, ledger)
