# SPDX-License-Identifier: Apache-2.0
"""What the environment says, on a running server: OTEL_* variables without any file, BentoML's variables, kill switches,
and who is believed about the name of the service."""
import os
import sys

from harness import ROOT, exporters, free_port, read_spans, wait_for
from receivers import HttpReceiver
from test_core_life import HOST

sys.path.insert(0, os.path.join(ROOT, "tests", "vectors"))
import decode_otlp_pb  # noqa: E402
import decode_zipkin  # noqa: E402

T, S = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def serve(t, env, requests=((), ()), **how):
    """(output, paths asked for) of a server that runs under nothing but these variables."""
    server = t.serve([HOST, "{port}"], env=env, **how)
    connection = t.connect(server)
    for i, headers in enumerate(requests):
        connection.request("GET", "/r%d" % i, headers=list(headers))
    connection.close()
    server.stop()
    wait_for("the exporter to end", lambda: not exporters(), 30)
    return server.text()


def received(receiver, decode=decode_otlp_pb.decode):
    return [span for payload in receiver.payloads for span in decode(payload)]


def paths(spans):
    return sorted(span["attributes"]["url.path"]["string"] for span in spans)


def test_an_otlp_endpoint_alone_is_a_config(t):
    port = free_port()
    receiver = HttpReceiver(port)
    serve(t, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:%d" % port, "OTEL_SERVICE_NAME": "alone",
              "OTEL_EXPORTER_OTLP_HEADERS": "x-key=se%20cret", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
              "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=t%C3%A9st,service.name=loses"},
          requests=[(), [("traceparent", "00-%s-%s-00" % (T, S))], [("traceparent", "00-%s-%s-01" % (T, S))]])
    spans = received(receiver)
    assert paths(spans) == ["/r0", "/r2"], "parentbased_always_on: %s" % paths(spans)
    assert {path for path, _ in receiver.requests} == {"/v1/traces"}
    headers = receiver.requests[0][1]
    assert headers["x-key"] == "se cret" and headers["Content-Encoding"] == "gzip", headers
    resource = spans[0]["resource"]
    assert resource["service.name"]["string"] == "alone", resource
    assert resource["deployment.environment.name"]["string"] == "t\u00e9st", resource


def test_an_exporters_name_alone_is_a_config(t):
    port = free_port()
    receiver = HttpReceiver(port)
    serve(t, {"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_EXPORTER_ZIPKIN_ENDPOINT": "http://127.0.0.1:%d/x" % port})
    assert len(received(receiver, decode_zipkin.decode)) == 2
    assert {path for path, _ in receiver.requests} == {"/x"}


def test_a_sampler_of_the_environment_alone(t):
    port = free_port()
    receiver = HttpReceiver(port)
    serve(t, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:%d/t" % port, "OTEL_TRACES_SAMPLER": "traceidratio",
              "OTEL_TRACES_SAMPLER_ARG": "0.65", "OTEL_PROPAGATORS": "b3"},
          # low64 of the trace id is 0.64 of 2^64, of the second 0.99
          requests=[[("b3", "%s-%s-0" % (T, S))], [("b3", "0000000000000000ff%s-%s-1" % (T[18:], S))],
                    [("traceparent", "00-0000000000000000ff%s-%s-01" % (T[18:], S))] * 1])
    spans = {span["attributes"]["url.path"]["string"]: span for span in received(receiver)}
    assert "/r0" in spans and "/r1" not in spans, sorted(spans)
    assert spans["/r0"]["trace_id"] == T
    assert all(not span["trace_id"].startswith("0000000000000000ff") for span in spans.values()), "b3 alone is listened to"


def test_options_of_bentoml_alone_are_a_config(t):
    port = free_port()
    receiver = HttpReceiver(port)
    serve(t, {"BENTOML_CONFIG_OPTIONS": "api_server.workers=1 tracing.exporter_type=zipkin tracing.sample_rate=1.0 "
                                        "tracing.zipkin.endpoint=http://127.0.0.1:%d/api/v2/spans" % port})
    assert len(received(receiver, decode_zipkin.decode)) == 2
    port = free_port()
    receiver = HttpReceiver(port)
    serve(t, {"BENTOML_CONFIG_OVERRIDES": '{"services": {"tracing": {"exporter_type": "zipkin", "sample_rate": 1.0, '
                                          '"zipkin": {"endpoint": "http://127.0.0.1:%d/z"}}}}' % port})
    assert len(received(receiver, decode_zipkin.decode)) == 2


def test_variables_and_the_home_directory_in_the_path_of_the_file(t):
    for number, path in enumerate(("~/btrace.yml", "$WHERE/btrace.yml", "${WHERE}/${WHAT}", "$ALL")):
        session = t.session()
        serve(t, dict(session.environment, BTRACE_CONFIG="", BENTOML_CONFIG=path, HOME=session.directory,
                      WHERE=session.directory, WHAT="btrace.yml", ALL="$WHERE/$WHAT"))
        spans, _ = session.finish()
        assert len(spans) == 2, path


