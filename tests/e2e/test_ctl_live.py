# SPDX-License-Identifier: Apache-2.0
"""btracectl ps and top: looking at sessions that run."""
import http.client
import json
import os
import pty
import select
import signal
import threading

from harness import free_port, listening, wait_for

SERVER = r"""
import http.server, os, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        while self.path.startswith("/hang") and not os.path.exists(sys.argv[2]):
            time.sleep(0.02)
        self.send_response(500 if self.path.startswith("/bad") else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *a):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def command_line(pid):
    try:
        with open("/proc/%d/cmdline" % pid) as f:
            return f.read().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []  # a process of somebody else's session, which has ended since


class Live:
    """A server in a session of its own, a hanging request in it."""
    def __init__(self, t, *options):
        self.t, self.port, self.gate = t, free_port(), t.path("gate%d" % len(os.listdir(t.directory)))
        self.process = t.spawn([t.ctl, "run", "--exporter", "file=" + t.path("out.jsonl"), "--service", "shop", *options,
                                "--", "/usr/bin/python3", "-c", SERVER, str(self.port), self.gate])
        wait_for("the server", lambda: listening(self.port), 60)
        self.pid = wait_for("the session", self.find, 60)

    def find(self):
        """The number of the server's process, once its session can be seen."""
        for s in sessions(self.t):
            for p in s["processes"]:
                if str(self.port) in command_line(p["pid"]):
                    self.exporter = s["exporter"]
                    return p["pid"]
        return None

    def get(self, path):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        c.request("GET", path)
        status = c.getresponse().read() and 0
        c.close()
        return status

    def hang(self, path):
        self.thread = threading.Thread(target=self.get, args=(path,), daemon=True)
        self.thread.start()

    def top(self, *options):
        p = self.t.run([self.t.ctl, "top", "--once", "--json", "-d", "20ms", *options, str(self.pid)])
        assert p.returncode == 0, p.stderr
        return json.loads(p.stdout)

    def stop(self):
        open(self.gate, "w").close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def sessions(t):
    p = t.run([t.ctl, "ps", "--json"])
    return [json.loads(line) for line in p.stdout.splitlines()]


def test_ps_lists_a_session_its_processes_and_its_account(t):
    live = Live(t)
    live.get("/a")
    live.get("/bad")

    def settled():
        s = [s for s in sessions(t) if s["exporter"] == live.exporter]
        return s and s[0]["ledger"]["exporters"]["file"]["sent"] == 2 and s[0]
    s = wait_for("both spans to be sent", settled, 60)
    assert s["ledger"]["requests"] == s["ledger"]["taken"] == 2 and not s["ending"], s
    assert [p["service"] for p in s["processes"]] == ["shop"], s["processes"]
    rows = t.run([t.ctl, "ps"]).stdout.decode()
    row = [r for r in rows.splitlines() if r.split()[:1] == [str(live.exporter)]]
    assert row and "shop" in row[0] and "(btracectl run)" in row[0], rows
    live.stop()
    assert live.exporter not in [s["exporter"] for s in sessions(t)]


def test_top_shows_requests_in_flight_and_routes(t):
    live = Live(t)
    for path in ("/a", "/a", "/a", "/bad"):
        live.get(path)
    live.hang("/hang/on?secret=1")
    top = wait_for("four spans and a request that hangs",
                   lambda: (lambda v: sum(r["total"] for r in v["routes"]) == 4 and v["open"] and v)(live.top()), 60)
    assert len(top["open"]) == 1 and top["in_flight"] == 1, top
    hanging = top["open"][0]
    assert hanging["method"] == "GET" and hanging["path"] == "/hang/on" and hanging["pid"] == live.pid, hanging
    assert hanging["service"] == "shop" and hanging["client"].startswith("127.0.0.1:") and hanging["age_ns"] > 0, hanging
    assert live.top()["open"][0]["age_ns"] > hanging["age_ns"]
    assert top["requests"] == 5 and sum(r["errors"] for r in top["routes"]) == 1, top
    for r in top["routes"]:
        assert r["service"] == "shop" and 0 < r["p50_ns"] <= r["p95_ns"] <= r["p99_ns"] < 60e9, r
    text = t.run([t.ctl, "top", "--once", "-d", "20ms", str(live.exporter)]).stdout.decode()
    assert "5 requests" in text and "1 in flight" in text and "GET /hang/on\n" in text and "\x1b" not in text, text
    live.stop()
    live.thread.join(60)


def test_top_on_a_terminal_draws_until_q_and_leaves_it_as_it_was(t):
    live = Live(t)
    live.get("/a")
    master, slave = pty.openpty()
    p = t.spawn([t.ctl, "top", "-d", "50ms", str(live.pid)], stdin=slave, stdout=slave, stderr=slave,
                env={"TERM": "xterm", "PATH": "/usr/bin:/bin"})
    os.close(slave)
    seen = b""

    def more():
        nonlocal seen
        try:
            if select.select([master], [], [], 0.2)[0]:
                seen += os.read(master, 65536)
        except OSError:
            pass  # everybody has closed it
        return seen
    wait_for("two frames", lambda: more().count(b"\x1b[H") >= 2, 60)
    os.write(master, b"q")
    wait_for("the end of top", lambda: more() and p.poll() is not None, 60)
    more()
    assert p.returncode == 0 and seen.startswith(b"\x1b[?1049h") and b"\x1b[?1049l" in seen and b"1 requests" in seen, seen
    os.close(master)
    live.stop()


def test_top_ends_with_the_session(t):
    live = Live(t)
    p = t.spawn([t.ctl, "top", "--json", "-d", "20ms", str(live.pid)], stdout=open(t.path("top.jsonl"), "w"))
    wait_for("a line", lambda: os.path.getsize(t.path("top.jsonl")), 60)
    live.stop()
    assert p.wait(60) == 0
    with open(t.path("top.jsonl")) as f:
        assert all(json.loads(line)["exporter"] == live.exporter for line in f)


def test_looking_on_does_not_hold_a_session_up(t):
    live = Live(t)
    p = t.spawn([t.ctl, "top", "--json", "-d", "5ms", str(live.pid)], stdout=open(t.path("top.jsonl"), "w"))
    wait_for("a line", lambda: os.path.getsize(t.path("top.jsonl")), 60)
    live.get("/a")
    live.stop()  # waits for the exporter as well
    assert live.process.returncode == 143 and p.wait(60) == 0


def test_a_process_without_a_session_is_told(t):
    p = t.run([t.ctl, "top", "--once", str(os.getpid())])
    assert p.returncode == 1 and b"is not traced" in p.stderr, p
    for wrong in ("x", "-1", "0", "99999999999"):
        assert t.run([t.ctl, "top", "--", wrong]).returncode == 2, wrong


def test_another_users_session_is_told_and_not_shown(t):
    t.need_root()
    live = Live(t)
    p = t.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", t.ctl, "top", "--once", str(live.exporter)])
    assert p.returncode == 1 and b"belongs to another user" in p.stderr, p
    live.stop()
