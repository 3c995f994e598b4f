#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server whose answers are bare socket calls, for tests: raw.py PORT. A thread for each connection.

The first part of the target names the function below that answers: /pair, /close-delimited, ... Each gets the
connection and the request's head; what it returns true for keeps the connection.
"""
import os
import socket
import struct
import sys
import threading
import time

BUFFER = 4096


class Peer:
    """A connection that is read into one buffer, so that old bytes lie behind the new ones."""

    def __init__(self, s):
        self.s, self.space, self.data = s, bytearray(BUFFER), b""

    def fill(self):
        n = os.readv(self.s.fileno(), [self.space])
        self.data += bytes(self.space[:n])
        return n

    def head(self):
        while b"\r\n\r\n" not in self.data:
            if not self.fill():
                return None
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        return head.lstrip(b"\r\n")

    def take(self, n):
        while len(self.data) < n and self.fill():
            pass
        body, self.data = self.data[:n], self.data[n:]
        return body

    def send(self, *pieces):
        for p in pieces:
            self.s.sendall(p)
        return True

    def ok(self, body=b"ok", more=b""):
        return self.send(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (more, len(body), body))


def length(head):
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def ok(p, head):
    if b"chunked" in head:
        while p.data[-5:] != b"0\r\n\r\n":
            p.fill()
        p.data = b""
    p.take(length(head))
    return p.ok()


def pair(p, head):
    """Waits for the request behind this one; one send() has both answers."""
    p.head()
    return p.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n22")


def interim(p, head):
    p.send(b"HTTP/1.1 100 Continue\r\nDate: now\r\nServer: x\r\n\r\n", b"HTTP/1.1 100 (Continue)\r\n\r\n",
           b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nContent-Length: 9\r\n\r\n")
    p.take(length(head))
    return p.ok()


def upgrade(p, head):
    p.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
    while p.s.recv(4096) not in (b"", b"end"):
        p.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    return False


def tunnel(p, head):
    p.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    while p.s.recv(4096) not in (b"", b"end"):
        p.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    return False


def first_byte(p, head):
    return p.send(b"H", b"TTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def lines(p, head):
    return p.send(b"HTTP/1.1 203 Other\r\n", b"A: b\r\n", b"Content-Length: 2\r\n", b"\r\n", b"ok")


def peek(p, head):
    p.ok()
    for _ in range(20):
        p.s.recv(64, socket.MSG_PEEK)
    return True


def thrown_away(p, head):
    """The body is passed over unseen."""
    left = length(head) - len(p.take(min(len(p.data), length(head))))
    while left:
        left -= p.s.recv_into(bytearray(left), left, socket.MSG_TRUNC)
    return p.ok()


def close_delimited(p, head):
    return not p.send(b"HTTP/1.0 200 OK\r\n\r\n", b"a" * 1000, b"b" * 234)


def close_unanswered(p, head):
    return False


def reset(p, head):
    p.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"a" * 10)
    p.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def cut_short(p, head):
    return not p.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"a" * 10)


def early(p, head):
    """Answers before the body has come, then drains it."""
    p.send(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    p.s.shutdown(socket.SHUT_WR)
    while p.fill():
        pass
    return False


def drain(p, head):
    p.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    while p.fill():
        pass
    return False


def only_one(p, head):
    p.ok()
    p.s.shutdown(socket.SHUT_WR)
    while p.s.recv(4096):
        pass
    return False


def after_close(p, head):
    """Answers when the client has shut down its side, or gone."""
    while p.fill():
        pass
    p.ok()
    return False


def download(p, head):
    """More than the buffers between us hold."""
    p.send(b"HTTP/1.1 206 Partial\r\nContent-Length: 50000000\r\n\r\n")
    for _ in range(500):
        p.send(b"x" * 100000)
    return True


def partial(p, head):
    """64 KB pieces to a socket that takes less: the rest after EAGAIN."""
    p.s.setblocking(False)
    todo = b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"y" * 3000000
    while todo:
        try:
            n = os.writev(p.s.fileno(), [todo[:30000], todo[30000:65536]])
            todo = todo[n:]
        except BlockingIOError:
            time.sleep(0.001)
    p.s.setblocking(True)
    return True


def head_with_body(p, head):
    """What some applications do: the client would read the body as an answer, if they did not send it apart."""
    return p.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"hello")


def too_much(p, head):
    return p.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay, and more")


def nothing_like_http(p, head):
    return not p.send(b"<html>bad request</html>\r\n")


def bare(p, head):
    return p.send(b"HTTP/1.1 204\n\n")


def opaque(p, head):
    """Another protocol from here on: n small reads and writes."""
    while p.s.recv(1) == b".":
        p.s.send(b"!")
    return False


def serve(s):
    p = Peer(s)
    with s:
        try:
            while (head := p.head()) is not None:
                name = head.split()[1].strip(b"/").partition(b"?")[0].decode().replace("-", "_")
                if name.startswith("127.0.0.1"):
                    name = "tunnel"
                if not globals().get(name, ok)(p, head):
                    return
            # as haproxy does it, be it no request or half of one
            p.send(b"HTTP/1.0 400 Bad request\r\nConnection: close\r\n\r\nno request\n")
        except OSError:
            pass


def serve_other(s):
    """Whatever comes is answered, a byte for a byte."""
    with s:
        while (data := s.recv(1)):
            s.send(data)


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512)
    while True:
        s, _ = listener.accept()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        target = serve_other if "--other" in sys.argv else serve
        threading.Thread(target=target, args=(s,), daemon=True).start()


main()
