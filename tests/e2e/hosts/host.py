#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small HTTP server with the habits of difficult hosts, for tests.

	host.py PORT [--unix PATH] [--inet6] [--any] [--emfile] [--sigchld] [--wait] [--fork] [--proxy]
	          [--reuseport] [--listen-fds]

Answers GET /state with what it has noticed of its own surroundings as JSON, POST with the request's body, the rest
with "ok"; /status/NNN with that status, /sleep/MS after so many milliseconds. One thread, keep-alive.
"""
import json
import os
import signal
import socket
import sys
import time

args = sys.argv[2:]
seen = {"sigchld": 0, "reaped": []}


def on_sigchld(*_):
    seen["sigchld"] += 1
    try:
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            seen["reaped"].append(found[0])
    except ChildProcessError:
        pass


def listener():
    if "--listen-fds" in args:
        if os.environ.get("LISTEN_FDS") != "1" or os.environ.get("LISTEN_PID") != str(os.getpid()):
            sys.exit("no socket was handed to this process")
        return socket.socket(fileno=3)
    if "--unix" in args:
        s = socket.socket(socket.AF_UNIX)
        s.bind(args[args.index("--unix") + 1])
    else:
        s = socket.socket(socket.AF_INET6 if "--inet6" in args else socket.AF_INET)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT if "--reuseport" in args else socket.SO_REUSEADDR, 1)
        address = ("", "") if "--any" in args else ("127.0.0.1", "::1")
        s.bind((address["--inet6" in args], int(sys.argv[1])))
    hoard = []
    if "--emfile" in args:
        try:
            while True:
                hoard.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
    s.listen(64)
    for fd in hoard:
        os.close(fd)
    return s


def state():
    return dict(seen, pid=os.getpid(), fds=sorted(int(f) for f in os.listdir("/proc/self/fd")),
                threads=len(os.listdir("/proc/self/task")), environ=sorted(os.environ),
                children=open("/proc/self/task/%d/children" % os.getpid()).read().split())


def without_proxy_header(data):
    if data.startswith(b"PROXY "):
        return data.partition(b"\r\n")[2]
    return data[16 + int.from_bytes(data[14:16], "big"):]


def serve(connection):
    data = without_proxy_header(connection.recv(65536)) if "--proxy" in args else b""
    while True:
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return
            data += more
        head, _, data = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        length = sum(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:"))
        while len(data) < length:
            data += connection.recv(65536)
        body, data = data[:length], data[length:]
        method, target, _ = lines[0].split()
        reply = body if method == "POST" else json.dumps(state()).encode() if target.startswith("/state") else b"ok"
        if target.startswith("/sleep/"):
            time.sleep(int(target[7:]) / 1000)
        status = target[8:].encode() + b" As Asked" if target.startswith("/status/") else b"200 OK"
        connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(reply)) + reply)


def main():
    if "--sigchld" in args:
        signal.signal(signal.SIGCHLD, on_sigchld)
    s = listener()
    if "--fork" in args:  # the process that called listen() waits for its one worker with a bare wait()
        worker = os.fork()
        if worker:
            signal.signal(signal.SIGTERM, lambda *_: os.kill(worker, signal.SIGTERM))
            pid, _ = os.wait()
            sys.exit(0 if pid == worker else 3)
    while True:
        connection, _ = s.accept()
        with connection:
            serve(connection)


main()
