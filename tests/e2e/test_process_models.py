# SPDX-License-Identifier: Apache-2.0
"""How servers live: upgraded, reloaded, activated, locked in, as PID 1, as many processes. Whatever process a request
meets, it gives one span, by one exporter, which ends with the last of them."""
import json
import os
import signal
import time

from harness import (Exchange, check_spans, exporters, free_port, is_exporter, limit, processes, read_spans, render, tier,
                     wait_for)
from test_core_config import our_lines
from test_core_life import HOST, keepers
from test_process_odd import compare, requests

HOSTS = os.path.dirname(HOST)


def children(pid):
    """But the one that is to become the exporter: while it is still a copy of its parent, that waits for it in vfork()."""
    def now():
        return {p.pid for p in processes() if p.parent == pid and p.state != "Z" and not is_exporter(p)}
    seen = now()
    return wait_for("the end of vfork()", lambda: {p.state for p in processes() if p.pid == pid} != {"D"}) and seen & now()


def alive(pids):
    return {p.pid for p in processes() if p.pid in pids and p.state != "Z"}


def listeners(pids, port):
    """Which of them hold a socket that listens on the port."""
    with open("/proc/net/tcp") as f:
        rows = [row.split() for row in f.readlines()[1:]]
    sockets = {"socket:[%s]" % r[9] for r in rows if r[3] == "0A" and int(r[1].rpartition(":")[2], 16) == port}
    found = set()
    for pid in pids:
        try:
            held = {os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)}
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ends just now, or did with one of its descriptors
        if held & sockets:
            found.add(pid)
    return found


class Held:
    """A POST of which the server has got the first half of the body: it is in the middle of a request."""

    def __init__(self, t, server, target):
        self.connection = t.connect(server, timeout=60)
        head, body = render("POST", target, (("Expect", "100-continue"),), b"x" * 1000)
        self.exchange = Exchange("POST", target, len(body), self.connection.number)
        self.exchange.start_ns = time.time_ns()
        self.connection.send(head)
        answer = self.connection.read_head(self.exchange)
        assert answer == 100, "%d instead of 100 Continue" % answer
        self.connection.send(body[:500])
        self.rest = body[500:]

    def finish(self):
        self.connection.send(self.rest)
        self.connection.finish(self.exchange)
        self.connection.close()
        assert self.exchange.status == 200, self.exchange
        return self.exchange


def one_exporter(before=None):
    """There is one, the same as before; its pid."""
    now = [p.pid for p in keepers()]
    assert len(now) == 1 and before in (None, now[0]), "not the one exporter %s: %s" % (before, exporters())
    return now[0]


NGINX = """daemon on; worker_processes 2; pid {work}/nginx.pid; error_log {work}/error.log warn;
env LD_PRELOAD; env BTRACE_CONFIG; env BTRACE_LEDGER; {user}
events {{ worker_connections 512; }}
http {{ access_log off; sendfile on; default_type text/plain; client_body_timeout 60s;
 client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u;
 scgi_temp_path {work}/s;
 server {{ listen 127.0.0.1:{port}; root {docroot};
  location /echo {{ proxy_http_version 1.1; proxy_pass http://127.0.0.1:{backend}; }} }} }}
"""


def upgrade_nginx(t, session, user):
    """From start to end, with requests in each phase and one over the change: the exchanges."""
    t.need("nginx")
    port, backend, work = free_port(), t.backend(), t.path("nginx")
    os.mkdir(work)
    os.chmod(work, 0o755)
    with open(work + "/nginx.conf", "w") as f:
        f.write(NGINX.format(work=work, port=port, docroot=t.docroot, backend=backend,
                             user=user if os.geteuid() == 0 else ""))
    server = t.serve(["/usr/sbin/nginx", "-c", work + "/nginx.conf"], session, port=port)
    server.popen.wait(30)

    def master(but=None):
        try:
            with open(work + "/nginx.pid") as f:
                pid = int(f.read() or 0)
        except FileNotFoundError:
            return None
        return pid if pid != but and len(children(pid)) == 2 else None
    old = wait_for("the workers of nginx", master, 30)
    workers = children(old)
    exchanges = requests(t, server, "small.txt", 10, 2)
    exporter = one_exporter()
    held = Held(t, server, "/echo?held")
    os.kill(old, signal.SIGUSR2)

    def upgraded():
        both = children(old) - workers  # the new master is a child of the old one
        return master(old) if len(both) == 1 else None
    new = wait_for("the new nginx", upgraded, 30)
    exchanges += requests(t, server, "small.txt", 40, 2)
    os.kill(old, signal.SIGQUIT)
    wait_for("the old workers to listen no more", lambda: not listeners(workers, port), 30)
    assert alive({old}), "the old nginx ended in the middle of a request"
    exchanges += requests(t, server, "small.txt", 10, 2)
    one_exporter(exporter)
    exchanges.append(held.finish())
    wait_for("the old nginx to end", lambda: not alive({old} | workers), 30)
    exchanges += requests(t, server, "small.txt", 10, 2)
    one_exporter(exporter)
    os.kill(new, signal.SIGQUIT)
    wait_for("nginx to end", lambda: not server.family(), 30)
    return exchanges


