# SPDX-License-Identifier: Apache-2.0
"""Hosts with bad habits: the same answers plain and preloaded, exact spans, an end of their own choosing."""
import os
import shutil
import signal
import subprocess

from harness import check_spans, difference, exporters, limit, load, tier, wait_for

HOSTS = os.path.join(os.path.dirname(__file__), "hosts")


def requests(t, server, tag, connections=4, each=10):
    """`each` requests on each connection; one after the other, as most of these hosts serve one at a time."""
    out = []
    for i in range(connections):
        with t.connect(server) as c:
            out += [c.get("/%s?n=%d.%d" % (tag, i, j)) for j in range(each)]
    return out


def compare(t, argv, client=requests, library=None, env=None, status=True, **how):
    """The host plain and traced, talked to by client(t, server, tag); the output of the traced one."""
    plain_server = t.serve(argv, env=env, preload=False, **how)
    plain = client(t, plain_server, "x")
    plain_end = plain_server.stop()
    session = t.session()
    server = t.serve(argv, session, env=env, preload=library or True, **how)
    traced = client(t, server, "x")
    end = server.stop()
    text = difference(plain, traced)
    assert not text, text
    assert not status or end[0] == plain_end[0], "ended with %s plain, %s traced" % (plain_end[0], end[0])
    spans, ledger = session.finish()
    check_spans(traced, spans)
    return server.text()


def test_vfork_children_that_close_everything_close_nothing_of_ours(t):
    compare(t, [t.compile("odd"), "{port}", "vfork"])


def test_connections_are_followed_through_dup_and_dup2(t):
    compare(t, [t.compile("odd"), "{port}", "dup"])


def test_a_response_written_byte_by_byte(t):
    compare(t, [t.compile("odd"), "{port}", "bytewise"])


def test_signal_handlers_that_read_and_write(t):
    compare(t, [t.compile("odd"), "{port}", "handler"])


def test_threads_with_the_smallest_stack(t):
    def client(t, server, tag):
        return load(server.address, [("GET", "/%s?n=%d" % (tag, i), {}) for i in range(200)], connections=8)
    compare(t, [t.compile("odd", "-pthread"), "{port}", "small-stack"], client)


def test_threads_that_are_cancelled_in_recv(t):
    """Each new connection ends the thread that waits for the next request of the one before."""
    def client(t, server, tag):
        out = []
        for i in range(30):
            out.append(t.connect(server).get("/%s?n=%d" % (tag, i)))
        return out
    compare(t, [t.compile("odd", "-pthread"), "{port}", "cancel"], client)


