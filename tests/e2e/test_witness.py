# SPDX-License-Identifier: Apache-2.0
"""What the host gets from its calls is the same with and without us, in every state of a connection: return values,
errno, descriptor numbers, bytes, signals; and what it sees of itself. hosts/witness.c tells what is called."""
from harness import limit, multiset_difference


def witness(t, session=None, preload=True, headers=()):
    """Its output, a line for each call. -w: what compilers warn of is on purpose."""
    output = t.path("calls")
    with open(output, "wb") as out:
        done = t.run([t.compile("witness", "-w"), *headers], session, preload=preload, stdout=out,
                     timeout=100)
    with open(output, errors="replace") as f:
        lines = f.read().splitlines()
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:], lines[-1:])
    assert len(lines) > 5000, lines[-1:]
    return lines, done.stderr.decode(errors="replace")


def answered(plain):
    """Targets of the requests that were read and got a whole response, as the other end says."""
    read = ("request read: ", "UNIX, request read: ", "request to read: served", "two requests to read: served",
            "peer has left: served", "UNIX: served")
    lines = [line.split(" ", 1) for line in plain if line.endswith(" answered")]
    unseen = (": sendfile", ": splice")  # a head that only the kernel sees
    return [target for target, rest in lines if rest.startswith(tuple("server, " + r for r in read))
            and not any(call in rest for call in unseen)]


def check_same(plain, other):
    different = ["plain: %s\nours:  %s" % pair for pair in zip(plain, other) if pair[0] != pair[1]]
    assert not different and len(plain) == len(other), "%d lines differ\n%s" % (len(different), "\n".join(different[:20]))


@limit(240)
def test_every_call_without_a_config(t):
    plain, _ = witness(t, preload=False)
    check_same(plain, witness(t, preload=False)[0])
    ours, said = witness(t)
    check_same(plain, ours)
    assert not said, said


@limit(240)
def test_every_call_while_requests_are_traced(t):
    plain, _ = witness(t, preload=False)
    session = t.session(client_spans=False, inject=False)
    check_same(plain, witness(t, session)[0])
    spans, ledger = session.finish()
    assert ledger["requests"] > 1000 and len(spans) == ledger["taken"] == ledger["requests"], ledger
    complete = [s.target for s in spans if s.status_code == 200 and s.get("http.response.body.size") == 2 and s.target != "/"]
    text = multiset_difference(answered(plain), complete)
    assert not text and len(complete) > 40, text


@limit(240)
def test_every_call_while_requests_are_made_and_context_is_put_in(t):
    plain, _ = witness(t, preload=False)
    session = t.session(detail="full")
    check_same(plain, witness(t, session, headers=["traceparent"])[0])
    _, ledger = session.finish()
    assert ledger["client"]["requests"] > 500 and ledger["requests"] > 1000, ledger


@limit(240)
def test_every_call_while_nothing_is_sampled(t):
    plain, _ = witness(t, preload=False)
    session = t.session(sample_rate=0, propagators=["b3multi", "jaeger"])
    check_same(plain, witness(t, session, headers=["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "uber-trace-id"])[0])
    _, ledger = session.finish()
    assert ledger["requests"] == ledger["sampled_out"] > 1000, ledger
