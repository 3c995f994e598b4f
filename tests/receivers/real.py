# SPDX-License-Identifier: Apache-2.0
"""The real receivers of the tests: started on loopback, asked back what they have.

Each has start(t, ...), listens on free ports of 127.0.0.1 only, and gives neutral spans (tests/vectors/neutral.py).
They are built by scripts/receivers; where one could not be had the test is skipped with the reason.
"""
import json
import os
import socket
import subprocess
import urllib.error
import urllib.request

import decode_jaeger_thrift
import decode_otlp_json
import decode_zipkin
import neutral
from harness import ROOT, clean_environment, free_port, listening, wait_for, yaml

BUILT = os.path.join(ROOT, "build", "receivers")
PATIENCE = 90   # seconds for a start or an answer, on a machine that is busy with the other tests


def built(t, name):
    """The path of a receiver, or a skipped test."""
    path = os.path.join(BUILT, name)
    if not os.path.exists(path):
        try:
            with open(path + ".missing") as f:
                t.skip("no %s: %s" % (name, f.read().strip()))
        except FileNotFoundError:
            t.skip("no %s: scripts/receivers has not been run" % name)
    return path


def free_udp_port():
    while True:
        port = free_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def bound(port):
    """Is there a UDP socket on that port?"""
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        with open(table) as f:
            if any(int(row.split()[1].rpartition(":")[2], 16) == port for row in f.readlines()[1:]):
                return True
    return False


def fetch(url):
    """The bytes there, None as long as there is no answer."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            return response.read()
    except (urllib.error.URLError, ConnectionError):
        return None


class Receiver:
    """A process of the test. argv; ready: a condition that its ports fulfil."""

    def __init__(self, t, name, argv, ready, env=None):
        self.name, self.output = name, t.path(name + ".output")
        with open(self.output, "wb") as out:
            self.process = t.spawn(argv, stdout=out, stderr=out, env=clean_environment(**(env or {})))
        wait_for(name, lambda: self.alive() and ready(), PATIENCE)

    def alive(self):
        if self.process.poll() is None:
            return True
        raise AssertionError("%s ended with %d:\n%s" % (self.name, self.process.returncode, self.text()))

    def text(self):
        with open(self.output, errors="replace") as f:
            return f.read()[-3000:]

    def expect(self, count, *args):
        """Waits until count() says so many spans or more; when patience ends the comparison tells what is missing."""
        try:
            wait_for("%d spans in %s" % (count, self.name), lambda: self.count(*args) >= count, 20)
        except TimeoutError:
            pass


class Collector(Receiver):
    """An OpenTelemetry Collector that writes what it receives into a file. receivers: that section of its config,
    {port} and {udp} in it are free ports."""

    def __init__(self, t, receivers, extensions=None, listens=None):
        program = built(t, "collector")
        self.file = t.path("collector.jsonl")
        config = {
            "receivers": receivers,
            "exporters": {"file": {"path": self.file, "flush_interval": "100ms"}},
            "service": {
                "telemetry": {"logs": {"level": "warn"}, "metrics": {"level": "none"}},
                "pipelines": {"traces": {"receivers": list(receivers), "exporters": ["file"]}},
            },
        }
        if extensions:
            config["extensions"] = extensions
            config["service"]["extensions"] = list(extensions)
        path = t.path("collector.yml")
        with open(path, "w") as f:
            f.write(yaml(config))
        super().__init__(t, "collector", [program, "--config=file:" + path], listens)

    def count(self):
        with open(self.file, "rb") as f:
            return f.read().count(b'"spanId":')

    def spans(self, count):
        """All that it received until its end."""
        self.expect(count)
        self.process.terminate()
        self.process.wait(PATIENCE)
        with open(self.file, "rb") as f:
            return [s for line in f for s in decode_otlp_json.decode(line)]


    def translated(self, count):
        """The same for Jaeger and Zipkin, whose spans the Collector has made OTLP of. Tags that it leaves as attributes
        are lifted to what they stand for; it keeps no flags, but what was sent was sampled."""
        found = self.spans(count)
        for s in found:
            scope, state = s["scope"], s["trace_state"]
            s["scope"] = {"name": "", "version": ""}
            code = s["status"]["code"]
            neutral.lift_tags(s)
            s["scope"] = {k: s["scope"][k] or scope[k] for k in scope}
            s["trace_state"], s["trace_flags"] = s["trace_state"] or state, 1
            assert code == s["status"]["code"], "otel.status_code was not understood: %s" % s
        return found

    def of_zipkin(self, count):
        """The same where Zipkin's format has more: its remoteEndpoint became an attribute, a tag one of the resource."""
        found = self.translated(count)
        for s in found:
            for old, new in (("net.peer.ip", "ipv4"), ("net.peer.port", "port")):
                if old in s["attributes"]:
                    s.setdefault("remote_endpoint", {})[new] = s["attributes"].pop(old)
            if s["status"]["code"] == "ERROR":
                assert s["attributes"].pop("error", None) == {"string": s["status"]["message"]}, s
            if "service.namespace" in s["resource"]:
                s["attributes"]["service.namespace"] = s["resource"].pop("service.namespace")
        return found


