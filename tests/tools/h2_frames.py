# SPDX-License-Identifier: Apache-2.0
"""As much of HTTP/2 (RFC 9113) as a badly behaved server needs. Header blocks are read by libnghttp2, which is there
wherever libcurl speaks HTTP/2, and written as literals, which everybody must read."""
import ctypes
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32


class _Pair(ctypes.Structure):
    _fields_ = [("name", ctypes.POINTER(ctypes.c_ubyte)), ("value", ctypes.POINTER(ctypes.c_ubyte)),
                ("name_length", ctypes.c_size_t), ("value_length", ctypes.c_size_t), ("flags", ctypes.c_uint8)]


class Inflater:
    """Header blocks to lists of (name, value), as text."""

    def __init__(self):
        self.library = ctypes.CDLL("libnghttp2.so.14")
        self.library.nghttp2_hd_inflate_hd2.restype = ctypes.c_ssize_t
        self.library.nghttp2_hd_inflate_hd2.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Pair),
                                                        ctypes.POINTER(ctypes.c_int), ctypes.c_char_p,
                                                        ctypes.c_size_t, ctypes.c_int]
        self.state = ctypes.c_void_p()
        assert self.library.nghttp2_hd_inflate_new(ctypes.byref(self.state)) == 0

    def close(self):
        self.library.nghttp2_hd_inflate_del(self.state)

    def read(self, block):
        headers, pair, flags = [], _Pair(), ctypes.c_int()
        while True:
            n = self.library.nghttp2_hd_inflate_hd2(self.state, ctypes.byref(pair), ctypes.byref(flags), block,
                                                    len(block), 1)
            assert n >= 0, "header block: %d" % n
            block = block[n:]
            if flags.value & 2:
                headers.append((ctypes.string_at(pair.name, pair.name_length).decode("latin-1"),
                                ctypes.string_at(pair.value, pair.value_length).decode("latin-1")))
            if flags.value & 1:
                self.library.nghttp2_hd_inflate_end_headers(self.state)
                return headers


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _string(text):
    data = text.encode("latin-1")
    if len(data) < 127:
        return bytes([len(data)]) + data
    out, rest = bytearray([127]), len(data) - 127
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    return bytes(out) + bytes([rest]) + data


def block(headers):
    return b"".join(b"\0" + _string(name) + _string(value) for name, value in headers)


def read_exactly(sock, n):
    data = b""
    while len(data) < n:
        piece = sock.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def read_frame(sock):
    head = read_exactly(sock, 9)
    payload = read_exactly(sock, int.from_bytes(head[:3], "big"))
    kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big") & 0x7fffffff
    if kind in (DATA, HEADERS) and flags & PADDED:
        payload = payload[1:len(payload) - payload[0]]
    if kind == HEADERS and flags & PRIORITY:
        payload = payload[5:]
    return kind, flags, stream, payload
