# SPDX-License-Identifier: Apache-2.0
"""Every server twice, plain and preloaded: the same answers, the same end, exact spans, a balanced ledger."""
import json
import os
import subprocess

from harness import ROOT, clean_environment, multiset_difference, read_spans, wait_for
from scenarios import LONG, SCENARIOS, SHORT, Seen, alike
from servers import CONTROLS, ELSEWHERE, HTTP

RESULTS = os.path.join(ROOT, "build", "matrix")


def need_all(t, facts):
    t.need(*facts.get("programs", ()))
    if facts.get("needs_root"):
        t.need_root()
    if facts.get("path") and not os.path.exists(facts["path"]):
        t.skip("%s is not there" % facts["path"])
    for module in facts.get("modules", ()):
        if subprocess.run(["/usr/bin/python3", "-c", "import " + module], stderr=subprocess.DEVNULL).returncode:
            t.skip("python3 module %s is not installed" % module)


    if "npm" in facts:
        install(t, facts["npm"])


def install(t, package):
    """An npm package below build/servers, where its script looks for it; with the environment that we were given,
    which may tell how the registry is reached."""
    versions = dict(line.strip().split("=") for line in open(os.path.join(ROOT, "scripts", "versions")) if line[0].isalpha())
    wanted = "%s@%s" % (package, versions["NPM_" + package.upper()])
    place = os.path.join(ROOT, "build", "servers", package)
    if os.path.isdir(os.path.join(place, "node_modules", package)):
        return
    done = subprocess.run(["npm", "i", "--silent", "--no-audit", "--no-fund", "--prefix", place, wanted],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        t.skip("npm cannot install %s: %s" % (wanted, done.stdout.strip()[-200:]))


def start(t, name, facts, session=None):
    backend = t.backend() if facts.get("backend") else None
    return t.serve(name, session, env=dict(facts.get("env", {})), backend=backend, timeout=facts.get("slow", 30),
                   preload=session is not None)


def scenario(number, server, run, patience=SHORT):
    seen = Seen(server.port, patience)
    run(seen, server.address, "s=%d" % number)
    return seen


def differing(plain, traced):
    return [(a, b) for a, b in zip(*(p.essence()[0] for p in (plain, traced))) if a != b] or (plain.notes, traced.notes)


def check_exact(seen, spans):
    """Each exchange of one scenario against the spans; removes those that belong to it. Complaints as text."""
    complaints = []
    for e in seen.exchanges:
        mine = [s for s in spans if s.target == e.target]
        for s in mine:
            spans.remove(s)
        if len(mine) != 1 and (e.complete or e.status is not None or len(mine) > 1):
            complaints.append("%r: %d spans" % (e, len(mine)))
            continue
        for s in mine:
            echo = e.method != "POST" or e.status == 200 and e.request_size == e.response_size
            want = (e.method, e.target, e.status, e.request_size if echo else None, e.response_size)
            have = (s.method, s.target, s.status_code, s.get("http.request.body.size", 0) if echo else None,
                    s.get("http.response.body.size", 0))
            if e.complete and want != have:
                complaints.append("%r: %s" % (e, have))
            elif not e.complete and e.status is not None and have[2] != e.status:
                complaints.append("%r: span says %s" % (e, have[2]))
    return complaints


def open_session(t):
    """A session in whose directory a server may write that has changed its user before it listens."""
    session = t.session()
    os.chmod(session.directory, 0o777)
    return session


def run_http(t, name, what, facts):
    need_all(t, facts)
    session = open_session(t)
    plain_server = start(t, name, facts)
    plain = {n: scenario(i, plain_server, run) for i, (n, run) in enumerate(SCENARIOS.items())}
    server = start(t, name, facts, session)
    traced = {n: scenario(i, server, run, SHORT if plain[n].waited_in_vain() else LONG)
              for i, (n, run) in enumerate(SCENARIOS.items())}
    complaints, row = [], {"name": name, "what": what, "scenarios": {}, "gap": facts.get("gap")}
    for i, (n, run) in enumerate(SCENARIOS.items()):
        same = alike(plain[n], traced[n])
        for _ in range(4):  # does the plain server itself answer one way at one time and another at another?
            if same:
                break
            plain[n] = scenario(i, plain_server, run, SHORT)
            same = alike(plain[n], traced[n])
        if not same:
            complaints.append("%s: plain and traced differ: %s" % (n, differing(plain[n], traced[n])))
        row["scenarios"][n] = "same" if same else "differs"
    findings = doctor_of(t, server) if facts.get("gap") else ""
    ends = [plain_server.stop(), server.stop()]
    row.update(status=ends[0][0], stop_plain=round(ends[0][1], 2), stop_traced=round(ends[1][1], 2))
    if ends[0][0] != ends[1][0]:
        complaints.append("exit status %s plain, %s traced" % (ends[0][0], ends[1][0]))
    complaints += check_gap(session, server, findings, facts["told"], row) if facts.get("gap") else check_spans_of(session, traced, row)
    for _ in range(3):  # is it the library's doing, or was the machine busy?
        if stops_alike(ends):
            break
        ends = stop_again(t, name, facts)
    if not stops_alike(ends):
        complaints.append("stop took %.2f s plain, %.2f s traced" % (ends[0][1], ends[1][1]))
    finish_row(row, complaints)


def stops_alike(ends):
    return ends[1][1] <= ends[0][1] + 1


def stop_again(t, name, facts):
    """The ends of two fresh servers that have answered once."""
    session = open_session(t)
    servers = [start(t, name, facts), start(t, name, facts, session)]
    for server in servers:
        scenario(0, server, next(iter(SCENARIOS.values())))
    ends = [server.stop() for server in servers]
    session.finish()
    return ends


def check_spans_of(session, traced, row):
    spans, ledger = session.finish()
    spans = [s for s in spans if s.kind == "SERVER"]  # proxies ask their backends
    row.update(spans=len(spans), requests=ledger["requests"], aborted=ledger["aborted"])
    complaints = ["%d requests, %d spans" % (ledger["requests"], len(spans))] if ledger["requests"] != len(spans) else []
    rest = list(spans)
    for n, seen in traced.items():
        wrong = check_exact(seen, rest)
        complaints += ["%s: %s" % (n, c) for c in wrong]
        if wrong:
            row["scenarios"][n] += ", spans wrong"
    if rest:
        complaints.append("spans of no request: %s" % rest)
    return complaints


def doctor_of(t, server):
    """What btracectl doctor says about its processes."""
    return "".join(t.run([t.ctl, "doctor", str(p.pid)]).stdout.decode() for p in server.family())


def check_gap(session, server, findings, told, row):
    """A known gap: no spans, no harm, and somebody says why."""
    from harness import exporters
    wait_for("exporters to end", lambda: not exporters())
    spans = read_spans(session.trace_file)
    row.update(spans=len(spans), requests=0, aborted=0)
    complaints = ["a gap no more? %d spans" % len(spans)] if spans else []
    said = findings + server.text()
    return complaints if told in said else complaints + ["nobody says %r: %s" % (told, said)]


def finish_row(row, complaints):
    row["complaints"] = complaints
    os.makedirs(RESULTS, exist_ok=True)
    with open(os.path.join(RESULTS, row["name"] + ".json"), "w") as f:
        json.dump(row, f, indent=1)
    assert not complaints, "\n".join(complaints)


# --- controls: what speaks no HTTP ---
def redis_client(t, server):
    def cli(*args):
        return t.run(["redis-cli", "-p", str(server.port), *args]).stdout
    out = [cli("ping"), cli("set", "key", "GET / HTTP/1.1"), cli("get", "key"), cli("eval", "return redis.sha1hex('x')", "0")]
    done = t.run(["redis-benchmark", "-p", str(server.port), "-n", "2000", "-c", "20", "-q", "-t", "set,get,lrange_100"])
    assert done.returncode == 0, done
    return out


def memcached_client(t, server):
    with t.connect(server) as c:
        out = []
        for i in range(500):
            value = b"GET / HTTP/1.1\r\n" * (i % 7)
            c.send(b"set k%d 0 0 %d\r\n%s\r\nget k%d\r\n" % (i, len(value), value, i))
            out += [c.line(), c.line()]
            while (line := c.line()) != b"END":
                out.append(line)
        return out


def postgres_client(t, server):
    def psql(sql):
        return t.run(["psql", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-Atc", sql]).stdout
    wait_for("postgres", lambda: psql("select 1") == b"1\n", 30)
    out = [psql("select count(*), md5(string_agg(i::text, ',')) from generate_series(1, 100000) i")]
    done = t.run(["pgbench", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-i", "-q", "postgres"],
                 env={"PATH": clean_environment()["PATH"] + ":" + newest_postgres()})
    assert done.returncode == 0, done
    done = t.run(["pgbench", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-c", "4", "-t", "50", "postgres"],
                 env={"PATH": clean_environment()["PATH"] + ":" + newest_postgres()})
    assert done.returncode == 0, done
    return out + [psql("select count(*) from pgbench_history")]


def newest_postgres():
    base = "/usr/lib/postgresql"
    return os.path.join(base, sorted(os.listdir(base))[-1], "bin")


CLIENTS = {"redis": redis_client, "memcached": memcached_client, "postgres": postgres_client}


def run_control(t, name, facts):
    need_all(t, facts)
    session = open_session(t)
    results, ends = [], []
    for s in (None, session):
        server = start(t, name, dict(facts, slow=60), s)
        results.append(CLIENTS[name](t, server))
        ends.append(server.stop())
    complaints = [] if results[0] == results[1] else ["plain and traced differ: %r %r" % tuple(results)]
    if ends[0][0] != ends[1][0]:
        complaints.append("exit status %s plain, %s traced" % (ends[0][0], ends[1][0]))
    spans, ledger = session.finish()
    if spans or ledger["requests"]:
        complaints.append("%d spans, %d requests of what is no HTTP" % (len(spans), ledger["requests"]))
    finish_row({"name": name, "what": "control, no HTTP", "scenarios": {}, "gap": None, "spans": len(spans), "requests": 0,
                "aborted": 0, "status": ends[0][0], "stop_plain": round(ends[0][1], 2),
                "stop_traced": round(ends[1][1], 2)}, complaints)


def add(name, facts, function):
    def test(t):
        function(t)
    test.tier = "servers" if facts.get("ci") else "matrix"
    test.limit = 120 + facts.get("slow", 0)
    globals()["test_" + name] = test


for _name, (_what, _facts) in HTTP.items():
    add(_name, _facts, lambda t, n=_name, w=_what, f=_facts: run_http(t, n, w, f))
for _name, _facts in CONTROLS.items():
    add(_name, _facts, lambda t, n=_name, f=_facts: run_control(t, n, f))
del _name, _what, _facts


def test_every_server_script_is_in_the_matrix(t):
    scripts = {f[:-3] for f in os.listdir(os.path.join(ROOT, "tests", "servers")) if f.endswith(".sh")} - {"common"}
    text = multiset_difference(scripts, set(HTTP) | set(CONTROLS) | set(ELSEWHERE))
    assert not text, text