@limit(120)
def test_nginx_binary_upgrade_is_traced_from_the_old_master_to_the_new_one(t):
    session = t.session()
    exchanges = upgrade_nginx(t, session, "user root;")
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["requests"] == len(exchanges), ledger


@limit(120)
def test_nginx_that_is_upgraded_and_drops_its_rights_goes_on_with_the_same_exporter(t):
    """The new master never calls listen(), its workers accept() only when they are somebody else."""
    t.need_root()
    session = t.session()
    exchanges = upgrade_nginx(t, session, "user www-data;")
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["requests"] == len(exchanges), ledger


def activated(t, argv, session, launcher_too=False, each=10):
    """A server that is started for a client which is there already. (server, the exchanges)"""
    env = {} if launcher_too else {"ACTIVATE_PRELOAD": t.library}
    server = t.serve(["/usr/bin/python3", HOSTS + "/activate.py", "{port}", *argv], session, env=env, preload=launcher_too)
    exchanges = [t.connect(server, timeout=60).get("/first?n=0")]
    t.connections[-1].close()
    return server, exchanges + requests(t, server, "next", 4, each)


def test_a_socket_activated_server_is_traced_from_the_client_on_that_woke_it(t):
    session = t.session()
    server, exchanges = activated(t, [HOST, "0", "--listen-fds"], session)
    one_exporter()
    assert server.stop()[0] == -15
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["requests"] == len(exchanges), ledger


def test_a_launcher_that_listens_under_the_library_and_becomes_the_server(t):
    """The process has been traced already when another program takes its place."""
    session = t.session()
    server, exchanges = activated(t, [HOST, "0", "--listen-fds"], session, launcher_too=True)
    one_exporter()
    assert server.stop()[0] == -15
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["requests"] == len(exchanges), ledger


HAPROXY = """{rights}
defaults
 mode http
 timeout client 60s
 timeout server 60s
 timeout connect 60s
frontend f
 bind 127.0.0.1:{port}
 default_backend b
backend b
 server s 127.0.0.1:{backend}
"""


def reload_haproxy(t, rights):
    """The master becomes a new program in the same process; its old worker serves to the end of its request."""
    t.need("haproxy")
    t.need_root()
    session, port = t.session(), free_port()
    with open(t.path("haproxy.cfg"), "w") as f:
        f.write(HAPROXY.format(port=port, backend=t.backend(), rights=rights))
    server = t.serve(["/usr/sbin/haproxy", "-W", "-f", t.path("haproxy.cfg")], session, port=port)
    workers = wait_for("the worker", lambda: children(server.pid), 30)
    exchanges = requests(t, server, "small.txt", 10, 2)
    exporter = one_exporter()
    held = Held(t, server, "/echo?held")
    server.send_signal(signal.SIGUSR2)

    def reloaded():
        new = children(server.pid) - workers
        return new if listeners(new, port) == new else set()
    wait_for("the new worker", reloaded, 30)
    wait_for("the old worker to listen no more", lambda: not listeners(workers, port), 30)
    assert alive(workers) == workers, "the old worker ended in the middle of a request"
    exchanges += requests(t, server, "small.txt", 20, 2)
    one_exporter(exporter)
    exchanges.append(held.finish())
    wait_for("the old worker to end", lambda: not alive(workers), 30)
    exchanges += requests(t, server, "small.txt", 10, 2)
    one_exporter(exporter)
    server.stop()
    assert "not tracing" not in server.text(), server.text()
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["requests"] == len(exchanges), ledger


@tier("servers")
@limit(120)
def test_haproxy_reload_is_traced_from_the_old_worker_to_the_new_one(t):
    reload_haproxy(t, "")


@tier("servers")
@limit(120)
def test_haproxy_that_is_reloaded_and_drops_its_rights_goes_on_with_the_same_exporter(t):
    """The reloaded master is handed the listening sockets; its workers accept() only when they are locked in, are
    somebody else and may start no process."""
    os.mkdir(t.path("empty"))
    reload_haproxy(t, "global\n user www-data\n chroot " + t.path("empty"))


