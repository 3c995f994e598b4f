#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server that asks a backend to answer: each request makes one of its own with http.client.

	caller.py PORT BACKEND [--pool] [--timeout]

GET /any/path asks the backend for the same target and answers with its body. BACKEND is a port or the path of a UNIX
socket. A thread per connection; --pool: connections to the backend are shared by all threads and kept. Target /fork...
asks from a forked child; /twice... asks two times. A request header X-Context is sent on as traceparent. --timeout:
Python then connects without blocking. The answer is 502 where the backend cannot be reached.
"""
import http.client
import os
import queue
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

backend = sys.argv[2]
pool = queue.LifoQueue()
limit = 60 if "--timeout" in sys.argv else None


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(limit)
        self.sock.connect(backend)


def connection():
    if "--pool" in sys.argv:
        try:
            return pool.get_nowait()
        except queue.Empty:
            pass
    return http.client.HTTPConnection("127.0.0.1", int(backend), timeout=limit) if backend.isdigit() else Unix("localhost")


def ask(target, headers={}):
    c = connection()
    c.request("GET", target, headers=headers)
    body = c.getresponse().read()
    if "--pool" in sys.argv:
        pool.put(c)
    else:
        c.close()
    return body


def ask_in_child(target):
    r, w = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(w, ask(target))
        os._exit(0)
    os.close(w)
    with os.fdopen(r, "rb") as f:
        body = f.read()
    os.waitpid(pid, 0)
    return body


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        headers, status = {}, 200
        if self.headers.get("X-Context"):
            headers["TraceParent"] = self.headers["X-Context"]
        if self.path.startswith("/plain"):
            body = b"ok"
        elif self.path.startswith("/fork"):
            body = ask_in_child(self.path)
        else:
            if self.path.startswith("/twice"):
                ask(self.path, headers)
            try:
                body = ask(self.path, headers)
            except (ConnectionRefusedError, FileNotFoundError) as e:
                status, body = 502, type(e).__name__.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
