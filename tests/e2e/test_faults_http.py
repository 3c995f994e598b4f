# SPDX-License-Identifier: Apache-2.0
"""HTTP receivers that misbehave, and what one exporter alone makes of them: nothing lost where the protocol allows to try
again, nothing sent twice where it can be known that it arrived, memory and time bounded, every span counted."""
from sinks import HttpReceiver, Sink, all_once, loses, otlp, survive, survives, wait_before_retry, zipkin


def test_http_requests_are_what_receivers_expect(t):
    receiver = HttpReceiver()
    sink = zipkin(t, receiver, "--header", "X-Tenant: blue", "--header", "X-Empty: ")
    sink.do("put 50 20")
    all_once(receiver, 1000, sink)
    assert receiver.connections <= 2, "keep-alive connections are reused"
    for r in receiver.requests:
        assert r.headers[":line"] == "POST /api/v2/spans HTTP/1.1"
        assert r.headers["content-type"] == "application/json"
        assert r.headers["user-agent"].startswith("btrace/")
        assert r.headers["x-tenant"] == "blue" and r.headers["x-empty"] == ""
        assert not {"expect", "accept-encoding", "cookie", "transfer-encoding", "authorization"} & set(r.headers), r.headers
    sink.do("put 1 3000")
    all_once(receiver, 4000, sink)
    assert max(r.wire_bytes for r in receiver.requests) > 1 << 20, "a large one, which libcurl would ask to Expect"
    assert not any("expect" in r.headers for r in receiver.requests)
    receiver.close()
    said = sink.end()
    assert said == "", said


def test_http_bodies_are_compressed_on_demand(t):
    for option, encoding in (("--gzip", "gzip"), ("--deflate", "deflate")):
        receiver = HttpReceiver()
        sink = otlp(t, receiver, option)
        sink.do("put 3 100")
        all_once(receiver, 300, sink)
        assert all(r.headers["content-encoding"] == encoding for r in receiver.requests)
        assert all(r.wire_bytes < len(r.body) / 4 for r in receiver.requests)
        receiver.close()
        sink.end()


def test_http_trouble_that_passes_loses_and_doubles_nothing(t):
    actions = [("status", 503), ("status", 429), ("status", 502), ("status", 504), "reset", "close"]
    for make in (zipkin, otlp):
        said = survive(t, make, [HttpReceiver([action, "ok"]) for action in actions])
        for action, text in zip(actions, said):
            assert "trying again" in text and "lost" not in text, (action, text)


def test_http_500_is_tried_again_for_zipkin_and_refused_for_otlp(t):
    survives(t, zipkin, HttpReceiver([("status", 500), "ok"]))
    loses(t, otlp, HttpReceiver([("status", 500), "ok"]), "HTTP 500")


def test_http_refusals_are_told_with_a_hint(t):
    loses(t, zipkin, HttpReceiver([("status", 404)]), "HTTP 404, is the path right?")
    loses(t, zipkin, HttpReceiver([("status", 400, {}, b"Malformed reading List<Span>")]), "Malformed reading List<Span>")
    loses(t, otlp, HttpReceiver([("status", 401)]), "credentials")
    loses(t, otlp, HttpReceiver(["garbage"]), "is this the right port?")


def test_http_retry_after_is_the_least_wait(t):
    receiver = HttpReceiver([("status", 429, {"Retry-After": "3"}), "ok"])
    survives(t, otlp, receiver)
    assert wait_before_retry(receiver) >= 3


def test_http_too_large_makes_the_next_ones_smaller(t):
    receiver = HttpReceiver([("status", 413), "ok"])
    sink = zipkin(t, receiver)
    sink.do("put 1 400")
    assert sink.do("idle")["failed"] == 400
    sink.do("put 1 400")
    counters = sink.do("idle")
    assert counters["sent"] == 400
    large, *smaller = receiver.requests
    assert smaller and all(r.wire_bytes <= large.wire_bytes / 2 for r in smaller)
    assert "HTTP 413" in sink.end()


def test_http_receiver_that_comes_late_gets_everything(t):
    gone = HttpReceiver()
    gone.close()
    sink = zipkin(t, gone)
    sink.do("put 5 20")
    receiver = HttpReceiver(port=gone.port)
    all_once(receiver, 100, sink)
    receiver.close()
    assert "Couldn't connect" in sink.end()


def test_http_answer_cut_in_its_body_was_still_an_answer(t):
    said = survives(t, zipkin, HttpReceiver(["half", "ok"]))
    assert said == "", said


def test_http_connection_closed_after_each_answer_is_no_failure(t):
    receiver = HttpReceiver(["last"])
    sink = zipkin(t, receiver)
    for _ in range(10):
        sink.do("put 2 20")
        sink.do("idle")
    all_once(receiver, 400, sink)
    receiver.close()
    said = sink.end()
    # Of the ten ends one may come just when libcurl writes to that connection, which it tells and tries again.
    assert "lost" not in said and said.count("\n") <= 1, said


def test_http_slow_and_endless_answers_are_taken(t):
    assert survives(t, otlp, HttpReceiver(["slow"])) == ""
    receiver = HttpReceiver(["huge", "ok"])
    sink = otlp(t, receiver)
    before = sink.do("put 1 20")["max_rss_kb"]
    counters = sink.do("idle")
    all_once(receiver, 20, sink, counters)
    assert counters["max_rss_kb"] < before + 8000, "an answer is not collected"
    receiver.close()
    sink.end()


def test_http_hang_ends_with_the_timeout_and_nothing_is_lost(t):
    receiver = HttpReceiver(["hang", "ok"])
    sink = zipkin(t, receiver, "--timeout", 1500)
    sink.do("put 2 20")
    all_once(receiver, 40, sink)
    receiver.close()
    assert "timed out" in sink.end().lower()


