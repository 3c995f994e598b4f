# SPDX-License-Identifier: Apache-2.0
"""Hosts in which we cannot work, or which would notice an ordinary child: they serve as if we were not there."""
import ctypes
import json
import os
import platform
import resource
import shutil
import struct

from harness import check_spans, exporters, read_spans, wait_for
from test_core_config import our_lines

HOST = os.path.join(os.path.dirname(__file__), "hosts", "host.py")


def serve_some(t, server, n=5):
    connection = t.connect(server)
    exchanges = [connection.get("/x?n=%d" % i) for i in range(n)]
    connection.close()
    return exchanges


def untraced_with_one_line(t, session, *options, preload=True, **how):
    """Serves; exactly one line says why there are no traces."""
    server = t.serve([HOST, "{port}", *options], session, preload=preload, **how)
    exchanges = serve_some(t, server)
    assert all(e.status == 200 for e in exchanges)
    status, _ = server.stop()
    assert status == -15, status
    wait_for("exporters to end", lambda: not exporters())
    lines = our_lines(server)
    assert len(lines) == 1, "not one line: %r" % server.text()
    assert not read_spans(session.trace_file)
    return lines[0]


def test_small_rlimit_fsize_does_not_kill_the_host(t):
    session = t.session()
    line = untraced_with_one_line(t, session, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
    assert "RLIMIT_FSIZE" in line or "file size" in line, line


def test_missing_exporter_is_said_in_one_line(t):
    alone = t.path("alone")
    os.mkdir(alone)
    os.chmod(alone, 0o755)
    shutil.copy(t.library, alone)
    line = untraced_with_one_line(t, t.session(), preload=alone + "/libbtrace.so")
    assert "btrace-exporter" in line, line


def test_exporter_that_is_no_program_is_said_in_one_line(t):
    broken = t.path("broken")
    os.mkdir(broken)
    os.chmod(broken, 0o755)
    shutil.copy(t.library, broken)
    with open(broken + "/btrace-exporter", "w") as f:
        f.write("no program\n")
    os.chmod(broken + "/btrace-exporter", 0o755)
    line = untraced_with_one_line(t, t.session(), preload=broken + "/libbtrace.so")
    assert "btrace-exporter" in line, line


def forbid(number, errno=38):
    """A seccomp filter under which one system call fails with errno (ENOSYS)."""
    def install():
        code = [(0x20, 0, 0, 0),                      # load the number
                (0x15, 0, 1, number),                 # is it the one?
                (0x06, 0, 0, 0x00050000 | errno),     # SECCOMP_RET_ERRNO
                (0x06, 0, 0, 0x7fff0000)]             # SECCOMP_RET_ALLOW
        program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
        header = struct.pack("HxxxxxxP", len(code), ctypes.addressof(program))
        libc = ctypes.CDLL(None)
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.c_char_p(header), 0, 0):
            raise OSError("seccomp")
    return install


def test_table_that_cannot_be_created_is_said_in_one_line(t):
    memfd_create = {"x86_64": 319, "aarch64": 279}.get(platform.machine())
    if memfd_create is None:
        t.skip("no system call number for %s" % platform.machine())
    untraced_with_one_line(t, t.session(), preexec_fn=forbid(memfd_create))


def test_emfile_at_listen_does_not_disturb_the_host(t):
    session = t.session()
    server = t.serve([HOST, "{port}", "--emfile"], session,
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    exchanges = serve_some(t, server)
    assert all(e.status == 200 for e in exchanges)
    server.stop()
    wait_for("exporters to end", lambda: not exporters())
    spans = read_spans(session.trace_file)
    if spans:  # it tried again when there were descriptors
        check_spans(exchanges, spans)
    else:
        assert len(our_lines(server)) == 1, server.text()


def test_sigchld_handler_and_waitpid_for_any_child_see_nothing_of_ours(t):
    session = t.session()
    server = t.serve([HOST, "{port}", "--sigchld"], session)
    exchanges = serve_some(t, server)
    connection = t.connect(server)
    e = connection.start("GET", "/state")
    connection.read_head(e)
    while len(connection.buffer) < int(e.header("content-length")):
        connection.fill()
    state = json.loads(bytes(connection.buffer))
    connection.close()
    assert (state["sigchld"], state["reaped"], state["children"]) == (0, [], []), state
    server.stop()
    spans, _ = session.finish()
    assert len(spans) == len(exchanges) + 1, spans


def test_parent_that_waits_for_any_child_gets_its_own(t):
    session = t.session()
    server = t.serve([HOST, "{port}", "--fork"], session)
    exchanges = serve_some(t, server)
    status, _ = server.stop()
    assert status == 0, "wait() in the host gave it a child that is not its own"
    check_spans(exchanges, session.finish()[0])


def test_ipv6_and_unix_sockets_are_traced(t):
    session = t.session()
    six = t.serve([HOST, "{port}", "--inet6"], session)
    path = t.path("socket")
    unix = t.serve([HOST, "{port}", "--unix", path], session, ready=False)
    wait_for("the socket", lambda: os.path.exists(path))
    exchanges = [t.connect(("::1", six.port)).get("/six")]
    wait_for("the server behind the socket", lambda: answers(t, path, exchanges))
    six.stop()
    unix.stop()
    spans, _ = session.finish()
    check_spans(exchanges, spans)
    by_path = {s.target: s for s in spans}
    assert by_path["/six"].get("client.address") == "::1", by_path["/six"].attributes
    assert by_path["/unix"].get("network.local.address") == path, by_path["/unix"].attributes
    assert by_path["/six"].get("server.port") in (None, 80, six.port), by_path["/six"].attributes


def answers(t, path, exchanges):
    try:
        exchanges.append(t.connect(path).get("/unix"))
        return True
    except ConnectionRefusedError:  # bound, not yet listening
        return False
