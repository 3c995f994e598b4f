# SPDX-License-Identifier: Apache-2.0
"""Connections that are the work of several: threads, processes, descriptors, a signal handler (hosts/shared.c)."""
from harness import check_spans, load
from test_http_chaos import build


def serve(t, way, connections, each, at_once=1, exact=True):
    """So many connections with so many requests each; (exchanges, spans, ledger)."""
    session = t.session()
    server = t.serve([build(t, "shared"), "{port}", way], session)
    exchanges = []
    for i in range(0, connections, at_once):
        plan = [("GET", "/%s?n=%d.%d.%d" % (way, i, j, k), {}) for k in range(each) for j in range(at_once)]
        exchanges += load(server.address, plan, connections=at_once)
    assert all(e.status == 200 and e.response_size == 2 for e in exchanges), exchanges
    server.stop()
    spans, ledger = session.finish()
    print({k: v for k, v in ledger["counters"].items() if v}, sorted({(s.status_code, s.get("error.type")) for s in spans}, key=str))
    if exact:
        check_spans(exchanges, spans)
        assert ledger["requests"] == ledger["taken"] == len(exchanges), ledger
        assert not [s for s in spans if "error.type" in s.attributes], [s.attributes for s in spans]
    return exchanges, spans, ledger


def test_read_on_one_thread_written_on_another_closed_on_a_third(t):
    serve(t, "three_threads", 40, 50, at_once=4)


def test_two_descriptors_for_one_socket_and_the_first_is_closed_with_a_request_running(t):
    serve(t, "two_descriptors", 20, 20)


def test_accepted_here_and_served_in_a_forked_child(t):
    _, spans, _ = serve(t, "child", 20, 5)
    assert len({s.resource["process.pid"] for s in spans}) == 20, "the spans are not the children's"


def test_forked_with_a_request_in_flight_and_the_child_answers(t):
    serve(t, "child_answers", 30, 1)


def test_forked_with_a_request_in_flight_and_the_parent_answers(t):
    serve(t, "parent_answers", 10, 10)


def test_signal_handler_that_answers_at_any_instruction(t):
    serve(t, "signal_handler", 10, 200)


def test_signal_handler_that_sends_hints_on_the_connection_being_served(t):
    """Hints come by the dozen, the answer when they are over."""
    serve(t, "hints_from_a_signal_handler", 10, 60)


def test_two_threads_that_write_at_once_make_the_connection_opaque_and_all_is_accounted_for(t):
    """There is no order between their bytes. Whatever we make of it: no byte is lost, no span invented."""
    exchanges, spans, ledger = serve(t, "two_writers", 5, 2, exact=False)
    assert len(spans) == ledger["taken"] == ledger["requests"] <= len(exchanges), ledger
    assert {s.target for s in spans} <= {e.target for e in exchanges}
def test_forked_with_a_request_in_flight_and_the_child_answers_after_the_parent_has_closed(t):
    serve(t, "child_answers_when_we_have_closed", 30, 1)




def test_forked_with_a_request_in_flight_and_nobody_answers(t):
    """It was left to the child for a while, which did nothing with it: no response all the same."""
    session = t.session()
    server = t.serve([build(t, "shared"), "{port}", "nobody_answers"], session)
    for i in range(40):  # more than are left to children at a time
        with t.connect(server) as c:
            e = c.start("GET", "/n=%d" % i)
            assert not c.fill(), "an answer"
    server.stop()
    spans, ledger = session.finish()
    assert sorted(s.target for s in spans) == sorted("/n=%d" % i for i in range(40)), spans
    assert {(s.status_code, s.get("error.type")) for s in spans} == {(None, "no_response")}, [s.attributes for s in spans]
