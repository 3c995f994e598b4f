# SPDX-License-Identifier: Apache-2.0
"""Our HTTP/1 parser and node's own (llhttp) on the same bytes: where do messages end?

The fuzzers' corpus, and what chance makes of it. Node refuses more than we may: its server answers 400, and that is a
request with an answer for us. So it is no disagreement if one of the two stops at something on the list; but whatever
both have taken for whole messages must be the same, and nothing may be on the list that does not happen.
"""
import json
import os
import random
import re
import struct

from harness import ROOT, limit
from process import build_tool

SCRIPT = os.path.join(os.path.dirname(__file__), "hosts", "boundaries.js")
CORPUS = [os.path.join(ROOT, "tests", "fuzz", "corpus", d) for d in ("http1", "http1_diff")]
MUTANTS = int(os.environ.get("BTRACE_ORACLE_CASES", "6000"))
SEED = int(os.environ.get("BTRACE_ORACLE_SEED", "1"))

# enum http1_error
NOT_HTTP, BAD_START_LINE, BAD_LENGTH, BAD_CHUNK, BAD_CODING, UNSEEN_HEAD, NO_STATUS_LINE, BAD_HEAD = range(1, 9)

# what node stops at, or we: (codes of node, errors of ours, section, why)
LIST = [
    (("HPE_INVALID_METHOD", "HPE_INVALID_CONSTANT", "HPE_PAUSED_H2_UPGRADE"), (), "RFC 9110 9.1",
     "any token is a method; node knows a list of them"),
    (("HPE_INVALID_URL", "HPE_INVALID_VERSION", "HPE_CR_EXPECTED", "HPE_LF_EXPECTED", "HPE_INVALID_STATUS"),
     (NOT_HTTP, BAD_START_LINE, NO_STATUS_LINE), "RFC 9112 2.2, 3, 4",
     "start lines are told as they are, also those that are answered with 400; bare LF ends a line"),
    (("HPE_INVALID_HEADER_TOKEN", "HPE_UNEXPECTED_SPACE"), (BAD_HEAD,), "RFC 9112 2.2, 5.1",
     "lines that are no field are passed over where it is safe"),
    (("HPE_INVALID_CONTENT_LENGTH", "HPE_UNEXPECTED_CONTENT_LENGTH"), (BAD_LENGTH,), "RFC 9112 6.3",
     "Transfer-Encoding overrides; equal lengths are one"),
    (("HPE_INVALID_TRANSFER_ENCODING",), (BAD_CODING,), "RFC 9112 6.1", "codings before the last, and beside a length"),
    (("HPE_INVALID_CHUNK_SIZE", "HPE_STRICT"), (BAD_CHUNK,), "RFC 9112 7.1", "padding, extensions, line ends of chunks"),
    (("HPE_CLOSED_CONNECTION",), (), "RFC 9112 9.6", "what comes behind a message with \"close\" is the exchange's matter"),
]
# where both go on, and see another end: (is it that? of the head from the message on), section, why, an example
DIFFERENT = [
    (lambda head: head.startswith(b"CONNECT "), "RFC 9112 6.3", "framing fields of a CONNECT hold if it is refused",
     b"qCONNECT a:1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nok"),
    (lambda head: len(head.partition(b"\n")[0].split()) == 2, "RFC 1945 5", "HTTP/0.9 has no fields: the line is the request",
     b"qGET /old\r\nHost: no\r\n\r\n"),
    (lambda head: head.startswith(b"PRI "), "RFC 9113 3.4", "the preface of HTTP/2 begins a connection, not a later request",
     b"qGET / HTTP/1.1\r\n\r\nPRI * HTTP/2.0\r\n\r\n"),
    (lambda head: re.search(rb"identity|chunked *\t", head, re.I), "RFC 9112 5, 6.1",
     "the last coding: identity in a response is none, white space behind it is no part of it",
     b"sHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n"),
    (lambda head: re.match(rb"HTTP/1\.. 1", head), "RFC 9112 6.3", "no interim response has a body; node knows some of them",
     b"sHTTP/1.1 120 X\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\n"),
    (lambda head: re.search(rb"\r[^\n]", head), "RFC 9112 2.2", "a CR without LF ends no line",
     b"sHTTP/1.1 200 OK\r\rContent-Length: 0\r\n\r\n"),
]
# RFC 9110 7.8, 15.2.2: the wish for an upgrade is no switch, and 101 is one; node goes by the request's fields
SWITCH = 1
assert len(LIST) + len(DIFFERENT) + SWITCH <= 15


class Told:
    def __init__(self, line, error):
        first, switched, *messages = line.split()
        self.error = error(first)
        self.switched = switched == "1"
        self.messages = [tuple(map(int, m.split(","))) for m in messages]

    def whole(self):
        """Those that have ended: (start, end of the head, end, bytes of the body)."""
        return [m for m in self.messages if m[2]]


