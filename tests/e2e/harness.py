# SPDX-License-Identifier: Apache-2.0
"""What an end-to-end test gets: `def test_behaviour(t)` with t a Test. See run.py for how tests are found and run.

	def test_one_request_gives_one_span(t):
	    session = t.session()
	    server = t.serve("py-httpserver", session)
	    exchange = t.connect(server).get("/small.txt?n=1")
	    server.stop()
	    spans, ledger = session.finish()
	    check_spans([exchange], spans)

A module may say TIER = "name" (default "e2e"); a function may be marked with @limit(seconds) and @tier("name").
"""
import atexit
import hashlib
import os
import shutil
import subprocess

from client import (Connection, Exchange, ProtocolError, difference, load, render)  # noqa: F401
from process import (PATH, ROOT, Server, clean_environment, descendants, exporters, free_port,  # noqa: F401
                     is_exporter, listening, processes, reap_strangers, wait_for)
from traces import (Ledger, Session, Span, check_spans, expected_rows, multiset_difference,  # noqa: F401
                    read_spans, yaml)

BUILD = os.environ.get("BTRACE_BUILD", os.path.join(ROOT, "build"))
SMALL, LARGE = 12, 3 * 1024 * 1024


class Skip(Exception):
    """This test cannot run here; the reason is shown."""


def limit(seconds):
    """Marks a test that may take longer than a minute."""
    def mark(function):
        function.limit = seconds
        return function
    return mark


def tier(name):
    def mark(function):
        function.tier = name
        return function
    return mark


def make_docroot(directory):
    """small.txt, index.html and a 3 MiB large.bin that is the same in every run."""
    os.makedirs(directory, exist_ok=True)
    blocks = (hashlib.sha256(b"%d" % i).digest() for i in range(LARGE // 32))
    for name, data in (("small.txt", b"hello small\n"), ("index.html", b"<p>index</p>\n"), ("large.bin", b"".join(blocks))):
        with open(os.path.join(directory, name), "wb") as f:
            f.write(data)
        os.chmod(os.path.join(directory, name), 0o644)
    os.chmod(directory, 0o755)
    return directory


class Test:
    """One running test: its directory, servers and sessions. directory: empty, readable by service users."""

    def __init__(self, directory, stage):
        self.directory, self.stage = directory, stage
        self.docroot = os.path.join(stage, "docroot")
        self.library = os.path.join(stage, "libbtrace.so")
        self.ctl = os.path.join(stage, "btracectl")
        self.servers, self.sessions, self.helpers, self.connections = [], 0, [], []

    def skip(self, reason):
        raise Skip(reason)

    def need(self, *programs):
        for p in programs:
            if not shutil.which(p, path=PATH):
                raise Skip("%s is not installed" % p)

    def need_root(self):
        if os.geteuid() != 0:
            raise Skip("needs root")

    def path(self, name):
        return os.path.join(self.directory, name)

    def session(self, **config):
        self.sessions += 1
        return Session(self.directory, config.pop("name", "session%d" % self.sessions), **config)

    def serve(self, what, session=None, env=None, preload=True, **how):
        """A server, traced when there is a session; without one it is a plain run. preload=True with env but
        without session: the library is loaded and finds what env says."""
        full = dict(session.environment) if session else {}
        full.update(env or {})
        library = self.library if preload and (session or env is not None) else None
        if preload and preload is not True:
            library = preload
        server = Server(what, self.directory, how.pop("docroot", self.docroot), library, full, **how)
        self.servers.append(server)
        return server

    def backend(self):
        """The port of a plain python backend for proxies (static files and POST echo)."""
        port = free_port()
        self.servers.append(Server(["/usr/bin/python3", os.path.join(ROOT, "tests", "servers", "backend.py"), str(port),
                                    self.docroot], self.directory, self.docroot, port=port))
        return port

    def connect(self, server, log=None, **how):
        connection = Connection(getattr(server, "address", server), log, **how)
        self.connections.append(connection)
        return connection

    def run(self, argv, session=None, env=None, preload=False, timeout=60, **how):
        """A command to its end, output captured. preload: under the library."""
        full = clean_environment(**(session.environment if session else {}))
        full.update(env or {})
        if preload:
            full["LD_PRELOAD"] = self.library
        how.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(argv, env=full, timeout=timeout, stdout=how.pop("stdout", subprocess.PIPE),
                              stderr=how.pop("stderr", subprocess.PIPE), cwd=how.pop("cwd", self.directory), **how)

    def compile(self, name, *flags):
        """hosts/NAME.c as a program; its path."""
        program = self.path("%s%s" % (name, "".join(flags)))
        if not os.path.exists(program):
            subprocess.run(["cc", "-O1", *flags, "-o", program, os.path.join(ROOT, "tests", "e2e", "hosts", name + ".c")],
                           check=True)
        return program

    def spawn(self, argv, **how):
        """A helper process that is ended with the test."""
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("start_new_session", True)
        how.setdefault("env", clean_environment())
        p = subprocess.Popen(argv, cwd=how.pop("cwd", self.directory), **how)
        self.helpers.append(p)
        return p

    def close(self):
        """Ends what is left; returns a complaint if an exporter does not end by itself."""
        for c in self.connections:
            c.close()
        for s in self.servers:
            s.kill()
        for p in self.helpers:
            if p.poll() is None:
                p.kill()
            p.wait()
        try:
            wait_for("exporters to end: %s" % exporters(), lambda: not exporters(), 10)
        except TimeoutError as e:
            complaint = str(e)
        else:
            complaint = None
        for p in descendants():
            try:
                os.kill(p.pid, 9)
            except ProcessLookupError:
                pass
        return complaint


def make_stage(directory):
    """Copies what is tested to where any user may read it, so that servers which drop privileges find it and a
    build in the meantime does not disturb."""
    os.makedirs(directory, exist_ok=True)
    os.chmod(directory, 0o755)
    for name in ("libbtrace.so", "btrace-exporter", "btracectl"):
        source = os.path.join(BUILD, name)
        if not os.path.exists(source):
            raise SystemExit("%s is missing: make" % source)
        shutil.copy(source, directory)
        os.chmod(os.path.join(directory, name), 0o755)
    make_docroot(os.path.join(directory, "docroot"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory
