# SPDX-License-Identifier: Apache-2.0
"""Spans of the program's own: the examples, by C, Python and another language's FFI, with and without the library."""
import collections
import os
import re
import signal
import subprocess

from harness import ROOT, exporters, wait_for

EXAMPLES = os.path.join(ROOT, "tests", "examples", "own")
PYTHON = {"PYTHONPATH": os.path.join(ROOT, "packaging", "python"), "PYTHONDONTWRITEBYTECODE": "1"}
SHOP = ["/usr/bin/python3", os.path.join(EXAMPLES, "shop.py"), "{port}"]
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0%d"


def compile_example(t, *flags, source="thumbnails.c", compiler="cc"):
    program = t.path("example" + "".join(flags).replace("/", "_"))
    subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-O1", *flags, "-pthread", "-I", os.path.join(ROOT, "shim"),
                    "-o", program, os.path.join(EXAMPLES, source), "-ldl"], check=True)
    return program


def settled(t, session, server, path="/warm"):
    """Waits until the policy is in force; what was asked for that is no part of the test."""
    t.connect(server).get(path)
    wait_for("keeper and worker", lambda: len(exporters()) == 2)
    return server


def get(t, server, path, *headers):
    connection = t.connect(server)
    exchange = connection.request("GET", path, headers=list(headers))
    connection.close()
    return exchange


def tree(spans, root):
    """(name, [trees of its children]) with the children in the order of their names."""
    below = [s for s in spans if s.parent_span_id == root.span_id]
    assert all(s.trace_id == root.trace_id and root.start_ns <= s.start_ns for s in below), (root, below)
    return (root.name, sorted(tree(spans, s) for s in below))


def trees(spans, path):
    """What lies in each request to that path."""
    return [tree(spans, s)[1] for s in spans if s.kind == "SERVER" and s.target == path]


def events(span):
    return [(e["name"], e["attributes"]) for e in span.neutral["events"]]


def stop(server, session):
    server.stop()
    spans, ledger = session.finish()
    own = [s for s in spans if s.kind == "INTERNAL"]
    assert len(own) == ledger["own"]["taken"], ledger
    return spans, own, ledger


def test_the_example_in_c_has_its_spans_in_the_requests(t):
    session = t.session()
    server = settled(t, session, t.serve([compile_example(t), "{port}"], session), "/warm.jpg")
    for i in range(20):
        assert get(t, server, "/cat.jpg?n=%d" % i).status == 200
        assert get(t, server, "/dog.txt?n=%d" % i).status == 415
    with open(server.output) as f:
        log = f.read()
    spans, own, ledger = stop(server, session)
    assert ledger["own"]["begun"] == 2 + 20 * 2 + 20 and ledger["own"]["dropped"] == 0, ledger
    for i in range(20):
        assert trees(spans, "/cat.jpg?n=%d" % i) == [[("thumbnail", [("resize", [])])]], i
        assert trees(spans, "/dog.txt?n=%d" % i) == [[("thumbnail", [])]], i
    names = collections.Counter((s.name, s.status) for s in own)
    assert names == {("thumbnail", "UNSET"): 21, ("thumbnail", "ERROR"): 20, ("resize", "UNSET"): 21}, names
    for s in own:
        if s.name == "resize":
            assert s.attributes == {"image.width": 160, "image.quality": 0.75}, s.attributes
        else:
            assert events(s) == [("cache miss", {"cache.full": {"bool": False}})], events(s)
            assert "making %s trace_id=%s span_id=%s\n" % (s.get("image.name"), s.trace_id, s.span_id) in log
            assert s.neutral["status"]["message"] == ("" if s.status == "UNSET" else "not an image")


def test_the_example_in_c_is_the_same_without_the_library(t):
    """Plain; not position independent, and static: nothing to find, or to link."""
    for flags in ((), ("-fno-pie", "-no-pie"), ("-static",)):
        server = t.serve([compile_example(t, *flags), "{port}"])
        assert get(t, server, "/cat.jpg").status == 200
        with open(server.output) as f:
            assert f.read() == "making cat.jpg\n"
        server.stop()
    session = t.session()
    server = settled(t, session, t.serve([compile_example(t, "-fno-pie", "-no-pie"), "{port}"], session), "/cat.jpg")
    spans, own, ledger = stop(server, session)
    assert sorted(s.name for s in own) == ["resize", "thumbnail"], own
    server = t.serve([compile_example(t), "{port}"], env={})  # loaded, without a config
    assert get(t, server, "/cat.jpg").status == 200
    server.stop()


