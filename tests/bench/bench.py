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
server's processes (user and system, clock_getcpuclockid(3), nanoseconds), divided by the requests of the round. "In
user mode" is what a read and a write take on the serving thread, where the real calls do nothing (programs/still.c)
and the program uses 128 KiB of memory in between: what the library adds without the kernel's noise.

What is compared. Rows of OpenTelemetry's own auto-instrumentations (tests/bench/peers.py) are of the same rounds, where
they are installed: make bench-peers. "CPU added" with 10,000 connections, routes and so on is to be read beside "as a
rule": it should not grow.

What is counted. Instructions and system calls do not depend on the machine: `make bench-check`, and the e2e test
core_syscalls. Times here do: read them beside the plain runs of the same table.

	tests/bench/bench.py [--rounds N] [--seconds S] [--only WORD]... [--record]

--record writes tests/bench/RESULTS.md as well.
"""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import tempfile
import time

import peers
from measure import BUILD, HERE, OTHER_CPU, Bench, cpu_ns, interval, show
from parts import calls, flat, flight, memory, micro, start, sustained
from process import become_subreaper, free_port

WAYS = ("plain", "inert", "0 %", "1 %", "100 %")
NODE = peers.NODE
PYTHON = """from http.server import *
class Hello(BaseHTTPRequestHandler):
    protocol_version, wbufsize = 'HTTP/1.1', -1
    def log_message(self, *rest): pass
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '12')
        self.end_headers()
        self.wfile.write(b'hello world\\n')
ThreadingHTTPServer(('127.0.0.1', %d), Hello).serve_forever()
"""
# script of tests/servers or the text of a program, its environment, connections, the file
SERVERS = {"nginx": ("nginx", {"WORKERS": "1"}, 16, "/1k.txt"), "node": (["node", NODE], {}, 16, "/"),
           "python": (["/usr/bin/python3", PYTHON], {}, 4, "/"), "apache": ("apache-event", {}, 16, "/1k.txt")}


def rounds_of(bench, servers, connections, path):
    """What each way of running serves in each round: requests a second, and CPU of the server a request, in ns."""
    pids = {way: [p.pid for p in s.family()] for way, s in servers.items()}
    probe = {way: bench.load(s.port, connections, 500, 0, path) for way, s in servers.items()}
    speed = max(500 / r["seconds"] for r in probe.values())
    requests = max(200, int(speed * bench.args.seconds))
    for s in servers.values():
        bench.load(s.port, connections, requests, 0, path)  # warm
    rounds = {way: {"rate": [], "cpu": []} for way in servers}
    ways = list(servers)
    for i in range(bench.args.rounds):
        for way in ways[i % len(ways):] + ways[:i % len(ways)]:
            before = cpu_ns(pids[way])
            r = bench.load(servers[way].port, connections, requests, 0, path)
            rounds[way]["rate"].append(requests / r["seconds"])
            rounds[way]["cpu"].append((cpu_ns(pids[way]) - before) / requests)
    return rounds, requests


def rows_of(bench, name, rounds, requests, rate_aim=False, cpu_aim=False):
    """rate_aim, cpu_aim: issue 9 has an aim for this server at 100 %."""
    plain = rounds.pop("plain")
    bench.row("%s, plain" % name, statistics.median(plain["rate"]), "req/s", min(plain["rate"]), max(plain["rate"]),
              note="%d requests a round" % requests)
    for way, r in rounds.items():
        ratios = [a / b for a, b in zip(r["rate"], plain["rate"])]
        low, high = interval(ratios)
        aim = 0.98 if way == "100 %" and rate_aim else None
        bench.row("%s, %s ÷ plain" % (name, way), statistics.median(ratios), "req/s", low, high,
                  "≥ 0.98" if aim else "", high >= aim if aim else None, widest=0.06)
        bench.series.append({"server": name, "way": way, "ratios": ratios})
    for way, r in rounds.items():
        more = [a - b for a, b in zip(r["cpu"], plain["cpu"])]
        low, high = interval(more)
        aim = way == "100 %" and cpu_aim
        bench.row("%s, %s, CPU added on the server" % (name, way), statistics.median(more), "ns/req", low, high,
                  "≤ 300" if aim else "", low <= 300 if aim else None,
                  "plain: %.0f" % statistics.median(plain["cpu"]), widest=600)


def macro(bench, name):
    what, env, connections, path = SERVERS[name]
    servers = {}
    for way in WAYS:
        port, argv = free_port(), what
        if not isinstance(what, str):
            argv = [what[0], bench.script(name, port, what[1])]
        servers[way] = bench.serve(argv, way, env, port)
    rounds, requests = rounds_of(bench, servers, connections, path)
    half = statistics.median(rounds["plain"]["rate"]) / 2
    rows_of(bench, name, rounds, requests, name in ("nginx", "node"), name == "nginx")
    if name == "nginx":
        latency(bench, servers, connections, path, half)


def peer(bench, peer):
    if peer.missing:
        bench.row(peer.name + " beside OpenTelemetry", "-", "", note="not installed: make bench-peers")
        return
    servers = {way: peer.serve(bench, way, free_port()) for way in peers.WAYS}
    rows_of(bench, peer.name, *rounds_of(bench, servers, peer.connections, "/"))


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
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.5, help="about so long is a round of one server")
    parser.add_argument("--only", action="append", help="only parts whose name holds this word")
    parser.add_argument("--record", action="store_true", help="write tests/bench/RESULTS.md as well")
    args = parser.parse_args()
    become_subreaper()
    os.sched_setaffinity(0, OTHER_CPU)
    where, begin = machine(), time.monotonic()
    print(__doc__.split("\n\n")[1] + "\n\n" + where)
    print("%-52s %10s %10s %10s %-8s %-12s" % ("", "median", "low", "high", "unit", "aim"))
    parts = [("micro", micro), ("calls", calls), ("start", start), ("memory", memory), ("flight", flight), ("flat", flat),
             ("sustained", sustained)]
    parts += [("macro " + n, lambda b, n=n: macro(b, n)) for n in SERVERS]
    parts += [("peer " + p.name, lambda b, p=p: peer(b, p)) for p in peers.peers()]
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        bench = Bench(directory, args)
        for name, function in parts:
            if args.only and not any(w in name for w in args.only):
                continue
            try:
                function(bench)
            except (OSError, RuntimeError, TimeoutError, AssertionError, ValueError, subprocess.SubprocessError) as e:
                bench.row(name, "-", "", note="could not be measured: %s" % (str(e) or repr(e)).splitlines()[0][:80])
            bench.end_all()
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
