#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A backend that answers with what it got, for tests of outgoing requests.

	echo.py PORT [PATH]		PATH: listens on that UNIX socket as well

Answers {"target": ..., "headers": [[name, value]...], "body": ...} as JSON; names as they came. /status/N answers with
that status, /close without Content-Length, /die not at all. A thread per connection, kept until told to close it.
"""
import json
import socket
import sys
import threading
import time


def answer(target, lines, body):
    headers = [[part.strip() for part in line.split(":", 1)] for line in lines]
    text = json.dumps({"target": target, "headers": headers, "body": body.decode("latin-1")}).encode()
    status = target.split("/")[2] if target.startswith("/status/") else "200"
    if target.startswith("/close"):
        return b"HTTP/1.0 200 OK\r\n\r\n" + text
    return ("HTTP/1.1 %s X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(text))).encode() + text


def take(data, more):
    """The body of a request and what is behind it; more() reads on."""
    head, _, data = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:]}
    if "chunked" in fields.get("transfer-encoding", ""):
        body = b""
        while True:
            while b"\r\n" not in data:
                data += more()
            size, _, data = data.partition(b"\r\n")
            n = int(size, 16)
            while len(data) < n + 2:
                data += more()
            body, data = body + data[:n], data[n + 2:]
            if not n:
                return lines, body, data
    while len(data) < int(fields.get("content-length", 0)):
        data += more()
    n = int(fields.get("content-length", 0))
    return lines, data[:n], data[n:]


def serve(connection):
    data = b""

    def more():
        got = connection.recv(65536)
        if not got:
            raise ConnectionError
        return got

    with connection:
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    data += more()
                lines, body, data = take(data, more)
                target = lines[0].split(" ")[1]
                if target.startswith("/die"):
                    return
                if target.startswith("/slow"):
                    time.sleep(0.05)
                connection.sendall(answer(target, lines[1:], body))
                if target.startswith("/close") or any(line.lower() == "connection: close" for line in lines):
                    return
        except (ConnectionError, OSError):
            pass


def accept_all(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


if len(sys.argv) > 2:
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(sys.argv[2])
    unix.listen(512)
    threading.Thread(target=accept_all, args=(unix,), daemon=True).start()
accept_all(socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512))