def test_the_header_is_one_for_cplusplus_and_old_c_too(t):
    source = t.path("header.c")
    with open(source, "w") as f:
        f.write("#include <btrace.h>\n#include <dlfcn.h>\nint main(void) { btrace_end(btrace_begin(\"a\")); return RTLD_LAZY != 1; }\n")
    for compiler in (["g++", "-x", "c++", "-std=c++11"], ["g++", "-x", "c++", "-std=c++20"], ["gcc", "-std=c99"], ["gcc", "-O0"]):
        subprocess.run([*compiler, "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-I", os.path.join(ROOT, "shim"),
                        "-o", t.path("header"), source], check=True)
        assert t.run([t.path("header")]).returncode == 0


SHOP_TREES = {
    "/basket": [("basket", [("pooled", [("price", [("look up", [])])])] * 2 + [("price", [("look up", [])])])],
    "/warehouses": [("ask all", [("ask", [("wait", [])])] * 2)],
    "/unicorn": [("price", [("look up", [])])],
}


def test_the_example_in_python_has_its_spans_in_the_requests(t):
    session = t.session()
    server = settled(t, session, t.serve(SHOP, session, env=PYTHON))
    for _ in range(5):
        for path, status in (("/basket", 200), ("/warehouses", 200), ("/unicorn", 404)):
            assert get(t, server, path).status == status
    with open(server.output) as f:
        logged = re.findall(r"^(\S+) \d+ trace_id=([0-9a-f]{32})$", f.read(), re.M)
    spans, own, ledger = stop(server, session)
    assert ledger["own"]["begun"] == 2 + 5 * (9 + 5 + 2) and ledger["own"]["dropped"] == 0, ledger
    for path, expected in SHOP_TREES.items():
        assert trees(spans, path) == [expected] * 5, (path, trees(spans, path))
    assert sorted(logged) == sorted((s.target, s.trace_id) for s in spans if s.kind == "SERVER"), logged
    for s in own:
        if s.name == "wait":
            assert events(s) == [("answered", {"stock": {"int": "3"}})], events(s)
        if s.get("article") == "unicorn" or s.status == "ERROR":
            (name, attributes), = events(s)
            assert name == "exception" and attributes["exception.type"] == {"string": "KeyError"}, attributes
            assert attributes["exception.stacktrace"]["string"].endswith("KeyError: 'unicorn'\n"), attributes
            assert s.status == "ERROR" and s.get("error.type") == "KeyError", s.attributes
            assert s.neutral["status"]["message"] == "KeyError: 'unicorn'", s.neutral["status"]


def test_the_example_in_python_is_the_same_without_the_library(t):
    server = t.serve(SHOP, env=PYTHON, preload=False)
    assert get(t, server, "/basket").body == b"9" and get(t, server, "/warehouses").status == 200
    assert get(t, server, "/unicorn").status == 404
    with open(server.output) as f:
        assert "/basket 200 trace_id=\n" in f.read()


def test_requests_that_are_not_sampled_or_excluded_have_no_spans(t):
    session = t.session(excluded_urls=["/warehouses"])
    server = settled(t, session, t.serve(SHOP, session, env=PYTHON))
    get(t, server, "/basket", ("traceparent", TRACEPARENT % 0))
    get(t, server, "/warehouses")
    get(t, server, "/basket", ("traceparent", TRACEPARENT % 1))
    with open(server.output) as f:
        assert "/basket 200 trace_id=%s\n" % TRACEPARENT[3:35] in f.read()
    spans, own, ledger = stop(server, session)
    assert trees(spans, "/basket") == [SHOP_TREES["/basket"]], spans
    assert ledger["own"]["sampled_out"] == 9 + 5 and ledger["own"]["taken"] == 9 + 2 - ledger["own"]["dropped"], ledger


def test_spans_do_not_need_client_spans(t):
    session = t.session(client_spans=False)
    server = settled(t, session, t.serve(SHOP, session, env=PYTHON))
    get(t, server, "/basket")
    spans, own, ledger = stop(server, session)
    assert trees(spans, "/basket") == [SHOP_TREES["/basket"]], spans


