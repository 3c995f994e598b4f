# SPDX-License-Identifier: Apache-2.0
"""What may stand in front of a request, and what may stand wrongly behind one."""
import socket

from harness import check_spans
from test_core_life import HOST

V2 = b"\r\n\r\n\0\r\nQUIT\n" + b"\x21\x11\x00\x0c" + bytes([192, 0, 2, 9, 127, 0, 0, 1]) + (4711).to_bytes(2, "big") + b"\x00\x50"


def run(t, first, count=2):
    session = t.session()
    server = t.serve([HOST, "{port}", "--proxy"], session)
    connection = t.connect(server)
    connection.send(first)
    exchanges = [connection.get("/p?n=%d" % i) for i in range(count)]
    connection.close()
    server.stop()
    spans, ledger = session.finish()
    check_spans(exchanges, spans)
    assert ledger["opaque_connections"] == 0, ledger
    return spans


def test_proxy_protocol_v1_names_the_client(t):
    for s in run(t, b"PROXY TCP4 192.0.2.7 127.0.0.1 5555 80\r\n"):
        assert s.get("client.address") == "192.0.2.7" and s.get("network.peer.address") == "127.0.0.1", s.attributes


def test_proxy_protocol_v2_names_the_client(t):
    for s in run(t, V2):
        assert s.get("client.address") == "192.0.2.9", s.attributes
