#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tracing costs: make bench. Prints a table, writes build/bench/results.json, results.svg and RESULTS.md.

How it measures. Each server runs once for each way of running it, all at the same time, idle but for the one that is
under load; in every round each of them serves the same fixed number of requests, in turning order. A ratio is taken
within a round (traced ÷ plain, measured seconds apart), and the table has the median of the rounds, the least, the
most, and the interval which holds the true median with at least 95 % (order statistics, no assumption on the noise).
An aim on a time or a ratio counts as reached when that interval reaches it, unless it is so wide that it says nothing:
then the table says so. Run it on an idle machine.

What is pinned. Servers run on processor 0; the load generator, the sink that plays the receiver and the exporter on
processor 1, so that the figures of a server are its own. "CPU on the server" is what the kernel has charged to the
server's processes (user and system, clock_getcpuclockid(3), nanoseconds), divided by the requests of the round.

What is counted. Instructions and system calls do not depend on the machine: `make bench-check`, and the e2e test
core_syscalls. Times here do: read them beside the plain runs of the same table.

	tests/bench/bench.py [--rounds N] [--seconds S] [--only WORD]... [--record]

--record writes tests/bench/RESULTS.md as well.
"""
import argparse
import glob
import json
import math
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("BTRACE_BUILD", os.path.join(ROOT, "build"))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

from process import Server, become_subreaper, clean_environment, descendants, free_port, is_exporter, wait_for  # noqa: E402

SERVER_CPU, OTHER_CPU = {0}, {os.cpu_count() - 1}
WAYS = ("plain", "inert", "0 %", "1 %", "100 %")
RATES = {"0 %": 0.0, "1 %": 0.01, "100 %": 1.0}
# script of tests/servers, its environment, connections, the file
SERVERS = {"nginx": ("nginx", {"WORKERS": "1"}, 16, "/1k.txt"), "node": ("node-hello", {}, 16, "/"),
           "python": ("python-hello", {}, 4, "/"), "apache": ("apache-event", {}, 16, "/1k.txt")}
SCRIPTS = {}
SCRIPTS["node-hello"] = ["node", """const http = require('http');
http.createServer((q, r) => { r.writeHead(200, {'Content-Length': 12}); r.end('hello world\\n'); })
    .listen(%d, '127.0.0.1');
"""]
SCRIPTS["python-hello"] = ["/usr/bin/python3", """from http.server import *
class Hello(BaseHTTPRequestHandler):
    protocol_version, wbufsize = 'HTTP/1.1', -1
    def log_message(self, *rest): pass
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '12')
        self.end_headers()
        self.wfile.write(b'hello world\\n')
ThreadingHTTPServer(('127.0.0.1', %d), Hello).serve_forever()
"""]
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
        data, waste = b"", bytearray(1 << 20)
        while True:
            while b"\r\n\r\n" not in data:
                more = peer.recv(1 << 20)
                if not more:
                    return
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            left = int(re.search(rb"content-length: *(\d+)", head, re.I)[1]) - len(data)
            while left > 0:
                got = peer.recv_into(waste, min(left, len(waste)))
                if not got:
                    return
                left -= got
            data = b""
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


class Bench:
    def __init__(self, directory, args):
        self.directory, self.args, self.sink = directory, args, Sink()
        self.rows, self.series, self.configs = [], [], 0
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
        """Environment of a server that runs this way; the ledger's path."""
        if way in ("plain", "inert"):
            return {}, None
        self.configs += 1
        base = os.path.join(self.directory, "config%d" % self.configs)
        with open(base + ".yml", "w") as f:
            f.write("tracing:\n  exporter_type: otlp\n  sample_rate: %s\n  client_spans: false\n"
                    "  otlp: {protocol: http/protobuf, endpoint: 'http://127.0.0.1:%d/v1/traces'}\n"
                    % (RATES[way], self.sink.port))
            for line in more.get("lines", ()):
                f.write("  %s\n" % line)
        return {"BTRACE_CONFIG": base + ".yml", "BTRACE_LEDGER": base + ".ledger"}, base + ".ledger"

    def serve(self, what, way, env=None, **more):
        extra, ledger = self.environment(way, **more)
        before = {p.pid for p in descendants()}
        port = free_port()
        if what in SCRIPTS:
            program, text = SCRIPTS[what]
            with open(os.path.join(self.directory, "%s-%d" % (what, port)), "w") as f:
                f.write(text % port)
            what = [program, f.name]
        server = Server(what, self.directory, self.docroot, None if way == "plain" else self.library,
                        {**(env or {}), **extra}, port=port, preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CPU))
        server.ledger = ledger
        server.exporters = []
        if ledger:
            server.exporters = wait_for("an exporter", lambda: [p.pid for p in descendants() if is_exporter(p) and
                                                                p.pid not in before])
            move_to(OTHER_CPU, server.exporters)
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


def macro(bench, name):
    what, env, connections, path = SERVERS[name]
    servers = {}
    for way in WAYS:
        servers[way] = bench.serve(what, way, env)
    pids = {way: [p.pid for p in s.family()] for way, s in servers.items()}
    probe = {way: bench.load(s.port, connections, 500, 0, path) for way, s in servers.items()}
    speed = max(500 / r["seconds"] for r in probe.values())
    requests = max(200, int(speed * bench.args.seconds))
    for s in servers.values():
        bench.load(s.port, connections, requests, 0, path)  # warm
    rounds = {way: {"rate": [], "cpu": []} for way in WAYS}
    for i in range(bench.args.rounds):
        order = WAYS[i % len(WAYS):] + WAYS[:i % len(WAYS)]
        for way in order:
            before = cpu_ns(pids[way])
            r = bench.load(servers[way].port, connections, requests, 0, path)
            rounds[way]["rate"].append(requests / r["seconds"])
            rounds[way]["cpu"].append((cpu_ns(pids[way]) - before) / requests)
    bench.row("%s, plain" % name, statistics.median(rounds["plain"]["rate"]), "req/s",
              min(rounds["plain"]["rate"]), max(rounds["plain"]["rate"]), note="%d requests a round" % requests)
    for way in WAYS[1:]:
        ratios = [a / b for a, b in zip(rounds[way]["rate"], rounds["plain"]["rate"])]
        low, high = interval(ratios)
        aim = 0.98 if way == "100 %" and name in ("nginx", "node") else None
        bench.row("%s, %s ÷ plain" % (name, way), statistics.median(ratios), "req/s", low, high,
                  "≥ 0.98" if aim else "", high >= aim if aim else None, widest=0.06)
        bench.series.append({"server": name, "way": way, "ratios": ratios})
    for way in WAYS[1:]:
        more = [a - b for a, b in zip(rounds[way]["cpu"], rounds["plain"]["cpu"])]
        low, high = interval(more)
        aim = way == "100 %" and name == "nginx"
        bench.row("%s, %s, CPU added on the server" % (name, way), statistics.median(more), "ns/req", low, high,
                  "≤ 300" if aim else "", low <= 300 if aim else None,
                  "plain: %.0f" % statistics.median(rounds["plain"]["cpu"]), widest=600)
    if name == "nginx":
        latency(bench, servers, connections, path, statistics.median(rounds["plain"]["rate"]) / 2)
    for s in servers.values():
        s.stop()
    wait_for("exporters to end", lambda: not [p for p in descendants() if is_exporter(p)], 30)


def latency(bench, servers, connections, path, rate):
    p99 = {"plain": [], "100 %": []}
    for i in range(bench.args.rounds):
        for way in sorted(p99, reverse=i % 2 == 0):
            p99[way].append(bench.load(servers[way].port, connections, int(rate * bench.args.seconds * 2), rate,
                                       path)["p99_us"])
    ratios = [a / b for a, b in zip(p99["100 %"], p99["plain"])]
    low, high = interval(ratios)
    bench.row("nginx, p99 at 50 % load, 100 % ÷ plain", statistics.median(ratios), "", low, high, "≤ 1.02", low <= 1.02,
              "plain: %.0f µs" % statistics.median(p99["plain"]), widest=0.2)


def micro(bench):
    def run(*argv):
        p = subprocess.run([os.path.join(BUILD, "bench", argv[0]), *argv[1:]], stdout=subprocess.PIPE, text=True,
                           check=True, preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CPU))
        return p.stdout.splitlines()
    for line in run("bench_http1"):
        m = re.match(r"(\w+) +(\d+) bytes +\d+ events +([\d.]+) ns", line)
        bench.row("parser, %s, %s bytes" % (m[1], m[2]), float(m[3]), "ns")
    for line in run("bench_table"):
        m = re.match(r"(.*?): +([\d.]+) ns(?: +([\d.]+))?", line)
        growth = float(m[3]) if m[3] else None
        bench.row("table, " + m[1], float(m[2]), "ns", aim="≤ 1.10 × one" if growth else "",
                  met=growth <= 1.10 if growth else None, note="%.2f × one" % growth if growth else "")
    records = {}
    for line in run("bench_from_record"):
        m = re.match(r"(\w+) +(\d+) ns median +(\d+) ns least", line)
        records[m[1]] = float(m[2])
        bench.row("from_record, %s" % m[1], float(m[2]), "ns/span", float(m[3]), "")
    aims = {"otlp-pb": 600, "zipkin": 1000, "jaeger-compact": 600}
    for line in run("bench_encode")[1:]:
        m = re.match(r"(.*?) +(\d+) +(\d+) +([\d.]+) +\d+$", line)
        total = float(m[2]) + records["plain"]
        aim = aims.get(m[1])
        bench.row("from_record + encode, %s" % m[1], total, "ns/span", note="%s bytes" % m[4],
                  aim="≤ %d" % aim if aim else "", met=total <= aim if aim else None)
    for tool in ("bench_exclude", "bench_route"):
        for line in run(tool):
            m = re.match(r"(.*?) +(?:[\d.]+ ms.*bytes +)?([\d.]+) ns/(\w+)", line)
            if m:
                bench.row("%s, %s" % (tool[6:], m[1].strip()), float(m[2]), "ns/" + m[3])


def private_bytes(pid):
    """Memory of the process alone: not the pages of the library's file nor the span table, which are shared."""
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return 1024 * int(re.search(r"^Anonymous: +(\d+)", f.read(), re.M)[1])


class Host:
    """tests/bench/programs/host.c with open standard input."""

    def __init__(self, bench, mode, n, way, **more):
        self.env, self.ledger = bench.environment(way, **more)
        if way != "plain":
            self.env["LD_PRELOAD"] = bench.library
        self.p = subprocess.Popen([os.path.join(BUILD, "bench", "host"), mode, str(n)], stdin=subprocess.PIPE, text=True,
                                  stdout=subprocess.PIPE, env=clean_environment(**self.env))
        self.port = int(self.p.stdout.readline())

    def connect(self, n, data=b""):
        sockets = []
        for _ in range(n):
            s = socket.create_connection(("127.0.0.1", self.port))
            if data:
                s.sendall(data)
            sockets.append(s)
        return sockets

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


def memory(bench):
    def private(way, n):
        host = Host(bench, "idle", n, way)
        sockets = host.connect(n)
        assert host.line() == "ready"
        value = private_bytes(host.p.pid)
        exporters = [p.pid for p in descendants() if is_exporter(p)] if n == 1 and way != "plain" else []
        if exporters:
            exporter_idle(bench, exporters)
        for s in sockets:
            s.close()
        host.end()
        return value
    few, many = 1, 2001
    plain, traced = [private("plain", n) for n in (few, many)], [private("100 %", n) for n in (few, many)]
    idle = (traced[0] - plain[0]) / 1024
    each = ((traced[1] - traced[0]) - (plain[1] - plain[0])) / (many - few)
    bench.row("private memory of the host, idle, added", idle, "KiB", aim="≤ 256", met=idle <= 256)
    bench.row("and for each idle connection", each, "bytes", aim="≤ 256", met=each <= 256)


