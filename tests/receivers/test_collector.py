# SPDX-License-Identifier: Apache-2.0
"""Every protocol into a real OpenTelemetry Collector, which writes what it understood into a file."""
import os

import neutral
import rows
from harness import check_spans, free_port, limit, listening, load, wait_for
from real import Collector, bound, built, free_udp_port, make_certificates

TIER = "receivers"
LIMIT = 240


def need_ipv6(t):
    if not os.path.exists("/proc/net/if_inet6"):
        t.skip("there is no IPv6 here")


def otlp(t, protocol, settings=None, listen=None, server=None, config=None, env=None, extensions=None):
    """One OTLP row: grpc or http (or http/json). listen: address of the receiver; server: more of its config."""
    part = "grpc" if protocol == "grpc" else "http"
    port = free_port()
    address = listen or "127.0.0.1:%d" % port
    collector = Collector(t, {"otlp": {"protocols": {part: dict(server or {}, endpoint=address)}}}, extensions,
                          (lambda: os.path.exists(listen)) if listen else (lambda: listening(port)))
    if listen:
        os.chmod(listen, 0o777)     # the exporter is nginx' user
    scheme = "https" if server and "tls" in server else "http"
    where = "unix:" + listen if listen else "%s://localhost:%d" % (scheme, port)
    if part == "http":
        where += "/v1/traces"
    file, _ = rows.trace_requests(t, ["otlp"], env, otlp=dict({"protocol": protocol, "endpoint": where}, **settings or {}),
                                  **config or {})
    rows.compare(file, collector.spans(rows.REQUESTS), "otlp")


@limit(LIMIT)
def test_otlp_grpc(t):
    otlp(t, "grpc")


@limit(LIMIT)
def test_otlp_grpc_ipv6(t):
    need_ipv6(t)
    port = free_port()
    collector = Collector(t, {"otlp": {"protocols": {"grpc": {"endpoint": "[::1]:%d" % port}}}},
                          listens=lambda: listening(port))
    file, _ = rows.trace_requests(t, ["otlp"], otlp={"endpoint": "http://[::1]:%d" % port})
    rows.compare(file, collector.spans(rows.REQUESTS), "otlp")


@limit(LIMIT)
def test_otlp_grpc_gzip(t):
    otlp(t, "grpc", {"compression": "gzip"})


@limit(LIMIT)
def test_otlp_grpc_unix_socket(t):
    otlp(t, "grpc", listen=t.path("otlp.sock"), server={"transport": "unix"})


@limit(LIMIT)
def test_otlp_grpc_tls_with_client_certificate(t):
    file = make_certificates(t)
    otlp(t, "grpc", {"grpc": {"certificate_file": file["ca"]}},
         server={"tls": {"cert_file": file["cert"], "key_file": file["key"], "client_ca_file": file["ca"]}},
         config={"tls": {"client_certificate_file": file["client_cert"], "client_key_file": file["client_key"]}})


TOKEN = "s3cr=et"
CHECKED = {"auth": {"authenticator": "bearertokenauth"}}
CHECK = {"bearertokenauth": {"token": TOKEN}}


@limit(LIMIT)
def test_otlp_grpc_headers_are_checked(t):
    otlp(t, "grpc", {"grpc": {"headers": [["authorization", "Bearer " + TOKEN]]}}, server=CHECKED, extensions=CHECK)


@limit(LIMIT)
def test_otlp_without_the_header_is_refused_and_told(t):
    port = free_port()
    Collector(t, {"otlp": {"protocols": {"grpc": dict(CHECKED, endpoint="127.0.0.1:%d" % port)}}}, CHECK,
              lambda: listening(port))
    session = t.session(exporter_type=["otlp", "file"], otlp={"endpoint": "http://localhost:%d" % port})
    server = t.serve("nginx", session)
    load(server.address, [("GET", "/small.txt", {})] * 3)
    server.stop()
    _, ledger = session.finish(timeout=60)
    assert ledger["exporters"]["otlp"]["failed"] == 3, ledger
    said = [line for line in server.text().splitlines() if line.startswith("btrace: otlp")]
    assert any("UNAUTHENTICATED" in line.upper() and "3 spans" in line for line in said), said


