#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A receiver that misbehaves as told: HTTP/1.1 or gRPC (HTTP/2), TCP or UNIX socket, plain or TLS.

	receiver = HttpReceiver(["reset", ("status", 503, {"Retry-After": "1"}), "ok"])

Each request takes the next action of the plan, the last one goes on for ever. What a receiver would have stored is
in `accepted`, as span ids in the order of arrival. Actions of both:

	ok             answers that it took everything
	partial        ... and that it rejected 2 spans
	slow           ... in many small pieces
	close          reads the request, closes without an answer
	reset          reads a part of the request, resets the connection
	hang           never answers; release() ends it
	garbage        answers with bytes that are no HTTP

of HTTP: ("status", code, {headers}, body), "half" (the head of a 200, then a reset), "last" (ok, then closes the
connection), "huge" (a 200 without end).

of gRPC: ("grpc", code, message[, details]) trailers-only, ("late", code, message) after a message, ("http", code),
"no_status" (no grpc-status at all), ("rst", code), "goaway" (did not look at it), "last" (ok, then GOAWAY), "http1".

As a program: fault_receiver.py http|grpc ACTION... prints its port, then what it gets.
"""
import base64
import gzip
import json
import os
import re
import socket
import struct
import sys
import threading
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import h2_frames as h2  # noqa: E402

PARTIAL_PB = b"\x0a\x0b\x08\x02\x12\x07too old"  # rejected_spans 2, error_message
PARTIAL_JSON = b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'
JSON_ID = re.compile(rb'"(?:spanId|id)":"([0-9a-f]{16})"')
# trace_id, span_id, and what may follow: OTLP trace_state, parent_span_id, name; Jaeger operation_name
OTLP_ID = re.compile(rb"\x0a\x10.{16}\x12\x08(.{8})[\x1a\x22\x2a]", re.S)
JAEGER_ID = re.compile(rb"\x0a\x10.{16}\x12\x08(.{8})\x1a", re.S)


def span_ids(body, what):
    """Numbers of the spans in a payload, as tests/tools/send_spans gave them; what: content type or gRPC method."""
    if "json" in what:
        return [int(i, 16) for i in JSON_ID.findall(body)]
    return [int.from_bytes(i, "big") for i in (JAEGER_ID if "jaeger" in what else OTLP_ID).findall(body)]


def retry_info(seconds, nanos=0):
    """grpc-status-details-bin with a RetryInfo."""
    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data

    def varint(n):
        out = b""
        while n > 127:
            out, n = out + bytes([n & 127 | 128]), n >> 7
        return out + bytes([n])

    duration = (b"\x08" + varint(seconds) if seconds else b"") + (b"\x10" + varint(nanos) if nanos else b"")
    any_ = field(1, b"type.googleapis.com/google.rpc.RetryInfo") + field(2, field(1, duration))
    return base64.b64encode(b"\x08\x08" + field(3, any_)).decode().rstrip("=")


class Request:
    def __init__(self, connection, headers, body, action):
        self.connection, self.headers, self.body, self.action = connection, headers, body, action
        self.time = time.monotonic()
        self.wire_bytes = len(body)
        self.ids = []


class Receiver:
    def __init__(self, plan=("ok",), unix=None, tls=None, host="127.0.0.1", port=0):
        self.plan, self.tls = list(plan), tls
        self.requests, self.accepted, self.connections = [], [], 0
        self.changed = threading.Condition()
        self.released = threading.Event()
        self.closing = False
        if unix:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(unix)
        else:
            self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind((host, port))
            self.port = self.socket.getsockname()[1]
        self.open = []
        self.socket.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.closing = True
        self.released.set()
        # wakes accept(), which close() alone does not
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for sock in self.open:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def release(self):
        self.released.set()

    def wait(self, n, seconds=30):
        """Until n requests have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= n, seconds), \
                "%d of %d requests" % (len(self.requests), n)

    def _accept(self):
        while not self.closing:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(sock)
            threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True).start()

    def _serve(self, sock, number):
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.converse(sock, number)
        except (OSError, EOFError):
            pass
        finally:
            sock.close()

    def _next_action(self):
        return self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]

    def _note(self, request, took):
        with self.changed:
            self.requests.append(request)
            if took:
                self.accepted += request.ids
            self.changed.notify_all()

    @staticmethod
    def _reset(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


def dribble(sock, data):
    for i in range(0, len(data), 3):
        sock.sendall(data[i:i + 3])
        time.sleep(0.01)


class HttpReceiver(Receiver):
    TAKES = ("ok", "partial", "slow", "half", "last", "huge")

    def converse(self, sock, number):
        stream = sock.makefile("rb")
        while self._one(sock, stream, number):
            pass

    def _one(self, sock, stream, number):
        line = stream.readline()
        if not line:
            return False
        headers = {":line": line.decode("latin-1").strip()}
        for line in iter(stream.readline, b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        action = self._next_action()
        length = int(headers.get("content-length", 0))
        if action == "reset":
            self._note(Request(number, headers, stream.read(length // 2), action), False)
            self._reset(sock)
            return False
        request = Request(number, headers, stream.read(length), action)
        encoding = headers.get("content-encoding")
        if encoding == "gzip":
            request.body = gzip.decompress(request.body)
        elif encoding == "deflate":
            request.body = zlib.decompress(request.body)
        request.ids = span_ids(request.body, headers.get("content-type", ""))
        self._note(request, action in self.TAKES)
        return self._answer(sock, headers.get("content-type", ""), action)

    def _answer(self, sock, content_type, action):
        kind, arguments = (action[0], action[1:]) if isinstance(action, tuple) else (action, ())
        body = b"{}" if "json" in content_type else b""
        if kind == "partial":
            body = PARTIAL_JSON if "json" in content_type else PARTIAL_PB
        ok = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
            content_type.encode(), len(body), body)
        if kind in ("ok", "partial"):
            sock.sendall(ok)
        elif kind == "slow":
            dribble(sock, ok)
        elif kind == "last":
            sock.sendall(ok)
            return False
        elif kind == "status":
            code, more = arguments[0], arguments[1] if len(arguments) > 1 else {}
            text = arguments[2] if len(arguments) > 2 else b""
            head = "HTTP/1.1 %d Such\r\nContent-Length: %d\r\n" % (code, len(text))
            sock.sendall((head + "".join("%s: %s\r\n" % h for h in more.items()) + "\r\n").encode() + text)
        elif kind == "half":
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            self._reset(sock)
            return False
        elif kind == "huge":
            sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            while not self.closing:
                sock.sendall(bytes(65536))
        elif kind == "garbage":
            sock.sendall(b"\x15\x03\x01\x00\x02\x02\x46 what is this\r\n\r\n")
            return False
        elif kind == "hang":
            self.released.wait()
            return False
        else:
            assert kind == "close", action
            return False
        return True


class GrpcReceiver(Receiver):
    TAKES = ("ok", "partial", "slow", "last")

    def converse(self, sock, number):
        if self.plan[0] == "garbage":
            sock.recv(65536)
            self._note(Request(number, {}, b"", self._next_action()), False)
            sock.sendall(b"\x00what is this, and why\xff" * 10)
            return
        if self.plan[0] == "http1":
            sock.recv(65536)
            self._note(Request(number, {}, b"", self._next_action()), False)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if h2.read_exactly(sock, len(h2.PREFACE)) != h2.PREFACE:
            return
        # INITIAL_WINDOW_SIZE 8 MiB, and as much for the connection
        sock.sendall(h2.frame(h2.SETTINGS, 0, 0, struct.pack(">HI", 4, 8 << 20)) +
                     h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 8 << 20)))
        inflater = h2.Inflater()
        try:
            self._frames(sock, number, inflater)
        finally:
            inflater.close()

    def _frames(self, sock, number, inflater):
        headers, bodies, actions, head = {}, {}, {}, b""
        while True:
            kind, flags, stream, payload = h2.read_frame(sock)
            if kind == h2.SETTINGS and not flags & h2.ACK:
                sock.sendall(h2.frame(h2.SETTINGS, h2.ACK, 0))
            elif kind == h2.PING and not flags & h2.ACK:
                sock.sendall(h2.frame(h2.PING, h2.ACK, 0, payload))
            elif kind in (h2.HEADERS, h2.CONTINUATION):
                head += payload
                if flags & h2.END_HEADERS:
                    headers[stream], head = dict(inflater.read(head)), b""
                    bodies[stream], actions[stream] = b"", self._next_action()
            elif kind == h2.DATA:
                bodies[stream] += payload
                if payload:
                    more = struct.pack(">I", len(payload))
                    sock.sendall(h2.frame(h2.WINDOW_UPDATE, 0, 0, more))
                if actions[stream] == "reset":
                    self._note(Request(number, headers[stream], bodies[stream], "reset"), False)
                    self._reset(sock)
                    return
            if kind in (h2.HEADERS, h2.DATA) and flags & h2.END_STREAM:
                if not self._call(sock, number, stream, headers.pop(stream), bodies.pop(stream), actions.pop(stream)):
                    return

    def _call(self, sock, number, stream, headers, body, action):
        request = Request(number, headers, body, action)
        assert len(body) >= 5 and int.from_bytes(body[1:5], "big") == len(body) - 5, "message prefix: %r" % body[:5]
        request.compressed = body[0] == 1
        request.body = gzip.decompress(body[5:]) if request.compressed else body[5:]
        request.ids = span_ids(request.body, headers[":path"])
        self._note(request, action in self.TAKES)
        return self._answer(sock, stream, action)

    @staticmethod
    def _head(stream, headers, flags=0):
        return h2.frame(h2.HEADERS, flags | h2.END_HEADERS, stream, h2.block(headers))

    def _answer(self, sock, stream, action):
        kind, arguments = (action[0], action[1:]) if isinstance(action, tuple) else (action, ())
        start = [(":status", "200"), ("content-type", "application/grpc")]
        message = PARTIAL_PB if kind == "partial" else b""
        data = h2.frame(h2.DATA, 0, stream, b"\0" + struct.pack(">I", len(message)) + message)
        ok = self._head(stream, start) + data + self._head(stream, [("grpc-status", "0"), ("grpc-message", "")],
                                                           h2.END_STREAM)
        if kind in ("ok", "partial"):
            sock.sendall(ok)
        elif kind == "slow":
            dribble(sock, ok)
        elif kind == "last":
            sock.sendall(ok + h2.frame(h2.GOAWAY, 0, 0, struct.pack(">II", stream, 0)))
        elif kind == "goaway":
            sock.sendall(h2.frame(h2.GOAWAY, 0, 0, struct.pack(">II", max(stream - 2, 0), 0)))
        elif kind == "grpc":
            status = [("grpc-status", str(arguments[0])), ("grpc-message", arguments[1])]
            if len(arguments) > 2:
                status.append(("grpc-status-details-bin", arguments[2]))
            sock.sendall(self._head(stream, start + status, h2.END_STREAM))
        elif kind == "late":
            sock.sendall(self._head(stream, start) + data + self._head(
                stream, [("grpc-status", str(arguments[0])), ("grpc-message", arguments[1])], h2.END_STREAM))
        elif kind == "http":
            sock.sendall(self._head(stream, [(":status", str(arguments[0])), ("content-type", "text/plain")],
                                    h2.END_STREAM))
        elif kind == "no_status":
            sock.sendall(self._head(stream, start) + h2.frame(h2.DATA, h2.END_STREAM, stream, bytes(5)))
        elif kind == "rst":
            sock.sendall(h2.frame(h2.RST_STREAM, 0, stream, struct.pack(">I", arguments[0])))
        elif kind == "hang":
            pass  # goes on reading: a cancelled call must not end the connection
        else:
            assert kind == "close", action
            return False
        return True


def main():
    kind, plan = sys.argv[1], [tuple(json.loads(a)) if a.startswith("[") else a for a in sys.argv[2:]] or ["ok"]
    receiver = {"http": HttpReceiver, "grpc": GrpcReceiver}[kind](plan)
    print(receiver.port, flush=True)
    while True:
        receiver.wait(1, 1e6)
        with receiver.changed:
            request = receiver.requests.pop(0)
        print("%s: %d spans, %d bytes" % (request.action, len(request.ids), request.wire_bytes), flush=True)


if __name__ == "__main__":
    main()
