#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends pipelined requests in the worst of ways and prints what the backend got, as JSON lines.

	chaos.py PATH SEED REQUESTS

PATH: UNIX socket of echo.py. The send buffer is as small as it gets, the socket does not block, cuts and calls (write,
writev, sendmsg, send with MSG_MORE) are drawn by the seed. Answers are read when nothing can be sent.
"""
import json
import os
import random
import select
import socket
import sys


def is_injected(path):
    """Of a request on a connection of its own. Those that go out before the policy is there have no header."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(b"GET /ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        answer = b""
        while more := s.recv(65536):
            answer += more
    return b"traceparent" in answer


path, seed, requests = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
listener = socket.create_server(("127.0.0.1", 0))  # by which the library comes to life
asked = 1
while not is_injected(path):
    asked += 1
draw = random.Random(seed)
stream, begins = b"", []
for i in range(requests):
    fields = ["Host: h", "X-Test: traceparent: no", "Content-Length: %d" % (i % 50)]
    if draw.random() < 0.5:
        fields.append(draw.choice(["traceparent", "TRACEPARENT", "TraceParent"]) + ": 00-%032x-%016x-01" % (i + 1, i + 1))
    draw.shuffle(fields)
    begins.append(len(stream))
    stream += ("POST /%d HTTP/1.1\r\n%s\r\n\r\n" % (i, "\r\n".join(fields))).encode() + b"\r\n\r\ntraceparent: x\r\n\r\n".ljust(50)[:i % 50]

s = socket.socket(socket.AF_UNIX)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
s.connect(path)
s.setblocking(False)
sent, answers, refused = 0, b"", 0
while answers.count(b'"body"') < requests:
    # more than about 130 unanswered requests on one connection are not told apart any more
    end = (begins + [len(stream)])[min(answers.count(b'"body"') + 100, requests)]
    room = sent < end
    if room:
        most = draw.choice([1, 2, 5, 30, 200, 1000, 20000])
        data = stream[sent:min(sent + draw.randint(1, most), end)]
        cut = draw.randint(0, len(data))
        try:
            n = [lambda: os.write(s.fileno(), data), lambda: os.writev(s.fileno(), [data[:cut], b"", data[cut:]]),
                 lambda: s.sendmsg([data[:cut], data[cut:]]), lambda: s.send(data, socket.MSG_MORE)][draw.randint(0, 3)]()
            assert 0 < n <= len(data), (n, len(data))
            sent += n
            continue
        except BlockingIOError:
            refused += 1
    readable, writable, _ = select.select([s], [s] if room else [], [], 20)
    if not readable and writable:
        continue
    if not readable:
        raise SystemExit("nothing comes, %d of %d sent, %d answers" % (sent, len(stream), answers.count(b'"body"')))
    try:
        more = s.recv(draw.choice([100, 5000, 100000]))
    except BlockingIOError:
        continue
    if not more:
        raise SystemExit("the backend has closed: it got something wrong")
    answers += more
    if sent == len(stream):
        s.setblocking(False)
print(json.dumps({"refused": refused, "asked": asked}))
while answers:
    head, _, answers = answers.partition(b"\r\n\r\n")
    n = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    print(answers[:n].decode())
    answers = answers[n:]
