# SPDX-License-Identifier: Apache-2.0
"""btracectl doctor: one line a finding, with what to do about it."""
import json
import os
import shutil
import socket
import stat
import struct
import subprocess

from harness import ROOT, exporters, free_port, is_exporter, processes, wait_for
from test_ctl_live import Live

GOOD = "tracing: {exporter_type: file, sample_rate: 1, file: {path: out.jsonl}}\n"


def doctor(t, *arguments, status=None, env=None, **how):
    """The findings as (level, text, remedy)."""
    p = t.run([t.ctl, "doctor", "--json", *arguments], env=env, **how)
    assert p.returncode in (0, 1) and (status is None or p.returncode == status), (p.returncode, p.stdout, p.stderr)
    found = [json.loads(line) for line in p.stdout.splitlines()]
    assert p.returncode == any(f["level"] == "problem" for f in found), found
    return [(f["level"], f["text"], f.get("remedy", "")) for f in found]


def has(found, level, text, remedy=""):
    assert any(f[0] == level and text in f[1] and remedy in f[2] for f in found), (level, text, remedy, found)


def write(t, name, text, mode=0o644):
    with open(t.path(name), "w") as f:
        f.write(text)
    os.chmod(t.path(name), mode)
    return t.path(name)


def compile_program(t, name, *flags):
    source = write(t, name + ".c", "int main(void) { return 0; }\n")
    p = subprocess.run(["cc", "-o", t.path(name), source, *flags], stderr=subprocess.PIPE)
    if p.returncode:
        t.skip("the compiler cannot do %s" % " ".join(flags))
    return t.path(name)


def test_nothing_in_the_way_of_a_good_program_with_a_good_config(t):
    found = doctor(t, "-c", write(t, "btrace.yml", GOOD), "/usr/bin/python3", "-m", "http.server", status=0)
    has(found, "ok", "dynamically linked to glibc")
    has(found, "ok", "btrace.yml: file ")
    text = t.run([t.ctl, "doctor", "-c", t.path("btrace.yml"), "/usr/bin/python3"]).stdout.decode()
    assert text.endswith("nothing is in the way\n") and "\x1b" not in text, text


def test_programs_that_cannot_be_preloaded_are_told_with_a_remedy(t):
    t.need("cc")
    has(doctor(t, compile_program(t, "static", "-static"), status=1), "problem", "statically linked", "dynamically linked build")
    with open(compile_program(t, "plain"), "rb") as f:
        plain = bytearray(f.read())
    plain[18:20] = (183 if plain[18] == 62 else 62).to_bytes(2, "little")  # e_machine: arm64 for x86-64, and back
    with open(t.path("other"), "wb") as f:
        f.write(plain)
    os.chmod(t.path("other"), 0o755)
    has(doctor(t, t.path("other"), status=1), "problem", "the loader leaves it out", "that architecture")
    musl = compile_program(t, "musl", "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1")
    has(doctor(t, musl, status=1), "problem", "linked to musl", "build for glibc")
    has(doctor(t, write(t, "text", "hello\n", 0o755), status=1), "problem", "neither a program nor a script")
    has(doctor(t, "no-such-command", status=1), "problem", "there is no such command", "PATH")


def test_scripts_are_followed_to_their_interpreter(t):
    found = doctor(t, write(t, "script", "#!/usr/bin/env -S python3 -u\n", 0o755))
    has(found, "note", "is a script for /")
    has(found, "ok", "python3: dynamically linked")
    has(doctor(t, write(t, "lost", "#!/no/where\n", 0o755), status=1), "problem", "neither a program nor a script")


def test_set_uid_programs_are_told(t):
    t.need_root()
    program = compile_program(t, "setuid")
    os.chown(program, 65534, 65534)
    os.chmod(program, 0o755 | stat.S_ISUID)
    if os.statvfs(program).f_flag & os.ST_NOSUID:
        t.skip("the temporary directory is mounted nosuid")
    has(doctor(t, program, status=1), "problem", "set-uid: the loader ignores LD_PRELOAD", "chmod ug-s")


