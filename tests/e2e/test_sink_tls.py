# SPDX-License-Identifier: Apache-2.0
"""What one exporter alone makes of certificates."""
import os
import ssl
import subprocess

from sinks import GrpcReceiver, HttpReceiver, all_once, grpc, zipkin


def openssl(directory, *command):
    subprocess.run(["openssl", *command], cwd=directory, check=True, capture_output=True)


def certificates(t):
    """ca.pem, and server.pem and client.pem signed by it, each with its .key."""
    t.need("openssl")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(t.directory, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=btrace test")
    with open(t.path("names"), "w") as f:
        f.write("subjectAltName=DNS:localhost,IP:127.0.0.1")
    for name in ("server", "client"):
        openssl(t.directory, "req", *key, "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
        openssl(t.directory, "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", name + ".pem", "-days", "2", "-extfile", "names")


def server_context(t, protocol, ask=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(t.path("server.pem"), t.path("server.key"))
    context.set_alpn_protocols([protocol])
    if ask:
        context.load_verify_locations(t.path("ca.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_tls_connections_are_verified_and_reused(t):
    certificates(t)
    for make, kind, protocol, name in ((zipkin, HttpReceiver, "http/1.1", "zipkin"), (grpc, GrpcReceiver, "h2", "grpc")):
        receiver = kind(tls=server_context(t, protocol))
        url = {"zipkin": "https://localhost:%d/api/v2/spans", "grpc": "https://localhost:%d"}[name] % receiver.port
        sink = make(t, receiver, "--url", url, "--ca", t.path("ca.pem"))
        for _ in range(10):
            sink.do("put 2 10")
            sink.do("idle")
        all_once(receiver, 200, sink)
        assert receiver.connections <= 2, receiver.connections
        assert sink.end() == ""
        sink = make(t, receiver, "--url", url, "--total", 100)
        sink.do("put 1 10")
        assert sink.do("idle")["failed"] == 10
        assert "does it need a certificate_file?" in sink.end()
        sink = make(t, receiver, "--url", url, "--insecure")
        sink.do("put 1 10")
        assert sink.do("idle")["sent"] == 10
        receiver.close()


def test_tls_clients_show_their_certificate(t):
    certificates(t)
    receiver = HttpReceiver(tls=server_context(t, "http/1.1", ask=True))
    url = "https://localhost:%d/api/v2/spans" % receiver.port
    ours = ["--url", url, "--ca", t.path("ca.pem")]
    sink = zipkin(t, receiver, *ours, "--cert", t.path("client.pem"), "--key", t.path("client.key"))
    sink.do("run 0")
    os.unlink(t.path("client.key"))  # it was read when the sink was opened
    sink.do("put 1 10")
    all_once(receiver, 10, sink)
    sink = zipkin(t, receiver, *ours, "--total", 100)
    sink.do("put 1 10")
    assert sink.do("idle")["failed"] == 10
    assert len(receiver.accepted) == 10
    receiver.close()
    sink = zipkin(t, receiver, *ours, "--key", t.path("client.key"))
    assert sink.process.wait(30) == 1
    assert "cannot read the client key" in sink.said() and "No such file" in sink.said()


def test_tls_without_http2_is_no_place_for_grpc(t):
    certificates(t)
    receiver = HttpReceiver(tls=server_context(t, "http/1.1"))
    sink = grpc(t, receiver, "--url", "https://localhost:%d" % receiver.port, "--ca", t.path("ca.pem"))
    sink.do("put 1 10")
    assert sink.do("idle")["failed"] == 10
    assert "is this the port for gRPC?" in sink.end()
    receiver.close()
