# SPDX-License-Identifier: Apache-2.0
"""Programs that have more rights than who starts them (set-uid, file capabilities): nothing of ours is trusted there,
however the library came in."""
import os
import shutil
import subprocess

from harness import ROOT, check_spans, exporters
from test_security import AS_NOBODY


def build(t, linked):
    """Linked with the library, the loader cannot leave it out: then it is for us to see where we are."""
    program = t.path("privileged-%d" % linked)
    with_library = ["-Wl,--no-as-needed", t.library, "-Wl,-rpath," + os.path.dirname(t.library)] if linked else []
    subprocess.run(["cc", "-O1", "-o", program, os.path.join(ROOT, "tests", "e2e", "hosts", "privileged.c"), *with_library],
                   check=True)
    return program


def need_privileges(t):
    t.need_root()
    t.need("setpriv")
    if os.statvfs(t.directory).f_flag & os.ST_NOSUID:
        t.skip("%s is on a file system without set-uid (nosuid)" % t.directory)


def ask(t, program):
    """Started by nobody, under the library, with a config of nobody's. (exchange, its session, the server)"""
    session = t.session()
    os.chmod(session.directory, 0o777)
    for path in (session.directory, session.config):
        os.chown(path, 65534, 65534)
    server = t.serve([*AS_NOBODY, program, "{port}"], session)
    exchange = t.connect(server).get("/x?n=1")
    return exchange, session, server


def stays_out(t, program, says):
    exchange, session, server = ask(t, program)
    assert exchange.body == says, exchange.body
    assert not exporters(), exporters()
    server.stop()
    left = set(os.listdir(session.directory))
    assert left == {"btrace.yml"}, left
    assert server.text() == "", server.text()


def is_traced(t, program, says):
    exchange, session, server = ask(t, program)
    assert exchange.body == says, exchange.body
    server.stop()
    check_spans([exchange], session.finish()[0])


def test_set_uid_program_is_left_alone(t):
    need_privileges(t)
    for linked in (False, True):
        program = build(t, linked)
        is_traced(t, program, b"secure 0 uid 65534 of 65534, library 1")  # so it is the bit that makes the difference
        os.chown(program, 0, 0)
        os.chmod(program, 0o4755)
        stays_out(t, program, b"secure 1 uid 0 of 65534, library %d" % linked)


def test_program_with_file_capabilities_is_left_alone(t):
    need_privileges(t)
    t.need("setcap")
    for linked in (False, True):
        program = build(t, linked)
        capable = shutil.copy(program, program + "-capable")
        p = t.run(["setcap", "cap_net_bind_service=ep", capable])
        if p.returncode:
            t.skip("file capabilities cannot be set here: %s" % p.stderr.decode().strip())
        stays_out(t, capable, b"secure 1 uid 65534 of 65534, library %d" % linked)
        is_traced(t, program, b"secure 0 uid 65534 of 65534, library 1")
