# SPDX-License-Identifier: Apache-2.0
"""Sampling through a real server: the share within the bounds of chance, the parent's word to the letter."""
import math
import socket

from harness import limit, wait_for

REQUESTS, BURST = 20000, 40
BODY = b"hello small\n"


def requests(server, n, header=b""):
    """n requests, BURST at a time without waiting for answers, over connections of at most 800."""
    request = b"GET /small.txt HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n"
    for begin in range(0, n, 800):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as s:
            for sent in range(0, min(800, n - begin), BURST):
                burst = min(BURST, n - begin - sent)
                s.sendall(request * burst)
                receive(s, burst)


def receive(s, n):
    """n answers, each with BODY at its end."""
    text = b""
    while n:
        data = s.recv(65536)
        assert data, "the server closed the connection"
        text += data
        n -= text.count(BODY)
        text = text[text.rfind(BODY) + len(BODY):] if BODY in text else text


def traceparent(flags, trace_id="4bf92f3577b34da6a3ce929d0e0e4736"):
    return ("traceparent: 00-%s-00f067aa0ba902b7-%s\r\n" % (trace_id, flags)).encode()


def low64(span):
    return int(span.trace_id[16:], 16)


def share(t, rate, n=REQUESTS, **how):
    """(spans, ledger) of n requests without a parent."""
    session = t.session(sample_rate=rate)
    server = t.serve("nginx", session, **how)
    requests(server, n)
    server.stop()
    spans, ledger = session.finish(timeout=60)
    assert ledger["requests"] == n and ledger["taken"] == len(spans), ledger
    assert ledger["sampled_out"] == n - len(spans), ledger
    assert len({s.trace_id for s in spans}) == len(spans), "trace ids repeat"
    return spans, ledger


def check_share(t, rate):
    spans, _ = share(t, rate)
    sigma = math.sqrt(REQUESTS * rate * (1 - rate))
    assert abs(len(spans) - REQUESTS * rate) <= 5 * sigma, "%d of %d at %s" % (len(spans), REQUESTS, rate)
    bound = round(rate * 2 ** 64)
    wrong = [s.trace_id for s in spans if low64(s) >= bound]
    assert not wrong, "kept, though not below the bound: %s" % wrong[:3]


@limit(120)
def test_rate_0_keeps_none(t):
    check_share(t, 0.0)


@limit(120)
def test_rate_03_keeps_three_tenths(t):
    check_share(t, 0.3)


@limit(120)
def test_rate_08_keeps_eight_tenths(t):
    check_share(t, 0.8)


@limit(120)
def test_rate_1_keeps_all(t):
    check_share(t, 1.0)


def with_parents(t, session, env=None):
    """100 requests of each kind: sampled parent, unsampled parent, none. (spans, ledger)"""
    server = t.serve("nginx", session, env=env)
    requests(server, 100, traceparent("01"))
    requests(server, 100, traceparent("00"))
    requests(server, 100)
    server.stop()
    return session.finish()


def test_sampled_parent_is_followed_at_rate_0(t):
    spans, ledger = with_parents(t, t.session(sample_rate=0))
    assert (ledger["taken"], ledger["sampled_out"]) == (100, 200), ledger
    assert {(s.trace_id, s.parent_span_id) for s in spans} == {("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")}


def test_unsampled_parent_is_followed_at_rate_1(t):
    spans, ledger = with_parents(t, t.session(sample_rate=1))
    assert (ledger["taken"], ledger["sampled_out"]) == (200, 100), ledger
    assert sum(s.parent_span_id == "00f067aa0ba902b7" for s in spans) == 100


def test_always_on_and_always_off_ignore_parents(t):
    _, ledger = with_parents(t, t.session(sample_rate=None, sampler="always_on"))
    assert (ledger["taken"], ledger["sampled_out"]) == (300, 0), ledger
    _, ledger = with_parents(t, t.session(sample_rate=None, sampler="always_off"))
    assert (ledger["taken"], ledger["sampled_out"]) == (0, 300), ledger


def test_traceidratio_draws_by_the_trace_id_alone(t):
    """low64 of the parent's trace id is 0xa3ce929d0e0e4736: 0.64 of 2^64."""
    _, ledger = with_parents(t, t.session(sample_rate=0.63, sampler="traceidratio"))
    assert ledger["sampled_out"] >= 200, ledger
    _, ledger = with_parents(t, t.session(sample_rate=0.65, sampler="traceidratio"))
    assert ledger["taken"] >= 200, ledger


def test_sampler_of_the_environment_where_the_file_has_none(t):
    _, ledger = with_parents(t, t.session(sample_rate=None), env={"OTEL_TRACES_SAMPLER": "parentbased_always_off"})
    assert (ledger["taken"], ledger["sampled_out"]) == (100, 200), ledger


def test_without_a_rate_nothing_is_collected_even_with_a_sampled_parent(t):
    session = t.session(sample_rate=None)
    server = t.serve("nginx", session)
    requests(server, 10, traceparent("01"))
    wait_for("the warning", lambda: "sample_rate" in server.text(), 5)
    server.stop()
    assert server.text().count("an exporter but no sample_rate") == 1, server.text()
    spans, ledger = session.finish()
    assert not spans and not ledger["taken"], ledger


def test_rate_from_bentoml_options_in_place_of_the_files(t):
    _, ledger = with_parents(t, t.session(sample_rate=1), env={"BENTOML_CONFIG_OPTIONS": "tracing.sample_rate=0.0"})
    assert (ledger["taken"], ledger["sampled_out"]) == (100, 200), ledger


def test_limit_per_second_bounds_new_traces(t):
    session = t.session(sample_rate=1.0, max_traces_per_second=10)
    server = t.serve("nginx", session)
    requests(server, 2000)
    requests(server, 50, traceparent("01"))
    server.stop()
    spans, ledger = session.finish()
    roots = [s for s in spans if not s.parent_span_id or set(s.parent_span_id) == {"0"}]
    seconds = (max(s.start_ns for s in spans) - min(s.start_ns for s in spans)) // 1000000000 + 2
    assert 1 <= len(roots) <= 10 * seconds, "%d in %d s" % (len(roots), seconds)
    assert len(spans) - len(roots) == 50, "a parent's decision goes before the limit"
    assert ledger["sampled_out"] == 2050 - len(spans), ledger