def corpus():
    for directory in CORPUS:
        for name in sorted(os.listdir(directory)):
            with open(os.path.join(directory, name), "rb") as f:
                data = f.read()
            # as fuzz_http1.c has it: options with the role, a seed, answers (plain only here)
            if 3 < len(data) < 20000 and data[2] == 0:
                yield ("s" if data[0] & 1 else "q"), data[3:]


def mutants(seeds, n):
    rng = random.Random(SEED)
    words = [b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b";", b"0", b"chunked", b"Content-Length: 5\r\n", b"Connection: close\r\n",
             b"Transfer-Encoding: chunked\r\n", b"HTTP/1.1", b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"\r\n\r\n", b"\0", b"\xff"]
    for _ in range(n):
        role, data = rng.choice(seeds)
        data = bytearray(data[:3000])
        for _ in range(rng.choice((1, 1, 2, 4))):
            at = rng.randrange(len(data) + 1)
            way = rng.randrange(5)
            if way == 0:
                data[at:at + rng.choice((1, 1, 2, 10))] = b""
            elif way == 1:
                data[at:at] = rng.choice(words)
            elif way == 2 and at < len(data):
                data[at] = rng.choice(b"\r\n\t :,;0129azAZ\x00\x7f\xff")
            elif way == 3:
                other = rng.choice(seeds)[1]
                cut = rng.randrange(len(other) + 1)
                data[at:at] = other[cut:cut + rng.randrange(80)]
            else:
                data[at:] = rng.choice([s for r, s in rng.choices(seeds, k=8)])[:2000]
        yield role, bytes(data)


def listed(ours, node, used):
    for i, (codes, errors, _, _) in enumerate(LIST):
        if node.error in codes or ours.error in errors:
            used.add(i)
            return True
    return False


def disagreement(text, ours, node, used):
    """What the two do not agree in that is not on the list; None if nothing."""
    mine, other = ours.whole(), node.whole()
    same = 0
    while same < min(len(mine), len(other)) and mine[same] == other[same]:
        same += 1
    if same < max(len(mine), len(other)):
        head = text[(mine + other[same:])[same][0]:].partition(b"\r\n\r\n")[0]
        for k, (applies, *_) in enumerate(DIFFERENT):
            if applies(head):
                used.add(len(LIST) + k)
                return None
    if same < min(len(mine), len(other)):
        return "a message of %s for us, %s for node" % (mine[same], other[same])
    stopped = node.error or node.switched or ours.error or ours.switched
    if len(mine) == len(other) and not stopped:
        return None
    if ours.switched or node.switched:  # SWITCH
        return None
    if node.error and len(other) > len(mine) and not ours.error:
        return "node ended a message that we did not"
    if node.error or ours.error:
        return None if listed(ours, node, used) else "node: %s, ours: %d" % (node.error, ours.error)
    return "%d whole messages for us, %d for node" % (len(mine), len(other))


@limit(180)
def test_messages_end_where_node_sees_them_end(t):
    t.need("node")
    seeds = sorted(set(corpus()) | {(chr(row[3][0]), row[3][1:]) for row in DIFFERENT})
    assert len(seeds) > 150, len(seeds)
    cases = seeds + list(mutants(seeds, MUTANTS))
    data = b"".join(r.encode() + struct.pack("<I", len(b)) + b for r, b in cases)
    ours = t.run([build_tool("http1_boundaries")], stdin=None, input=data, timeout=120).stdout.decode().splitlines()
    node = t.run(["node", SCRIPT], stdin=None, input=data, timeout=170)
    assert node.returncode == 0, node.stderr
    node = node.stdout.decode().splitlines()
    assert len(ours) == len(node) == len(cases), (len(ours), len(node), len(cases))
    used, wrong, whole = set(), [], 0
    for (role, text), a, b in zip(cases, ours, node):
        a = Told(a, int)
        b = Told(b, lambda first: "" if first[:2] == "-@" else first.partition("@")[0])
        whole += len(a.whole())
        why = disagreement(text, a, b, used)
        if why:
            wrong.append("%s %s\n    %s" % (role, json.dumps(text[:600].decode("latin-1")), why))
    print("%d cases, %d whole messages" % (len(cases), whole))
    assert not wrong, "%d of %d:\n%s" % (len(wrong), len(cases), "\n".join(wrong[:8]))
    unused = [row[2:] for i, row in enumerate(LIST) if i not in used]  # DIFFERENT: versions of node differ
    assert not unused, "on the list, but never seen: %s" % unused
    assert whole > len(cases) // 4, "hardly any case has a message: %d" % whole
