# SPDX-License-Identifier: Apache-2.0
"""What the parts of the benchmark measure with: servers run in several ways, load, a receiver, rows of the table."""
import glob
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("BTRACE_BUILD", os.path.join(ROOT, "build"))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

from process import Server, clean_environment, descendants, free_port, is_exporter, wait_for  # noqa: E402

SERVER_CPU, OTHER_CPU = {0}, {os.cpu_count() - 1}
RATES = {"0 %": 0.0, "1 %": 0.01, "100 %": 1.0}
HEADERS = ("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
           "Accept: text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language: en-US,en;q=0.5",
           "Accept-Encoding: gzip, deflate", "Cache-Control: max-age=0", "DNT: 1")



class Sink:
    """An OTLP receiver that takes all and looks at nothing: a thread, on the other processor."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        data, waste = b"", bytearray(1 << 22)
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    data += self.more(peer)
                head, _, data = data.partition(b"\r\n\r\n")
                length = re.search(rb"content-length: *(\d+)", head, re.I)
                if length:
                    left = int(length[1]) - len(data)
                    while left > 0:  # thrown away uncopied
                        left -= peer.recv_into(waste, min(left, len(waste)), socket.MSG_TRUNC) or left
                else:  # chunked, as node sends it
                    while not data.endswith(b"\r\n0\r\n\r\n"):
                        data = data[-8:] + self.more(peer)
                data = b""
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            peer.close()

    @staticmethod
    def more(peer):
        data = peer.recv(1 << 20)
        if not data:
            raise ConnectionError
        return data


class Bench:
    def __init__(self, directory, args):
        self.directory, self.args, self.sink = directory, args, Sink()
        self.rows, self.series, self.configs, self.helpers = [], [], 0, []
        self.docroot = os.path.join(directory, "docroot")
        os.mkdir(self.docroot)
        os.chmod(self.docroot, 0o755)
        for name, n in (("1k.txt", 1024), ("small.txt", 12), ("large.bin", 64)):
            with open(os.path.join(self.docroot, name), "w") as f:
                f.write("x" * n)
        self.library = os.path.join(directory, "libbtrace.so")
        for name in ("libbtrace.so", "btrace-exporter"):
            shutil.copy(os.path.join(BUILD, name), directory)
            os.chmod(os.path.join(directory, name), 0o755)

    def row(self, name, value, unit, low=None, high=None, aim="", met=None, note="", widest=None):
        """widest: an interval wider than this says nothing of the aim, whichever value it reaches."""
        if met is not None and widest is not None and high - low > widest:
            met, note = None, "too noisy to say; " + note if note else "too noisy to say"
        self.rows.append({"name": name, "value": value, "unit": unit, "low": low, "high": high, "aim": aim,
                          "met": met, "note": note})
        spread = "" if low is None else "%10s %10s" % (show(low), show(high))
        print("%-52s %10s %-21s %-8s %-12s %s %s" % (name[:52], show(value), spread, unit, aim,
                                                     {True: "yes", False: "NO", None: ""}[met], note), flush=True)

    def environment(self, way, **more):
        """Environment of a server that runs this way; the ledger's path, if that is with us."""
        if way not in RATES:
            return more.get("peer", {}), None
        self.configs += 1
        base = os.path.join(self.directory, "config%d" % self.configs)
        with open(base + ".yml", "w") as f:
            f.write("tracing:\n  exporter_type: otlp\n  sample_rate: %s\n  client_spans: false\n"
                    "  otlp: {protocol: http/protobuf, endpoint: 'http://127.0.0.1:%d/v1/traces'}\n"
                    % (RATES[way], self.sink.port))
            for line in more.get("lines", ()):
                f.write("  %s\n" % line)
        return {"BTRACE_CONFIG": base + ".yml", "BTRACE_LEDGER": base + ".ledger"}, base + ".ledger"

    def end_all(self):
        """Whatever a part has left behind when it failed."""
        for s in Server.started:
            s.kill()
        Server.started.clear()
        for p in self.helpers:
            p.kill()
            p.wait()
        self.helpers.clear()
        try:
            wait_for("exporters to end", lambda: not [p for p in descendants() if is_exporter(p)], 40)
        except TimeoutError as e:
            print(e, file=sys.stderr)  # it disturbs what comes next, but is no reason to lose what was measured

    def script(self, name, port, text):
        with open(os.path.join(self.directory, "%s-%d" % (name, port)), "w") as f:
            f.write(text % port)
        return f.name

    def serve(self, what, way, env=None, port=None, **more):
        """what: a script of tests/servers, or an argv. A way that is neither ours nor plain is a peer's."""
        extra, ledger = self.environment(way, **more)
        before = {p.pid for p in descendants()}
        server = Server(what, self.directory, self.docroot, self.library if ledger or way == "inert" else None,
                        {**(env or {}), **extra}, port=port or free_port(),
                        preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CPU))
        server.ledger = ledger
        server.exporters = new_exporters(before) if ledger else []
        return server

    def load(self, port, connections, requests, rate, path, *headers):
        p = subprocess.run([os.path.join(BUILD, "bench", "load"), str(port), str(connections), str(requests), str(rate),
                            path, *HEADERS, *headers], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=120,
                           preexec_fn=lambda: os.sched_setaffinity(0, OTHER_CPU), env=clean_environment())
        result = json.loads(p.stdout)
        if p.returncode or result["errors"]:
            raise RuntimeError("load: %s" % result)
        return result