def exporter_idle(bench, pids):
    def switches():
        n = 0
        for pid in pids:
            with open("/proc/%d/status" % pid) as f:
                n += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", f.read(), re.M)[1])
        return n
    time.sleep(3)  # what follows the start is over
    before, used, begin = switches(), cpu_ns(pids), time.monotonic()
    time.sleep(10)
    seconds = time.monotonic() - begin
    wakes, busy = (switches() - before) / seconds, (cpu_ns(pids) - used) / seconds / 1e7
    rss = own = 0
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            text = f.read()
        rss += int(re.search(r"^Rss: +(\d+)", text, re.M)[1])
        own += int(re.search(r"^Pss: +(\d+)", text, re.M)[1])
    bench.row("exporter, idle: resident (keeper and worker)", rss / 1024, "MiB", aim="≤ 12", met=rss <= 12 * 1024,
              note="shared pages counted once: %.1f" % (own / 1024))
    bench.row("exporter, idle: wake-ups", wakes, "1/s", aim="≤ 2", met=wakes <= 2)
    bench.row("exporter, idle: CPU", busy, "%", aim="≤ 0.05", met=busy <= 0.05)


def flight(bench):
    n = 10000
    host = Host(bench, "hold", n, "100 %")
    sockets = host.connect(n, b"GET /held HTTP/1.1\r\nHost: h\r\n\r\n")
    assert host.line() == "held"
    for s in sockets:
        s.close()
    ledger = host.end()
    dropped = dropped_of(ledger)
    bench.row("%d requests in flight at once: dropped" % n, dropped, "", aim="0", met=dropped == 0)


def dropped_of(ledger):
    dropped = ledger.get("dropped", 0)
    lost = sum(dropped.values()) if isinstance(dropped, dict) else dropped
    exporters = ledger.get("exporters", [])
    for e in exporters.values() if isinstance(exporters, dict) else exporters:
        lost += e.get("queue_dropped", 0) + e.get("failed", 0)
    return lost


def burst(bench, rate, n):
    """(spans a second that were asked for in the end, dropped)"""
    env, ledger = bench.environment("100 %", lines=["batch: {max_spans: 4096}"])
    p = subprocess.Popen([os.path.join(BUILD, "bench", "host"), "burst", str(n), str(rate)], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CPU),
                         env=clean_environment(LD_PRELOAD=bench.library, **env))
    p.stdout.readline()
    move_to(OTHER_CPU, wait_for("an exporter", lambda: [q.pid for q in descendants() if is_exporter(q)]))
    seconds = float(p.stdout.readline())
    p.wait(120)
    wait_for("the ledger", lambda: os.path.exists(ledger), 120)
    with open(ledger) as f:
        return n / seconds, dropped_of(json.load(f))


def sustained(bench):
    """The exporter has a processor to itself; host, its client and the sink share the other one, so that a payload of
    the usual 512 spans would wait mostly for that one: here it has 4,096."""
    move_to(SERVER_CPU, [os.getpid()])
    best, said = 0, []
    for rate in (100000, 200000, 300000, 400000, 500000, 600000):
        reached, dropped = burst(bench, rate, 3 * rate)
        said.append("%d/s: %d dropped" % (reached, dropped))
        if dropped:
            break
        best = reached
    move_to(OTHER_CPU, [os.getpid()])
    bench.row("spans/s for 3 s without a drop", best, "1/s", aim="≥ 400,000", met=best >= 390000, note=", ".join(said))


def start(bench):
    config, _ = bench.environment("100 %")
    envs = [clean_environment(), clean_environment(LD_PRELOAD=bench.library),
            clean_environment(LD_PRELOAD=bench.library, **config)]
    times = [[], [], []]
    for i in range(40 * bench.args.rounds):
        for k in ((0, 1, 2), (1, 2, 0), (2, 0, 1))[i % 3]:
            begin = time.perf_counter_ns()
            pid = os.posix_spawn("/bin/true", ["true"], envs[k])
            os.waitpid(pid, 0)
            times[k].append((time.perf_counter_ns() - begin) / 1000)
    for k, name in ((1, "no config"), (2, "with a config")):
        more = [a - b for a, b in zip(times[k], times[0])]
        low, high = interval(more)
        bench.row("start of `true`, %s, added" % name, statistics.median(more), "µs", low, high, "≤ 150", low <= 150,
                  "plain: %.0f µs" % statistics.median(times[0]), widest=60)


