# SPDX-License-Identifier: Apache-2.0
"""HTTP over UNIX sockets, which no receiver of ours opens itself: a relay stands before it."""
import os
import socket
import threading

import rows
from harness import free_port, limit, listening, load
from real import Collector

TIER = "receivers"
LIMIT = 240


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def relay(path, port):
    """Every connection to the socket at path becomes one to the port."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o777)   # the exporter is nginx' user
    listener.listen()

    def serve():
        while True:
            inner = listener.accept()[0]
            outer = socket.create_connection(("127.0.0.1", port))
            for pair in ((inner, outer), (outer, inner)):
                threading.Thread(target=pump, args=pair, daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()


@limit(LIMIT)
def test_otlp_http(t):
    port = free_port()
    collector = Collector(t, {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:%d" % port}}}},
                          listens=lambda: listening(port))
    relay(t.path("http.sock"), port)
    file, _ = rows.trace_requests(t, ["otlp"], otlp={"protocol": "http", "endpoint": "unix:" + t.path("http.sock")})
    rows.compare(file, collector.spans(rows.REQUESTS), "otlp")


@limit(LIMIT)
def test_zipkin(t):
    port = free_port()
    collector = Collector(t, {"zipkin": {"endpoint": "127.0.0.1:%d" % port}}, listens=lambda: listening(port))
    relay(t.path("zipkin.sock"), port)
    file, _ = rows.trace_requests(t, ["zipkin"], zipkin={"endpoint": "unix:" + t.path("zipkin.sock")})
    rows.compare(file, collector.of_zipkin(rows.REQUESTS), "zipkin")


def test_socket_that_is_not_there_is_told_as_that(t):
    session = t.session(exporter_type=["otlp", "file"], otlp={"endpoint": "unix:" + t.path("nothing.sock")},
                        retry={"max_time": "1s"})
    server = t.serve("nginx", session)
    load(server.address, [("GET", "/small.txt", {})])
    server.stop()
    session.finish(timeout=40)
    said = [line for line in server.text().splitlines() if line.startswith("btrace: otlp")]
    assert any("nothing.sock: cannot connect: No such file or directory" in line for line in said), said