def test_the_example_by_ffi_makes_a_trace_of_its_own(t):
    t.need("luajit")
    example = ["luajit", os.path.join(EXAMPLES, "import.lua"), "30"]
    session = t.session()
    assert t.run(example, session, preload=True).stdout == b"930\n"
    spans, ledger = session.finish()
    assert ledger["requests"] == 0 and ledger["own"] == {"begun": 31, "taken": 31, "sampled_out": 0, "dropped": 0,
                                                         "unbalanced": 0}, ledger
    root, = (s for s in spans if s.name == "import")
    assert tree(spans, root) == ("import", [("import row", [])] * 30) and not int(root.parent_span_id or "0", 16)
    assert all(s.status == "OK" for s in spans) and events(root) == [("all rows are in", {})]
    assert sorted(s.get("row") for s in spans if s.name == "import row") == list(range(1, 31))
    assert t.run(example).stdout == b"930\n"


DRAWING = """
import btrace
for i in range(400):
    with btrace.span("outer"):
        with btrace.span("inner"):
            pass
"""


def test_traces_of_its_own_are_drawn_as_a_whole(t):
    session = t.session(sample_rate=0.5)
    t.run(["/usr/bin/python3", "-c", DRAWING], session, env=PYTHON, preload=True)
    spans, ledger = session.finish()
    own = ledger["own"]
    assert own["begun"] == 800 and own["dropped"] == 0 and own["sampled_out"] == 800 - len(spans), ledger
    kept = collections.defaultdict(set)
    for s in spans:
        kept[s.trace_id].add(s.name)
    assert all(names == {"outer", "inner"} for names in kept.values()) and 100 < len(kept) < 300, len(kept)


DYING = """
import btrace, os, signal, sys
outer = btrace.span("outer").__enter__()
outer["n"] = 1
with btrace.span("done"):
    pass
inner = btrace.span("inner").__enter__()
inner.event("before the end")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_spans_that_are_open_when_the_process_is_killed_are_aborted(t):
    session = t.session()
    p = t.run(["/usr/bin/python3", "-c", DYING], session, env=PYTHON, preload=True)
    assert p.returncode == -signal.SIGKILL, p
    spans, ledger = session.finish()
    outer, = (s for s in spans if s.name == "outer")
    assert tree(spans, outer) == ("outer", [("done", []), ("inner", [])]), spans
    for s in spans:
        died = s.name != "done"
        assert (s.status == "ERROR", s.get("error.type")) == (died, "process_died" if died else None), s.attributes
    assert outer.get("n") == 1 and ledger["own"]["taken"] == 3, ledger


ASYNCIO = """
import asyncio, sys
import btrace

async def handle(reader, writer):
    head = (await reader.readuntil(b"\\r\\n\\r\\n")).decode()
    header = [l.split(": ")[1] for l in head.splitlines() if l.lower().startswith("traceparent")]
    number = head.split()[1].lstrip("/")
    with btrace.span("handle " + number, parent=header[0]):
        await asyncio.sleep(0.05)
        await asyncio.gather(work(number), asyncio.to_thread(blocking, number))
        task = asyncio.get_running_loop().create_task(later(number))
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
    await writer.drain()
    await task
    writer.close()

async def work(number):
    async with btrace.span("work " + number):
        await asyncio.sleep(0.05)

def blocking(number):
    with btrace.span("blocking " + number):
        with btrace.span("in it " + number):
            pass

async def later(number):
    await asyncio.sleep(0.05)
    with btrace.span("later " + number):
        pass

async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()

asyncio.run(main())
"""


def test_an_event_loop_with_many_requests_in_flight_has_the_right_trees(t):
    session = t.session()
    server = settled_async(t, session)
    connections = [t.connect(server) for _ in range(20)]
    for i, c in enumerate(connections):
        c.send(b"GET /%d HTTP/1.1\r\nHost: h\r\ntraceparent: 00-%032x-%016x-01\r\n\r\n" % (i, i + 1, i + 1))
    for c in connections:
        c.socket.settimeout(30)
        assert c.socket.recv(100).startswith(b"HTTP/1.1 200 OK")
    spans, own, ledger = stop(server, session)
    for i in range(20):
        have = trees(spans, "/%d" % i)
        assert have == [[("handle %d" % i, [("blocking %d" % i, [("in it %d" % i, [])]), ("work %d" % i, [])])]], have


def settled_async(t, session):
    server = t.serve(["/usr/bin/python3", "-c", ASYNCIO, "{port}"], session, env=PYTHON)
    connection = t.connect(server)
    connection.request("GET", "/warm", headers=[("traceparent", TRACEPARENT % 1)])
    assert not connection.fill()  # its last span is over: it would be told as part of the first of the others
    wait_for("keeper and worker", lambda: len(exporters()) == 2)
    return server
