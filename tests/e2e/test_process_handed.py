# SPDX-License-Identifier: Apache-2.0
"""Sockets that a server did not open itself: left open for it by who started it, or passed to it. One exporter all the
same, which is that of whoever the server was when it got them."""
import os
import signal

from harness import ROOT, check_spans, limit, tier, wait_for
from test_core_config import our_lines
from test_core_life import HOST, keepers
from test_process_models import activated, alive, children, one_exporter
from test_process_odd import compare, requests

NOBODY = 65534


def check_session(session, exchanges):
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["requests"] == len(exchanges), ledger


def test_connections_that_are_passed_to_a_process_which_does_not_listen(t):
    compare(t, [t.compile("odd"), "{port}", "pass"])


def test_a_listening_socket_that_is_passed_to_a_process_which_locks_itself_in(t):
    """From accept() on, the first call we would see otherwise, no exporter could be reached or started."""
    t.need_root()
    os.mkdir(t.path("empty"))
    compare(t, [t.compile("odd"), "{port}", "pass-listener", t.path("empty")])


def test_a_server_that_is_handed_its_socket_and_locks_itself_in(t):
    """chroot to an empty directory and no rights, before its first accept()."""
    t.need_root()
    os.mkdir(t.path("empty"))
    session = t.session()
    server, exchanges = activated(t, [t.compile("odd"), "0", "handed", t.path("empty")], session)
    one_exporter()
    assert server.stop()[0] == -15
    check_session(session, exchanges)
    assert os.stat(session.trace_file).st_uid == 0
    assert len(our_lines(server)) == 1, server.text()


def test_a_launcher_of_another_user_s_server_leaves_nothing_of_its_own(t):
    """It is handed the socket too, gives up its rights, and becomes the server. Were the exporter that is started for it
    to open the trace file, that user's could not write to it."""
    t.need_root()
    t.need("setpriv")
    session = t.session()
    os.chmod(session.directory, 0o777)
    server, exchanges = activated(t, ["/usr/bin/setpriv", "--reuid=%d" % NOBODY, "--clear-groups", HOST, "0", "--listen-fds"],
                                  session)
    wait_for("the launcher's exporter to end", lambda: len(keepers()) == 1, 30)
    one_exporter()
    assert server.stop()[0] == -15
    check_session(session, exchanges)
    assert {os.stat(f).st_uid for f in (session.trace_file, session.ledger_file)} == {NOBODY}
    assert len(our_lines(server)) == 1, server.text()


APPS = os.path.join(ROOT, "tests", "servers")


def found(t, exchanges):
    assert all(e.status == 404 for e in exchanges), "the application has no such file: %s" % exchanges[:3]


@tier("servers")
def test_gunicorn_that_is_socket_activated_and_drops_its_rights(t):
    t.need("gunicorn")
    drop = ["--user", "www-data", "--group", "www-data"] if os.geteuid() == 0 else []
    session = t.session()
    server, exchanges = activated(t, ["/usr/bin/gunicorn", "-w", "2", *drop, "--chdir", APPS, "--worker-tmp-dir", "/tmp",
                                      "app_wsgi:app"], session, each=1)
    one_exporter()
    found(t, exchanges)
    assert server.stop()[0] == 0
    check_session(session, exchanges)


@tier("servers")
def test_uvicorn_on_a_descriptor(t):
    t.need("uvicorn")
    session = t.session()
    server, exchanges = activated(t, ["/usr/bin/python3", "-m", "uvicorn", "--fd", "3", "--app-dir", APPS, "--log-level",
                                      "warning", "app_asgi:app"], session)
    one_exporter()
    found(t, exchanges)
    server.stop()
    check_session(session, exchanges)


@tier("servers")
def test_uvicorn_whose_workers_are_programs_of_their_own(t):
    """Each is exec'd and inherits the socket, as those of its reloader."""
    t.need("uvicorn")
    session = t.session()
    server = t.serve(["/usr/bin/python3", "-m", "uvicorn", "--port", "{port}", "--workers", "2", "--app-dir", APPS,
                      "--log-level", "warning", "app_asgi:app"], session)
    exchanges = requests(t, server, "x", 20, 2)
    one_exporter()
    found(t, exchanges)
    server.stop()
    check_session(session, exchanges)


@tier("servers")
@limit(120)
def test_gunicorn_reload_and_binary_upgrade_are_traced_from_the_old_workers_to_the_new_ones(t):
    t.need("gunicorn")
    session, pid_file = t.session(), t.path("gunicorn.pid")
    server = t.serve(["/usr/bin/gunicorn", "-w", "2", "-b", "127.0.0.1:{port}", "--chdir", APPS, "--worker-tmp-dir", "/tmp",
                      "--pid", pid_file, "app_wsgi:app"], session)
    first = wait_for("the workers", lambda: (lambda c: c if len(c) == 2 else None)(children(server.pid)), 30)
    exchanges = requests(t, server, "a", 20, 1)
    exporter = one_exporter()
    server.send_signal(signal.SIGHUP)
    wait_for("the old workers to end", lambda: not alive(first), 30)
    second = wait_for("the workers", lambda: (lambda c: c if len(c) == 2 else None)(children(server.pid)), 30)
    exchanges += requests(t, server, "b", 20, 1)
    one_exporter(exporter)
    server.send_signal(signal.SIGUSR2)

    def upgraded():
        new = children(server.pid) - second  # the new master is a child of the old one
        return new.pop() if len(new) == 1 and len(children(min(new))) == 2 else None
    master = wait_for("the new gunicorn", upgraded, 60)
    exchanges += requests(t, server, "c", 20, 1)
    os.kill(server.pid, signal.SIGTERM)
    wait_for("the old gunicorn to end", lambda: not alive({server.pid} | second), 30)
    exchanges += requests(t, server, "d", 20, 1)
    one_exporter(exporter)
    os.kill(master, signal.SIGTERM)
    wait_for("the new gunicorn to end", lambda: not alive({master}), 30)
    server.stop()
    found(t, exchanges)
    check_session(session, exchanges)
