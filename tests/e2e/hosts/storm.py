#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers that make a process or a thread for each connection.

	storm.py PORT fork|thread
"""
import os
import signal
import socket
import sys
import threading

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(512)


def serve(connection):
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                connection.close()
                return
            data += more
        data = data.partition(b"\r\n\r\n")[2]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")


while True:
    connection, _ = listener.accept()
    if sys.argv[2] == "thread":
        threading.Thread(target=serve, args=(connection,), daemon=True).start()
    elif os.fork() == 0:
        listener.close()
        serve(connection)
        os._exit(0)
    else:
        connection.close()
