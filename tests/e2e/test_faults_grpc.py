# SPDX-License-Identifier: Apache-2.0
"""gRPC servers that misbehave, and what one exporter alone makes of them: nothing lost where the protocol allows to try
again, nothing sent twice where it can be known that it arrived, memory and time bounded, every span counted."""
from sinks import (EXPORT, POST, GrpcReceiver, HttpReceiver, Sink, all_once, grpc, loses, retry_info, survive,
                   survives, wait_before_retry)


def test_grpc_calls_are_what_servers_expect(t):
    receiver = GrpcReceiver()
    sink = grpc(t, receiver, "--header", "X-Tenant: blue", "--timeout", 9500)
    sink.do("put 50 20")
    all_once(receiver, 1000, sink)
    for r in receiver.requests:
        h = r.headers
        assert (h[":method"], h[":path"], h[":scheme"]) == ("POST", EXPORT, "http")
        assert h[":authority"] == "127.0.0.1:%d" % receiver.port
        assert h["te"] == "trailers", "libcurl took it away"
        assert h["content-type"] == "application/grpc" and h["grpc-timeout"] == "9500m"
        assert h["user-agent"].startswith("btrace/") and h["x-tenant"] == "blue"
        assert "expect" not in h and "grpc-encoding" not in h and not r.compressed
    sink.do("put 1 6000")
    all_once(receiver, 7000, sink)
    assert max(r.wire_bytes for r in receiver.requests) > 1 << 20
    receiver.close()
    assert sink.end() == ""


def test_grpc_messages_are_compressed_on_demand(t):
    receiver = GrpcReceiver()
    sink = grpc(t, receiver, "--gzip")
    sink.do("put 3 100")
    all_once(receiver, 300, sink)
    assert all(r.compressed and r.headers["grpc-encoding"] == "gzip" for r in receiver.requests)
    receiver.close()
    sink.end()


def test_grpc_trouble_that_passes_loses_and_doubles_nothing(t):
    actions = [("grpc", 14, "try later"), ("late", 14, "try later"), ("grpc", 1, ""), ("grpc", 4, ""), ("grpc", 10, ""),
               ("grpc", 11, ""), ("grpc", 15, ""), ("http", 503), ("http", 429), ("rst", 8), "reset", "close"]
    said = survive(t, grpc, [GrpcReceiver([action, "ok"]) for action in actions])
    for action, text in zip(actions, said):
        assert "lost" not in text, (action, text)


def test_grpc_streams_the_server_never_looked_at_are_sent_again(t):
    actions = [("rst", 7), "goaway", "last"]
    said = survive(t, grpc, [GrpcReceiver([action, "ok"]) for action in actions])
    for action, text in zip(actions, said):
        assert "lost" not in text, (action, text)


def test_grpc_refusals_are_told(t):
    loses(t, grpc, GrpcReceiver([("grpc", 3, "bad%20span")]), "gRPC status 3, INVALID_ARGUMENT: bad span")
    loses(t, grpc, GrpcReceiver([("late", 13, "boom")]), "gRPC status 13, INTERNAL: boom")
    loses(t, grpc, GrpcReceiver([("grpc", 12, "")]), "UNIMPLEMENTED")
    loses(t, grpc, GrpcReceiver([("http", 200)]), "UNKNOWN: HTTP 200 without a grpc-status")
    loses(t, grpc, GrpcReceiver([("late", 2, "")]), "UNKNOWN")
    loses(t, grpc, GrpcReceiver([("http", 404)]), "UNIMPLEMENTED: HTTP 404")
    loses(t, grpc, GrpcReceiver([("rst", 2)]), "INTERNAL")


def test_grpc_resource_exhausted_is_tried_again_only_with_retry_info(t):
    loses(t, grpc, GrpcReceiver([("grpc", 8, "slow down"), "ok"]), "RESOURCE_EXHAUSTED: slow down")
    receiver = GrpcReceiver([("grpc", 8, "slow down", retry_info(2, 500000000)), "ok"])
    survives(t, grpc, receiver)
    assert wait_before_retry(receiver) >= 2.5


def test_grpc_resource_exhausted_of_jaeger_is_a_full_queue(t):
    def jaeger(t, r):
        return Sink(t, "jaeger-pb", "grpc", "--url", "http://127.0.0.1:%d" % r.port, "--method", POST)
    survives(t, jaeger, GrpcReceiver([("grpc", 8, "queue full"), "ok"]))


def test_grpc_hang_ends_with_the_timeout_and_nothing_is_lost(t):
    receiver = GrpcReceiver(["hang", "ok"])
    sink = grpc(t, receiver, "--timeout", 1500)
    sink.do("put 2 20")
    all_once(receiver, 40, sink)
    receiver.close()
    sink.end()


def test_grpc_partial_success_is_counted_and_not_retried(t):
    receiver = GrpcReceiver(["partial", "ok"])
    sink = grpc(t, receiver)
    sink.do("put 1 20")
    counters = sink.do("idle")
    assert (counters["sent"], counters["failed"], len(receiver.requests)) == (18, 2, 1), counters
    assert "taken in part: too old (2 spans rejected)" in sink.end()
    receiver.close()


def test_grpc_to_something_else_ends_in_time_and_is_counted(t):
    for receiver in (GrpcReceiver(["http1"]), GrpcReceiver(["garbage"]), HttpReceiver(["ok"])):
        sink = grpc(t, receiver, "--total", 2000)
        sink.do("put 1 20")
        counters = sink.do("idle")
        assert counters["failed"] == 20 and counters["ms"] < 15000, counters
        assert "(20 spans lost)" in sink.end()
        receiver.close()


def test_grpc_slow_answer_is_taken_and_unix_sockets_work(t):
    path = t.path("socket")
    receiver = GrpcReceiver(["slow", "ok"], unix=path)
    sink = Sink(t, "otlp-pb", "grpc", "--url", "http://localhost", "--unix", path, "--method", EXPORT)
    sink.do("put 2 10")
    all_once(receiver, 20, sink)
    receiver.close()
    assert sink.end() == ""
