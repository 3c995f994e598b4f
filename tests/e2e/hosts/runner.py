#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server that runs a command for each request: runner.py PORT BACKEND

The body is a JSON list of words, the command; {backend} in them is the port. Answers {"status", "out", "err"}.
"""
import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        words = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        p = subprocess.run([w.replace("{backend}", sys.argv[2]) for w in words], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
        body = json.dumps({"status": p.returncode, "out": p.stdout.decode("latin-1"), "err": p.stderr.decode("latin-1")})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
