#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes traces as the exporter's `file` does: the same bytes for the same arguments.

demo: a few requests through a proxy; shop: a web shop under load (N traces, about 2.7 spans each); flat: N spans
of one server, each a trace; hostile: names and values that try to break out of terminals, JSON and HTML.
"""
import argparse
import json
import random
import sys

START = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
MS = 1_000_000


def value(v):
    if isinstance(v, bool):
        return {"boolValue": v}
    if isinstance(v, int):
        return {"intValue": str(v)}
    if isinstance(v, float):
        return {"doubleValue": v}
    if isinstance(v, list):
        return {"arrayValue": {"values": [value(x) for x in v]}}
    return {"stringValue": v}


def attributes(d):
    return [{"key": k, "value": value(v)} for k, v in d.items() if v is not None]


class Writer:
    """Batches of spans in the order of their ending, one service's spans together, as the exporter has them."""

    def __init__(self, out, batch):
        self.out, self.batch, self.spans = out, batch, []

    def add(self, service, span):
        self.spans.append((service, span))
        if len(self.spans) >= self.batch:
            self.flush()

    def flush(self):
        services = {}
        for service, span in sorted(self.spans, key=lambda s: int(s[1]["endTimeUnixNano"])):
            services.setdefault(service, []).append(span)
        if services:
            self.out.write(json.dumps({"resourceSpans": [{
                "resource": {"attributes": attributes({
                    "service.name": service, "telemetry.sdk.name": "btrace", "telemetry.sdk.language": "c",
                    "telemetry.sdk.version": "0.1.0", "process.pid": 4000 + len(service), "host.name": "web-1"})},
                "scopeSpans": [{"scope": {"name": "btrace.http", "version": "0.1.0"}, "spans": spans}],
            } for service, spans in services.items()]}, separators=(",", ":"), ensure_ascii=False) + "\n")
        self.spans = []


class Maker:
    def __init__(self, seed, writer):
        self.random, self.writer = random.Random(seed), writer

    def id(self, n):
        return f"{self.random.getrandbits(n * 8) or 1:0{2 * n}x}"

    def span(self, service, trace, parent, method, path, route, status, start, duration, kind=2, name=None,
             port=8080, error=None, extra=None, query=None, events=None):
        failed = error or status >= 500 or (kind == 3 and status >= 400)
        server = kind == 2
        span = {
            "traceId": trace, "spanId": self.id(8), **({"parentSpanId": parent} if parent else {}),
            "name": name if name is not None else f"{method} {route}" if route else method, "kind": kind,
            "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + duration),
            "attributes": attributes({
                "http.request.method": method, "url.path": path if server else None, "url.query": query,
                "url.full": None if server else f"http://127.0.0.1:{port}{path}",
                "url.scheme": "http" if server else None, "http.route": route if server else None,
                "http.response.status_code": status or None, "server.address": "127.0.0.1", "server.port": port,
                "client.address": "127.0.0.1" if server else None,
                "network.peer.address": "127.0.0.1", "network.peer.port": self.random.randrange(32768, 60999),
                "network.protocol.version": "1.1",
                "user_agent.original": "curl/7.88.1" if server else None,
                "http.response.body.size": self.random.randrange(100, 20000),
                "error.type": error or (str(status) if failed else None), **(extra or {})}),
            **({"events": events} if events else {}),
            "flags": 257, **({"status": {"code": 2}} if failed else {}),
        }
        self.writer.add(service, span)
        return span["spanId"]


DEMO = [  # method, path, route, status, milliseconds of the application
    ("GET", "/", "/", 200, 1.9), ("GET", "/users/42", "/users/{id}", 200, 3.2),
    ("GET", "/missing", "/missing", 404, 0.8), ("POST", "/orders", "/orders", 201, 8.4),
    ("GET", "/slow", "/slow", 200, 412.0), ("GET", "/error", "/error", 500, 2.1),
    ("GET", "/users/7", "/users/{id}", 200, 2.7), ("GET", "/static/logo.png", "/static/{file}", 200, 0.0),
]


def demo(make, _traces):
    for i, (method, path, route, status, ms) in enumerate(DEMO):
        trace, start, inner = make.id(16), START + i * 230 * MS, int(ms * MS)
        outer = make.span("nginx", trace, None, method, path, route, status, start, inner + 640_000, port=8080)
        if ms:
            make.span("app", trace, outer, method, path, route, status, start + 310_000, inner, port=9000)