def show(v):
    if not isinstance(v, (int, float)):
        return str(v)
    return "%.0f" % v if abs(v) >= 100 or v == int(v) else "%.3g" % v


def new_exporters(before=()):
    """Keeper and worker of a session that has just begun, on their processor."""
    def both():
        pids = [p.pid for p in descendants() if is_exporter(p) and p.pid not in before]
        return pids if len(pids) >= 2 else None
    pids = wait_for("an exporter", both)
    move_to(OTHER_CPU, pids)
    return pids


def move_to(cpus, pids):
    for pid in pids:
        for task in glob.glob("/proc/%d/task/*" % pid):
            try:
                os.sched_setaffinity(int(os.path.basename(task)), cpus)
            except ProcessLookupError:
                pass


def cpu_ns(pids):
    """Processor time of whole processes, ended threads too: clock_getcpuclockid(3)."""
    total = 0
    for pid in pids:
        try:
            total += time.clock_gettime_ns((~pid << 3) | 2)
        except OSError:
            pass  # it has ended
    return total


def interval(values):
    """The least wide pair of order statistics that holds the median with 95 % or more."""
    ordered, n = sorted(values), len(values)
    for k in range(n // 2, -1, -1):  # from outside: leave k out at each end while it holds
        outside = 2 * sum(math.comb(n, i) for i in range(k)) / 2 ** n
        if outside <= 0.05:
            return ordered[k - 1 if k else 0], ordered[n - k if k else n - 1]
    return ordered[0], ordered[-1]


def private_bytes(pid):
    """Memory of the process alone: not the pages of the library's file nor the span table, which are shared."""
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return 1024 * int(re.search(r"^Anonymous: +(\d+)", f.read(), re.M)[1])


CROWD = """import socket, sys
all = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(int(sys.argv[2]))]
sys.stdin.read()
"""


class Host:
    """tests/bench/programs/host.c with open standard input."""

    def __init__(self, bench, mode, n, way, *argv, **more):
        self.env, self.ledger = bench.environment(way, **more)
        if way != "plain":
            self.env["LD_PRELOAD"] = bench.library
        before = {p.pid for p in descendants()}
        self.p = subprocess.Popen([os.path.join(BUILD, "bench", "host"), mode, str(n), *argv], stdin=subprocess.PIPE,
                                  text=True, stdout=subprocess.PIPE, env=clean_environment(**self.env),
                                  preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CPU))
        bench.helpers.append(self.p)
        self.port = int(self.p.stdout.readline())
        self.exporters = new_exporters(before) if self.ledger else []

    def connect(self, n, data=b""):
        sockets = []
        for _ in range(n):
            s = socket.create_connection(("127.0.0.1", self.port))
            if data:
                s.sendall(data)
            sockets.append(s)
        return sockets

    def crowd(self, bench, n):
        """n idle connections, of a process of their own: one may not have as many descriptors as two hosts need."""
        p = subprocess.Popen([sys.executable, "-c", CROWD, str(self.port), str(n)], stdin=subprocess.PIPE)
        bench.helpers.append(p)
        return p

    def line(self):
        return self.p.stdout.readline().strip()

    def end(self):
        self.p.stdin.close()
        self.p.wait(60)
        if self.ledger:
            wait_for("the ledger", lambda: os.path.exists(self.ledger), 60)
            with open(self.ledger) as f:
                return json.load(f)
        return {}