@limit(LIMIT)
def test_otlp_http_headers_from_the_environment_are_checked(t):
    otlp(t, "http", server=CHECKED, extensions=CHECK,
         env={"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20s3cr%3Det,x-more=1"})


@limit(LIMIT)
def test_otlp_http_protobuf(t):
    otlp(t, "http")


@limit(LIMIT)
def test_otlp_http_protobuf_gzip(t):
    otlp(t, "http/protobuf", {"compression": "gzip"})


@limit(LIMIT)
def test_otlp_http_json(t):
    otlp(t, "http/json")


@limit(LIMIT)
def test_otlp_http_json_gzip(t):
    otlp(t, "http/json", {"compression": "gzip"})


@limit(LIMIT)
def test_otlp_http_tls_with_client_certificate(t):
    file = make_certificates(t)
    otlp(t, "http", {"http": {"certificate_file": file["ca"]}},
         server={"tls": {"cert_file": file["cert"], "key_file": file["key"], "client_ca_file": file["ca"]}},
         config={"tls": {"client_certificate_file": file["client_cert"], "client_key_file": file["client_key"]}})


def jaeger(t, protocol, settings, profile, udp=False, host="127.0.0.1", server=None, extensions=None):
    """One row through the Collector's Jaeger receiver. settings(port): section jaeger."""
    port = free_udp_port() if udp else free_port()
    receiver = dict(server or {}, endpoint="%s:%d" % (host, port))
    collector = Collector(t, {"jaeger": {"protocols": {protocol: receiver}}}, extensions,
                          lambda: bound(port) if udp else listening(port))
    if udp:
        file, _ = rows.trace_datagrams(t, collector.count, jaeger=settings(port))
    else:
        file, _ = rows.trace_requests(t, ["jaeger"], jaeger=settings(port))
    rows.compare(file, collector.translated(rows.REQUESTS), profile)


@limit(LIMIT)
def test_jaeger_thrift_compact_datagrams(t):
    jaeger(t, "thrift_compact", lambda port: {"thrift": {"agent_host_name": "127.0.0.1", "agent_port": port}},
           "jaeger-thrift", udp=True)


@limit(LIMIT)
def test_jaeger_thrift_binary_datagrams(t):
    jaeger(t, "thrift_binary", lambda port: {"thrift": {"agent_port": port, "encoding": "binary"}},
           "jaeger-thrift", udp=True)


@limit(LIMIT)
def test_jaeger_thrift_http(t):
    jaeger(t, "thrift_http", lambda port: {"collector_endpoint": "http://localhost:%d/api/traces" % port}, "jaeger-thrift")


@limit(LIMIT)
def test_jaeger_thrift_http_user_and_password_are_checked(t):
    jaeger(t, "thrift_http", lambda port: {"collector_endpoint": "http://localhost:%d/api/traces" % port,
                                           "user": "user", "password": "pass"}, "jaeger-thrift",
           server=CHECKED, extensions={"bearertokenauth": {"scheme": "Basic", "token": "dXNlcjpwYXNz"}})


@limit(LIMIT)
def test_jaeger_datagrams_ipv6(t):
    need_ipv6(t)
    jaeger(t, "thrift_compact", lambda port: {"thrift": {"agent_host_name": "::1", "agent_port": port}},
           "jaeger-thrift", udp=True, host="[::1]")


@limit(LIMIT)
def test_jaeger_grpc(t):
    jaeger(t, "grpc", lambda port: {"protocol": "grpc", "collector_endpoint": "http://localhost:%d" % port}, "jaeger-grpc")


@limit(LIMIT)
def test_jaeger_grpc_tls(t):
    file = make_certificates(t)
    jaeger(t, "grpc", lambda port: {"protocol": "grpc", "collector_endpoint": "https://localhost:%d" % port,
                                    "grpc": {"certificate_file": file["ca"]}}, "jaeger-grpc",
           server={"tls": {"cert_file": file["cert"], "key_file": file["key"]}})


