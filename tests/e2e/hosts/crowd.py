#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server that does not give up: a master, N workers with M threads each, on one listening socket. A worker that
dies is replaced; workers whose master dies go on.

	crowd.py PORT N M

GET /...?ms=K is answered after K milliseconds.
"""
import os
import signal
import socket
import sys
import threading
import time

port, workers, threads = map(int, sys.argv[1:])


def serve(connection):
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return
            data += more
        head, _, data = data.partition(b"\r\n\r\n")
        target = head.split(b" ", 2)[1]
        if b"ms=" in target:
            time.sleep(int(target.rpartition(b"ms=")[2]) / 1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")


def accept_forever():
    while True:
        connection, _ = listener.accept()
        try:
            with connection:
                serve(connection)
        except OSError:
            pass


def start_worker():
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for _ in range(threads - 1):
        threading.Thread(target=accept_forever, daemon=True).start()
    accept_forever()


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen(512)
family = {start_worker() for _ in range(workers)}


def stop(*_):
    for pid in family:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
    os._exit(0)


signal.signal(signal.SIGTERM, stop)
while True:
    dead, _ = os.wait()
    family.discard(dead)
    family.add(start_worker())