def test_queue_is_bounded_while_a_receiver_hangs_and_every_loss_is_counted(t):
    receiver = HttpReceiver(["hang"])
    sink = zipkin(t, receiver, "--max-spans", 5000, "--max-bytes", 2000000, "--timeout", 60000)
    sink.do("put 10 100")
    receiver.wait(2)
    before = sink.do("put 10 100")
    counters = sink.do("put 1000 100")
    assert counters["put"] == 102000 and counters["failed"] == counters["sent"] == 0
    assert counters["queued"] <= 5000 + 200, "the ring and two under way"
    assert counters["max_rss_kb"] < before["max_rss_kb"] + 8000, (before, counters)
    receiver.plan = ["ok"]
    receiver.release()  # the two that hung are closed without an answer and tried again
    counters = sink.do("idle")
    assert counters["sent"] + counters["queue_dropped"] == 102000
    assert len(receiver.accepted) == len(set(receiver.accepted)) == counters["sent"]
    # the oldest had to go: what arrived are the two that were under way, and the newest
    arrived = sorted(receiver.accepted)
    assert arrived[:200] == list(range(1, 201)) and arrived[200:] == list(range(102001 - len(arrived[200:]), 102001))
    receiver.close()
    assert "queue is full, the oldest had to go" in sink.end()


def test_receiver_that_never_recovers_is_given_up_in_time(t):
    receiver = HttpReceiver([("status", 503)])
    sink = zipkin(t, receiver, "--total", 3000)
    sink.do("put 1 20")
    counters = sink.do("idle")
    assert counters["failed"] == 20 and counters["ms"] < 15000, counters
    assert "gave up after" in sink.end()


def test_end_does_not_wait_longer_than_its_deadline(t):
    receiver = HttpReceiver(["hang"])
    sink = zipkin(t, receiver, "--timeout", 60000)
    sink.do("put 2 20")
    receiver.wait(2)
    counters = sink.do("stop 500")
    assert counters["queue_dropped"] == 40 and 400 <= counters["ms"] < 15000, counters
    receiver.close()
    assert "no time left at the end (40 spans lost)" in sink.end()


def test_end_sends_what_is_queued_without_waiting_for_the_next_try(t):
    receiver = HttpReceiver([("status", 503), ("status", 503), "ok"])
    sink = otlp(t, receiver)
    sink.do("put 5 20")
    receiver.wait(2)
    all_once(receiver, 100, sink, sink.do("stop 20000"))


def test_partial_success_is_counted_and_not_retried(t):
    for make in (otlp, lambda t, r: Sink(t, "otlp-json", "http", "--url", "http://127.0.0.1:%d/v1/traces" % r.port)):
        receiver = HttpReceiver(["partial", "ok"])
        sink = make(t, receiver)
        sink.do("put 1 20")
        counters = sink.do("idle")
        assert (counters["sent"], counters["failed"], len(receiver.requests)) == (18, 2, 1), counters
        assert "taken in part: too old (2 spans rejected)" in sink.end()
        receiver.close()


def test_redirects_are_not_followed_and_credentials_stay_at_home(t):
    other = HttpReceiver()
    receiver = HttpReceiver([("status", 307, {"Location": "http://127.0.0.1:%d/x?secret" % other.port})])
    loses(t, lambda t, r: zipkin(t, r, "--user", "me", "--password", "very-secret"), receiver, "which is not followed")
    assert not other.requests and receiver.requests[0].headers["authorization"].startswith("Basic ")
    other.close()


def test_credentials_are_sent_and_never_shown(t):
    receiver = HttpReceiver([("status", 401)])
    sink = Sink(t, "zipkin", "http", "--url", "http://me:very%%2Fsecret@127.0.0.1:%d/" % receiver.port)
    sink.do("put 1 1")
    sink.do("idle")
    assert receiver.requests[0].headers["authorization"] == "Basic bWU6dmVyeS9zZWNyZXQ="
    assert "very" not in sink.end().replace("http://me:very%2Fsecret@", "")  # the tool's own label has it
    receiver.close()


def test_proxy_of_the_environment_is_used_only_when_asked_for(t):
    proxy, receiver = HttpReceiver(), HttpReceiver()
    environment = {"http_proxy": "http://127.0.0.1:%d" % proxy.port}
    sink = zipkin(t, receiver, env=environment)
    sink.do("put 1 10")
    all_once(receiver, 10, sink)
    assert not proxy.requests
    sink = zipkin(t, receiver, "--proxy", env=environment)
    sink.do("put 1 10")
    all_once(proxy, 10, sink)
    assert len(receiver.requests) == 1
    proxy.close()
    receiver.close()


def test_http_over_unix_sockets_and_ip6(t):
    path = t.path("socket")
    receiver = HttpReceiver(unix=path)
    sink = Sink(t, "zipkin", "http", "--url", "http://localhost/api/v2/spans", "--unix", path)
    sink.do("put 2 10")
    all_once(receiver, 20, sink)
    receiver.close()
    receiver = HttpReceiver(host="::1")
    sink = Sink(t, "zipkin", "http", "--url", "http://[::1]:%d/api/v2/spans" % receiver.port)
    sink.do("put 2 10")
    all_once(receiver, 20, sink)
    receiver.close()


def test_localhost_reaches_either_family(t):
    for host in ("127.0.0.1", "::1"):
        receiver = HttpReceiver(host=host)
        sink = Sink(t, "zipkin", "http", "--url", "http://localhost:%d/api/v2/spans" % receiver.port)
        sink.do("put 1 10")
        all_once(receiver, 10, sink)
        receiver.close()
