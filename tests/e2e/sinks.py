# SPDX-License-Identifier: Apache-2.0
"""One exporter alone, driven by a test: tests/tools/send_spans, and receivers that misbehave for it. What tests of
faults have in common: all spans arrive exactly once, or are lost, counted and told."""
import json
import os
import subprocess
import sys

from process import ROOT, build_tool, clean_environment

sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))

from fault_receiver import GrpcReceiver, HttpReceiver, retry_info  # noqa: E402, F401

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
POST = "/jaeger.api_v2.CollectorService/PostSpans"


def wait_before_retry(receiver):
    """Seconds between the request that was not answered with "ok" and its next try."""
    first = next(r for r in receiver.requests if r.action != "ok")
    again = next(r for r in receiver.requests if r.action == "ok" and set(r.ids) == set(first.ids))
    return again.time - first.time


class Sink:
    """tests/tools/send_spans: one sink, driven by commands."""

    def __init__(self, t, *arguments, env=None):
        self.log = open(t.path("sink%d.log" % len(t.helpers)), "w+")
        full = clean_environment()
        full.update(env or {})
        self.process = t.spawn([build_tool("send_spans"), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=self.log, env=full, text=True)

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, self.said()
        counters = json.loads(line)
        parts = [counters[k] for k in ("sent", "failed", "queue_dropped", "spooled", "queued")]
        assert counters["put"] == sum(parts), counters
        return counters

    def do(self, command):
        self.tell(command)
        return self.answer()

    def said(self):
        with open(self.log.name) as f:
            return f.read()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0
        return self.said()


def zipkin(t, receiver, *more, **how):
    return Sink(t, "zipkin", "http", "--url", "http://127.0.0.1:%d/api/v2/spans" % receiver.port, *more, **how)


def otlp(t, receiver, *more, **how):
    return Sink(t, "otlp-pb", "http", "--url", "http://127.0.0.1:%d/v1/traces" % receiver.port, *more, **how)


def grpc(t, receiver, *more, **how):
    return Sink(t, "otlp-pb", "grpc", "--url", "http://127.0.0.1:%d" % receiver.port, "--method", EXPORT, *more, **how)


def all_once(receiver, n, sink, counters=None):
    """n spans were put: all arrived exactly once, and the counters know it."""
    counters = counters or sink.do("idle")
    assert (counters["sent"], counters["queued"]) == (n, 0), (counters, sink.said())
    assert sorted(receiver.accepted) == list(range(1, n + 1)), (len(receiver.accepted), sink.said())


def survive(t, make, receivers, n=40):
    """Two payloads into the trouble of each receiver, which in the end arrive exactly once. What the sinks said."""
    sinks = [make(t, receiver) for receiver in receivers]
    for sink in sinks:
        sink.do("put 2 %d" % (n // 2))
    said = []
    for sink, receiver in zip(sinks, receivers):
        all_once(receiver, n, sink)
        receiver.close()
        said.append(sink.end())
    return said


def survives(t, make, receiver, n=40):
    return survive(t, make, [receiver], n)[0]


def loses(t, make, receiver, words, n=40):
    """One payload that is refused for good: tried once, counted, told."""
    sink = make(t, receiver)
    sink.do("put 1 %d" % n)
    counters = sink.do("idle")
    assert (counters["failed"], counters["sent"]) == (n, 0), (counters, sink.said())
    assert len(receiver.requests) == 1, [r.action for r in receiver.requests]
    said = sink.end()
    assert words in said and "(%d spans lost)" % n in said, said
    receiver.close()
    return said
