# SPDX-License-Identifier: Apache-2.0
"""requests.py PORT-FILE PID: waits for the servers of the demo (as long as PID lives) and sends some requests.

Each carries a W3C traceparent, as a browser, a gateway or a traced client would send: nginx passes it on, so the
spans of both servers are in one trace.
"""
import http.client
import os
import secrets
import sys
import time

REQUESTS = [
    ("GET", "/health", None),
    ("GET", "/menu", None),
    ("GET", "/menu/espresso", None),
    ("GET", "/menu/tea", None),
    ("POST", "/orders", '["espresso", "cappuccino"]'),
    ("POST", "/orders", '["decaf"]'),
    ("GET", "/roast?grade=dark", None),
    ("GET", "/menu", None),
]


def port(path, pid):
    for _ in range(1200):
        os.kill(pid, 0)  # ends with an error when the servers are gone
        if os.path.exists(path):
            with open(path) as f:
                return int(f.read())
        time.sleep(0.025)
    sys.exit("demo: the servers do not start")


def main():
    c = http.client.HTTPConnection("127.0.0.1", port(sys.argv[1], int(sys.argv[2])), timeout=20)
    for method, path, body in REQUESTS:
        headers = {"traceparent": "00-%s-%s-01" % (secrets.token_hex(16), secrets.token_hex(8))}
        c.request(method, path, body, headers)
        answer = c.getresponse()
        size = len(answer.read())
        print("%-4s %-20s -> %d, %d bytes" % (method, path, answer.status, size), flush=True)


main()