def test_file_capabilities_are_told(t):
    t.need_root()
    program = compile_program(t, "capable")
    try:  # VFS_CAP_REVISION_2, effective, CAP_NET_BIND_SERVICE (linux/capability.h)
        os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0))
    except OSError as e:
        t.skip("this file system takes no capabilities: %s" % e)
    if os.statvfs(program).f_flag & os.ST_NOSUID:
        t.skip("the temporary directory is mounted nosuid")
    has(doctor(t, program, status=1), "problem", "file capabilities: the loader ignores", "AmbientCapabilities")


def test_what_the_user_of_the_service_may_not_read_is_told(t):
    t.need_root()
    private = t.path("private")
    os.mkdir(private, 0o700)
    for name in "libbtrace.so", "btrace-exporter":
        shutil.copy(os.path.join(os.path.dirname(t.ctl), name), private)
    config = write(t, "btrace.yml", GOOD, 0o600)
    found = doctor(t, "--user", "nobody", "-L", os.path.join(private, "libbtrace.so"), "-c", config, "/usr/bin/python3", status=1)
    has(found, "problem", "libbtrace.so cannot be read by nobody: %s forbids it" % private, "chmod")
    has(found, "problem", "btrace-exporter cannot be executed by nobody")
    has(found, "problem", "btrace.yml cannot be read by nobody")
    assert t.run([t.ctl, "doctor", "--user", "no-such-user", "x"]).returncode == 2


def test_config_errors_and_receivers_that_are_away_are_told(t):
    port = free_port()
    bad = write(t, "bad.yml", "tracing: {exporter_type: zipkn, sample_rate: 7}\n")
    found = doctor(t, "-c", bad, "/usr/bin/python3", status=1)
    has(found, "problem", "bad.yml:1:")
    config = write(t, "away.yml", "tracing: {exporter_type: zipkin, sample_rate: 1, zipkin: {endpoint: 'http://127.0.0.1:%d/x'}}\n" % port)
    has(doctor(t, "-c", config, "/usr/bin/python3", status=1), "problem", "Connection refused", "start the receiver")
    with socket.socket() as s:
        s.bind(("127.0.0.1", port))
        s.listen()
        has(doctor(t, "-c", config, "/usr/bin/python3", status=0), "ok", "somebody listens")
    udp = write(t, "udp.yml", "tracing: {exporter_type: jaeger, sample_rate: 1, jaeger: {thrift: {agent_host_name: 127.0.0.1, agent_port: %d}}}\n" % port)
    has(doctor(t, "-c", udp, "/usr/bin/python3", status=1), "problem", "no process has that UDP port")
    has(doctor(t, "/usr/bin/python3", status=1), "problem", "no config is named", "BTRACE_CONFIG")


def test_a_running_process_tells_its_session_and_account(t):
    live = Live(t)
    live.get("/a")
    found = wait_for("the account", lambda: (lambda f: any("1 requests: 1 taken" in x[1] for x in f) and f)(
        doctor(t, str(live.pid), status=0)), 60)
    has(found, "ok", "the library is loaded")
    has(found, "ok", "the default of btracectl run: file %s" % t.path("out.jsonl"))
    has(found, "ok", "traced by exporter %d with (btracectl run)" % live.exporter)
    live.stop()


