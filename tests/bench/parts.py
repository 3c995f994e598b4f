# SPDX-License-Identifier: Apache-2.0
"""The parts of the benchmark beside the servers: pure code, memory, the exporter, the start of a process."""
import json
import os
import re
import shutil
import statistics
import subprocess
import time

from measure import (BUILD, OTHER_CPU, SERVER_CPU, Host, cpu_ns, interval, move_to, new_exporters,
                     private_bytes)
from process import clean_environment, wait_for


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


def calls(bench):
    """What the library adds to the read and the write of a request on the serving thread, without the kernel."""
    still = os.path.join(BUILD, "bench", "still.so")
    took = {"plain": [], "0 %": [], "100 %": []}
    for i in range(bench.args.rounds):
        for way in sorted(took, reverse=i % 2 == 0):
            env, ledger = bench.environment(way)
            p = subprocess.run([os.path.join(BUILD, "bench", "paced"), "60000", "128", "10000"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
                               preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CPU),
                               env=clean_environment(LD_PRELOAD="%s:%s" % (bench.library, still) if ledger else still, **env))
            if ledger:
                wait_for("the ledger", lambda: os.path.exists(ledger), 60)
            took[way].append([float(n) for n in p.stdout.split()])
    for way in ("0 %", "100 %"):
        for k, name in enumerate(("median", "mean of 98 %")):
            more = [a[k] - b[k] for a, b in zip(took[way], took["plain"])]
            low, high = interval(more)
            aim = way == "100 %"
            bench.row("in user mode, %s, added: %s" % (way, name), statistics.median(more), "ns/req", low, high,
                      "≤ 300" if aim else "", low <= 300 if aim else None, widest=100)


def memory(bench):
    def private(way, n):
        host = Host(bench, "idle", n, way)
        sockets = host.connect(n)
        assert host.line() == "ready"
        value = private_bytes(host.p.pid)
        if n == 1 and host.exporters:
            exporter_idle(bench, host.exporters)
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


