# SPDX-License-Identifier: Apache-2.0
"""Twelve ways to talk to an HTTP server, each on connections of its own.

A scenario returns what the client saw (compared between a plain and a traced server) and the exchanges (held against
the spans). Servers differ in what they answer, and that is no matter here: only that they answer the same.
"""
import re
import time

from harness import Connection, ProtocolError

SHORT, LONG = 2, 20  # seconds for an answer that may never come; for one that another server has given


def alike(a, b):
    """The same, row by row. Of a refused POST only the head counts when a response was cut: a server that closes with
    the body unread resets the connection, which may overtake its answer."""
    (rows_a, notes_a), (rows_b, notes_b) = a.essence(), b.essence()
    cut = any(r[0] == "POST" and (r[4] or 0) >= 400 and not r[10] for r in rows_a + rows_b)
    return [r[:7] for r in rows_a] == [r[:7] for r in rows_b] if cut else (rows_a, notes_a) == (rows_b, notes_b)


class Seen:
    """What came of one scenario."""

    def __init__(self, port, patience=SHORT):
        self.port, self.exchanges, self.notes = str(port).encode(), [], []
        self.patience = patience

    def waited_in_vain(self):
        return any(note in ("open", "TimeoutError", "second not answered", "not kept alive") for note in self.notes)

    def essence(self):
        """Comparable between two servers: their ports are taken out of heads and bodies, but not out of longer numbers."""
        rows, port = [], rb"(?<!\d)%b(?!\d)" % self.port
        for e in self.exchanges:
            whole = list(e.essence())
            whole[6] = tuple((k, re.sub(port.decode(), "PORT", v)) for k, v in whole[6])
            if e.response_size <= 65536:
                whole[9] = re.sub(port, b"PORT", e.body)
            rows.append(tuple(whole))
        return rows, self.notes


def talk(seen, address, method, target, end=False, timeout=LONG, **how):
    """One request on a connection of its own. end: the server must close after it, or not: that is noted."""
    with Connection(address, seen.exchanges, timeout) as c:
        try:
            exchange = c.start(method, target, **how)
            c.finish(exchange)
            if end:
                seen.notes.append(ending(c, seen.patience))
        except (OSError, ProtocolError) as e:
            seen.notes.append(type(e).__name__)


def ending(connection, patience):
    """How the server leaves an idle connection: closes it, or keeps it open for a while at least."""
    connection.socket.settimeout(patience)
    try:
        connection.at_end()
        return "closed"
    except TimeoutError:
        return "open"
    except OSError:
        return "closed"


def drain(connection, patience):
    """Whatever the server says and how it ends: (first bytes, "closed" or "open")."""
    connection.socket.settimeout(patience)
    end = "closed"
    try:
        while connection.fill():
            pass
    except TimeoutError:
        end = "open"
    except OSError:
        pass
    return bytes(connection.buffer[:15]), end


def get_close(seen, address, tag):
    talk(seen, address, "GET", "/small.txt?" + tag, headers=(("Connection", "close"),), end=True)


def keep_alive(seen, address, tag):
    """Two requests on one connection, or on two where the server does not keep it, said or unsaid."""
    c = Connection(address, seen.exchanges)
    try:
        c.get("/small.txt?%s.0" % tag)
        if c.reusable:
            try:
                c.get("/small.txt?%s.1" % tag)
                return
            except (OSError, ProtocolError):
                pass
        seen.notes.append("not kept alive" if c.reusable else "close")
    finally:
        c.close()
    talk(seen, address, "GET", "/small.txt?%s.2" % tag)


def pipelined(seen, address, tag):
    with Connection(address, seen.exchanges, seen.patience) as c:
        try:
            c.pipeline([("GET", "/small.txt?%s.%d" % (tag, i), {}) for i in range(2)])
        except (OSError, ProtocolError):
            seen.notes.append("second not answered")


def three_segments(seen, address, tag):
    talk(seen, address, "GET", "/small.txt?" + tag, headers=(("X-Filler", "f" * 200),), split=[7, 90], pause=0.02)


def http10(seen, address, tag):
    talk(seen, address, "GET", "/small.txt?" + tag, version="1.0", end=True)


def post_small(seen, address, tag):
    talk(seen, address, "POST", "/echo?" + tag, body=b"hello world")


def post_expect(seen, address, tag):
    talk(seen, address, "POST", "/echo?" + tag, body=bytes(97 + i % 26 for i in range(100000)), expect=1, timeout=seen.patience)


def post_chunked(seen, address, tag):
    talk(seen, address, "POST", "/echo?" + tag, body=b"0123456789" * 1000, chunked=1500, timeout=seen.patience)


def get_large(seen, address, tag):
    talk(seen, address, "GET", "/large.bin?" + tag)


def reset_in_download(seen, address, tag):
    with Connection(address, seen.exchanges) as c:
        exchange = c.start("GET", "/large.bin?" + tag)
        c.read_head(exchange)
        while len(c.buffer) < 65536 and c.fill():
            pass
        c.abort()
        exchange.end_ns = time.time_ns()


def junk(seen, address, tag):
    with Connection(address, timeout=seen.patience) as c:
        c.send(b"\x03\0\0\x13 no HTTP at all " + tag.encode() + b"\r\n\r\n")
        seen.notes += drain(c, seen.patience)


def connect_only(seen, address, tag):
    with Connection(address) as c:
        c.half_close()
        seen.notes += drain(c, seen.patience)


SCENARIOS = {
    "GET, close": get_close, "keep-alive": keep_alive, "pipelined": pipelined, "3 segments": three_segments,
    "HTTP/1.0": http10, "POST 11 B": post_small, "POST 100 kB, Expect": post_expect, "POST chunked": post_chunked,
    "GET 3 MiB": get_large, "RST in download": reset_in_download, "junk": junk, "connect only": connect_only,
}