def test_a_running_process_without_the_library_tells_why(t):
    sleeping = t.spawn(["sleep", "600"])
    wait_for("sleep", lambda: os.readlink("/proc/%d/exe" % sleeping.pid) != os.readlink("/proc/self/exe"))
    has(doctor(t, str(sleeping.pid), status=1), "problem", "LD_PRELOAD did not name it", "LD_PRELOAD")
    static = compile_program(t, "none")  # only to know that there is a compiler
    source = write(t, "wait.c", "#include <unistd.h>\nint main(void) { return pause(); }\n")
    if subprocess.run(["cc", "-static", "-o", static, source]).returncode:
        t.skip("there is no static libc")
    waiting = t.spawn([static], env={"LD_PRELOAD": t.library})
    wait_for("the program", lambda: os.readlink("/proc/%d/exe" % waiting.pid) == static)
    found = doctor(t, str(waiting.pid), status=1)
    has(found, "problem", "the library is not loaded although LD_PRELOAD=")
    has(found, "problem", "statically linked")
    has(doctor(t, "4194304", status=1), "problem", "there is none")


def test_a_loaded_library_without_a_config_is_told(t):
    sleeping = t.spawn(["sleep", "600"], env={"LD_PRELOAD": t.library})
    wait_for("sleep", lambda: os.readlink("/proc/%d/exe" % sleeping.pid) != os.readlink("/proc/self/exe"))
    found = wait_for("the library", lambda: (lambda f: any("is loaded into" in x[1] for x in f) and f)(doctor(t, str(sleeping.pid))))
    has(found, "problem", "no config is named")


def test_a_server_that_makes_its_system_calls_itself_is_told(t):
    """A gap: nothing is seen of it, and nothing else would say so."""
    session = t.session()
    program = t.path("raw_calls")
    subprocess.run(["cc", "-I", ROOT, "-o", program, os.path.join(ROOT, "tests", "e2e", "hosts", "raw_calls.c")], check=True)
    server = t.serve([program, "{port}"], session)
    assert t.connect(server).get("/x").status == 200
    assert not exporters()
    found = doctor(t, str(server.pid), status=1)
    has(found, "ok", "the library is loaded")
    has(found, "problem", "it listens on port %d, but the library has seen no call of that" % server.port, "past libc")


def test_a_go_program_with_the_library_loaded_is_told(t):
    """A gap. Its mark is all that counts: a real one is in the matrix."""
    source = write(t, "go.c", "#include <unistd.h>\nint main(void) { return pause(); }\n"
                   "__asm__(\".pushsection .note.go,\\\"a\\\",%note\\n.long 4, 4, 4\\n.ascii \\\"Go\\\\0\\\\0\\\"\\n.long 0\\n"
                   ".popsection\");\n")
    program = t.path("go")
    subprocess.run(["cc", "-o", program, source], check=True)
    session = t.session()
    waiting = t.spawn([program], env=dict(session.environment, LD_PRELOAD=t.library))
    wait_for("the program", lambda: os.readlink("/proc/%d/exe" % waiting.pid) == program)
    found = wait_for("the library", lambda: (lambda f: any("is loaded into" in x[1] for x in f) and f)(doctor(t, str(waiting.pid))))
    has(found, "problem", "it is a Go program: it makes its system calls itself", "Go SDK")


def test_a_program_on_a_connection_of_inetd_that_uses_stdio_is_told(t):
    """A gap: libc reads inside of itself. The program itself is told, who started it, and the last line."""
    session = t.session()
    server = t.serve([t.compile("inetd"), "{port}"], session)
    connection = t.connect(server)
    exchange = connection.get("/x")
    assert exchange.status == 200
    child = next(p.pid for p in processes() if p.parent == server.pid and not is_exporter(p))
    has(doctor(t, str(child), status=1), "problem", "its descriptor 0 is a connection, as inetd gives it", "proxy")
    found = wait_for("the account", lambda: (lambda f: any("no request has been seen" in x[1] for x in f) and f)(
        doctor(t, str(server.pid))), 60)
    assert any(level == "warning" and "no request has been seen yet, on " in text and "stdio" in (remedy or "")
               for level, text, remedy in found), found
    connection.close()
    server.stop()
    spans, ledger = session.finish()
    assert not spans and "no request seen on %d connections" % ledger["connections"] in server.text(), server.text()
