# SPDX-License-Identifier: Apache-2.0
"""The nine YAML samples of BentoML's tracing guides, as they stand there, each with the receiver it names: the right
exporter, the endpoint hit, the share sampled. The three of 0.12/0.13 have no sample_rate: it comes from
BENTOML_CONFIG_OPTIONS, as their users can do."""
import math
import os
import sys

from harness import ROOT, limit, wait_for
from process import exporters
from receivers import Agent, GrpcReceiver, HttpReceiver, own_network
from test_config_sampling import requests

sys.path.insert(0, os.path.join(ROOT, "tests", "vectors"))
import decode_jaeger_thrift  # noqa: E402
import decode_otlp_pb  # noqa: E402
import decode_zipkin  # noqa: E402

SAMPLES = os.path.join(ROOT, "tests", "config", "samples")
REQUESTS = 2000


def decode_grpc(payload):
    return [span for message in decode_otlp_pb.unframe_grpc(payload) for span in decode_otlp_pb.decode(message)]


def run_sample(t, name, receiver, decode, rate, options=None, warned=False):
    """Serves REQUESTS requests under the sample; (names of the spans received, receiver)."""
    own_network()
    receiver = receiver()
    ledger = t.path("ledger.json")
    env = {"BENTOML_CONFIG": os.path.join(SAMPLES, name + ".yml"), "BTRACE_LEDGER": ledger}
    if options:
        env["BENTOML_CONFIG_OPTIONS"] = options
    server = t.serve("nginx", env=env)
    requests(server, REQUESTS)
    server.stop()
    wait_for("the exporter to end", lambda: not exporters(), 30)
    assert ("no sample_rate" in server.text()) == warned, server.text()
    spans = [span for payload in receiver.payloads for span in decode(payload)]
    sigma = math.sqrt(REQUESTS * rate * (1 - rate))
    assert abs(len(spans) - REQUESTS * rate) <= 5 * sigma, "%d spans of %d requests at %s\n%s" % (
        len(spans), REQUESTS, rate, server.text())
    assert all(span["kind"] in ("SERVER", 2, "server") for span in spans), spans[:1]
    assert len({span["span_id"] for span in spans}) == len(spans)
    return spans, receiver


def agent():
    return Agent(6831)


def zipkin():
    return HttpReceiver(9411)


def old_sample(t, name, receiver, decode):
    """Alone it collects nothing and says what to do; with a rate from outside it works."""
    run_sample(t, name, receiver, decode, 0.3, "tracing.sample_rate=0.3")


def old_sample_alone(t, name, receiver):
    run_sample(t, name, receiver, lambda payload: [payload], 0.0, warned=True)


@limit(120)
def test_guide_013_1_jaeger_with_a_zipkin_url_beside_it(t):
    old_sample(t, "guide-013-1", agent, decode_jaeger_thrift.decode)


@limit(120)
def test_guide_013_2_zipkin(t):
    old_sample(t, "guide-013-2", zipkin, decode_zipkin.decode)


@limit(120)
def test_guide_013_3_jaeger(t):
    old_sample(t, "guide-013-3", agent, decode_jaeger_thrift.decode)


def test_guide_013_1_alone_warns(t):
    old_sample_alone(t, "guide-013-1", agent)


def test_guide_013_2_alone_warns(t):
    old_sample_alone(t, "guide-013-2", zipkin)


def test_guide_013_3_alone_warns(t):
    old_sample_alone(t, "guide-013-3", agent)


@limit(120)
def test_guide_1x_1_jaeger_at_08_below_api_server(t):
    run_sample(t, "guide-1x-1", agent, decode_jaeger_thrift.decode, 0.8)


@limit(120)
def test_guide_1x_2_zipkin(t):
    _, receiver = run_sample(t, "guide-1x-2", zipkin, decode_zipkin.decode, 1.0)
    assert {path for path, _ in receiver.requests} == {"/api/v2/spans"}


@limit(120)
def test_guide_1x_3_jaeger(t):
    run_sample(t, "guide-1x-3", agent, decode_jaeger_thrift.decode, 1.0)


@limit(120)
def test_guide_1x_4_jaeger_with_exclusions(t):
    """As the third; what is excluded is asked for in between and must not appear."""
    own_network()
    receiver = agent()
    server = t.serve("nginx", env={"BENTOML_CONFIG": os.path.join(SAMPLES, "guide-1x-4.yml")})
    connection = t.connect(server)
    for path in ("/readyz", "/a", "/livez?x", "/healthz", "/static_content/x.js", "/b", "/docs", "/metrics", "/v1/metrics_x",
                 "/ready", "/c"):
        connection.get(path)
    connection.close()
    server.stop()
    wait_for("the exporter to end", lambda: not exporters(), 30)
    spans = [span for payload in receiver.payloads for span in decode_jaeger_thrift.decode(payload)]
    paths = sorted(span["attributes"]["url.path"]["string"] for span in spans)
    assert paths == ["/a", "/b", "/c", "/ready"], paths


@limit(120)
def test_guide_1x_5_otlp_over_grpc(t):
    run_sample(t, "guide-1x-5", lambda: GrpcReceiver(4317), decode_grpc, 1.0)


@limit(120)
def test_guide_1x_6_otlp_over_http(t):
    _, receiver = run_sample(t, "guide-1x-6", lambda: HttpReceiver(4318), decode_otlp_pb.decode, 1.0)
    assert {path for path, _ in receiver.requests} == {"/v1/traces"}
    assert {h["Content-Type"] for _, h in receiver.requests} == {"application/x-protobuf"}
