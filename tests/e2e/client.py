# SPDX-License-Identifier: Apache-2.0
"""A strict HTTP/1 client on raw sockets: the oracle of the end-to-end tests.

It sends exactly the bytes that it is told to (any split, pipelined, chunked, cut off) and believes a response only
when its framing is right. Each request leaves an Exchange: what was sent, what came back, when. The tests hold the
spans against these, never against what the server or the library says about itself.
"""
import hashlib
import re
import socket
import struct
import threading
import time

STATUS_LINE = re.compile(rb"HTTP/(1\.[01]) ([1-9][0-9][0-9])(?: (.*))?\Z")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*\Z", re.S)
WANDERING = {"date", "expires", "last-modified", "etag", "x-varnish"}  # fields that differ from run to run


class ProtocolError(Exception):
    pass


class Exchange:
    """One request and its response; sizes are those of the bodies."""

    def __init__(self, method, target, request_size, connection):
        self.method, self.target, self.request_size, self.connection = method, target, request_size, connection
        self.status = self.reason = self.version = None
        self.interim, self.headers = [], []
        self.response_size, self.sha256 = 0, hashlib.sha256(b"").hexdigest()
        self.body = b""             # its first 64 KiB
        self.complete = False       # the whole response was read
        self.framing = None         # none, length, chunked, close
        self.start_ns = self.end_ns = 0
        self.error = None

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    def header(self, name):
        values = [v for k, v in self.headers if k.lower() == name.lower()]
        return values[0] if values else None

    def essence(self):
        """What must be the same with and without the library."""
        head = tuple((k, "*" if k.lower() in WANDERING else v) for k, v in self.headers)
        return (self.method, self.target, tuple(self.interim), self.version, self.status, self.reason, head,
                self.framing, self.response_size, self.sha256, self.complete)

    def __repr__(self):
        return "<%s %s -> %s, %d+%d bytes%s>" % (self.method, self.target, self.status, self.request_size,
                                                 self.response_size, "" if self.complete else ", incomplete")


def render(method, target, headers=(), body=b"", chunked=0, version="1.1", host="localhost"):
    """The bytes of a request. chunked=N: the body in chunks of N bytes. headers: (name, value) pairs."""
    names = {k.lower() for k, _ in headers}
    out = ["%s %s HTTP/%s" % (method, target, version)]
    if "host" not in names and version == "1.1":
        out.append("Host: " + host)
    out += ["%s: %s" % pair for pair in headers]
    if chunked:
        out.append("Transfer-Encoding: chunked")
    elif body or method in ("POST", "PUT", "PATCH"):
        if "content-length" not in names:
            out.append("Content-Length: %d" % len(body))
    return ("\r\n".join(out) + "\r\n\r\n").encode("latin-1"), encode_body(body, chunked)


def encode_body(body, chunked):
    if not chunked:
        return body
    out = bytearray()
    for i in range(0, len(body), chunked):
        piece = body[i:i + chunked]
        out += b"%x\r\n" % len(piece) + piece + b"\r\n"
    return bytes(out + b"0\r\n\r\n")


