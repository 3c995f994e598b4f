# SPDX-License-Identifier: Apache-2.0
"""Programs that never serve, and servers without a config: the library leaves no trace of itself."""
import json
import os

from harness import check_spans, exporters

# what a program can see of its surroundings
LOOK = "import os,threading;print(sorted(os.listdir('/proc/self/fd')),threading.active_count()," \
       "len(os.listdir('/proc/self/task')),sorted(set(os.environ)-{'LD_PRELOAD'}))"
SPAWN = "const c=require('child_process').spawn('ls',['/proc/self/fd'],{stdio:['ignore','pipe','inherit']});" \
        "c.stdout.on('data',d=>process.stdout.write(d));c.on('close',(n)=>process.exit(n));"
COMMANDS = {
    "ls": ["ls", "/proc/self/fd"],
    "true": ["true"],
    "bash": ["bash", "-c", "ls /proc/self/fd; echo \"$$\" >/dev/null; (exit 3)"],
    "python": ["/usr/bin/python3", "-c", LOOK],
    "node": ["node", "-e", SPAWN],
}


def outcome(t, argv, session, preload):
    done = t.run(argv, session=session, preload=preload)
    return done.returncode, done.stdout, done.stderr


def leaves_nothing(t, argv, session):
    files = sorted(os.listdir(session.directory))
    plain = outcome(t, argv, session, False)
    loaded = outcome(t, argv, session, True)
    assert plain == loaded, "differs under the library:\n%r\n%r" % (plain, loaded)
    assert not exporters(), exporters()
    assert sorted(os.listdir(session.directory)) == files, os.listdir(session.directory)


def test_ls_leaves_nothing(t):
    leaves_nothing(t, COMMANDS["ls"], t.session())


def test_bash_leaves_nothing(t):
    leaves_nothing(t, COMMANDS["bash"], t.session())


def test_python_leaves_nothing(t):
    leaves_nothing(t, COMMANDS["python"], t.session())


def test_node_that_spawns_ls_leaves_nothing(t):
    leaves_nothing(t, COMMANDS["node"], t.session())


def host(*options):
    return [os.path.join(os.path.dirname(__file__), "hosts", "host.py"), "{port}", *options]


def look(t, server):
    connection = t.connect(server)
    connection.get("/a")
    exchange = connection.start("GET", "/state")
    connection.read_head(exchange)
    size = int(exchange.header("content-length"))
    while len(connection.buffer) < size:
        connection.fill()
    return bytes(connection.buffer[:size])


def same_surroundings(t, env):
    """What a host sees of itself while it serves: the same with and without the library. Its output under it."""
    seen = []
    for preload in (False, True):
        server = t.serve(host("--sigchld"), env=env, preload=preload)
        state = json.loads(look(t, server))
        state["environ"] = [e for e in state["environ"] if e != "LD_PRELOAD"]
        del state["pid"]
        seen.append(state)
        server.stop()
    assert seen[0] == seen[1], "the host sees the library:\n%s\n%s" % tuple(seen)
    return server.text()


def test_a_server_without_config_has_no_process_file_descriptor_or_output_of_ours(t):
    before = sorted(os.listdir(t.directory))
    text = same_surroundings(t, {"BTRACE_CONFIG": ""})
    assert text == "", text
    assert not exporters(), exporters()
    assert [f for f in sorted(os.listdir(t.directory)) if f not in before and not f.startswith("host.py")] == []


def test_a_traced_host_has_the_same_descriptors_threads_children_and_environment(t):
    session = t.session()
    same_surroundings(t, session.environment)
    session.finish()


def test_disabled_means_off(t):
    session = t.session()
    env = dict(session.environment, BTRACE_DISABLED="1")
    text = same_surroundings(t, env)
    assert text == "", text
    assert sorted(os.listdir(session.directory)) == ["btrace.yml"]


def test_bentoml_config_is_used_when_btrace_config_is_empty(t):
    session = t.session(variable="BENTOML_CONFIG")
    server = t.serve(host(), session, env={"BTRACE_CONFIG": ""})
    exchange = t.connect(server).get("/one")
    server.stop()
    check_spans([exchange], session.finish()[0])