class Jaeger(Receiver):
    """Jaeger all-in-one with its memory for a store."""
    PORTS = {
        "grpc": "collector.grpc-server.host-port", "http": "collector.http-server.host-port",
        "otlp_grpc": "collector.otlp.grpc.host-port", "otlp_http": "collector.otlp.http.host-port",
        "zipkin": "collector.zipkin.host-port", "query": "query.http-server.host-port",
        "query_grpc": "query.grpc-server.host-port", "admin": "admin.http.host-port", "agent": "http-server.host-port",
        "compact": "processor.jaeger-compact.server-host-port", "binary": "processor.jaeger-binary.server-host-port",
        "zipkin_compact": "processor.zipkin-compact.server-host-port",
    }
    DATAGRAMS = ("compact", "binary", "zipkin_compact")

    def __init__(self, t):
        program = built(t, "jaeger")
        self.port = {name: free_udp_port() if name in self.DATAGRAMS else free_port() for name in self.PORTS}
        argv = [program, "--collector.otlp.enabled=true", "--log-level=warn",
                "--reporter.grpc.host-port=127.0.0.1:%d" % self.port["grpc"]]
        argv += ["--%s=127.0.0.1:%d" % (flag, self.port[name]) for name, flag in self.PORTS.items()]
        super().__init__(t, "jaeger", argv, self.ready, {"OTEL_TRACES_SAMPLER": "always_off"})

    def ready(self):
        return (all(bound(p) if name in self.DATAGRAMS else listening(p) for name, p in self.port.items())
                and fetch("http://127.0.0.1:%d/" % self.port["admin"]) is not None)

    def answer(self, service):
        return fetch("http://127.0.0.1:%d/api/traces?service=%s&limit=10000&lookback=1h"
                     % (self.port["query"], service)) or b"{}"

    def count(self, service):
        return self.answer(service).count(b'"operationName":')

    def spans(self, count, service):
        self.expect(count, service)
        return [self.span(s, trace) for trace in json.loads(self.answer(service)).get("data") or []
                for s in trace["spans"]]

    @staticmethod
    def span(j, trace):
        """One span of the query API's JSON, whose times are in microseconds."""
        s = neutral.blank_span()
        s["trace_id"], s["span_id"], s["name"] = j["traceID"].rjust(32, "0"), j["spanID"], j["operationName"]
        s["start_ns"] = str(j["startTime"] * 1000)
        s["end_ns"] = str((j["startTime"] + j["duration"]) * 1000)
        strange = [w for w in j["warnings"] or [] if not w.startswith("invalid parent span IDs")]
        assert not strange, strange     # that one: the parent is a client's, which sends no spans
        decode_jaeger_thrift.jaeger_flags(s, j.get("flags", 0))
        Jaeger.put_all(s["attributes"], j["tags"])
        s["attributes"].pop("internal.span.format", None)   # Jaeger's own note how a span came
        process = trace["processes"][j["processID"]]
        s["resource"]["service.name"] = {"string": process["serviceName"]}
        Jaeger.put_all(s["resource"], process["tags"])
        for log in j["logs"]:
            event = {"time_ns": str(log["timestamp"] * 1000), "name": "", "attributes": {},
                     "dropped_attributes_count": 0}
            Jaeger.put_all(event["attributes"], log["fields"])
            s["events"].append(event)
        kinds = {"CHILD_OF": 0, "FOLLOWS_FROM": 1}
        return decode_jaeger_thrift.finish(s, [(kinds[r["refType"]], r["traceID"].rjust(32, "0"), r["spanID"])
                                               for r in j["references"]])

    @staticmethod
    def put_all(into, tags):
        for tag in tags:
            value = tag["value"]
            kind = {"string": "string", "bool": "bool", "int64": "int", "float64": "double"}[tag["type"]]
            neutral.put(into, tag["key"], {kind: str(value) if kind == "int" else value}, "tag")


class Zipkin(Receiver):
    """The Zipkin server with its memory for a store."""

    def __init__(self, t):
        t.need("java")
        jar = built(t, "zipkin.jar")
        self.port = free_port()
        argv = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", "-jar", jar,
                "--armeria.ports[0].ip=127.0.0.1", "--armeria.ports[0].port=%d" % self.port,
                "--armeria.ports[0].protocols[0]=http"]
        super().__init__(t, "zipkin", argv, lambda: listening(self.port) and self.get("health") is not None)
        self.warm_up()

    def warm_up(self):
        """A first span, of another service: on a busy machine it takes seconds until a JVM has loaded all of it."""
        span = b'[{"traceId":"beef","id":"1","timestamp":1,"localEndpoint":{"serviceName":"warm-up"},"tags":{"a":"b"}}]'
        with urllib.request.urlopen("http://127.0.0.1:%d/api/v2/spans" % self.port, span, PATIENCE) as response:
            assert response.status == 202, response.status

    def get(self, path):
        return fetch("http://127.0.0.1:%d/%s" % (self.port, path))

    def answer(self, service):
        return self.get("api/v2/traces?limit=10000&lookback=3600000&serviceName=" + service) or b"[]"

    def count(self, service):
        return self.answer(service).count(b'"traceId":')

    def spans(self, count, service):
        self.expect(count, service)
        return [s for trace in json.loads(self.answer(service)) for s in decode_zipkin.decode(json.dumps(trace).encode())]


def make_certificates(t):
    """An authority, and by it a certificate of localhost and one of a client: {ca, cert, key, client_cert, client_key}."""
    t.need("openssl")
    file = {name: t.path(name + ".pem") for name in ("ca", "ca_key", "cert", "key", "client_cert", "client_key")}

    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-days", "2", "-subj", "/CN=test authority", "-keyout", file["ca_key"],
            "-out", file["ca"])
    for who, name, more in (("", "localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
                            ("client_", "client", "extendedKeyUsage=clientAuth")):
        request, extra = t.path(name + ".csr"), t.path(name + ".ext")
        with open(extra, "w") as f:
            f.write(more + "\n")
        openssl("req", *curve, "-subj", "/CN=" + name, "-keyout", file[who + "key"], "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", file["ca"], "-CAkey", file["ca_key"], "-CAcreateserial",
                "-days", "2", "-extfile", extra, "-out", file[who + "cert"])
    for path in file.values():
        os.chmod(path, 0o644)   # the exporter may run as another user
    return file