class Connection:
    """One client connection. log: a list that collects the exchanges."""
    numbers = iter(range(1, 1 << 60))

    def __init__(self, address, log=None, timeout=30):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = next(self.numbers)
        self.log = [] if log is None else log
        self.buffer = bytearray()
        self.reusable = True        # no response has said or meant "close"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- bytes ---
    def send(self, data, split=None, pause=0):
        """split: positions after which a new segment begins, or a number of bytes for each; pause: seconds between."""
        if split is None:
            self.socket.sendall(data)
            return
        cuts = list(range(split, len(data), split)) if isinstance(split, int) else [c for c in split if c < len(data)]
        for a, b in zip([0] + cuts, cuts + [len(data)]):
            if a and pause:
                time.sleep(pause)
            self.socket.sendall(data[a:b])

    def fill(self):
        """Reads more into the buffer; False at the end of the stream."""
        data = self.socket.recv(1 << 18)
        self.buffer += data
        return bool(data)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def abort(self):
        """Ends the connection by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()

    def at_end(self):
        """Waits for the server's close; any byte before it is an error."""
        if self.buffer or self.fill():
            raise ProtocolError("bytes after the response: %r" % bytes(self.buffer[:80]))

    # --- requests ---
    def start(self, method, target, headers=(), body=b"", chunked=0, version="1.1", split=None, pause=0, expect=0):
        """Sends a request; its response is to be had by finish(). expect: seconds to wait for 100 Continue before the
        body is sent unasked; a final answer instead of it means that the body stays here."""
        exchange = Exchange(method, target, len(body), self.number)
        head, tail = render(method, target, tuple(headers) + ((("Expect", "100-continue"),) if expect else ()), body,
                            chunked, version)
        self.log.append(exchange)
        exchange.start_ns = time.time_ns()
        if not expect:
            self.send(head + tail, split, pause)
            return exchange
        self.send(head)
        patience = self.socket.gettimeout()
        self.socket.settimeout(expect)
        try:
            answer = self.read_head(exchange)
        except TimeoutError:
            answer = 100
        self.socket.settimeout(patience)
        if answer == 100:
            self.send(tail)
        else:
            exchange.request_size = 0
        return exchange

    def finish(self, exchange):
        try:
            while exchange.status is None:
                self.read_head(exchange)
            self.read_body(exchange)
            exchange.complete = True
        except (OSError, ProtocolError) as e:
            exchange.error = e
            self.reusable = False
            raise
        finally:
            exchange.end_ns = time.time_ns()
        return exchange

    def request(self, method, target, **how):
        return self.finish(self.start(method, target, **how))

    def get(self, target, **how):
        return self.request("GET", target, **how)

    def pipeline(self, requests):
        """requests: (method, target, {options}); all are sent before the first response is read."""
        data, pending = bytearray(), []
        for method, target, how in requests:
            head, tail = render(method, target, **how)
            data += head + tail
            pending.append(Exchange(method, target, len(how.get("body", b"")), self.number))
        self.log += pending
        for e in pending:
            e.start_ns = time.time_ns()
        self.send(bytes(data))
        return [self.finish(e) for e in pending]

    # --- responses ---
    def line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            if len(self.buffer) > 65536:
                raise ProtocolError("a line of over 64 KiB")
            if not self.fill():
                raise ProtocolError("closed after %r" % bytes(self.buffer[-60:]))
        line = bytes(self.buffer[:end])
        del self.buffer[:end + 2]
        if b"\n" in line or b"\r" in line:
            raise ProtocolError("bare CR or LF in %r" % line)
        return line

    def read_head(self, exchange):
        """One head, an interim one included; its status."""
        match = STATUS_LINE.match(line := self.line())
        if not match:
            raise ProtocolError("no status line: %r" % line[:80])
        fields = []
        while line := self.line():
            field = FIELD.match(line)
            if not field:
                raise ProtocolError("no header field: %r" % line[:80])
            fields.append((field[1].decode("latin-1"), field[2].decode("latin-1")))
        status = int(match[2])
        if status < 200 and status != 101:
            exchange.interim.append(status)
            return status
        exchange.version, exchange.status = match[1].decode(), status
        exchange.reason = (match[3] or b"").decode("latin-1")
        exchange.headers = fields
        return status

    def read_body(self, exchange):
        digest, self.digest_size, self.kept = hashlib.sha256(), 0, bytearray()
        coding, length = exchange.header("transfer-encoding"), exchange.header("content-length")
        connection = (exchange.header("connection") or "").lower()
        keep = "close" not in connection if exchange.version == "1.1" else "keep-alive" in connection
        if exchange.method == "HEAD" or exchange.status in (204, 304) or exchange.status < 200:
            exchange.framing = "none"
        elif coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise ProtocolError("framing: Transfer-Encoding %r, Content-Length %r" % (coding, length))
            exchange.framing = "chunked"
            self.read_chunks(digest)
        elif length is not None:
            if not re.fullmatch("[0-9]+", length):
                raise ProtocolError("Content-Length %r" % length)
            exchange.framing = "length"
            self.take(int(length), digest)
        else:
            exchange.framing, keep = "close", False
            while True:
                self.take(len(self.buffer), digest)
                if not self.fill():
                    break
        self.reusable = self.reusable and keep
        exchange.body = bytes(self.kept)
        exchange.response_size, exchange.sha256 = self.digest_size, digest.hexdigest()

    def take(self, n, digest):
        self.digest_size += n
        while n:
            if not self.buffer and not self.fill():
                raise ProtocolError("closed %d bytes before the end of the body" % n)
            piece = self.buffer[:n]
            digest.update(piece)
            self.kept += piece[:65536 - len(self.kept)]
            n -= len(piece)
            del self.buffer[:len(piece)]

    def read_chunks(self, digest):
        while True:
            line = self.line().partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]+", line):
                raise ProtocolError("chunk size %r" % line)
            size = int(line, 16)
            if size == 0:
                break
            self.take(size, digest)
            if self.line():
                raise ProtocolError("no line end after a chunk")
        while self.line():
            pass


def load(address, plan, connections=20, log=None):
    """Runs (method, target, {options}) rows over so many keep-alive connections at once, row i on connection
    i % connections, each connection in its order; a connection that the server ended is opened anew.
    The exchanges, in the order of the plan."""
    result, errors = [None] * len(plan), []

    def one(first):
        connection, mine = None, []
        try:
            for i in range(first, len(plan), connections):
                if connection is None or not connection.reusable:
                    if connection:
                        connection.close()
                    connection = Connection(address, mine)
                method, target, how = plan[i]
                result[i] = connection.request(method, target, **how)
        except Exception as e:  # told by the caller's thread
            errors.append("request %s: %s: %s" % (mine[-1] if mine else "-", type(e).__name__, e))
        finally:
            if connection:
                connection.close()
            if log is not None:
                log.extend(mine)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(min(connections, len(plan)))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise ProtocolError("%d of %d connections failed; the first: %s" % (len(errors), connections, errors[0]))
    return result


def difference(plain, traced):
    """The first differences between two runs of one plan, as text; empty when they are the same."""
    out = []
    for a, b in zip(plain, traced):
        if a.essence() != b.essence():
            out.append("%s\n  plain:  %s\n  traced: %s" % (a.target, a.essence()[2:], b.essence()[2:]))
    if len(plain) != len(traced):
        out.append("%d exchanges plain, %d traced" % (len(plain), len(traced)))
    return "\n".join(out[:5] + (["... %d more" % (len(out) - 5)] if len(out) > 5 else []))
