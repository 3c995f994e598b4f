#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spans of its own in a Python server: a decorator, a context manager, a thread pool, asyncio, an exception.

	PYTHONPATH=packaging/python btracectl run -- tests/examples/own/shop.py 8080 & curl localhost:8080/basket

It is the same program, and does the same, without btrace.
"""
import asyncio
import concurrent.futures
import http.server
import sys

import btrace

pool = concurrent.futures.ThreadPoolExecutor(2)


@btrace.span("price")
def price(article, parent=None):
    with btrace.span("look up", {"article": article}, parent=parent) as span:
        span["found"] = article != "unicorn"
        if article == "unicorn":
            raise KeyError(article)
        return len(article)


def in_pool(article, here):
    with btrace.span("pooled", parent=here):
        return price(article)


@btrace.span  # named by the function
async def ask(warehouse):
    with btrace.span("wait", {"warehouse": warehouse}) as span:
        await asyncio.sleep(0.01)
        span.event("answered", stock=3)


async def ask_all():
    async with btrace.span("ask all"):
        await asyncio.gather(*(ask(w) for w in ("north", "south")))


def basket():
    with btrace.span("basket") as span:
        here = btrace.current()
        total = price("tea") + sum(f.result() for f in [pool.submit(in_pool, a, here) for a in ("cup", "pot")])
        span["total"] = total
        return "%d" % total


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, text = 200, ""
        try:
            if self.path == "/basket":
                text = basket()
            elif self.path == "/warehouses":
                asyncio.run(ask_all())
            else:
                text = str(price(self.path.lstrip("/")))
        except KeyError:
            status = 404
        self.log("%s %d" % (self.path, status))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log(self, text):
        print(text, "trace_id=" + btrace.current().trace_id, flush=True)

    def log_request(self, *unused):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[-1])), Shop).serve_forever()