def zipkin(t, settings, server=None, extensions=None):
    port = free_port()
    collector = Collector(t, {"zipkin": dict(server or {}, endpoint="127.0.0.1:%d" % port)}, extensions,
                          lambda: listening(port))
    file, _ = rows.trace_requests(t, ["zipkin"],
                                  zipkin=dict(settings, endpoint="http://localhost:%d/api/v2/spans" % port))
    rows.compare(file, collector.of_zipkin(rows.REQUESTS), "zipkin")


@limit(LIMIT)
def test_zipkin(t):
    zipkin(t, {})


@limit(LIMIT)
def test_zipkin_headers_are_checked(t):
    zipkin(t, {"headers": {"Authorization": "Bearer " + TOKEN}}, CHECKED, CHECK)


def cut(value, size):
    """A neutral value as a tag of at most so many bytes."""
    text = neutral.text(value)
    if "string" in value or "array" in value:
        text = text.encode()[:size].decode("utf-8", "ignore")
    return {"string": text}


@limit(LIMIT)
def test_zipkin_long_values_are_cut_between_characters(t):
    port = free_port()
    collector = Collector(t, {"zipkin": {"endpoint": "127.0.0.1:%d" % port}}, listens=lambda: listening(port))
    file, _ = rows.trace_requests(t, ["zipkin"], zipkin={"endpoint": "http://localhost:%d/api/v2/spans" % port},
                                  max_tag_value_length=17)
    for s in file:
        s["attributes"] = {k: cut(v, 17) for k, v in s["attributes"].items()}
        s["trace_state"] = s["trace_state"][:17]    # in Zipkin a tag too
    assert any(s["attributes"]["user_agent.original"]["string"].endswith("\u4e16\u754c ") for s in file), \
        "no value was cut within a character"
    rows.compare(file, collector.of_zipkin(rows.REQUESTS), "zipkin")


@limit(LIMIT)
def test_authority_that_is_not_trusted_is_told(t):
    file, port = make_certificates(t), free_port()
    Collector(t, {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:%d" % port,
                                                  "tls": {"cert_file": file["cert"], "key_file": file["key"]}}}}},
              listens=lambda: listening(port))
    session = t.session(exporter_type=["otlp", "file"],
                        otlp={"protocol": "http", "endpoint": "https://localhost:%d/v1/traces" % port},
                        retry={"max_time": "1s"})
    server = t.serve("nginx", session)
    load(server.address, [("GET", "/small.txt", {})])
    server.stop()
    _, ledger = session.finish(timeout=60)
    assert ledger["exporters"]["otlp"]["sent"] == 0, ledger
    said = [line for line in server.text().splitlines() if line.startswith("btrace: otlp")]
    assert any("certificate" in line and "certificate_file" in line for line in said), said


@limit(LIMIT)
def test_receiver_that_comes_late_and_restarts_gets_every_span_once(t):
    built(t, "collector")
    port = free_port()
    receivers = {"otlp": {"protocols": {"grpc": {"endpoint": "127.0.0.1:%d" % port}}}}
    session = t.session(exporter_type=["otlp", "file"], otlp={"endpoint": "http://localhost:%d" % port})
    server = t.serve("nginx", session)
    plan, received = rows.plan(), []
    exchanges = load(server.address, plan[:500], connections=8)
    wait_for("a word about it", lambda: "trying again" in server.text())
    collector = Collector(t, receivers, listens=lambda: listening(port))
    received += collector.spans(500)
    exchanges += load(server.address, plan[500:], connections=8)    # nobody listens
    os.rename(collector.file, collector.file + ".1")
    collector = Collector(t, receivers, listens=lambda: listening(port))
    received += collector.spans(500)
    server.stop()
    file, _ = session.finish(timeout=60)
    check_spans(exchanges, file)
    rows.compare([s.neutral for s in file], received, "otlp")
