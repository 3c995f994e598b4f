# SPDX-License-Identifier: Apache-2.0
"""A config that is no good: one clear line, and the server serves on untraced."""
import os
import re

from harness import exporters, wait_for

HOST = [os.path.join(os.path.dirname(__file__), "hosts", "host.py"), "{port}"]


def our_lines(server):
    return [line for line in server.text().splitlines() if "btrace" in line]


def serves_on_untraced(t, session, *patterns, env=None):
    """The server answers; exactly one line tells why there are no traces, and it matches all patterns."""
    server = t.serve(HOST, session, env=env)
    connection = t.connect(server)
    for i in range(3):
        assert connection.get("/%d" % i).status == 200
    wait_for("a line that says why; output: %r" % server.text(), lambda: our_lines(server), 5)
    connection.close()
    status, _ = server.stop()
    assert status == -15, status
    wait_for("the exporter to end", lambda: not exporters(), 5)
    lines = our_lines(server)
    assert len(lines) == 1, "not one line: %r" % lines
    for pattern in patterns:
        assert re.search(pattern, lines[0], re.I), "%r does not say %r" % (lines[0], pattern)
    assert not os.path.exists(session.trace_file)


def test_bad_yaml_names_file_and_line(t):
    serves_on_untraced(t, t.session(raw="tracing:\n  sample_rate: [1.0\n  exporter_type: file\n"),
                       r"btrace\.yml", r"\b[2-4]\b")


def test_unknown_exporter_names_it_and_what_is_allowed(t):
    serves_on_untraced(t, t.session(exporter_type="zipkni"), "zipkni", "zipkin", "jaeger", "otlp")


def test_unwritable_trace_file_is_named(t):
    t_file = t.path("plain-file")
    open(t_file, "w").close()
    serves_on_untraced(t, t.session(file={"path": t_file + "/traces.jsonl"}), "plain-file")


def test_missing_config_is_named(t):
    session = t.session()
    os.unlink(session.config)
    serves_on_untraced(t, session, r"btrace\.yml")


def test_sample_rate_out_of_range_names_the_key(t):
    serves_on_untraced(t, t.session(sample_rate=1.5), "sample_rate", r"1\.5|1\.0|\b1\b")


def test_no_sample_rate_collects_nothing_and_tells_the_remedy(t):
    serves_on_untraced(t, t.session(sample_rate=None), "sample_rate")


def test_config_that_is_a_directory_is_named(t):
    session = t.session()
    os.unlink(session.config)
    os.mkdir(session.config)
    serves_on_untraced(t, session, r"btrace\.yml")
