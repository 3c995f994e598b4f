# SPDX-License-Identifier: Apache-2.0
"""What other tracers get wrong, case by case, against a server of bare socket calls (hosts/raw.py) and real ones.

The truth is what the client has sent and received: exactly so many spans, none from what bodies contain.
"""
import os
import socket
import time

from harness import check_spans, limit, load, make_docroot, wait_for
from process import Process

RAW = os.path.join(os.path.dirname(__file__), "hosts", "raw.py")
PHANTOM = b"GET /phantom HTTP/1.1\r\nHost: h\r\n\r\n"


class Case:
    """A traced server and the connections to it."""

    def __init__(self, t, what=None, **how):
        self.t, self.log = t, []
        self.session = t.session()
        self.server = t.serve(what or [RAW, "{port}"], self.session, **how)

    def connect(self, **how):
        return self.t.connect(self.server, self.log, **how)

    def end(self):
        """(spans by the order of their starts, ledger)"""
        for c in self.t.connections:
            c.close()
        if os.path.basename(self.server.name) == "raw.py":  # it has noticed all that the clients did
            wait_for("the server's connections to end", lambda: Process(self.server.pid).threads == 1)
        self.server.stop()
        spans, self.ledger = self.session.finish()
        return sorted((s for s in spans if s.kind == "SERVER"), key=lambda s: s.start_ns)

    def exact(self, **expected):
        """All that the client has asked is there, and nothing more; ledger counters that are expected."""
        spans = self.end()
        check_spans(self.log, spans)
        self.counters(**expected)
        return spans

    def counters(self, **expected):
        have = {k: self.ledger["counters"][k] for k in expected}
        assert have == expected, (have, expected)

    def rows(self, **expected):
        """(target, status, response body's size, error.type) of each span."""
        rows = [(s.target, s.status_code, s.get("http.response.body.size", 0), s.get("error.type")) for s in self.end()]
        self.counters(**expected)
        return rows


def raw_get(target, more=b""):
    return b"GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n" % (target, more)


def until_end(c):
    """All that comes; the connection's end may be a reset."""
    try:
        while c.fill():
            pass
    except OSError:
        pass
    return bytes(c.buffer)


def read_to(c, text):
    while text not in c.buffer:
        assert c.fill(), bytes(c.buffer)
    c.buffer.clear()


# --- bodies that the library does not see ---
@limit(120)
def test_ten_keep_alive_gets_of_an_11_kb_file_by_sendfile(t):
    t.need("nginx")
    docroot = make_docroot(t.path("docroot"))
    with open(docroot + "/eleven.txt", "wb") as f:
        f.write(b"HTTP/1.1 200 OK\r\n" * 660)
    os.chmod(docroot + "/eleven.txt", 0o644)
    case = Case(t, "nginx", docroot=docroot)
    c = case.connect()
    for i in range(10):
        assert c.get("/eleven.txt?n=%d" % i).response_size == 11220
    case.exact(orphan_responses=0)


@limit(120)
def test_two_hundred_files_sent_by_apache_with_sendfile(t):
    t.need("apache2")
    t.need_root()
    case = Case(t, "apache-event")
    case.log += load(case.server.address, [("GET", "/small.txt?n=%d" % i, {}) for i in range(200)], connections=4)
    case.exact()


@limit(3600)
def test_a_1_kb_file_under_load(t):
    """BTRACE_LOAD_REQUESTS: 540000 in the long form (make soak)."""
    t.need("nginx")
    docroot = make_docroot(t.path("docroot"))
    with open(docroot + "/one.txt", "wb") as f:
        f.write(b"1" * 1024)
    os.chmod(docroot + "/one.txt", 0o644)
    n = int(os.environ.get("BTRACE_LOAD_REQUESTS", "5000"))
    case = Case(t, "nginx", docroot=docroot)
    each, connections = 50, 8
    for done in range(0, n, each * connections):
        todo = []
        for k in range(connections):
            todo.append(t.connect(case.server))
            todo[-1].send(b"".join(raw_get(b"/one.txt?n=%d" % (done + k * each + i)) for i in range(each)))
        for c in todo:
            for _ in range(each):
                e = type("Answer", (), {})()
                read_one(c, e)
                assert (e.status, e.size) == (200, 1024), vars(e)
            c.close()
        t.connections.clear()
    spans = case.end()
    asked = -(-n // (each * connections)) * each * connections
    assert len({s.target for s in spans}) == len(spans) == asked == case.ledger["requests"], (len(spans), asked, case.ledger)
    assert {s.row()[2:] for s in spans} == {(200, 0, 1024)}


def read_one(c, e):
    """A response with a Content-Length, read as fast as may be."""
    while (end := c.buffer.find(b"\r\n\r\n")) < 0:
        assert c.fill(), "closed"
    head = bytes(c.buffer[:end]).lower()
    e.status, e.size = int(head[9:12]), int(head.partition(b"content-length: ")[2].split(b"\r", 1)[0])
    while len(c.buffer) < end + 4 + e.size:
        assert c.fill(), "closed"
    del c.buffer[:end + 4 + e.size]


def test_body_that_is_thrown_away_unseen_is_counted(t):
    case = Case(t)
    case.connect().request("POST", "/thrown-away", body=PHANTOM * 1000)
    case.exact(resync=0)


# --- pipelining ---
@limit(120)
def test_five_pipelined_requests_in_one_segment_have_their_own_answers(t):
    t.need("nginx")
    case = Case(t, "nginx")
    case.connect().pipeline([("GET", "/%s?n=%d" % ("missing" if i % 2 else "small.txt", i), {}) for i in range(5)])
    case.exact()


def test_two_pipelined_answers_in_one_send(t):
    case = Case(t)
    case.connect().pipeline([("GET", "/pair?1", {}), ("GET", "/second?2", {})])
    case.exact()


def test_pipelined_request_that_is_dropped_ends_with_the_connection_and_the_next_one_is_not_mixed_up(t):
    case = Case(t)
    c = case.connect()
    c.send(raw_get(b"/only-one?1") + raw_get(b"/dropped?2"))
    until_end(c)
    c.close()
    case.connect().get("/next?3")
    assert case.rows() == [("/only-one?1", 200, 2, None), ("/dropped?2", None, 0, "client_closed"), ("/next?3", 200, 2, None)]


# --- what comes in ---
def test_request_line_of_300_bytes_and_one_of_8000(t):
    case = Case(t)
    c = case.connect()
    c.get("/a?" + "q" * 300)
    c.get("/b?1")
    case.exact()
    case = Case(t)
    case.connect().get("/a?" + "q" * 8000)
    span, = case.end()
    assert span.get("btrace.truncated") and span.status_code == 200, span.attributes


def test_request_that_is_split_at_each_byte(t):
    case = Case(t)
    c = case.connect()
    size = len(raw_get(b"/split?n=00")) + len("localhost") - 1
    for i in range(1, size):
        e = c.start("GET", "/split?n=%02d" % i, split=[i], pause=0.001)
        c.finish(e)
    c.finish(c.start("GET", "/split?bytes", split=1))
    case.exact()


def test_old_bytes_behind_a_short_read_are_no_request(t):
    """readv() of 4096 bytes returns few, and the request before lies behind them."""
    case = Case(t)
    c = case.connect()
    c.get("/a?1", headers=(("X-Filler", "f" * 3000),))
    c.finish(c.start("GET", "/b?2", split=1, pause=0.002))
    c.finish(c.start("POST", "/c?3", split=1, pause=0.002, body=b"G"))
    case.exact()


def test_body_that_holds_requests_and_responses_makes_no_span(t):
    body = PHANTOM * 20 + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    case = Case(t)
    c = case.connect()
    c.request("POST", "/with-length", body=body)
    c.request("POST", "/chunked", body=body, chunked=len(PHANTOM))
    e = c.start("GET", "/first")
    c.finish(e)
    c.send(b"POST /without-space HTTP/1.1\r\nHost: h\r\nContent-Length:%d\r\n\r\n" % len(PHANTOM))
    time.sleep(0.05)
    c.send(PHANTOM)  # begins a read, looks like a request, is none
    read_to(c, b"ok")
    c.get("/last")
    targets = [s.target for s in case.end()]
    assert targets == ["/with-length", "/chunked", "/first", "/without-space", "/last"], targets
    case.counters(resync=0)


def test_peeked_bytes_count_once(t):
    case = Case(t)
    c = case.connect()
    for i in range(3):
        c.get("/peek?n=%d" % i)
        case.log.append(c.start("GET", "/other?n=%d" % i))  # lies there while it is peeked at
        c.log.pop()
        c.finish(case.log[-1])
    case.exact()


def test_header_of_60_kb_with_traceparent_behind_a_cookie(t):
    parent = "00-11111111111111111111111111111111-2222222222222222-01"
    case = Case(t)
    case.connect().get("/a", headers=(("Cookie", "c" * 60000), ("traceparent", parent)))
    span, = case.exact()
    assert span.parent_span_id == "2" * 16 and span.trace_id == "1" * 32, vars(span)
    assert not span.get("btrace.head_limit"), span.attributes


def test_head_beyond_64_kib_is_a_marked_span_and_its_framing_is_read_all_the_same(t):
    case = Case(t)
    c = case.connect()
    c.request("POST", "/a", headers=(("Cookie", "c" * 70000), ("X-Last", "1")), body=PHANTOM)
    c.get("/b")
    spans = case.exact(resync=0)
    assert [bool(s.get("btrace.head_limit_exceeded") or s.get("btrace.head_limit")) for s in spans] == [True, False], \
        [s.attributes for s in spans]


def test_connection_opened_early_has_the_duration_of_its_request_alone(t):
    case = Case(t)
    c = case.connect()
    time.sleep(0.5)
    e = c.get("/late")
    span, = case.exact()
    assert span.start_ns >= e.start_ns - 20e6, (span.start_ns - e.start_ns) / 1e6


def test_connection_without_a_request_is_none_even_if_it_is_answered(t):
    case = Case(t)
    c = case.connect()
    c.half_close()
    assert b"400" in until_end(c)
    c = case.connect()
    c.close()
    case.connect().get("/accepted-after-it")
    case.exact(requests=1, connections=3)


# --- what goes out ---
def test_head_and_304_have_no_body_whatever_their_fields_say(t):
    t.need("nginx")
    case = Case(t, "nginx")
    c = case.connect()
    c.request("HEAD", "/small.txt?1")
    modified = case.log[0].header("last-modified")
    for i in range(2, 5):
        c.get("/small.txt?%d" % i)
    c.get("/small.txt?5", headers=(("If-Modified-Since", modified),))
    assert case.log[-1].status == 304
    c.get("/small.txt?6")
    case.exact(orphan_responses=0)


def test_interim_responses_end_nothing(t):
    case = Case(t)
    c = case.connect()
    e = c.start("POST", "/interim", body=b"12345", expect=10)
    c.finish(e)
    assert e.interim == [100, 100, 103], e.interim
    c.get("/b")
    case.exact()


def switched(t, first):
    case = Case(t)
    c = case.connect()
    c.send(first)
    read_to(c, b"\r\n\r\n")
    for _ in range(5):
        c.send(PHANTOM)
        read_to(c, b"\r\n\r\n")
    c.send(b"end")
    until_end(c)
    return case.rows(switched=1, requests=1, resync=0)


def test_upgrade_ends_the_span_and_frames_that_look_like_http_are_left_alone(t):
    assert switched(t, raw_get(b"/upgrade", b"Connection: upgrade\r\nUpgrade: websocket\r\n")) == [("/upgrade", 101, 0, None)]


def test_connect_ends_the_span_at_its_answer(t):
    rows = switched(t, b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n")
    assert [r[1:] for r in rows] == [(200, 0, None)], rows


def test_first_byte_of_the_answer_alone_and_one_send_a_header_line(t):
    case = Case(t)
    c = case.connect()
    c.get("/first-byte")
    c.get("/lines")
    case.exact()


def test_partial_writes_are_counted_once(t):
    case = Case(t)
    c = case.connect()
    e = c.start("GET", "/partial")
    time.sleep(0.1)
    c.finish(e)
    assert e.response_size == 3000000
    case.exact()


def test_close_delimited_body_ends_at_the_close(t):
    case = Case(t)
    assert case.connect().get("/close-delimited").response_size == 1234
    case.exact()


def test_bare_line_feeds_in_an_answer(t):
    case = Case(t)
    c = case.connect()
    c.send(raw_get(b"/bare"))
    read_to(c, b"\n\n")
    assert case.rows() == [("/bare", 204, 0, None)]


def test_answer_without_a_status_line_is_one_span_without_status(t):
    case = Case(t)
    c = case.connect()
    c.send(raw_get(b"/nothing-like-http"))
    until_end(c)
    assert case.rows(requests=1) == [("/nothing-like-http", None, 0, "malformed_response")]


def test_bad_request_that_python_answers_without_a_status_line(t):
    case = Case(t, "py-httpserver")
    c = case.connect()
    c.send(b"GET /small.txt HTTQ\r\n\r\n")
    assert b"400" in until_end(c)
    case.connect().get("/small.txt?2")
    spans = case.end()
    assert len(spans) == case.ledger["requests"] == 2 and "error.type" in spans[0].attributes, spans


def test_request_bytes_behind_a_final_response_are_drained_and_none(t):
    case = Case(t)
    c = case.connect()
    c.send(raw_get(b"/drain"))
    read_to(c, b"ok")
    c.send(PHANTOM * 3)
    c.half_close()
    until_end(c)
    assert case.rows(requests=1) == [("/drain", 200, 2, None)]


def test_answer_before_the_request_is_complete(t):
    case = Case(t)
    c = case.connect()
    c.send(b"POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + PHANTOM)
    read_to(c, b"\r\n\r\n")
    c.send(PHANTOM * 10)
    c.half_close()
    until_end(c)
    assert case.rows(requests=1) == [("/early", 413, 0, None)]


def test_close_delimited_answer_to_half_a_head(t):
    case = Case(t)
    c = case.connect()
    c.send(b"GET /half HTTP/1.1\r\nHost: h\r\nX-Rest")
    c.half_close()
    assert b"400" in until_end(c)
    assert case.rows(requests=1) == [("/half", 400, 11, None)]


# --- contradictions ---
def test_server_that_sends_a_body_with_head_is_followed_again_at_its_next_answer(t):
    case = Case(t)
    c = case.connect()
    c.send(b"HEAD /head-with-body HTTP/1.1\r\nHost: h\r\n\r\n")
    read_to(c, b"hello")
    c.get("/next?2")
    assert case.rows(resync=1) == [("/head-with-body", 200, 0, None), ("/next?2", 200, 2, None)]


def test_server_that_sends_more_than_its_content_length_is_followed_again_at_its_next_answer(t):
    case = Case(t)
    c = case.connect()
    c.send(raw_get(b"/too-much"))
    read_to(c, b"more")
    c.get("/next?2")
    assert case.rows(resync=1) == [("/too-much", 200, 2, None), ("/next?2", 200, 2, None)]


def test_invalid_length_makes_the_connection_opaque_and_is_counted(t):
    case = Case(t)
    c = case.connect()
    c.send(b"GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n")
    c.half_close()
    until_end(c)
    case.connect().get("/b")
    rows = case.rows(requests=2, broken=1)
    assert [r[0] for r in rows] == ["/a", "/b"] and rows[1][1] == 200, rows


# --- ends ---
def test_client_that_resets_in_the_middle_of_a_download_leaves_the_real_status(t):
    case = Case(t)
    c = case.connect()
    c.send(raw_get(b"/download"))
    while len(c.buffer) < 100000:
        c.fill()
    c.abort()
    row, = case.rows(requests=1)
    assert row[:2] == ("/download", 206) and row[3] == "connection_reset" and 0 < row[2] < 50000000, row


def test_client_that_is_gone_before_the_answer(t):
    """Whether its going is seen by read() or by write() is the kernel's matter; there was no status before it."""
    case = Case(t)
    c = case.connect()
    c.send(raw_get(b"/after-close?1"))
    c.abort()
    case.connect().get("/when-that-is-over")
    rows = [r for r in case.rows(requests=2) if r[0] != "/when-that-is-over"]
    assert len(rows) == 1 and rows[0][1] is None and rows[0][3] in ("connection_reset", "client_closed"), rows


def test_half_close_is_not_the_end_of_the_request(t):
    case = Case(t)
    c = case.connect()
    e = c.start("GET", "/after-close")
    c.half_close()
    c.finish(e)
    case.exact()


def test_request_that_is_cut_off_by_the_client(t):
    case = Case(t)
    c = case.connect()
    c.send(b"POST /ok HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
    c.half_close()
    until_end(c)
    row, = case.rows(requests=1)
    # this server answers what has come of it
    assert row[:2] in (("/ok", 200), ("/ok", None)), row


def test_server_that_closes_without_an_answer(t):
    case = Case(t)
    c = case.connect()
    c.send(raw_get(b"/close-unanswered"))
    until_end(c)
    assert case.rows(requests=1) == [("/close-unanswered", None, 0, "no_response")]


def test_server_that_resets_and_one_that_stops_in_the_middle_leave_the_real_status(t):
    case = Case(t)
    for target in (b"/reset", b"/cut-short"):
        c = case.connect()
        c.send(raw_get(target))
        until_end(c)
    assert case.rows() == [("/reset", 200, 10, "no_response"), ("/cut-short", 200, 10, "no_response")]


# --- what is no HTTP ---
def test_other_protocols_are_left_alone_and_counted(t):
    case = Case(t, [RAW, "{port}", "--other"])
    for first in (b"*1\r\n$4\r\nPING\r\n", b"stats\r\n", b"\0\0\0\x08\x04\xd2\x16\x2f", b"\x16\x03\x01\x02\x00\x01", b"SSH-2.0-x\r\n"):
        c = case.connect()
        c.send(first + PHANTOM)
        c.half_close()
        assert until_end(c) == first + PHANTOM
    assert case.rows(requests=0, not_http=4, tls=1, broken=0) == []


@limit(120)
def test_four_thousand_connections_at_once(t):
    """All are open before the first request; descriptors far beyond 1024 on both sides."""
    import resource
    t.need("node")
    n = 4000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < n + 100:
        t.skip("the limit of descriptors is %d" % hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n + 100), hard))
    case = Case(t, "node-http")
    sockets = [socket.create_connection(case.server.address, timeout=60) for _ in range(n)]
    for i, s in enumerate(sockets):
        s.sendall(raw_get(b"/small.txt?n=%d" % i))
    for s in sockets:
        data = b""
        while not data.endswith(b"hello small\n") and (more := s.recv(4096)):
            data += more
        assert data.startswith(b"HTTP/1.1 200"), data
    for s in sockets:
        s.close()
    spans = case.end()
    assert sorted(s.target for s in spans) == sorted("/small.txt?n=%d" % i for i in range(n)), len(spans)
    assert {s.row()[2:] for s in spans} == {(200, 0, 12)}
    assert case.ledger["requests"] == case.ledger["taken"] == n and case.ledger["connections"] == n, case.ledger
