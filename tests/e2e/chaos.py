# SPDX-License-Identifier: Apache-2.0
"""A client that talks HTTP to a server in every legal and half of the illegal ways: any split, pipelining, delays,
half-closes, aborts at any byte. All of it follows from a seed. Its own log is the oracle.

Each request has a target of its own. One that was answered whole must be one span with the same method, target, status
and body sizes, begun and ended while the client waited. One that the client cut off is one span if any of the answer
came (with that status), else one or none; and never with a status that the server does not give to this target.
"""
import dataclasses
import random
import socket
import threading
import time

from client import Connection, Exchange, ProtocolError, encode_body, render

PATIENCE = 20  # seconds for an answer; a server that needs longer is stuck


@dataclasses.dataclass
class Ask:
    """A request as a server's dialect has it, and what it answers."""
    method: str
    target: str
    status: int
    size: int                   # of the response's body
    body: bytes = b""
    chunked: int = 0
    headers: tuple = ()
    version: str = "1.1"
    closes: bool = False        # the server ends the connection after it

    def bytes(self):
        head, tail = render(self.method, self.target, self.headers, self.body, self.chunked, self.version)
        return head + tail


BODY = (b"GET /phantom HTTP/1.1\r\nHost: h\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 1500)[:100000]


class Dialect:
    """What to ask a server, so that its answer is known. small: bytes of /small.txt, large: of /large.bin."""
    pipelines = heads = True

    def __init__(self, small, large):
        self.small, self.large = small, large

    def ask(self, rng, tag):
        kind = rng.randrange(20)
        if kind == 0 and not rng.randrange(5):
            return Ask("GET", "/large.bin?" + tag, 200, self.large)
        if kind < 4:
            return Ask("GET", "/missing?" + tag, 404, self.missing)
        if kind < 6 and self.heads:
            return Ask("HEAD", "/small.txt?" + tag, 200, 0)
        if kind < 7:
            return Ask("GET", "/small.txt?%s&%s" % (tag, "q" * rng.choice((300, 900))), 200, self.small)
        if kind < 12 and self.echo:
            return self.post(rng, tag)
        if kind < 14:
            return Ask("GET", "/small.txt?" + tag, 200, self.small, headers=(("Connection", "close"),), closes=True)
        if kind < 15:
            return Ask("GET", "/small.txt?" + tag, 200, self.small, version="1.0", closes=True)
        return Ask("GET", "/small.txt?" + tag, 200, self.small, headers=(("X-Filler", "f" * rng.randrange(2000)),))

    def post(self, rng, tag):
        body = BODY[:rng.choice((1, 10, 100, 3000, 3000, 100000))]
        headers = ((("Content-Length", "0%d" % len(body)),) if rng.randrange(8) == 0 else ())
        chunked = rng.choice((0, 0, 1 + rng.randrange(5000))) if not headers else 0
        return Ask("POST", self.echo + "?" + tag, 200, len(body), body, chunked, headers)


class Nginx(Dialect):
    echo, missing = "/echo", None


class Apache(Dialect):
    echo, missing = None, None


class Node(Dialect):
    echo, missing = "/echo", 2


class Gunicorn(Dialect):
    # it drops what is pipelined behind a request, and its application answers HEAD with a body
    echo, missing, pipelines, heads = "/echo", 0, False, False


class ManyWays(Dialect):
    """tests/e2e/hosts/many_ways.c: the target says what the answer is."""

    def ask(self, rng, tag):
        method = rng.choice(("GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS", "get", "M-SEARCH"))
        status = rng.choice((200, 200, 200, 200, 201, 204, 304, 404, 500, 599))
        framing = rng.choice("lllcccce")
        size = 0 if framing == "l" and status == 204 else rng.choice((0, 1, 2, 100, 5000, 5000, 20000))
        if not rng.randrange(60):
            size = rng.randrange(2000000)
        interim = rng.choice((0, 0, 0, 0, 1, 2, 3))
        target = "/any?s=%d&f=%s&n=%d&i=%d&%s" % (status, framing, size, interim, tag)
        if not rng.randrange(10):
            target = "http://h" + target
        body = BODY[:rng.choice((0, 1, 10, 100, 3000, 3000, 50000))] if method in ("POST", "PUT") else b""
        headers = [("X-Filler", "f" * rng.choice((0, 10, 500, 5000)))]
        chunked = 1 + rng.randrange(5000) if body and rng.randrange(3) == 0 else 0
        if body and not rng.randrange(6):
            headers.append(("Expect", "100-continue"))
        version = "1.0" if framing == "e" and not chunked and not rng.randrange(4) else "1.1"
        none = method == "HEAD" or status in (204, 304)
        return Ask(method, target, status, 0 if none else size, body, chunked, tuple(headers), version,
                   closes=framing == "e" or version == "1.0")


class Chaos:
    """`requests` requests over `threads` connections at a time. log: the exchanges, each with its .ask."""

    def __init__(self, address, dialect, seed, requests, threads=6):
        self.address, self.dialect, self.seed, self.requests = address, dialect, seed, requests
        self.log, self.errors, self.lock = [], [], threading.Lock()
        self.next_connection, self.left = 0, requests
        workers = [threading.Thread(target=self.work) for _ in range(threads)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()

    def work(self):
        while not self.errors:
            with self.lock:
                if self.left <= 0:
                    return
                number = self.next_connection
                self.next_connection += 1
                rng = random.Random(self.seed << 32 | number)
                asks = self.plan(rng, number)
                self.left -= len(asks)
            try:
                self.converse(rng, asks)
            except Exception as e:
                self.errors.append("connection %d of seed %d: %s: %s" % (number, self.seed, type(e).__name__, e))

    # --- one connection ---
    def plan(self, rng, number):
        """Its requests; behind one that ends the connection there is none."""
        asks = []
        for i in range(rng.choice((1, 1, 2, 3, 5, 8, 20))):
            asks.append(self.dialect.ask(rng, "c=%d.%d" % (number, i)))
            if asks[-1].closes:
                break
        return asks

    def converse(self, rng, asks):
        log = []
        connection = Connection(self.address, log, PATIENCE)
        try:
            if rng.randrange(8) == 0:
                self.end_badly(rng, connection, asks)
            elif len(asks) > 1 and self.dialect.pipelines and rng.randrange(3) == 0:
                self.pipelined(rng, connection, asks)
            else:
                self.one_by_one(rng, connection, asks)
        finally:
            connection.close()
            with self.lock:
                self.log += log

    def begin(self, connection, ask):
        e = Exchange(ask.method, ask.target, len(ask.body), connection.number)
        e.ask, e.cut = ask, False
        connection.log.append(e)
        e.start_ns = time.time_ns()
        return e

    def send(self, rng, connection, data):
        """Whole, in a few pieces, byte by byte, with pauses or without. A server may have answered and closed."""
        way = rng.randrange(10)
        if way < 4:
            split = None
        elif way < 9 or len(data) > 700:
            split = sorted({rng.randrange(1, len(data)) for _ in range(rng.randrange(1, 6))})
        else:
            split = 1
        connection.send(data, split, pause=rng.choice((0, 0, 0.0005, 0.003)) if split != 1 else 0)

    def one_by_one(self, rng, connection, asks):
        for ask in asks:
            e = self.begin(connection, ask)
            self.send(rng, connection, ask.bytes())
            if ask is asks[-1] and rng.randrange(10) == 0:
                connection.half_close()
                self.finish_if_answered(connection, e)
                return
            connection.finish(e)
            if not rng.randrange(30):
                time.sleep(0.02)
            if not connection.reusable:
                return

    def pipelined(self, rng, connection, asks):
        """As many at a time as fit the buffers between us: nobody reads while we write."""
        group, room = [], 0
        for ask in asks + [None]:
            if ask and (len(ask.bytes()) + ask.size if ask.size else len(ask.bytes())) + room <= 60000 and len(group) < 8:
                group.append(ask)
                room += len(ask.bytes()) + (ask.size or 0)
                continue
            exchanges = [self.begin(connection, a) for a in group]
            if group:
                self.send(rng, connection, b"".join(a.bytes() for a in group))
            for e in exchanges:
                connection.finish(e)
            if not connection.reusable:
                return
            group, room = [], 0
            if ask:
                e = self.begin(connection, ask)
                self.send(rng, connection, ask.bytes())
                connection.finish(e)
                if not connection.reusable:
                    return

    def finish_if_answered(self, connection, e):
        """Behind a half-close: some servers take it for the client's end."""
        try:
            connection.finish(e)
        except (OSError, ProtocolError) as error:
            if isinstance(error, TimeoutError):
                raise

    def end_badly(self, rng, connection, asks):
        """Cut off in the request, before the answer, or in the middle of it; by FIN or by RST."""
        way = rng.randrange(4)
        try:
            for ask in asks[:-1]:
                connection.finish(self.sent(rng, connection, ask))
                if not connection.reusable:
                    return
            ask = asks[-1]
            data = ask.bytes()
            e = self.begin(connection, ask)
            if way == 0:
                e.cut = True
                connection.send(data[:rng.randrange(len(data))])
            else:
                connection.send(data)
            if way == 2:
                while e.status is None:
                    connection.read_head(e)
            elif way == 3:
                connection.half_close()
                time.sleep(rng.choice((0, 0.002)))
        except (OSError, ProtocolError) as error:
            connection.log[-1].error = error
        connection.log[-1].end_ns = time.time_ns()
        if rng.randrange(2):
            try:
                connection.abort()
            except OSError:
                pass

    def sent(self, rng, connection, ask):
        e = self.begin(connection, ask)
        self.send(rng, connection, ask.bytes())
        return e


# --- the check ---
def why_wrong(e, spans):
    """What is wrong with the spans of one exchange; None if nothing."""
    answered = e.complete or e.status is not None
    if len(spans) > 1 or (answered and not spans):
        return "%d spans" % len(spans)
    if not spans:
        return None
    s = spans[0]
    allowed = (e.status,) if answered else (None, e.ask.status) + ((400, 408) if e.cut else ())
    if s.method != e.method or s.status_code not in allowed:
        return "%s %s" % (s.method, s.status_code)
    sizes = (s.get("http.request.body.size", 0), s.get("http.response.body.size", 0))
    if e.complete and sizes != (e.request_size, e.response_size):
        return "bodies of %d and %d bytes" % sizes
    if e.complete and "error.type" in s.attributes and e.status < 500:
        return "error.type %s" % s.get("error.type")
    if s.status_code is None and "error.type" not in s.attributes:
        return "neither status nor error.type"
    if sizes[0] > e.request_size or (e.ask.size is not None and s.status_code == e.ask.status and sizes[1] > e.ask.size):
        return "bodies of %d and %d bytes, more than there are" % sizes
    # the two clocks are read one after the other; a write may return long after its bytes were read
    if s.start_ns < e.start_ns - 20e6 or (e.complete and s.start_ns > e.end_ns + 20e6) or s.end_ns < s.start_ns:
        return "begins %.1f ms after its request, ends %.1f ms after its answer" % (
            (s.start_ns - e.start_ns) / 1e6, (s.end_ns - e.end_ns) / 1e6)
    if e.complete and s.end_ns > e.end_ns + 10e9:
        return "ends %.1f s after its answer" % ((s.end_ns - e.end_ns) / 1e9)
    return None


def path_and_query(target):
    """As a span has it: an absolute-form target without scheme and authority."""
    return "/" + target.partition("://")[2].partition("/")[2] if "://" in target[:8] else target


def check(log, spans):
    by_target = {}
    for s in spans:
        by_target.setdefault(s.target, []).append(s)
    wrong = []
    for e in log:
        why = why_wrong(e, by_target.pop(path_and_query(e.target), []))
        if why:
            wrong.append("%r: %s" % (e, why))
    wrong += ["a span of no request: %r" % s for rest in by_target.values() for s in rest]
    assert not wrong, "%d of %d wrong:\n%s" % (len(wrong), len(log), "\n".join(wrong[:10]))