def test_nothing_that_is_switched_off_starts_anything(t):
    session = t.session()
    for env in ({"BTRACE_DISABLED": "1"}, {"OTEL_SDK_DISABLED": "true"}, {"BTRACE_CONFIG": ""},
                {"BTRACE_CONFIG": "", "BENTOML_CONFIG_OPTIONS": "api_server.workers=4"},
                {"BTRACE_CONFIG": "", "OTEL_TRACES_EXPORTER": "none"}):
        server = t.serve([HOST, "{port}"], env=dict(session.environment, **env))
        connection = t.connect(server)
        connection.get("/a")
        assert not exporters(), env
        connection.close()
        server.stop()
        assert server.text() == "", server.text()
    assert not os.path.exists(session.trace_file)


def service_names(t, file, *environments):
    """service.name of the spans of servers that share this file, in order."""
    session = t.session(**file)
    servers = [t.serve([HOST, "{port}"], session, env=env) for env in environments]
    for number, server in enumerate(servers):
        connection = t.connect(server)
        connection.get("/server%d" % number)
        connection.close()
    for server in servers:
        server.stop()
    spans, _ = session.finish()
    return [s.resource["service.name"] for s in sorted(spans, key=lambda s: s.target)]


def test_the_environment_goes_before_the_file_in_what_a_resource_says(t):
    of_otel = {"OTEL_SERVICE_NAME": "otel"}
    of_attributes = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=attributes"}
    of_file = {"service_name": "file", "resource_attributes": {"service.name": "map"}}
    for env, file, expected in (
            ({}, {"service_name": "file"}, "file"),
            ({}, {"resource_attributes": {"service.name": "map"}}, "map"),
            ({}, of_file, "file"),
            (of_attributes, of_file, "attributes"),
            (dict(of_attributes, **of_otel), of_file, "otel"),
            (dict(of_attributes, BTRACE_SERVICE="btrace", **of_otel), of_file, "btrace"),
            ({}, {}, "host")):
        assert service_names(t, file, env) == [expected], (env, file)


def test_the_other_attributes_of_a_resource_likewise_key_by_key(t):
    session = t.session(resource_attributes={"a": "file", "b": "file"})
    serve(t, dict(session.environment, OTEL_RESOURCE_ATTRIBUTES="b=environment,c=environment"), requests=[()])
    spans, _ = session.finish()
    assert [spans[0].resource[key] for key in "abc"] == ["file", "environment", "environment"], spans[0].resource


def test_servers_that_share_an_exporter_keep_their_own_names(t):
    assert service_names(t, {}, {"OTEL_SERVICE_NAME": "one"}, {"BTRACE_SERVICE": "two"}, {}) == ["one", "two", "host"]
    assert service_names(t, {"service_name": "file"}, {"BTRACE_SERVICE": "two"}, {}) == ["two", "file"]


def test_exporter_settings_of_the_file_go_before_the_environment(t):
    port = free_port()
    receiver = HttpReceiver(port)
    session = t.session(raw="tracing:\n  exporter_type: zipkin\n  sample_rate: 1.0\n  zipkin: {endpoint: 'http://127.0.0.1:%d/file'}\n"
                            % port)
    serve(t, dict(session.environment, OTEL_EXPORTER_ZIPKIN_ENDPOINT="http://127.0.0.1:%d/environment" % port,
                  OTEL_TRACES_EXPORTER="otlp", OTEL_TRACES_SAMPLER="always_off"))
    assert len(received(receiver, decode_zipkin.decode)) == 2
    assert {path for path, _ in receiver.requests} == {"/file"}


def test_services_with_blocks_of_their_own_in_sessions_of_their_own(t):
    """Servers that share a config share an exporter, which has the block of the first; any BTRACE_* variable parts them."""
    files = {name: t.path(name + ".jsonl") for name in ("One", "Two")}
    session = t.session(ledger=False, raw="services:\n  tracing: {exporter_type: file, sample_rate: 1.0}\n" + "".join(
        "  %s: {tracing: {file: {path: '%s'}}}\n" % pair for pair in files.items()))
    servers = [t.serve([HOST, "{port}"], session, env={"BTRACE_SERVICE": name, "BTRACE_SESSION": name}) for name in files]
    for server in servers:
        connection = t.connect(server)
        connection.get("/a")
        connection.close()
    for server in servers:
        server.stop()
    wait_for("the exporters to end", lambda: not exporters(), 30)
    for name, path in files.items():
        assert [s.resource["service.name"] for s in read_spans(path)] == [name], name
