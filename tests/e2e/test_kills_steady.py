# SPDX-License-Identifier: Apache-2.0
"""A server under steady load through the exporter into a collector: nothing grows, every request arrives exactly
once. BTRACE_SOAK=1: for half an hour."""
import http.server
import os
import re
import threading
import time

from client import Connection
from harness import exporters, limit, wait_for
from test_kills import tell

TIER = "kills"
LONG = bool(os.environ.get("BTRACE_SOAK"))
SECONDS = 1800 if LONG else 10
RATE = 300  # requests a second, of all clients
CLIENTS = 4
NUMBER = re.compile(rb'"url\.query":"n=(\d+)"')
KINDS = ("RssAnon", "RssShmem")
MAY_GROW = (512, 8192, 2048, 8192)  # KiB, of host and exporter; shared pages of table and queue are touched bit by bit


class Collector(http.server.ThreadingHTTPServer):
    """Zipkin's endpoint, which keeps of each span how often it came."""

    def __init__(self):
        self.seen, self.spans, self.lock = bytearray(SECONDS * RATE * 2), 0, threading.Lock()
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def add(self, body):
        with self.lock:
            self.spans += body.count(b'"traceId"')
            for number in NUMBER.findall(body):
                self.seen[int(number)] += 1


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.add(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Client(threading.Thread):
    """Each n-th number is its; files, paths that are not there, bodies, now and then a connection anew."""

    def __init__(self, server, first, end):
        super().__init__(daemon=True)
        self.server, self.first, self.end, self.answered, self.error = server, first, end, 0, None
        self.start()

    def run(self):
        try:
            self.ask()
        except Exception as e:  # told by the test
            self.error = e

    def ask(self):
        log, connection, due = [], None, time.monotonic()
        while time.monotonic() < self.end:
            number = self.first + self.answered * CLIENTS
            if number % 97 < CLIENTS or not connection:
                if connection:
                    connection.close()
                connection = Connection(self.server.address, log)
            if number % 11 == 0:
                connection.get("/things/%d/parts?n=%d" % (number, number))
            elif number % 13 == 0:
                connection.request("POST", "/small.txt?n=%d" % number, body=b"x" * (number % 2000))
            else:
                connection.get("/small.txt?n=%d" % number)
            assert log.pop().complete
            self.answered += 1
            if not connection.reusable:
                connection.close()
                connection = None
            due += CLIENTS / RATE
            time.sleep(max(due - time.monotonic(), 0))
        connection.close()


def memory(pids):
    """KiB of RssAnon and RssShmem of all of them."""
    sums = dict.fromkeys(KINDS, 0)
    for pid in pids:
        with open("/proc/%d/status" % pid) as f:
            for line in f:
                name = line.partition(":")[0]
                if name in sums:
                    sums[name] += int(line.split()[1])
    return tuple(sums.values())


def sample(server, end):
    """Of the host's and of the exporter's memory, some sixty samples."""
    wait_for("keeper and worker", lambda: len(exporters()) == 2)
    host, exporter = [p.pid for p in server.family()], [p.pid for p in exporters()]
    samples = []
    while time.monotonic() < end:
        samples.append(memory(host) + memory(exporter))
        time.sleep(SECONDS / 60)
    assert {p.pid for p in exporters()} == set(exporter) and {p.pid for p in server.family()} == set(host)
    return samples


def summary(samples):
    """(before, after) of each column: medians of the second tenth, when all has been touched once, and the last."""
    n = max(len(samples) // 10, 1)

    def middle(rows):
        return [sorted(column)[len(rows) // 2] for column in zip(*rows)]
    return list(zip(middle(samples[n:2 * n] or samples), middle(samples[-n:])))


def report(requests, rows):
    tell("%d requests in %d s; KiB after a tenth and at the end: host %s, exporter %s" % (
        requests, SECONDS, *(", ".join("%s %d and %d" % (k, *r) for k, r in zip(KINDS, part))
                             for part in (rows[:2], rows[2:]))))


@limit(SECONDS + 120)
def test_steady_load_grows_nothing_and_arrives_exactly_once(t):
    t.need("nginx")
    collector = Collector()
    session = t.session(exporter_type="zipkin", zipkin={
        "endpoint": "http://127.0.0.1:%d/api/v2/spans" % collector.server_address[1]})
    server = t.serve("nginx", session)
    end = time.monotonic() + SECONDS
    clients = [Client(server, i, end) for i in range(CLIENTS)]
    wait_for("the first answers", lambda: all(c.answered for c in clients))
    samples = sample(server, end)
    for c in clients:
        c.join(60)
        assert not c.error and not c.is_alive(), c.error
    server.stop()
    _, ledger = session.finish(60)
    asked = [c.first + i * CLIENTS for c in clients for i in range(c.answered)]
    wrong = [n for n in asked if collector.seen[n] != 1]
    assert not wrong, "%d of %d did not arrive exactly once, %s" % (len(wrong), len(asked), wrong[:5])
    assert len(asked) == collector.spans == ledger["requests"] == ledger["taken"], (len(asked), collector.spans, ledger)
    rows = summary(samples)
    report(len(asked), rows)
    for (before, after), may_grow in zip(rows, MAY_GROW):
        assert after <= before + may_grow, "memory grows: %s" % samples
    collector.shutdown()
