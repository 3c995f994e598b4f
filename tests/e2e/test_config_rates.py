# SPDX-License-Identifier: Apache-2.0
"""Each sample of BentoML's guides at 0.0, 0.3, 0.8 and 1.0, twenty thousand requests each, over the wire it names: the
share within the bounds of chance, parents' flags to the letter. (At its own rate, quicker: test_config_samples.py.)"""
import math
import os

from harness import exporters, limit, wait_for
from receivers import GrpcReceiver, HttpReceiver, own_network
from test_config_samples import (SAMPLES, agent, decode_grpc, decode_jaeger_thrift, decode_otlp_pb, decode_zipkin, zipkin)
from test_config_sampling import requests, traceparent

TIER = "receivers"
REQUESTS, PARENTS = 20000, 100


def collector():
    return HttpReceiver(4318)


def grpc():
    return GrpcReceiver(4317)


def rates(t, name, make, decode):
    own_network()
    receiver = make()
    for rate in (0.0, 0.3, 0.8, 1.0):
        del receiver.payloads[:]
        server = t.serve("nginx", env={"BENTOML_CONFIG": os.path.join(SAMPLES, name + ".yml"),
                                       "BENTOML_CONFIG_OPTIONS": "tracing.sample_rate=%s" % rate})
        requests(server, REQUESTS)
        requests(server, PARENTS, traceparent("01"))
        requests(server, PARENTS, traceparent("00"))
        server.stop()
        wait_for("the exporter to end", lambda: not exporters(), 60)
        spans = [span for payload in receiver.payloads for span in decode(payload)]
        children = [span for span in spans if span["parent_span_id"] == "00f067aa0ba902b7"]
        assert len(children) == PARENTS, "%d of %d with a sampled parent at %s" % (len(children), PARENTS, rate)
        roots = len(spans) - len(children)
        sigma = math.sqrt(REQUESTS * rate * (1 - rate))
        assert abs(roots - REQUESTS * rate) <= 5 * sigma, "%d of %d at %s\n%s" % (roots, REQUESTS, rate, server.text())


@limit(300)
def test_guide_013_1_at_every_rate(t):
    rates(t, "guide-013-1", agent, decode_jaeger_thrift.decode)


@limit(300)
def test_guide_013_2_at_every_rate(t):
    rates(t, "guide-013-2", zipkin, decode_zipkin.decode)


@limit(300)
def test_guide_013_3_at_every_rate(t):
    rates(t, "guide-013-3", agent, decode_jaeger_thrift.decode)


@limit(300)
def test_guide_1x_1_at_every_rate(t):
    rates(t, "guide-1x-1", agent, decode_jaeger_thrift.decode)


@limit(300)
def test_guide_1x_2_at_every_rate(t):
    rates(t, "guide-1x-2", zipkin, decode_zipkin.decode)


@limit(300)
def test_guide_1x_3_at_every_rate(t):
    rates(t, "guide-1x-3", agent, decode_jaeger_thrift.decode)


@limit(300)
def test_guide_1x_4_at_every_rate(t):
    rates(t, "guide-1x-4", agent, decode_jaeger_thrift.decode)


@limit(300)
def test_guide_1x_5_at_every_rate(t):
    rates(t, "guide-1x-5", grpc, decode_grpc)


@limit(300)
def test_guide_1x_6_at_every_rate(t):
    rates(t, "guide-1x-6", collector, decode_otlp_pb.decode)
