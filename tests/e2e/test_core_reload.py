# SPDX-License-Identifier: Apache-2.0
"""The config changes while the server runs."""
import os
import shutil
import time

from harness import exporters, read_spans, wait_for
from test_core_life import HOST


def rewrite(session, change):
    """As editors do it: a new file in the place of the old."""
    with open(session.config) as f:
        text = f.read()
    with open(session.config + ".new", "w") as f:
        f.write(change(text))
    os.rename(session.config + ".new", session.config)


def test_a_changed_config_takes_effect_and_a_bad_one_does_not(t):
    session = t.session()
    server = t.serve([HOST, "{port}"], session)
    connection = t.connect(server)
    wait_for("keeper and worker", lambda: len(exporters()) == 2)  # then the first policy is in force
    connection.get("/secret?n=1")
    rewrite(session, lambda text: text.replace("tracing:", "tracing:\n  excluded_urls: [secret]", 1))
    wait_for("the new config", lambda: "read again" in server.text())
    connection.get("/secret?n=2")
    connection.get("/open?n=3")
    rewrite(session, lambda text: text + "  sample_rate: [\n")
    wait_for("the refusal", lambda: "stays as it was" in server.text())
    connection.get("/secret?n=4")
    connection.get("/open?n=5")
    connection.close()
    server.stop()
    spans, ledger = session.finish()
    assert [s.target for s in spans] == ["/secret?n=1", "/open?n=3", "/open?n=5"], spans
    assert (ledger["requests"], ledger["taken"], ledger["excluded"]) == (5, 3, 2), ledger


def begin(t, **config):
    session = t.session(**config)
    server = t.serve([HOST, "{port}"], session)
    wait_for("keeper and worker", lambda: len(exporters()) == 2)
    return session, server, t.connect(server)


def taken_over(session, server, change):
    """Rewrites the file, waits until it is in force; the seconds that took."""
    times, begin_s = server.text().count("read again"), time.monotonic()
    rewrite(session, change)
    wait_for("the new config", lambda: server.text().count("read again") > times)
    return time.monotonic() - begin_s


def test_sampling_routes_and_the_exporter_change_too(t):
    session, server, connection = begin(t)
    other = os.path.join(session.directory, "other.jsonl")
    connection.get("/users/one?n=1")
    wait_for("the first span", lambda: read_spans(session.trace_file))
    taken_over(session, server, lambda text: text.replace(session.trace_file, other) + "  routes: ['/users/{who}']\n")
    connection.get("/users/two?n=2")
    taken_over(session, server, lambda text: text.replace("sample_rate: 1.0", "sample_rate: 0.0"))
    connection.get("/users/three?n=3")
    connection.close()
    server.stop()
    spans, ledger = session.finish()
    assert [s.target for s in spans] == ["/users/one?n=1"], spans
    assert [(s.target, s.name) for s in read_spans(other)] == [("/users/two?n=2", "GET /users/{who}")], read_spans(other)
    assert (ledger["requests"], ledger["taken"], ledger["sampled_out"]) == (3, 2, 1), ledger


def test_a_change_takes_effect_within_a_second(t):
    """The least of several: this machine may have other things to do."""
    session, server, connection = begin(t)
    took = [taken_over(session, server, lambda text: text + "# again\n") for _ in range(5)]
    connection.close()
    server.stop()
    session.finish()
    assert min(took) < 1, took


def test_a_config_that_is_bad_at_first_can_be_mended(t):
    session = t.session()
    with open(session.config) as f:
        good = f.read()
    rewrite(session, lambda text: text.replace("sample_rate", "sample_rat\u00e9") + "  timeout: -1\n")
    server = t.serve([HOST, "{port}"], session)
    wait_for("the refusal", lambda: "btrace: " in server.text())
    for target, change in (("/untraced", lambda text: good), ("/traced", lambda text: text + "# no matter\n")):
        connection = t.connect(server)
        connection.get(target)
        connection.close()
        taken_over(session, server, change)
    server.stop()
    spans, ledger = session.finish()
    assert [s.target for s in spans] == ["/traced"], spans
    assert ledger["requests"] == 1, "a connection that comes while tracing is off is not looked at"


def test_a_config_that_turns_tracing_off_and_on_again(t):
    session, server, connection = begin(t)
    connection.get("/1")
    taken_over(session, server, lambda text: text.replace("exporter_type: \"file\"", "exporter_type: none"))
    connection.get("/2")
    taken_over(session, server, lambda text: text.replace("exporter_type: none", "exporter_type: \"file\""))
    connection.get("/3")
    connection.close()
    server.stop()
    spans, ledger = session.finish()
    assert [s.target for s in spans] == ["/1", "/3"], spans
    assert ledger["requests"] == 3 and ledger["dropped"]["policy_off"] == 1, ledger


def test_a_file_behind_symbolic_links_that_are_swapped_as_kubernetes_does(t):
    """btrace.yml -> ..data/btrace.yml, ..data -> ..1; an update makes ..2, swaps ..data and removes ..1."""
    session = t.session()
    with open(session.config) as f:
        text = f.read()
    os.unlink(session.config)

    def publish(number, text):
        directory = os.path.join(session.directory, "..%d" % number)
        os.mkdir(directory)
        with open(os.path.join(directory, "btrace.yml"), "w") as f:
            f.write(text)
        os.symlink("..%d" % number, os.path.join(session.directory, "new"))
        os.rename(os.path.join(session.directory, "new"), os.path.join(session.directory, "..data"))
        shutil.rmtree(os.path.join(session.directory, "..%d" % (number - 1)), ignore_errors=True)
    publish(1, text)
    os.symlink("..data/btrace.yml", session.config)
    server = t.serve([HOST, "{port}"], session)
    wait_for("keeper and worker", lambda: len(exporters()) == 2)
    connection = t.connect(server)
    connection.get("/secret?n=1")
    publish(2, text.replace("tracing:", "tracing:\n  excluded_urls: [secret]", 1))
    wait_for("the new config", lambda: "read again" in server.text())
    connection.get("/secret?n=2")
    connection.close()
    server.stop()
    spans, _ = session.finish()
    assert [s.target for s in spans] == ["/secret?n=1"], spans
