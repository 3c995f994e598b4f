# SPDX-License-Identifier: Apache-2.0
"""Programs that speak HTTP, run the same way four times: plain, under the library without a config, under a traced server,
and traced themselves as well (client_only, context in their requests)."""
import collections
import json
import os
import re

from harness import ROOT, exporters, free_port, multiset_difference, wait_for

WAYS = ("plain", "inert", "served", "all")
LOG = re.compile(r'"(\S+) (\S+) HTTP/1\.[01]" (\d+) (\d+) (\S+) (\S)$')


class Way:
    """One of the four. run() and serve() are those of the test, as this way has it."""

    def __init__(self, t, name, port):
        self.t, self.name, self.port = t, name, port
        self.work = t.path(name)
        os.makedirs(self.work)
        os.chmod(self.work, 0o777)
        self.session = {"served": lambda: t.session(name="session.served", inject=False, client_spans=False),
                        "all": lambda: t.session(name="session.all", client_only=True)}.get(name, lambda: None)()
        if self.session:
            os.chmod(self.session.directory, 0o777)

    def environment(self, **more):
        return dict({"HOME": self.work, "LC_ALL": "C.UTF-8"}, **more)

    def run(self, argv, env=None, **how):
        """(exit status, standard output, standard error); our paths and the exporter's lines taken out."""
        done = self.t.run(argv, self.session, env=self.environment(**env or {}), preload=self.name != "plain", cwd=self.work, **how)
        err = b"".join(line for line in done.stderr.splitlines(True) if not line.startswith(b"btrace: "))
        return done.returncode, self.same(done.stdout), self.same(err)

    def same(self, data):
        data = data.replace(self.work.encode(), b"WORK")
        return re.sub(rb"(?m)^Date: [^\r\n]*|-{8,}[0-9a-f]{16}", b"", data)  # and form boundaries

    def serve(self, what, env=None, **how):
        server = self.t.serve(what, self.session, env=self.environment(**env or {}), preload=self.name != "plain", port=self.port,
                              **how)
        if self.session:  # the config is in force when the worker is there
            wait_for("keeper and worker", lambda: sum(self.session.config in p.command() for p in exporters()) == 2)
        return server


def record(kind, name, row):
    """For tests/matrix/RUNTIMES.md (report.py)."""
    directory = os.path.join(ROOT, "build", "runtimes", kind)
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, name + ".json"), "w") as f:
        json.dump(row, f)


def four_ways(t, scenario):
    """scenario(way) → what must be the same in all. The ways, for what is to be seen besides."""
    port = free_port()
    ways = [Way(t, name, port) for name in WAYS]
    results = [scenario(way) for way in ways]
    for way, result in zip(ways[1:], results[1:]):
        assert result == results[0], "%s differs:\n%s" % (way.name, difference(results[0], result))
    return ways


def difference(a, b):
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) and len(a) == len(b):
        return "\n".join("[%d] %s" % (i, difference(x, y)) for i, (x, y) in enumerate(zip(a, b)) if x != y)
    if isinstance(a, dict) and isinstance(b, dict):
        return "\n".join("%s: %s" % (k, difference(a.get(k), b.get(k))) for k in sorted(set(a) | set(b)) if a.get(k) != b.get(k))
    return "plain: %r\nours:  %r" % (a, b)


def lighttpd(way, config):
    """lighttpd with a log of its requests; serves way.work + "/root", whose CGI programs run."""
    log = os.path.join(way.work, "access.log")
    more = ('server.modules += ("mod_accesslog", "mod_cgi", "mod_alias", "mod_setenv")\n'
            'accesslog.filename = "%s"\naccesslog.format = "\\"%%r\\" %%s %%b %%{Transfer-Encoding}o %%X"\n'
            'server.upload-dirs = ("%s")\n%s' % (log, way.work, config))
    server = way.serve("lighttpd", env={"BACKEND": more}, docroot=os.path.join(way.work, "root"))
    server.log = log
    return server


def logged(server):
    """(method, target, status, bytes) of each request, as the server has written it down, which counts the framing
    of chunks and `100 Continue`: bytes are None where those may be, and where the client left."""
    rows = []
    with open(server.log) as f:
        for line in f:
            m = LOG.match(line.strip())
            assert m, line
            rows.append((m[1], m[2], int(m[3]), int(m[4]) if m[1] == "GET" and m[5] == "-" and m[6] != "X" else None))
    return rows


def check_logged(way, program, rows):
    """A SERVER span for each row of the server's log; where programs are traced, each is the child of a CLIENT span."""
    spans, ledger = way.session.finish(40)
    server = [s for s in spans if s.kind == "SERVER"]
    have = [(s.method, s.target, s.status_code, s.get("http.response.body.size", 0)) for s in server]
    text = multiset_difference([row[:3] for row in rows], [row[:3] for row in have])
    assert not text, "%s: %s" % (way.name, text)
    missing = collections.Counter(row for row in rows if row[3] is not None) - collections.Counter(have)
    assert not missing, "%s: %s" % (way.name, missing)
    if way.name != "all":
        return
    client = {s.span_id: s for s in spans if s.kind == "CLIENT"}
    assert len(client) >= len(server), (len(client), len(server), ledger)
    for s in server:
        parent = client.get(s.parent_span_id)
        assert parent and parent.trace_id == s.trace_id, "%s has no parent" % s
        assert (parent.method, parent.status_code) == (s.method, s.status_code), (parent, s)
    record("programs", program, {"requests": len(rows), "server": len(server), "client": len(client)})


