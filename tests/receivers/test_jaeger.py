# SPDX-License-Identifier: Apache-2.0
"""Every protocol that Jaeger takes into a real Jaeger, asked back through its query API (whole microseconds)."""
import rows
from harness import limit
from real import Jaeger

TIER = "receivers"
LIMIT = 240


def row(t, exporter, settings):
    """settings(ports by name): the exporter's section."""
    jaeger = Jaeger(t)
    file, _ = rows.trace_requests(t, [exporter], **{exporter: settings(jaeger.port)})
    spans = jaeger.spans(rows.REQUESTS, rows.SERVICE)
    if exporter == "otlp":
        for s in spans:
            s["trace_flags"] = 1    # Jaeger takes none from OTLP
    rows.compare(file, spans, "jaeger-thrift")


def datagrams(t, settings, **how):
    jaeger = Jaeger(t)
    file, _ = rows.trace_datagrams(t, lambda: jaeger.count(rows.SERVICE), jaeger={"thrift": settings(jaeger.port)}, **how)
    rows.compare(file, jaeger.spans(rows.REQUESTS, rows.SERVICE), "jaeger-thrift")


@limit(LIMIT)
def test_compact_datagrams(t):
    datagrams(t, lambda port: {"agent_port": port["compact"]})


@limit(LIMIT)
def test_compact_datagrams_in_small_packets(t):
    datagrams(t, lambda port: {"agent_port": port["compact"], "max_packet_size": 4000}, slices=20)


@limit(LIMIT)
def test_binary_datagrams(t):
    datagrams(t, lambda port: {"agent_port": port["binary"], "encoding": "binary"})


@limit(LIMIT)
def test_thrift_http(t):
    row(t, "jaeger", lambda port: {"collector_endpoint": "http://127.0.0.1:%d/api/traces" % port["http"]})


@limit(LIMIT)
def test_grpc(t):
    row(t, "jaeger", lambda port: {"protocol": "grpc", "collector_endpoint": "http://localhost:%d" % port["grpc"]})


@limit(LIMIT)
def test_otlp_grpc(t):
    row(t, "otlp", lambda port: {"protocol": "grpc", "endpoint": "http://localhost:%d" % port["otlp_grpc"]})


@limit(LIMIT)
def test_otlp_http(t):
    row(t, "otlp", lambda port: {"protocol": "http", "endpoint": "http://localhost:%d/v1/traces" % port["otlp_http"]})