@tier("servers")
@limit(120)
def test_apache_graceful_is_traced_from_the_old_children_to_the_new_ones(t):
    t.need("apache2")
    t.need_root()
    session = t.session()
    server = t.serve("apache-event", session)
    workers = wait_for("the children", lambda: children(server.pid), 30)
    exchanges = requests(t, server, "small.txt", 10, 2)
    exporter = one_exporter()
    held = Held(t, server, "/small.txt?held")
    old = children(server.pid) | workers
    server.send_signal(signal.SIGUSR1)
    wait_for("the new children", lambda: len(listeners(children(server.pid) - old, server.port)) >= 2, 30)
    wait_for("the old children to listen no more", lambda: not listeners(old, server.port), 30)
    wait_for("one old child to be left, in the middle of a request", lambda: len(alive(old)) == 1, 30)
    exchanges += requests(t, server, "small.txt", 20, 2)
    one_exporter(exporter)
    exchanges.append(held.finish())
    wait_for("the old child to end", lambda: not alive(old), 30)
    exchanges += requests(t, server, "small.txt", 10, 2)
    one_exporter(exporter)
    server.stop()
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["requests"] == len(exchanges), ledger


@limit(120)
def test_a_thousand_children_with_a_connection_each(t):
    compare(t, [t.compile("odd"), "{port}", "fork"], lambda t, server, tag: requests(t, server, tag, 1000, 1))


@limit(120)
def test_a_thousand_programs_that_a_server_starts(t):
    """Each loads the library, finds its config, and has no part in it."""
    compare(t, [t.compile("odd"), "{port}", "exec"], lambda t, server, tag: requests(t, server, tag, 10, 100))


def test_a_server_that_locks_itself_in_after_its_start(t):
    """chroot to an empty directory and no rights: its children too find the session."""
    t.need_root()
    os.mkdir(t.path("empty"))
    compare(t, [t.compile("odd"), "{port}", "chroot", t.path("empty")])


def test_a_server_that_locks_itself_in_before_it_listens_serves_and_says_why_it_is_not_traced(t):
    t.need_root()
    os.mkdir(t.path("empty"))
    session = t.session()
    server = t.serve([t.compile("odd"), "{port}", "chroot-first", t.path("empty")], session)
    assert all(e.status == 200 for e in requests(t, server, "x"))
    assert server.stop()[0] == -15
    wait_for("exporters to end", lambda: not exporters())
    lines = our_lines(server)
    assert len(lines) == 1 and "btrace-exporter" in lines[0], server.text()
    assert not read_spans(session.trace_file)


def as_init(t, session, argv):
    """argv as process number 1 of a namespace. (server, the pid which process 1 has out here)"""
    library = [] if argv[0] == t.ctl else ["LD_PRELOAD=" + t.library]
    server = t.serve(["/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "/usr/bin/env", *library, *argv], session,
                     preload=False)
    return server, children(server.pid).pop()


def test_process_number_1_is_traced_and_its_wait_gives_it_its_own_child(t):
    t.need_root()
    session = t.session()
    server, init = as_init(t, session, [HOST, "{port}", "--fork"])
    exchanges = requests(t, server, "x")
    one_exporter()
    # with process 1 the kernel ends the exporter: what counts is there before
    wait_for("the spans", lambda: len(read_spans(session.trace_file)) == len(exchanges), 30)
    os.kill(init, signal.SIGTERM)
    assert server.popen.wait(30) == 0, "wait() in process 1 gave it a child that is not its own"
    wait_for("the exporter to end", lambda: not exporters())
    check_spans(exchanges, read_spans(session.trace_file))


def test_btracectl_run_as_process_number_1_loses_nothing(t):
    t.need_root()
    session = t.session()
    server, init = as_init(t, session, [t.ctl, "run", "--config", session.config, "--", HOST, "{port}"])
    exchanges = requests(t, server, "x")
    one_exporter()
    os.kill(init, signal.SIGTERM)
    server.popen.wait(30)
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["requests"] == len(exchanges), ledger


@limit(120)
def test_two_processes_on_one_port_share_one_exporter(t):
    session, port = t.session(), free_port()
    servers = [t.serve([HOST, "{port}", "--reuseport"], session, port=port, ready=False) for _ in range(2)]
    wait_for("both servers", lambda: len(listeners({s.pid for s in servers}, port)) == 2, 60)
    exchanges, seen = [], set()

    def both_have_served():
        with t.connect(servers[0]) as c:
            exchanges.append(c.get("/state?n=%d" % len(exchanges)))
        seen.add(json.loads(exchanges[-1].body)["pid"])
        return len(seen) == 2
    wait_for("both to have served", both_have_served, 60)
    exchanges += requests(t, servers[0], "x", 50, 2)
    exporter = one_exporter()
    servers[0].stop()
    exchanges += requests(t, servers[1], "y", 10, 2)
    one_exporter(exporter)
    servers[1].stop()
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["requests"] == len(exchanges), ledger
