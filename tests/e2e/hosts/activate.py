#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Socket activation as systemd does it: listens, and starts the server when the first client is there.

	activate.py PORT SERVER [ARGUMENT...]

The server takes this process's place; descriptor 3 is its listening socket, LISTEN_FDS and LISTEN_PID say so. It gets
the library that ACTIVATE_PRELOAD names.
"""
import os
import select
import socket
import sys

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(64)
select.select([s], [], [])
environment = dict(os.environ, LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
if "ACTIVATE_PRELOAD" in environment:
    environment["LD_PRELOAD"] = environment.pop("ACTIVATE_PRELOAD")
if s.fileno() != 3:
    os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.execve(sys.argv[2], sys.argv[2:], environment)