def page_frames(pid):
    """The page frames that a process has resident, by /proc/PID/pagemap; empty without the privilege."""
    frames = set()
    try:
        with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/pagemap" % pid, "rb") as pagemap:
            for line in maps:
                begin, end = (int(x, 16) for x in line.split()[0].split("-"))
                if end > 1 << 47:
                    continue  # vsyscall
                pagemap.seek(begin // 4096 * 8)
                entries = memoryview(pagemap.read((end - begin) // 4096 * 8)).cast("Q")
                frames.update(e & (1 << 55) - 1 for e in entries if e >> 63)
    except OSError:
        pass
    return frames - {0}


def exporter_idle(bench, pids):
    """Of keeper and worker together, over three times five seconds."""
    def switches():
        n = 0
        for pid in pids:
            with open("/proc/%d/status" % pid) as f:
                n += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", f.read(), re.M)[1])
        return n
    time.sleep(3)  # what follows the start is over
    wakes, busy = [], []
    for _ in range(3):
        before, used, begin = switches(), cpu_ns(pids), time.monotonic()
        time.sleep(5)
        seconds = time.monotonic() - begin
        wakes.append((switches() - before) / seconds)
        busy.append((cpu_ns(pids) - used) / seconds / 1e7)
    rss = 0
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            rss += int(re.search(r"^Rss: +(\d+)", f.read(), re.M)[1])
    once = len(set.union(*(page_frames(pid) for pid in pids))) * 4
    bench.row("exporter, idle: resident, keeper and worker", (once or rss) / 1024, "MiB", aim="≤ 12",
              met=(once or rss) <= 12 * 1024, note="each with what they share: %.1f in all" % (rss / 1024))
    middle = statistics.median(wakes)
    bench.row("exporter, idle: wake-ups", middle, "1/s", min(wakes), max(wakes), aim="≤ 2", met=middle <= 2)
    middle = statistics.median(busy)
    bench.row("exporter, idle: CPU", middle, "%", min(busy), max(busy), aim="≤ 0.05", met=middle <= 0.05)


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


def burst(bench, rate, n, lines):
    """(spans a second that were asked for in the end, dropped, CPU of the exporter a span)"""
    env, ledger = bench.environment("100 %", lines=lines)
    p = subprocess.Popen([os.path.join(BUILD, "bench", "host"), "burst", str(n), str(rate)], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CPU),
                         env=clean_environment(LD_PRELOAD=bench.library, **env))
    p.stdout.readline()
    pids = new_exporters()
    used = cpu_ns(pids)
    seconds = float(p.stdout.readline())
    used = cpu_ns(pids) - used  # all but the last batches; later they may have ended
    p.wait(120)
    wait_for("the ledger", lambda: os.path.exists(ledger), 120)
    with open(ledger) as f:
        account = json.load(f)
    return n / seconds, dropped_of(account), used / max(account["taken"], 1)


def sustained(bench):
    """The exporter has a processor to itself; host, its client and the sink share the other one."""
    for name, lines in (("batches of 512", []), ("batches of 4,096", ["batch: {max_spans: 4096}"])):
        move_to(SERVER_CPU, [os.getpid()])
        best, said, cost = 0, [], 0
        for rate in (100000, 200000, 300000, 400000, 500000, 600000):
            reached, dropped, ns = min((burst(bench, rate, 3 * rate, lines) for _ in range(2)), key=lambda b: b[1])
            said.append("%d/s: %d dropped" % (reached, dropped))
            if dropped:
                break
            best, cost = reached, ns
            if reached < rate * 0.95:
                break  # the host cannot make more of them
        move_to(OTHER_CPU, [os.getpid()])
        bench.row("spans/s for 3 s without a drop, " + name, best, "1/s", aim="≥ 400,000", met=best >= 390000,
                  note=("exporter %.0f ns/span with the kernel's sending; " % cost if best else "") + ", ".join(said[-2:]))


def system_calls(bench, env):
    """How many `true` makes; None without strace."""
    if not shutil.which("strace"):
        return None
    out = os.path.join(bench.directory, "strace")
    subprocess.run(["strace", "-qq", "-o", out, *("-E%s=%s" % e for e in env.items()), "/bin/true"], check=True,
                   env=clean_environment(), stdin=subprocess.DEVNULL)
    with open(out) as f:
        return sum("(" in line for line in f)


def start(bench):
    config, _ = bench.environment("100 %")
    envs = [clean_environment(), clean_environment(LD_PRELOAD=bench.library),
            clean_environment(LD_PRELOAD=bench.library, **config)]
    calls = [system_calls(bench, env) for env in envs]
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
                  "plain: %.0f µs" % statistics.median(times[0]) +
                  ("" if calls[0] is None else ", %d system calls; added: %d" % (calls[0], calls[k] - calls[0])), widest=60)


FLAT = 10000
ROUTES = ["/service%d/items/{id}" % i for i in range(FLAT)]
LITERALS = ", ".join("/service%d/health/%d" % (i, i * 7919) for i in range(1000))
LONG_HEAD = tuple("X-Long-%d: %s" % (i, "abcdefgh" * 12) for i in range(595))
# name -> (open connections beside, request headers, path, lines of the config)
CASES = {
    "as a rule": (0, (), "/service9999/items/4711", []),
    "10,000 connections open": (FLAT, (), "/service9999/items/4711", []),
    "64 KB of headers": (0, LONG_HEAD, "/service9999/items/4711", []),
    "1,000 exclusion literals": (0, (), "/service9999/items/4711", ["excluded_urls: [%s]" % LITERALS]),
    "10,000 routes": (0, (), "/service9999/items/4711", ["routes: %s" % json.dumps(ROUTES)]),
}


def flat(bench):
    """What does not depend on how much there is: CPU that one more request costs the host, and its span the exporter."""
    requests = 4000
    for name, (idle, headers, path, lines) in CASES.items():
        hosts = {way: Host(bench, "among", 1 << 30, way, str(idle), lines=lines) for way in ("plain", "100 %")}
        crowds = [h.crowd(bench, idle) for h in hosts.values()]
        cost = {way: [] for way in hosts}
        for h in hosts.values():
            assert h.line() == "ready"
            bench.load(h.port, 1, requests, 0, path, *headers)  # warm
        time.sleep(2)
        used = cpu_ns(hosts["100 %"].exporters)
        for i in range(bench.args.rounds):
            for way in sorted(hosts, reverse=i % 2 == 0):
                before = cpu_ns([hosts[way].p.pid])
                bench.load(hosts[way].port, 1, requests, 0, path, *headers)
                cost[way].append((cpu_ns([hosts[way].p.pid]) - before) / requests)
        time.sleep(2)  # the last batch is out
        each = (cpu_ns(hosts["100 %"].exporters) - used) / requests / bench.args.rounds
        more = [a - b for a, b in zip(cost["100 %"], cost["plain"])]
        low, high = interval(more)
        bench.row("flat, %s: CPU added" % name, statistics.median(more), "ns/req", low, high,
                  note="plain: %.0f; exporter: %.0f ns a span" % (statistics.median(cost["plain"]), each))
        for p in crowds + [h.p for h in hosts.values()]:
            p.terminate()
            p.wait()