def cancelled_in_write(t, when):
    """The exchanges of ten clients, and their spans."""
    library = t.path("cancel_in_write.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, os.path.join(HOSTS, "cancel_in_write.c")], check=True)
    session = t.session()
    server = t.serve([t.compile("odd", "-pthread"), "{port}", "threads"], session, env={"CANCEL": when},
                     preload=t.library + ":" + library)
    exchanges = []
    for i in range(10):
        c = t.connect(server)
        exchange = c.start("GET", "/n?n=%d" % i)
        exchanges.append(exchange)
        if when == "after":
            c.finish(exchange)
        assert not c.socket.recv(1), "the thread was not ended"
    server.stop()
    return exchanges, session.finish()


def test_a_thread_that_is_cancelled_when_its_answer_has_gone_out(t):
    """The kernel has all of it, the client too; write() never returns."""
    exchanges, (spans, ledger) = cancelled_in_write(t, "after")
    check_spans(exchanges, spans)
    assert not [s.attributes for s in spans if "error.type" in s.attributes]


def test_a_thread_that_is_cancelled_before_its_answer_goes_out(t):
    """The same up to the last instruction before the system call, and to the library: but nobody got an answer."""
    exchanges, (spans, ledger) = cancelled_in_write(t, "before")
    assert sorted((s.target, s.status_code, s.get("error.type")) for s in spans) == \
        sorted((e.target, None, "no_response") for e in exchanges)


def test_seccomp_after_start_that_kills_at_any_other_call(t):
    compare(t, [t.compile("odd"), "{port}", "seccomp"])


def test_seccomp_before_it_listens_that_kills_at_any_other_call(t):
    compare(t, [t.compile("odd"), "{port}", "seccomp-first"])


def test_vfork_children_that_lock_themselves_in_lock_nobody_else_in(t):
    compare(t, [t.compile("odd"), "{port}", "vfork-locked"])


@tier("servers")
@limit(120)
def test_seccomp_and_a_span_table_that_is_half_full(t):
    """An exporter that sleeps is woken then by a call that this server must not make; it wakes by itself."""
    session = t.session()
    server = t.serve([t.compile("odd"), "{port}", "seccomp"], session)
    exchanges = requests(t, server, "a", 1, 1)

    def sleeping():
        for p in exporters():
            with open("/proc/%d/syscall" % p.pid) as f:
                if f.read().split()[0] in ("202", "98"):  # futex, on x86-64 and arm64
                    return p
    worker = wait_for("the exporter's worker to sleep", sleeping, 60)
    os.kill(worker.pid, signal.SIGSTOP)
    client = t.connect(server).socket
    for _ in range(900):
        client.sendall(b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
        left = 10 * len("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        while left:
            got = len(client.recv(left))
            assert got, "the server has ended"
            left -= got
    os.kill(worker.pid, signal.SIGCONT)
    assert server.stop()[0] == -15
    spans, ledger = session.finish(timeout=60)
    assert len(spans) == ledger["requests"] == len(exchanges) + 9000, ledger


def test_strict_seccomp_on_an_accepted_connection(t):
    """Nothing but read, write and exit is allowed from then on."""
    compare(t, [t.compile("odd"), "{port}", "strict"])


def test_host_under_valgrind(t):
    """Valgrind makes a plain fork of our start of an exporter, so there are no traces; and it finds no fault."""
    t.need("valgrind")
    argv = ["valgrind", "--error-exitcode=99", t.compile("odd", "-g"), "{port}", "dup"]
    plain_server = t.serve(argv)
    plain = requests(t, plain_server, "x")
    plain_server.stop()
    server = t.serve(argv, t.session())
    assert not difference(plain, requests(t, server, "x"))
    server.stop()
    text = server.text()
    assert "ERROR SUMMARY: 0 errors" in text, text
    assert text.count("not tracing") <= 1, text


def test_host_with_the_address_sanitizer(t):
    argv = [t.compile("odd", "-fsanitize=address", "-g"), "{port}", "vfork"]
    text = compare(t, argv, env={"ASAN_OPTIONS": "verify_asan_link_order=0"})
    assert "ERROR" not in text, text


def test_host_with_a_library_of_its_own_that_hooks_the_same(t):
    """libfaketime hooks clocks, stdbuf's library nothing of ours: two preloads, either order."""
    faketime = next((p for p in ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
                                 "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1") if os.path.exists(p)), None)
    if not faketime:
        t.skip("libfaketime is not installed")
    for both in ("%s %s" % (t.library, faketime), "%s %s" % (faketime, t.library)):
        compare(t, [t.compile("odd"), "{port}", "plain"], library=both, env={"FAKETIME": "+0"})


def test_loaded_twice_counts_once(t):
    second = t.path("second")
    os.mkdir(second)
    os.chmod(second, 0o755)
    for name in ("libbtrace.so", "btrace-exporter"):
        shutil.copy(os.path.join(t.stage, name), second)
    compare(t, [t.compile("odd"), "{port}", "plain"], library="%s %s/libbtrace.so" % (t.library, second))


def test_allocators_of_their_own(t):
    found = False
    for name in ("libjemalloc.so.2", "libtcmalloc_minimal.so.4"):
        path = subprocess.run(["sh", "-c", "ls /usr/lib/*-linux-gnu/%s" % name], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL).stdout.strip()
        if path:
            found = True
            for both in ("%s %s" % (t.library, path), "%s %s" % (path, t.library)):
                compare(t, [t.compile("odd", "-pthread"), "{port}", "threads"], library=both)
    if not found:
        t.skip("neither jemalloc nor tcmalloc is installed")


@limit(120)
def test_a_host_without_address_space(t):
    """RLIMIT_AS leaves no room for the table: the server does not notice."""
    import resource
    session = t.session()
    server = t.serve([t.compile("odd"), "{port}", "plain"], session,
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (24 << 20, 24 << 20)))
    for e in requests(t, server, "x"):
        assert e.status == 200
    assert server.stop()[0] == -15
    text = server.text()
    assert text.count("btrace: ") == 1 and "not tracing" in text, text
