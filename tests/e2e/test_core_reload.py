# SPDX-License-Identifier: Apache-2.0
"""The config changes while the server runs."""
import os

from harness import exporters, wait_for
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
