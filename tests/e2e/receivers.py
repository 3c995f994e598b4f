# SPDX-License-Identifier: Apache-2.0
"""Small receivers of spans on loopback: Jaeger's agent (UDP), HTTP (Zipkin, OTLP), gRPC. They keep what they were sent.

Ports of real receivers (6831, 9411, ...) are taken in a network namespace of the test's own: own_network()."""
import ctypes
import fcntl
import gzip
import http.server
import os
import socket
import struct
import threading
import zlib

from harness import Skip


def own_network():
    """Puts this process and all it starts into a network of its own, which has nothing but loopback."""
    if os.geteuid() != 0:
        raise Skip("needs root for a network namespace")
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
        raise Skip("no network namespace: " + os.strerror(ctypes.get_errno()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        name = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(s, 0x8913, name))[1]  # SIOCGIFFLAGS
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", flags | 1))  # SIOCSIFFLAGS: IFF_UP


class Agent:
    """UDP: .payloads are the datagrams."""

    def __init__(self, port, host="127.0.0.1"):
        self.payloads = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE: beyond the system's limit
        except OSError:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((host, port))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            self.payloads.append(self.socket.recv(65536))


def unpacked(body, encoding):
    return gzip.decompress(body) if encoding == "gzip" else zlib.decompress(body) if encoding == "deflate" else body


class HttpReceiver:
    """HTTP POST: .payloads are the bodies (decompressed), .requests are (path, headers); answers 200."""

    def __init__(self, port):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, dict(self.headers)))
                receiver.payloads.append(unpacked(body, self.headers.get("Content-Encoding")))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.payloads, self.requests = [], []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


DATA, HEADERS, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 4, 6, 7, 8
END_STREAM = ACK = 1
END_HEADERS = 4


def literal(name, value):
    """A header field without indexing (RFC 7541 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


class GrpcReceiver:
    """Unary gRPC over cleartext HTTP/2 (RFC 9113): .payloads are the messages with their prefix; answers an empty one
    and status 0. Request headers are not looked at."""

    def __init__(self, port):
        self.payloads = []
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    @staticmethod
    def frame(connection, kind, flags, stream, payload=b""):
        connection.sendall(struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload)

    def answer(self, connection, stream):
        self.frame(connection, HEADERS, END_HEADERS, stream, b"\x88" + literal(b"content-type", b"application/grpc"))
        self.frame(connection, DATA, 0, stream, b"\0\0\0\0\0")
        self.frame(connection, HEADERS, END_HEADERS | END_STREAM, stream, literal(b"grpc-status", b"0"))

    def serve(self, connection):
        stream_data = {}
        with connection, connection.makefile("rb") as f:
            if f.read(24) != b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":
                return
            self.frame(connection, SETTINGS, 0, 0)
            while True:
                head = f.read(9)
                if len(head) < 9:
                    return
                length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
                stream = int.from_bytes(head[5:], "big") & 0x7fffffff
                payload = f.read(length)
                if kind == SETTINGS and not flags & ACK:
                    self.frame(connection, SETTINGS, ACK, 0)
                elif kind == PING and not flags & ACK:
                    self.frame(connection, PING, ACK, 0, payload)
                elif kind == DATA:
                    if flags & 8:  # padded
                        payload = payload[1:len(payload) - payload[0]]
                    stream_data[stream] = stream_data.get(stream, b"") + payload
                    for s in (0, stream):
                        if length:
                            self.frame(connection, WINDOW_UPDATE, 0, s, struct.pack(">I", length))
                if kind in (DATA, HEADERS) and flags & END_STREAM:
                    self.payloads.append(stream_data.pop(stream, b""))
                    self.answer(connection, stream)
