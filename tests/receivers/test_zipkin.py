# SPDX-License-Identifier: Apache-2.0
"""Spans into a real Zipkin server, asked back through its API; and several receivers at once."""
import rows
from harness import free_port, limit, listening
from real import Collector, Jaeger, Zipkin

TIER = "receivers"
LIMIT = 240


@limit(LIMIT)
def test_zipkin_server(t):
    zipkin = Zipkin(t)
    file, _ = rows.trace_requests(t, ["zipkin"], zipkin={"endpoint": "http://localhost:%d/api/v2/spans" % zipkin.port})
    rows.compare(file, zipkin.spans(rows.REQUESTS, rows.SERVICE), "zipkin")


@limit(LIMIT)
def test_three_receivers_at_once_all_have_all(t):
    jaeger, zipkin, port = Jaeger(t), Zipkin(t), free_port()
    collector = Collector(t, {"otlp": {"protocols": {"grpc": {"endpoint": "127.0.0.1:%d" % port}}}},
                          listens=lambda: listening(port))
    file, _ = rows.trace_requests(t, ["otlp", "jaeger", "zipkin"],
                                  otlp={"endpoint": "http://localhost:%d" % port},
                                  jaeger={"protocol": "grpc", "collector_endpoint": "http://localhost:%d" % jaeger.port["grpc"]},
                                  zipkin={"endpoint": "http://localhost:%d/api/v2/spans" % zipkin.port})
    rows.compare(file, collector.spans(rows.REQUESTS), "otlp")
    rows.compare(file, jaeger.spans(rows.REQUESTS, rows.SERVICE), "jaeger-thrift")
    rows.compare(file, zipkin.spans(rows.REQUESTS, rows.SERVICE), "zipkin")
