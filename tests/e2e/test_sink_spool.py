# SPDX-License-Identifier: Apache-2.0
"""A spool behind the queue: what a receiver does not take for a while waits on disk, whatever dies meanwhile."""
import glob
import os
import signal

from sinks import HttpReceiver, all_once, zipkin

SMALL = ["--max-spans", 1000, "--max-bytes", 4000000]


def dead_receiver():
    receiver = HttpReceiver()
    receiver.close()
    return receiver


def test_outage_longer_than_the_queue_loses_nothing_and_keeps_the_order(t):
    gone = dead_receiver()
    sink = zipkin(t, gone, *SMALL, "--spool", t.path("spool"))
    counters = sink.do("put 200 100")
    spooled = counters["spooled"]
    assert spooled >= 18000 and counters["queue_dropped"] == 0, counters
    assert counters["spooled"] + counters["queued"] == 20000
    receiver = HttpReceiver(port=gone.port)
    counters = sink.do("idle")
    all_once(receiver, 20000, sink, counters)
    assert counters["spooled"] == 0
    assert receiver.accepted[:spooled] == list(range(1, spooled + 1)), "replayed in order"
    assert sum(map(os.path.getsize, glob.glob(t.path("spool/*")))) <= 4096, "an empty spool takes no disk"
    sink.do("put 1 100")
    all_once(receiver, 20100, sink)
    receiver.close()
    said = sink.end()
    assert "spooling to disk" in said and "lost" not in said, said


def test_what_is_left_at_the_end_is_sent_by_the_next_session(t):
    gone = dead_receiver()
    sink = zipkin(t, gone, *SMALL, "--spool", t.path("spool"))
    sink.do("put 30 100")
    counters = sink.do("stop 300")
    assert (counters["spooled"], counters["queue_dropped"], counters["sent"]) == (3000, 0, 0), counters
    assert "lost" not in sink.end()
    receiver = HttpReceiver(port=gone.port)
    sink = zipkin(t, receiver, *SMALL, "--spool", t.path("spool"), "--first", 3001)
    sink.do("put 1 100")
    counters = sink.do("idle")
    assert (counters["put"], counters["sent"], counters["replayed"]) == (100, 100, 3000), counters
    assert receiver.accepted[:3000] == list(range(1, 3001)) and len(receiver.accepted) == 3100
    receiver.close()
    assert "what an earlier session left on disk" in sink.end()


def test_killed_sender_leaves_all_that_was_spooled(t):
    gone = dead_receiver()
    first, kept = 1, 0
    for _ in range(5):
        sink = zipkin(t, gone, *SMALL, "--spool", t.path("spool"), "--first", first)
        counters = sink.do("put 50 100")
        kept += counters["spooled"]
        first += 5000
        sink.process.send_signal(signal.SIGKILL)
        sink.process.wait()
    receiver = HttpReceiver(port=gone.port)
    sink = zipkin(t, receiver, *SMALL, "--spool", t.path("spool"))
    counters = sink.do("idle")
    assert counters["replayed"] == len(receiver.accepted) == kept, (counters, kept)
    assert receiver.accepted == sorted(set(receiver.accepted))
    receiver.close()


def test_full_spool_drops_the_oldest_and_counts_them(t):
    gone = dead_receiver()
    sink = zipkin(t, gone, *SMALL, "--spool", t.path("spool"), "--spool-bytes", 2000000)
    counters = sink.do("put 200 100")
    assert counters["queue_dropped"] > 0 and counters["spooled"] > 0
    receiver = HttpReceiver(port=gone.port)
    counters = sink.do("idle")
    assert counters["sent"] + counters["queue_dropped"] == 20000 and counters["spooled"] == 0, counters
    arrived = sorted(receiver.accepted)
    assert len(arrived) == len(set(arrived)) == counters["sent"]
    assert arrived == list(range(20001 - counters["sent"], 20001)), "the newest"
    receiver.close()
    assert "the spool is full or damaged" in sink.end()


def test_damaged_and_cut_spools_are_skipped_and_told(t):
    gone = dead_receiver()
    sink = zipkin(t, gone, "--spool", t.path("spool"))
    sink.do("put 30 100")
    assert sink.do("stop 100")["spooled"] == 3000
    sink.end()
    name, = glob.glob(t.path("spool/*"))
    size = os.path.getsize(name)
    with open(name, "r+b") as f:
        f.seek(size // 3)
        f.write(bytes(100))
        f.truncate(size - size // 10)
    receiver = HttpReceiver(port=gone.port)
    sink = zipkin(t, receiver, "--spool", t.path("spool"))
    counters = sink.do("idle")
    assert 2500 <= counters["replayed"] < 3000 and counters["replayed"] == len(set(receiver.accepted)), counters
    said = sink.end()
    assert "of an earlier session lost" in said, said
    receiver.close()


def test_refused_payloads_do_not_stay_in_the_spool(t):
    gone = dead_receiver()
    sink = zipkin(t, gone, *SMALL, "--spool", t.path("spool"))
    sink.do("put 30 100")
    receiver = HttpReceiver([("status", 400)], port=gone.port)
    counters = sink.do("idle")
    assert counters["failed"] == 3000 and counters["spooled"] == 0, counters
    receiver.close()
    sink.end()


def test_spans_of_a_session_without_a_collector_reach_it_in_the_next(t):
    gone = dead_receiver()
    config = {"exporter_type": ["file", "zipkin"], "spool": {"path": t.path("spool")},
              "zipkin": {"endpoint": "http://127.0.0.1:%d/api/v2/spans" % gone.port}}
    session = t.session(**config)
    server = t.serve("py-httpserver", session)
    connection = t.connect(server)
    for i in range(50):
        connection.get("/small.txt?n=%d" % i)
    server.stop()
    spans, ledger = session.finish()
    assert len(spans) == 50
    assert ledger["exporters"]["zipkin"]["spooled"] == 50, ledger["exporters"]
    receiver = HttpReceiver(port=gone.port)
    session = t.session(**config)
    server = t.serve("py-httpserver", session)
    t.connect(server).get("/small.txt?n=50")
    server.stop()
    more, ledger = session.finish()
    assert ledger["exporters"]["zipkin"]["sent"] == 1 and ledger["exporters"]["zipkin"]["spooled"] == 0, ledger["exporters"]
    assert sorted(receiver.accepted) == sorted(int(s.span_id, 16) for s in spans + more)
    receiver.close()
