#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions, counted by callgrind: make bench-check. They do not depend on the machine's mood.

What is counted: user instructions which one more request costs a server, the library preloaded less not preloaded
(two runs of different length are subtracted, so start and end do not count); instructions of one hooked call on a
descriptor that is not ours, of a span of the program's own with one attribute, and of the start of /bin/true (relocations
included); instructions of the exporter's pure parts for a span. Not counted: the kernel, and the vDSO's clock_gettime (two
a request), which under valgrind is a system call.

A figure more than 5 % (and 3 instructions) above what counts.json has for this compiler fails. Another compiler makes
another program, and another libc another plain run: without a record for them the check is skipped.

	tests/bench/counts.py [--record] [--json FILE] [PATTERN...]
"""
import argparse
import fnmatch
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("BTRACE_BUILD", os.path.join(ROOT, "build"))
RECORD = os.path.join(HERE, "counts.json")
TOLERANCE, SLACK = 1.05, 3
FEW, MANY = 100, 500
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# 350 bytes of head, as a browser sends them
HEADERS = ("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
           "Accept: text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language: en-US,en;q=0.5",
           "Accept-Encoding: gzip, deflate", "Connection: keep-alive", "Cache-Control: max-age=0", "DNT: 1")
PARENT = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

CONFIG = """tracing:
  exporter_type: file
  sample_rate: %s
  excluded_urls: [%s]
  file: {path: %s/traces.jsonl}
  batch: {delay: 50ms}
"""
NGINX = """daemon off; master_process off; worker_processes 1; pid %(dir)s/pid; error_log %(dir)s/error.log;
events { worker_connections 64; }
http { access_log off; keepalive_requests 1000000; client_body_temp_path %(dir)s/b; proxy_temp_path %(dir)s/p;
  fastcgi_temp_path %(dir)s/f; uwsgi_temp_path %(dir)s/u; scgi_temp_path %(dir)s/s; sendfile on;
  server { listen 127.0.0.1:%(port)d; root %(dir)s; } }
"""

# name -> (program and arguments, the function whose instructions count, spans or messages of a run)
PURE = {}
for _format in ("otlp-pb", "zipkin", "jaeger-compact", "jaeger-binary", "otlp-json", "jaeger-pb"):
    PURE["encode %s, a span" % _format] = (["bench_encode", _format, "8"], "encode_batch", 8 * 512)
for _case in ("plain", "proxied", "minimal", "both", "client"):
    PURE["from_record %s, a span" % _case] = (["bench_from_record", _case, "8"], "make_batch", 8 * 512)
for _case in ("browser", "plain", "answer", "chunked"):
    PURE["http1 %s, a message" % _case] = (["bench_http1", _case], "parse", 1000)


FEW_PATTERNS = "/healthz, /readyz, /metrics, /livez"
MANY_PATTERNS = ", ".join("/service%d/health/%d" % (i, i * 7919) for i in range(1000))
LONG_HEAD = tuple("X-Long-%d: %s" % (i, "abcdefgh" * 12) for i in range(570))  # 60 KB in all


class Missing(Exception):
    pass


def environment(**more):
    return {"PATH": PATH, "HOME": "/", "LANG": "C.UTF-8", **more}


def wait_for(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise RuntimeError("%s: not in %d seconds" % (what, seconds))
        time.sleep(0.02)
    return value


def callgrind(argv, out, env=None, toggle=None):
    """The argv that counts argv into the file out. The child's environment by env(1): valgrind itself is not preloaded."""
    return ["valgrind", "--tool=callgrind", "-q", "--dump-instr=no", "--callgrind-out-file=" + out,
            *(["--toggle-collect=" + toggle] if toggle else []), *argv]


def instructions(out):
    with open(out) as f:
        found = re.search(r"^(?:summary|totals): (\d+)", f.read(), re.M)
    if not found:
        raise RuntimeError("callgrind has counted nothing")
    return int(found[1])


