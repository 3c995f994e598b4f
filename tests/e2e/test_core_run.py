# SPDX-License-Identifier: Apache-2.0
"""btracectl run: the way to see something at once."""
import os
import signal
import subprocess

from harness import (Ledger, check_spans, clean_environment, exporters, free_port, listening, read_spans, wait_for)

HOST = os.path.join(os.path.dirname(__file__), "hosts", "host.py")


def run_host(t, *options, requests=3, end=signal.SIGTERM, host_options=(), env=None):
    """`btracectl run OPTIONS -- host.py`, some requests, a signal to btracectl. (exit status, output, exchanges)"""
    port = free_port()
    p = t.spawn([t.ctl, "run", *options, "--", HOST, str(port), *host_options], env=env or clean_environment(),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_for("the server", lambda: listening(port))
    connection = t.connect(("127.0.0.1", port))
    exchanges = [connection.get("/run?n=%d" % i) for i in range(requests)]
    connection.close()
    p.send_signal(end)
    output, _ = p.communicate(timeout=30)
    return p.returncode, output.decode(), exchanges


def test_run_without_config_shows_spans_and_writes_the_file(t):
    status, output, exchanges = run_host(t)
    assert not exporters(), "run came back before its exporter had ended: %s" % exporters()
    check_spans(exchanges, read_spans(t.path("btrace-traces.jsonl")))
    assert output.count("/run") >= 3, "no spans on the console:\n" + output


def test_run_with_config_and_ledger(t):
    session = t.session(ledger=False)
    status, output, exchanges = run_host(t, "-c", session.config, "--ledger", t.path("ledger.json"))
    session.ledger_file = t.path("ledger.json")
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert isinstance(ledger, Ledger) and ledger["requests"] == 3


def test_run_exits_with_the_status_of_the_command(t):
    for status in (0, 1, 42):
        assert t.run([t.ctl, "run", "--", "sh", "-c", "exit %d" % status]).returncode == status


def test_run_of_a_command_that_a_signal_ended(t):
    done = t.run([t.ctl, "run", "--", "sh", "-c", "kill -9 $$"])
    assert done.returncode in (128 + 9, -9), done


def test_run_of_no_such_command_says_so(t):
    done = t.run([t.ctl, "run", "--", "no-such-command-here"])
    assert done.returncode == 127 and b"no-such-command-here" in done.stderr, done


def test_run_passes_signals_on(t):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        status, _, _ = run_host(t, end=number, requests=1)
        assert status in (128 + number, -number) or (number == signal.SIGINT and status in (1, 130)), (number, status)


def test_two_runs_have_a_session_each(t):
    one, two = t.path("one"), t.path("two")
    running = []
    for directory in (one, two):
        os.mkdir(directory)
        port = free_port()
        p = t.spawn([t.ctl, "run", "--", HOST, str(port)], cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the server", lambda port=port: listening(port))
        running.append((p, t.connect(("127.0.0.1", port)).get("/of" + directory), directory))
    for p, _, _ in running:
        p.terminate()
        p.wait(30)
    for _, exchange, directory in running:
        check_spans([exchange], read_spans(directory + "/btrace-traces.jsonl"))
