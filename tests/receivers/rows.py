# SPDX-License-Identifier: Apache-2.0
"""One row of exporters: a traced nginx with 1,000 requests, a receiver, and the file exporter beside it.

What the receiver has must be the spans of the file, exactly, field by field, as far as the receiver's format goes.
"""
import neutral
from harness import check_spans, load, wait_for

REQUESTS = 1000
SERVICE = "receivers-test"
PATIENCE = 30
QUIET = {"LOG": "crit"}   # nginx' words about 404 and 502 would hide ours


def plan():
    """1,000 requests whose spans differ in what formats differ about: parents, siblings, trace state, errors, kinds of
    values, text that is no ASCII and text that is no UTF-8."""
    out = []
    for i in range(REQUESTS):
        target, method, how = "/small.txt?n=%d" % i, "GET", {}
        headers = [("User-Agent", "rows/%d" % (i % 3))]
        trace = "00-%032x-%016x-01" % ((0xfeed << 112) + i // 2 + 1, (0x80 << 56) + i // 4 + 1)
        what = i % 10
        if what in (1, 2, 3):   # two requests share a trace, four a parent's id
            headers.append(("traceparent", trace))
        if what == 2:
            headers.append(("tracestate", "vendor=value%d,other=x" % i))
        if what == 4:
            target = "/missing/%d/page?n=%d" % (i, i)
        if what == 5:           # nothing listens behind /echo without ECHO=1: 502
            target, method, how = "/echo?n=%d" % i, "POST", {"body": b"x" * (i % 70)}
        if what == 6:
            method = "HEAD"
        if what == 7:
            headers[0] = ("User-Agent", "Gr\u00fc\u00dfe \u4e16\u754c \U0001f600".encode().decode("latin-1"))
        if what == 8:
            headers[0] = ("User-Agent", "caf\u00e9 \xff\xfe")
        if what == 9:
            headers += [("X-Request-Id", "r%d" % i), ("X-Request-Id", 'second "%d" \\' % i)]
        out.append((method, target, dict(how, headers=headers)))
    return out


def trace_requests(t, exporters, env=None, slices=1, arrived=None, **config):
    """1,000 requests; (the file's spans, neutral; the ledger). Of every exporter the ledger must say 1,000 sent.

    In so many slices, arrived(n) called after each: datagrams that find a full buffer are lost without a word, so
    that only as many are sent as fit, until they have arrived.
    """
    session = t.session(exporter_type=[*exporters, "file"], service_name=SERVICE,
                        resource_attributes={"deployment.environment.name": "t\u00e9st", "service.namespace": "rows"},
                        capture={"request_headers": ["x-request-id"], "response_headers": ["content-type"]}, **config)
    server = t.serve("nginx", session, env=dict(QUIET, **env or {}))
    requests, exchanges = plan(), []
    for i in range(0, REQUESTS, REQUESTS // slices):
        exchanges += load(server.address, requests[i:i + REQUESTS // slices], connections=8)
        if arrived:
            arrived(len(exchanges))
    server.stop()
    spans, ledger = session.finish(timeout=60)
    check_spans(exchanges, spans)
    assert len(spans) == ledger["taken"] == REQUESTS, ledger
    assert len(ledger["exporters"]) == len(exporters) + 1, ledger
    for name, e in ledger["exporters"].items():
        assert e["sent"] == REQUESTS, "%s: %s; the server and its exporter said:\n%s" % (
            name, e, "".join(line + "\n" for line in server.text().splitlines() if line.startswith("btrace")))
    return [s.neutral for s in spans], ledger


def trace_datagrams(t, count, slices=10, **config):
    """The same where the exporter sends datagrams; count(): how many spans the receiver has."""
    def arrived(n):
        try:
            wait_for("%d spans to arrive" % n, lambda: count() >= n, PATIENCE)
        except TimeoutError as e:
            raise AssertionError("%s; there are %d" % (e, count())) from None
    return trace_requests(t, ["jaeger"], slices=slices, arrived=arrived, batch={"delay": "100ms"}, **config)


def compare(file, received, profile):
    """received: neutral spans in what `profile` can carry (see neutral.project)."""
    want = neutral.project(file, profile)
    wrong = neutral.compare(want, received, profile, source=file)
    got = {s["span_id"]: s for s in received}
    for w, original in zip(want, file):
        g = got.get(w["span_id"], w)
        # neutral.compare bears a microsecond; we round down, and so must come out
        for what in ("start_ns", "end_ns"):
            if g[what] != w[what]:
                wrong.append("%s: %s is %s, want %s" % (w["span_id"], what, g[what], w[what]))
        if g is not w and g["trace_state"] != original["trace_state"]:
            wrong.append("%s: trace state is %r, want %r" % (w["span_id"], g["trace_state"], original["trace_state"]))
    assert not wrong, "%d spans received, %d differences:\n%s" % (len(received), len(wrong), "\n".join(wrong[:20]))
    assert len(received) == REQUESTS, "%d spans received" % len(received)
