# SPDX-License-Identifier: Apache-2.0
"""The collector is away for a while, and comes back. BTRACE_SOAK=1: for a minute, at some 2,000 requests a second."""
import collections
import os
import time

from sinks import HttpReceiver
from harness import limit
from load import Load
from test_kills import CROWD, check, one_worker, send, workers

TIER = "kills"
LONG = bool(os.environ.get("BTRACE_SOAK"))
QUEUE = 1000


def away(t, kill_worker=False, **config):
    """(ids that arrived, the file's spans, the ledger): the collector comes after many times what the queue holds."""
    gone = HttpReceiver()
    gone.close()
    session = t.session(exporter_type=["file", "zipkin"], batch={"max_spans": 100, "delay": "100ms"},
                        queue={"max_spans": QUEUE}, retry={"max_time": "600s"},
                        zipkin={"endpoint": "http://127.0.0.1:%d/api/v2/spans" % gone.port}, **config)
    server = t.serve([CROWD, "{port}", "2", "4"], session)
    load = Load(server.port, slow_ms=0, pause=0.004 if LONG else 0)
    until = time.monotonic() + (60 if LONG else 0)
    assert load.wait_for_more(5 * QUEUE, 100)
    while time.monotonic() < until:
        assert load.wait_for_more(1)
        time.sleep(0.1)
    if kill_worker:
        pid = one_worker()
        send(pid, 9)
    receiver = HttpReceiver(port=gone.port)
    assert load.wait_for_more(QUEUE, 100)
    complete, broken = load.stop()
    server.stop()
    spans, ledger = session.finish(120)
    receiver.close()
    check(complete, broken, spans, ledger, 0)
    return collections.Counter(receiver.accepted), spans, ledger


@limit(400)
def test_with_a_spool_nothing_is_lost_while_the_collector_is_away(t):
    arrived, spans, ledger = away(t, spool={"path": t.path("spool")})
    zipkin = ledger["exporters"]["zipkin"]
    assert zipkin["sent"] == len(spans) and zipkin["spooled"] == zipkin["queue_dropped"] == 0, zipkin
    assert arrived == collections.Counter(int(s.span_id, 16) for s in spans)


@limit(400)
def test_without_a_spool_the_loss_is_counted_exactly(t):
    arrived, spans, ledger = away(t)
    zipkin = ledger["exporters"]["zipkin"]
    assert zipkin["queue_dropped"] > 0 and zipkin["sent"] + zipkin["queue_dropped"] == len(spans), zipkin
    assert len(arrived) == arrived.total() == zipkin["sent"], (len(arrived), zipkin)
    assert arrived.keys() <= {int(s.span_id, 16) for s in spans}


@limit(400)
def test_with_a_spool_a_killed_worker_changes_nothing(t):
    arrived, spans, ledger = away(t, kill_worker=True, spool={"path": t.path("spool")})
    assert ledger["exporters"]["zipkin"]["sent"] == len(spans), ledger["exporters"]
    assert arrived == collections.Counter(int(s.span_id, 16) for s in spans)