SHOP = [  # weight, method, path, route, median ms, spread, share of errors
    (30, "GET", "/", "/", 4, 0.5, 0.0), (25, "GET", "/products/{n}", "/products/{id}", 12, 0.6, 0.002),
    (14, "GET", "/search", "/search", 45, 0.9, 0.004), (10, "GET", "/cart", "/cart", 8, 0.4, 0.0),
    (8, "POST", "/cart/items", "/cart/items", 15, 0.5, 0.01), (4, "POST", "/checkout", "/checkout", 180, 0.7, 0.04),
    (7, "GET", "/static/app.{n}.js", "/static/{file}", 1, 0.3, 0.0), (2, "GET", "/health", "/health", 0.4, 0.2, 0.0),
]
WEIGHTS = [row[0] for row in SHOP]


def shop(make, traces):
    r, at = make.random, START
    for i in range(traces):
        at += int(r.expovariate(1) * 40 * MS * (1.6 if i % 4000 < 1500 else 1.0))
        bad = 0.55 < i / traces < 0.6  # one bad minute
        _, method, path, route, median, spread, errors = r.choices(SHOP, WEIGHTS)[0]
        own = route in ("/static/{file}", "/health")
        duration = int(median * MS * r.lognormvariate(0, spread) * (3 if bad and not own else 1))
        status = r.choice((500, 502, 503)) if r.random() < (errors * 12 if bad else errors) else \
            404 if r.random() < 0.01 else 201 if method == "POST" else 200
        path, trace = path.replace("{n}", str(r.randrange(1, 900))), make.id(16)
        outer = make.span("frontend", trace, None, method, path, route, status, at, duration,
                          query=f"q=item+{r.randrange(400)}" if route == "/search" else None)
        if own:
            continue
        inner = int(duration * 0.8)
        client = make.span("frontend", trace, outer, method, "/api" + path, None, status, at + duration // 20, inner,
                           kind=3, port=8081)
        make.span("backend", trace, client, method, "/api" + path, "/api" + route, status, at + duration // 15,
                  int(inner * 0.9), port=8081)


def flat(make, traces):
    r, at = make.random, START
    for _ in range(traces):
        at += int(r.expovariate(1) * 2 * MS)
        _, method, path, route, median, spread, errors = r.choices(SHOP, WEIGHTS)[0]
        make.span("app", make.id(16), None, method, path.replace("{n}", str(r.randrange(1, 900))), route,
                  500 if r.random() < errors else 200, at, int(median * MS * r.lognormvariate(0, spread)))


HOSTILE = [
    "</script><script>document.title='owned'</script>", "<img src=x onerror=\"document.title='owned'\">",
    "<!--<script>", "\x1b[31mred\x1b]0;title\x07", "a\r\nb\tc", "\u202egnp.exe", "\u2028\u2029", "${7*7}{{7*7}}`",
    "\x00nul", "'\"><svg onload=document.title='owned'>", "]]>", "日本語 Grüße 🚀", "\u0301combining", "\\u003c",
    "%3Cscript%3E", "__proto__", "constructor", "x" * 3000, "\x9b31mC1",
]


def hostile(make, _traces):
    for i, text in enumerate(HOSTILE):
        trace = make.id(16)
        outer = make.span(text, trace, None, "GET", "/" + text, "/" + text, 200, START + i * MS, 5 * MS,
                          name=text, extra={text: text, "list": [text, 1, True]},
                          events=[{"timeUnixNano": str(START + i * MS), "name": text,
                                   "attributes": attributes({text: text})}])
        make.span("app", trace, outer, text, text, None, 500, START + i * MS, 3 * MS, kind=3, name="", error=text)


def main():
    scenarios = {f.__name__: f for f in (demo, shop, flat, hostile)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", choices=scenarios, default="demo")
    parser.add_argument("--traces", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=512, help="spans a line")
    parser.add_argument("-o", "--output", default="-")
    arguments = parser.parse_args()
    out = sys.stdout if arguments.output == "-" else open(arguments.output, "w", encoding="utf-8", newline="\n")
    with out:
        writer = Writer(out, arguments.batch)
        scenarios[arguments.scenario](Maker(arguments.seed, writer), arguments.traces)
        writer.flush()


if __name__ == "__main__":
    main()
