# SPDX-License-Identifier: Apache-2.0
"""Who may do what: the exporter's worker, other users, strangers on our name."""
import os
import re
import stat
import subprocess

from harness import check_spans, exporters, wait_for

HOST = os.path.join(os.path.dirname(__file__), "hosts", "host.py")
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
JOIN = """
import array, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("\\0" + sys.argv[1])
data, control, _, _ = s.recvmsg(16, socket.CMSG_LEN(16))
print(len(data), len(control))
"""
SIT = """
import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind("\\0" + sys.argv[1])
s.listen(8)
print("sitting", flush=True)
while True:
    s.accept()[0].close()
"""


def status_of(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def keeper_and_worker():
    """Waits until the worker has given up what it can."""
    def found():
        running = exporters()
        own = {p.pid for p in running}
        worker = [p.pid for p in running if p.parent in own and status_of(p.pid)["Seccomp"] == "2"]
        return worker and ([p.pid for p in running if p.parent not in own][0], worker[0])
    return wait_for("the exporter's worker", found)


def session_name(keeper):
    inode = os.readlink("/proc/%d/fd/4" % keeper)[len("socket:["):-1]
    with open("/proc/net/unix") as f:
        return next(line.split()[7][1:] for line in f if line.split()[6] == inode)


def test_worker_has_no_more_rights_than_it_needs(t):
    session = t.session()
    server = t.serve([HOST, "{port}"], session)
    exchange = t.connect(server).get("/x?n=1")
    keeper, worker = keeper_and_worker()
    status = status_of(worker)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    if os.geteuid() == 0:
        assert status["Uid"].split() == status["Gid"].split() == ["65534"] * 4 and not status["Groups"].strip(), status
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0, status
        assert os.stat("/proc/%d/mem" % worker).st_uid == 0, "it can be looked into by its own uid"
    with open("/proc/%d/limits" % worker) as f:
        assert re.search(r"Max core file size +0 +0 ", f.read())
    server.stop()
    spans, _ = session.finish()
    check_spans([exchange], spans)


def test_other_users_get_no_span(t):
    t.need_root()
    session = t.session()
    server = t.serve([HOST, "{port}"], session)
    exchange = t.connect(server).get("/x?n=1")
    keeper, worker = keeper_and_worker()
    p = t.run([*AS_NOBODY, "/usr/bin/python3", "-c", JOIN, session_name(keeper)], cwd="/")
    assert p.stdout.strip() == b"0 0", (p.stdout, p.stderr)
    for path in ("/proc/%d/fd/3" % keeper, "/proc/%d/mem" % keeper, "/proc/%d/mem" % worker, "/proc/%d/fd/3" % worker):
        p = t.run([*AS_NOBODY, "head", "-c", "1", path], cwd="/")
        assert p.returncode and b"Permission denied" in p.stderr, (path, p.stderr)
    server.stop()
    spans, _ = session.finish()
    check_spans([exchange], spans)
    assert stat.S_IMODE(os.stat(session.trace_file).st_mode) == 0o600


def test_stranger_on_our_name_gets_nothing_and_holds_nothing_up(t):
    t.need_root()
    session = t.session()
    server = t.serve([HOST, "{port}"], session)
    first = t.connect(server).get("/x?n=1")
    name = session_name(keeper_and_worker()[0])
    server.stop()
    session.finish()
    stranger = t.spawn([*AS_NOBODY, "/usr/bin/python3", "-c", SIT, name], stdout=subprocess.PIPE, cwd="/")
    assert stranger.stdout.readline() == b"sitting\n"
    server = t.serve([HOST, "{port}"], session)
    second = t.connect(server).get("/x?n=2")
    server.stop()
    spans, _ = session.finish()
    check_spans([first, second], spans)