class Session:
    """An exporter that runs and has read its config, kept alive by a small traced process of its own."""

    def __init__(self, directory, rate, patterns=FEW_PATTERNS):
        self.directory = directory
        os.mkdir(directory)
        config = os.path.join(directory, "btrace.yml")
        with open(config, "w") as f:
            f.write(CONFIG % (rate, patterns, directory))
        self.env = {"BTRACE_CONFIG": config, "BTRACE_EXPORTER": os.path.join(BUILD, "btrace-exporter")}
        self.anchor = subprocess.Popen([os.path.join(BUILD, "bench", "host"), "serve", "1000000"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                       env=environment(LD_PRELOAD=os.path.join(BUILD, "libbtrace.so"), **self.env))
        port = int(self.anchor.stdout.readline())
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(("GET / HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n" % PARENT).encode())
            s.recv(1 << 16)
            traces = os.path.join(directory, "traces.jsonl")
            wait_for("a first span", lambda: os.path.exists(traces) and os.path.getsize(traces))

    def close(self):
        self.anchor.terminate()
        self.anchor.wait()


def preload(session, libraries=("bench/same_clone.so", "libbtrace.so")):
    """Environment of the counted process; session: None for a plain run, "inert", or a Session."""
    env = {"LD_PRELOAD": ":".join(os.path.join(BUILD, n) for n in libraries[:1 if session is None else None])}
    return {**session.env, **env} if isinstance(session, Session) else env


def count_host(directory, session, mode, n, path="/", headers=()):
    """Instructions of a host that serves n requests (or makes n calls); mode "among M": with M idle connections."""
    out = os.path.join(directory, "callgrind.out")
    env = environment(**preload(session))
    mode, _, idle = mode.partition(" ")
    host = subprocess.Popen(callgrind([os.path.join(BUILD, "bench", "host"), mode, str(n), *idle.split()], out), env=env,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    crowd = []
    try:
        port = host.stdout.readline().strip()
        for _ in range(int(idle or 0)):
            crowd.append(socket.create_connection(("127.0.0.1", int(port))))
        if idle and host.stdout.readline().strip() != "ready":
            raise RuntimeError("the host is not ready")
        if mode not in ("calls", "spans"):
            load(port, n, path, headers)
        if host.wait(120):
            raise RuntimeError("the host ended with %d" % host.returncode)
    finally:
        host.kill()
        host.wait()
        for s in crowd:
            s.close()
    return instructions(out)


def count_start(directory, session, times=3):
    """Instructions of the start and end of a process that never serves, the least of several runs."""
    counts = []
    for _ in range(times):
        out = os.path.join(directory, "callgrind.out")
        subprocess.run(callgrind(["/bin/true"], out), env=environment(**preload(session)), check=True, timeout=120,
                       stdin=subprocess.DEVNULL)
        counts.append(instructions(out))
    return min(counts)


def load(port, n, path, headers):
    p = subprocess.run([os.path.join(BUILD, "bench", "load"), str(port), "1", str(n), "0", path, *HEADERS, *headers],
                       stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=120)
    if p.returncode:
        raise RuntimeError("load ended with %d: %s" % (p.returncode, p.stdout.decode()))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def count_nginx(directory, session, mode, n, path="/", headers=()):
    """The same for nginx in one process."""
    del mode
    place = tempfile.mkdtemp(dir=directory)
    port = free_port()
    with open(os.path.join(place, "nginx.conf"), "w") as f:
        f.write(NGINX % {"dir": place, "port": port})
    for name in ("index.html", "healthz"):
        with open(os.path.join(place, name), "w") as f:
            f.write("x" * 1024)
    os.chmod(place, 0o755)
    out = os.path.join(place, "callgrind.out")
    env = environment(**preload(session))
    server = subprocess.Popen(callgrind([shutil.which("nginx", path=PATH), "-p", place, "-e", place + "/error.log", "-c",
                                         place + "/nginx.conf"], out), env=env, stdin=subprocess.DEVNULL)
    try:
        def up():
            with open("/proc/net/tcp") as f:
                return any(row.split()[1].endswith(":%04X" % port) and row.split()[3] == "0A" for row in f)
        wait_for("nginx", up)
        load(port, n, path, headers)
        # again: alone in its process nginx misses a signal that comes just before it waits
        def over():
            server.send_signal(signal.SIGTERM)
            return server.poll() is not None
        wait_for("nginx to end", over)
    finally:
        server.kill()
        server.wait()
    return instructions(out)


class Counter:
    """All figures by name; what they share is made once."""

    def __init__(self, directory):
        self.directory, self.sessions, self.slopes = directory, {}, {}

    def session(self, rate, patterns=FEW_PATTERNS):
        key = (rate, len(patterns))
        if key not in self.sessions:
            self.sessions[key] = Session(os.path.join(self.directory, "session-%s-%d" % key), rate, patterns)
        return self.sessions[key]

    def close(self):
        for s in self.sessions.values():
            s.close()

    def slope(self, program, session, mode, path="/", headers=(), few=FEW, many=MANY):
        key = (program, getattr(session, "directory", session), mode, path, headers)
        if key not in self.slopes:
            a = program(self.directory, session, mode, few, path, headers)
            b = program(self.directory, session, mode, many, path, headers)
            self.slopes[key] = (b - a) / (many - few)
        return self.slopes[key]

    def added(self, program, session, path="/", headers=(), mode="serve"):
        return self.slope(program, session, mode, path, headers) - self.slope(program, None, mode, path, headers)

    def start(self, session):
        return count_start(self.directory, session) - count_start(self.directory, None)

    def call(self, session):
        plain = self.slope(count_host, None, "calls", many=20000)
        return (self.slope(count_host, session, "calls", many=20000) - plain) / 2

    def span(self, session):
        return self.slope(count_host, session, "spans", many=2000)

    def pure(self, name):
        argv, function, divisor = PURE[name]
        out = os.path.join(self.directory, "callgrind.out")
        subprocess.run(callgrind([os.path.join(BUILD, "bench", argv[0]), *argv[1:]], out, toggle=function), check=True,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment(), timeout=120)
        return instructions(out) / divisor

    def figures(self):
        """name -> function that counts it. The aims of issue 9 are in AIMS."""
        rows = {"a request, %s, %s" % (kind, name): (lambda p=program, r=rate, w=where, h=headers:
                                                     self.added(p, self.session(r) if r != "inert" else r, w, h))
                for name, program in (("host", count_host), ("nginx", count_nginx))
                for kind, rate, where, headers in (("sampled", "1.0", "/", ()), ("unsampled", "0.0", "/", ()),
                                                   ("excluded", "1.0", "/healthz", ()), ("inert", "inert", "/", ()),
                                                   ("with a parent", "1.0", "/", (PARENT,)))
                if name == "host" or kind in ("sampled", "unsampled", "inert")}
        rows["a request, sampled, 1,000 exclusion literals"] = lambda: self.added(
            count_host, self.session("1.0", MANY_PATTERNS))
        rows["a request, sampled, 60 KB of headers, a KB"] = lambda: self.added(
            count_host, self.session("1.0"), headers=LONG_HEAD) / 60
        rows["a request, sampled, among 10,000 connections"] = lambda: self.added(
            count_host, self.session("1.0"), mode="among 10000")
        rows["start of a process that never serves, with a config"] = lambda: self.start(self.session("1.0"))
        rows["start of a process that never serves, inert"] = lambda: self.start("inert")
        rows["a call on another descriptor, tracing"] = lambda: self.call(self.session("1.0"))
        rows["a call on another descriptor, inert"] = lambda: self.call("inert")
        rows.update({"an own span, %s" % word: (lambda s=session: self.span(self.session(s) if s in ("0.0", "1.0") else s))
                     for word, session in (("sampled", "1.0"), ("unsampled", "0.0"), ("inert", "inert"), ("plain", None))})
        rows.update({name: (lambda n=name: self.pure(n)) for name in PURE})
        return rows


AIMS = {"a request, sampled, host": 1200, "a request, unsampled, host": 700, "a request, excluded, host": 600,
        "a request, sampled, nginx": 1200, "a request, unsampled, nginx": 700,
        "a call on another descriptor, tracing": 12}
# nginx looks at the clock and the kernel decides how it wakes: its count is told, not held
TOLD_ONLY = ("*, nginx",)


def toolchain():
    compiler = subprocess.run([os.environ.get("CC", "cc"), "--version"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout.splitlines()[0]
    libc = os.confstr("CS_GNU_LIBC_VERSION")
    return "%s, %s, %s" % (compiler, libc, os.uname().machine)


def read_record():
    try:
        with open(RECORD) as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def verdict(name, count, recorded):
    if recorded is None:
        return "not recorded"
    if count <= max(recorded * TOLERANCE, recorded + SLACK):
        return "ok"
    return "told only" if any(fnmatch.fnmatch(name, p) for p in TOLD_ONLY) else "FAILED"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--record", action="store_true", help="write what is counted into counts.json")
    parser.add_argument("--json", help="write the figures there")
    parser.add_argument("pattern", nargs="*", default=["*"])
    args = parser.parse_args()
    record, key = read_record(), toolchain()
    known = record.get(key, {})
    if not shutil.which("valgrind"):
        raise Missing("valgrind is not installed")
    if not known and not args.record:
        raise Missing("no record for " + key)
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        counter = Counter(directory)
        try:
            failed, counts = count_all(counter, known, args)
        finally:
            counter.close()
    if args.json:
        with open(args.json, "w") as f:
            json.dump(counts, f, indent=1)
    if args.record:
        record[key] = {**known, **counts}
        with open(RECORD, "w") as f:
            json.dump(record, f, indent=1)
            f.write("\n")
    print("%d passed, %d failed, 0 skipped" % (len(counts) - failed, failed))
    return 1 if failed else 0


def count_all(counter, known, args):
    counts, failed = {}, 0
    print("%-52s %9s %9s %6s" % ("instructions of", "counted", "recorded", "aim"))
    for name, function in counter.figures().items():
        if not any(fnmatch.fnmatch(name, p) for p in args.pattern):
            continue
        if name.endswith("nginx") and not shutil.which("nginx", path=PATH):
            continue
        counts[name] = round(function(), 1)
        word = "recorded" if args.record else verdict(name, counts[name], known.get(name))
        failed += word == "FAILED"
        print("%-52s %9.1f %9s %6s  %s" % (name, counts[name], known.get(name, "-"), AIMS.get(name, ""), word), flush=True)
    return failed, counts


try:
    sys.exit(main())
except Missing as e:
    print("  skipped bench-check: %s" % e)
    print("0 passed, 0 failed, 1 skipped")