def svg(bench, path):
    bars = [(s["server"] + ", " + s["way"], statistics.median(s["ratios"]), interval(s["ratios"])) for s in bench.series]
    height, scale = 24 * len(bars) + 60, 500
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="760" height="%d" font-family="sans-serif" font-size="13">'
           % height, '<text x="10" y="22">requests/s, share of what the plain server serves</text>']
    for i, (name, value, (low, high)) in enumerate(bars):
        y = 40 + 24 * i
        out.append('<text x="10" y="%d">%s</text><rect x="140" y="%d" width="%.1f" height="16" fill="#5b8db8"/>'
                   '<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#222" stroke-width="2"/>'
                   '<text x="%.1f" y="%d">%.3f</text>' % (y + 13, name, y, scale * min(value, 1.15), 140 + scale * low,
                                                          140 + scale * min(high, 1.15), y + 8, y + 8,
                                                          148 + scale * min(max(value, high), 1.15), y + 13, value))
    out.append('<line x1="%d" x2="%d" y1="34" y2="%d" stroke="#b33"/></svg>' % (140 + scale, 140 + scale, height - 16))
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n")


def machine():
    with open("/proc/cpuinfo") as f:
        model = re.search(r"^model name\s*: (.*)", f.read(), re.M)
    return "%s, %d processors, Linux %s, load %.1f at the start" % (
        model[1] if model else platform.machine(), os.cpu_count(), platform.release(), os.getloadavg()[0])


def markdown(bench, where, minutes):
    out = ["# Results of `make bench`", "",
           "Made by tests/bench/bench.py; how it measures is told at its top. Least and most of a plain server's rate;",
           "for ratios and differences the 95 %% interval of the median of %d rounds. An aim on a time or a ratio counts"
           % bench.args.rounds, "as reached when the interval reaches it. Binding are the counts: `make bench-check`.", "",
           where + "; %.0f minutes." % minutes, "",
           "| what | median | low | high | unit | aim | reached | |", "|---|---|---|---|---|---|---|---|"]
    for r in bench.rows:
        out.append("| %s | %s | %s | %s | %s | %s | %s | %s |" % (
            r["name"], show(r["value"]), "" if r["low"] is None else show(r["low"]),
            "" if r["high"] is None else show(r["high"]), r["unit"], r["aim"],
            {True: "yes", False: "**no**", None: ""}[r["met"]], r["note"]))
    with open(os.path.join(HERE, "counts.json")) as f:
        for compiler, counts in json.load(f).items():
            out += ["", "## Instructions, by callgrind", "", "%s." % compiler, "", "| instructions of | counted |",
                    "|---|---|"]
            out += ["| %s | %s |" % (k, show(v)) for k, v in counts.items()]
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.5, help="about so long is a round of one server")
    parser.add_argument("--only", action="append", help="only parts whose name holds this word")
    parser.add_argument("--record", action="store_true", help="write tests/bench/RESULTS.md as well")
    args = parser.parse_args()
    become_subreaper()
    os.sched_setaffinity(0, OTHER_CPU)
    where, begin = machine(), time.monotonic()
    print(__doc__.split("\n\n")[1] + "\n\n" + where)
    print("%-52s %10s %10s %10s %-8s %-12s" % ("", "median", "low", "high", "unit", "aim"))
    parts = [("micro", micro), ("start", start), ("memory", memory), ("flight", flight), ("sustained", sustained)]
    parts += [("macro " + n, lambda b, n=n: macro(b, n)) for n in SERVERS]
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        bench = Bench(directory, args)
        for name, function in parts:
            if args.only and not any(w in name for w in args.only):
                continue
            try:
                function(bench)
            except (OSError, RuntimeError, TimeoutError, AssertionError, subprocess.SubprocessError) as e:
                bench.row(name, "-", "", note="could not be measured: %s" % str(e).splitlines()[0][:80])
            finally:
                for s in Server.started:
                    s.kill()
                Server.started.clear()
    minutes = (time.monotonic() - begin) / 60
    out = os.path.join(BUILD, "bench")
    with open(os.path.join(out, "results.json"), "w") as f:
        json.dump({"machine": where, "minutes": minutes, "rows": bench.rows, "series": bench.series}, f, indent=1)
    svg(bench, os.path.join(out, "results.svg"))
    text = markdown(bench, where, minutes)
    for path in [os.path.join(out, "RESULTS.md")] + ([os.path.join(HERE, "RESULTS.md")] if args.record else []):
        with open(path, "w") as f:
            f.write(text)
    print("%.1f minutes; %s" % (minutes, os.path.join(out, "results.json")))


main()
