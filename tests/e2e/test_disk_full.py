# SPDX-License-Identifier: Apache-2.0
"""A file system that is really full, under trace file and spool: what does not fit is counted and told, what is written
stays whole, and with new room it goes on."""
import ctypes
import os
import subprocess

from harness import Ledger, exporters, read_spans, reap_strangers, wait_for
from sinks import HttpReceiver, zipkin

CLONE_NEWNS = 0x20000


def mount(*arguments):
    return subprocess.run(["mount", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def small_disk(t, size):
    """The path of a file system of that size, which goes with this test's process."""
    t.need_root()
    t.need("mount")
    path = t.path("disk")
    os.mkdir(path)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        t.skip("no mount namespace: %s" % os.strerror(ctypes.get_errno()))
    for arguments in (["--make-rprivate", "/"], ["-t", "tmpfs", "-o", "mode=755,size=" + size, "tmpfs", path]):
        p = mount(*arguments)
        if p.returncode:
            t.skip("cannot mount here: %s" % p.stdout.strip())
    return path


def grow(path, size):
    p = mount("-o", "remount,size=" + size, path)
    assert p.returncode == 0, p.stdout


def is_full(path):
    try:
        with open(os.path.join(path, "probe"), "wb") as f:
            f.write(bytes(8192))
        return False
    except OSError:
        return True
    finally:
        os.unlink(os.path.join(path, "probe"))


def test_full_disk_costs_the_trace_file_what_is_counted(t):
    disk = small_disk(t, "64k")
    session = t.session(batch={"max_spans": 10, "delay": "10ms"}, file={"path": os.path.join(disk, "traces.jsonl")})
    session.trace_file = os.path.join(disk, "traces.jsonl")
    server = t.serve("py-httpserver", session)
    connection = t.connect(server)
    asked = 0

    def ask():
        nonlocal asked
        asked += 1
        return connection.get("/small.txt?n=%d" % asked)

    while "cannot write: No space left on device" not in server.text():
        assert ask().status == 200 and asked < 5000, server.text()
    assert 0 < len(read_spans(session.trace_file)) < asked
    grow(disk, "8m")
    while os.path.getsize(session.trace_file) <= 65536:
        assert ask().status == 200 and asked < 10000, server.text()
    server.stop()
    spans, ledger = session.finish()
    file = ledger["exporters"]["file"]
    assert file["sent"] == len(spans) == len({s.target for s in spans}), (file, len(spans))
    assert file["failed"] > 0 and file["sent"] + file["failed"] == ledger["taken"] == asked, (file, asked)
    assert spans[-1].target == "/small.txt?n=%d" % asked, spans[-1]


def test_full_disk_costs_the_spool_what_is_counted(t):
    disk = small_disk(t, "512k")
    gone = HttpReceiver()
    gone.close()
    sink = zipkin(t, gone, "--max-spans", 1000, "--max-bytes", 4000000, "--spool", disk)
    counters = sink.do("put 100 100")
    assert is_full(disk) and counters["spooled"] > 0, counters
    lost = counters["queue_dropped"]
    assert lost > 0, counters
    grow(disk, "64m")
    counters = sink.do("put 50 100")
    assert counters["queue_dropped"] == lost, "it does not go on with new room: %s" % counters
    receiver = HttpReceiver(port=gone.port)
    counters = sink.do("idle")
    assert (counters["sent"], counters["queue_dropped"], counters["spooled"]) == (15000 - lost, lost, 0), counters
    assert len(set(receiver.accepted)) == len(receiver.accepted) == counters["sent"]
    assert sorted(receiver.accepted)[-5000:] == list(range(10001, 15001)), "what came with new room"
    receiver.close()
    said = sink.end()
    assert "cannot spool: No space left on device" in said, said


def test_spool_on_a_disk_that_is_full_from_the_start_is_told(t):
    disk = small_disk(t, "8k")
    with open(os.path.join(disk, "filler"), "wb") as f:
        f.write(bytes(8192))
    config = {"exporter_type": "zipkin", "spool": {"path": disk}, "retry": {"max_time": "1s"}}
    gone = HttpReceiver()
    gone.close()
    session = t.session(zipkin={"endpoint": "http://127.0.0.1:%d/api/v2/spans" % gone.port}, **config)
    server = t.serve("py-httpserver", session)
    exchange = t.connect(server).get("/small.txt?n=1")
    assert exchange.status == 200
    wait_for("it to be told", lambda: "No space left on device" in server.text())
    server.stop()
    wait_for("the exporter to end", lambda: not exporters(), 60)
    reap_strangers(set())
    zipkin_account = Ledger(session.read_ledger()).check()["exporters"]["zipkin"]
    assert zipkin_account["failed"] + zipkin_account["queue_dropped"] == 1, zipkin_account
