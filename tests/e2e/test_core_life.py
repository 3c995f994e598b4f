# SPDX-License-Identifier: Apache-2.0
"""From the first listen() to the exporter's end: who starts it, who waits for whom, what survives."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import time

from harness import check_spans, clean_environment, exporters, free_port, limit, listening, load, wait_for
from test_core_serving import mixed_plan

HOST = os.path.join(os.path.dirname(__file__), "hosts", "host.py")


def keepers():
    """Exporter processes that no other exporter process started: one for each session."""
    running = exporters()
    return [p for p in running if p.parent not in {q.pid for q in running}]


class Hanging:
    """A collector that accepts and never answers."""

    def __init__(self, t):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        t.connections.append(self)
        self.url = "http://127.0.0.1:%d/api/v2/spans" % self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


def test_a_response_is_whole_even_if_the_server_dies_before_its_send_returns(t):
    """What the client has got is no aborted request: the worst instant, not a likely one."""
    killer = t.path("kill_after_send.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", killer, os.path.join(os.path.dirname(HOST), "kill_after_send.c")],
                   check=True)
    session = t.session()
    port = free_port()
    t.spawn([HOST, str(port)], env=dict(clean_environment(**session.environment), LD_PRELOAD=t.library + ":" + killer))
    wait_for("the server", lambda: listening(port))
    exchange = t.connect(("127.0.0.1", port)).get("/last?n=1")
    spans, ledger = session.finish()
    check_spans([exchange], spans)
    assert ledger["aborted"] == 0 and "error.type" not in spans[0].attributes, (ledger, spans[0].attributes)


def captured(t, session, end):
    """Runs a server as `out=$(server 2>&1)` does, one GET, ends it. (seconds from its end to the end of its output,
    the output, the exchange)"""
    port = free_port()
    p = t.spawn([HOST, str(port)], env=dict(clean_environment(**session.environment), LD_PRELOAD=t.library),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_for("the server", lambda: listening(port))
    exchange = t.connect(("127.0.0.1", port)).get("/one?n=1")
    p.send_signal(end)
    p.wait()
    begin = time.monotonic()
    output = p.stdout.read()
    return time.monotonic() - begin, output.decode(), exchange


def test_one_request_is_one_line(t):
    session = t.session()
    _, _, exchange = captured(t, session, signal.SIGTERM)
    spans, ledger = session.finish()
    check_spans([exchange], spans)
    assert ledger["requests"] == 1, ledger
    with open(session.trace_file) as f:
        assert len(f.read().splitlines()) == 1


def test_one_request_is_one_line_when_the_server_is_killed_after_it(t):
    session = t.session()
    _, _, exchange = captured(t, session, signal.SIGKILL)
    spans, ledger = session.finish()
    check_spans([exchange], spans)
    assert ledger["requests"] == 1 and ledger["aborted"] == 0, ledger


def test_captured_output_ends_within_a_second_of_the_server(t):
    session = t.session()
    seconds, output, _ = captured(t, session, signal.SIGTERM)
    assert seconds < 1.25, "%.2f s" % seconds
    assert re.search("1 request", output), "no ledger line in %r" % output


def hangs(t, end):
    collector = Hanging(t)
    session = t.session(exporter_type="zipkin", zipkin={"endpoint": collector.url}, file=None)
    seconds, _, _ = captured(t, session, end)
    assert seconds < 1.25, "%.2f s" % seconds
    collector.close()
    _, ledger = session.finish(timeout=40)
    assert ledger["taken"] == 1, ledger


@limit(90)
def test_captured_output_ends_within_a_second_also_with_a_hanging_collector(t):
    hangs(t, signal.SIGTERM)


@limit(90)
def test_captured_output_of_a_killed_server_ends_within_a_second_also_with_a_hanging_collector(t):
    hangs(t, signal.SIGKILL)


NGINX = """daemon on; %(user)s worker_processes 2; pid %(work)s/nginx.pid; error_log %(work)s/error.log warn;
events { worker_connections 512; }
http { access_log off; sendfile on; default_type text/plain;
 client_body_temp_path %(work)s/b; proxy_temp_path %(work)s/p; fastcgi_temp_path %(work)s/f; uwsgi_temp_path %(work)s/u;
 scgi_temp_path %(work)s/s;
 server { listen 127.0.0.1:%(port)d; root %(docroot)s; location /echo { proxy_http_version 1.1; proxy_pass http://127.0.0.1:%(backend)d; } } }
"""


def daemonised_nginx(t, session):
    """nginx as a service starts it: the process that was started ends, the master goes on. (server, master's pid)"""
    backend = t.backend()
    work, port = t.path("nginx"), free_port()
    os.mkdir(work)
    os.chmod(work, 0o755)
    with open(work + "/nginx.conf", "w") as f:
        f.write(NGINX % {"user": "user www-data;" if os.geteuid() == 0 else "", "work": work, "port": port,
                         "docroot": t.docroot, "backend": backend})
    server = t.serve(["nginx", "-c", work + "/nginx.conf"], session, port=port)
    server.popen.wait(20)
    with open(work + "/nginx.pid") as f:
        return server, int(f.read())


@limit(120)
def test_daemonised_nginx_is_traced_long_after_its_starter_has_gone(t):
    t.need("nginx")
    session = t.session()
    server, master = daemonised_nginx(t, session)
    time.sleep(3)  # this is the "long after": an exporter that waits for its starter only would be gone
    assert len(keepers()) == 1, "not one exporter: %s" % exporters()
    exchanges = load(server.address, mixed_plan(400), connections=10)
    assert len(keepers()) == 1, "not one exporter: %s" % exporters()
    os.kill(master, signal.SIGQUIT)
    wait_for("nginx to end", lambda: not server.family(), 20)
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["requests"] == 400, ledger


def test_sigterm_to_everybody_at_once_loses_nothing(t):
    """As systemd stops a service: its whole control group, our exporter too."""
    t.need("nginx")
    session = t.session()
    server, _ = daemonised_nginx(t, session)
    exchanges = load(server.address, mixed_plan(200), connections=8)
    for p in exporters() + server.family():
        with contextlib.suppress(ProcessLookupError):  # a worker may have ended with its master already
            os.kill(p.pid, signal.SIGTERM)
    wait_for("nginx to end", lambda: not server.family(), 20)
    spans, _ = session.finish()
    check_spans(exchanges, spans)


def test_ctrl_c_on_the_process_group_loses_nothing(t):
    session = t.session()
    server = t.serve("node-http", session)
    exchanges = load(server.address, mixed_plan(200), connections=8)
    os.killpg(server.pid, signal.SIGINT)
    server.stop()
    spans, _ = session.finish()
    check_spans(exchanges, spans)


def test_a_restarted_server_is_traced_again(t):
    session = t.session()
    exchanges = []
    for i in range(3):
        server = t.serve([HOST, "{port}"], session)
        exchanges.append(t.connect(server).get("/round?n=%d" % i))
        server.stop()
    wait_for("the exporter to end", lambda: not exporters())
    from harness import read_spans
    check_spans(exchanges, read_spans(session.trace_file))


def test_two_servers_with_one_config_share_one_exporter(t):
    session = t.session()
    servers = [t.serve([HOST, "{port}"], session) for _ in range(2)]
    exchanges = [t.connect(s).get("/of?n=%d" % i) for i, s in enumerate(servers)]
    assert len(keepers()) == 1, "not one exporter: %s" % exporters()
    for s in servers:
        s.stop()
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["requests"] == 2, ledger


@limit(120)
def test_servers_started_at_once_all_join_one_exporter(t):
    """Twenty processes ask one exporter for its table at the same moment, on few cores."""
    session = t.session()
    servers = [t.serve([HOST, "{port}"], session, ready=False) for _ in range(20)]
    for s in servers:
        s.wait_ready()
    exchanges = [t.connect(s).get("/of?n=%d" % i) for i, s in enumerate(servers)]
    assert len(keepers()) == 1, "not one exporter: %s" % exporters()
    for s in servers:
        s.stop()
    said = [s.text() for s in servers if "not tracing" in s.text()]
    assert not said, said
    spans, _ = session.finish()
    check_spans(exchanges, spans)
