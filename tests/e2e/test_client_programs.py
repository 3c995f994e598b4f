# SPDX-License-Identifier: Apache-2.0
"""Programs that never serve, traced by client_only: each request arrives with the context of its CLIENT span, once."""
import json
import os
import subprocess

from harness import Server, exporters, free_port, limit, read_spans, tier, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
ASK = os.path.join(HERE, "hosts", "ask")


def echo(t):
    port = free_port()
    t.servers.append(Server([PYTHON, os.path.join(HERE, "hosts", "echo.py"), str(port)], t.directory, t.docroot, port=port))
    return port


def contexts(answer):
    return [v for k, v in answer["headers"] if k.lower() == "traceparent"]


def parse(text):
    decoder, at, answers = json.JSONDecoder(), 0, []
    while (at := text.find('{"target"', at)) >= 0:
        answer, at = decoder.raw_decode(text, at)
        answers.append(answer)
    return answers


def same(answers, plain):
    """As without us, but for the context."""
    def rest(a):
        return a["target"], [f for f in a["headers"] if f[0].lower() != "traceparent"], a["body"]
    assert sorted(map(rest, answers)) == sorted(map(rest, plain)), (answers, plain)


def check(answers, spans):
    """Each request has one span, a trace of its own, and had that span's context in one header."""
    assert {s.kind for s in spans} == {"CLIENT"} and len(spans) == len(answers), (answers, spans)
    by_context = {"00-%s-%s-01" % (s.trace_id, s.span_id): s for s in spans}
    assert len({s.trace_id for s in spans}) == len(spans)
    for a in answers:
        assert len(contexts(a)) == 1, a
        s = by_context.pop(contexts(a)[0])
        assert s.get("url.full").endswith(a["target"]) and not s.parent_span_id and s.status == "UNSET", (a, s.attributes)
        assert s.get("http.request.body.size", 0) == len(a["body"]), (a, s.attributes)


def run(t, argv, n, *more):
    """Runs the program without and with us, and checks its n requests. more: to be preloaded as well."""
    port, session = echo(t), t.session(client_only=True)
    argv = [a.replace("{port}", str(port)) for a in argv]
    plain, traced = t.run(argv), t.run(argv, session, env={"LD_PRELOAD": " ".join((t.library,) + more)})
    assert plain.returncode == traced.returncode == 0, (plain.stderr, traced.stderr)
    spans, ledger = session.finish()
    answers = parse(traced.stdout.decode())
    assert len(answers) == n, traced.stdout
    same(answers, parse(plain.stdout.decode()))
    check(answers, spans)
    assert ledger["requests"] == 0 and ledger["client"]["requests"] == ledger["client"]["injected"] == n, ledger


def ask(t, kind, library, n=7, *more):
    start = {"py": [PYTHON], "js": ["node"], "java": ["java"], "php": ["php"]}[kind]
    run(t, [*start, os.path.join(ASK, ("Ask." if kind == "java" else "ask.") + kind), library, "{port}", str(n)], n, *more)


def test_curl(t):
    t.need("curl")
    url = "http://127.0.0.1:{port}/"
    run(t, ["curl", "-sS", url + "a", url + "b?x=1", "--next", "-sS", "-d", "k=v", url + "c"], 3)


@tier("servers")
def test_wget(t):
    t.need("wget")
    run(t, ["wget", "-q", "-O", "-", "http://127.0.0.1:{port}/a", "http://127.0.0.1:{port}/b?x=1"], 2)


def test_python_http_client(t):
    ask(t, "py", "http.client")


@tier("servers")
def test_python_urllib3(t):
    if t.run([PYTHON, "-c", "import urllib3"]).returncode:
        t.skip("python3 module urllib3 is not installed")
    ask(t, "py", "urllib3")


@tier("servers")
def test_python_aiohttp(t):
    if t.run([PYTHON, "-c", "import aiohttp"]).returncode:
        t.skip("python3 module aiohttp is not installed")
    ask(t, "py", "aiohttp", 20)


@tier("servers")
def test_node_http(t):
    t.need("node")
    ask(t, "js", "http", 20)


@tier("servers")
def test_node_fetch(t):
    t.need("node")
    if t.run(["node", "-e", "fetch"]).returncode:
        t.skip("this node has no fetch")
    ask(t, "js", "fetch", 20)


@tier("servers")
@limit(120)
def test_java_http_client(t):
    t.need("javac")
    ask(t, "java", "HttpClient")


@tier("servers")
@limit(120)
def test_java_http_url_connection(t):
    t.need("javac")
    ask(t, "java", "HttpURLConnection")


@tier("servers")
def test_php_curl(t):
    t.need("php")
    if t.run(["php", "-r", "curl_init();"]).returncode:
        t.skip("php has no curl")
    ask(t, "php", "curl", 7, "libcurl.so.4")  # PHP loads extensions by RTLD_DEEPBIND: theirs goes past a preloaded library


@tier("servers")
def test_php_streams(t):
    t.need("php")
    ask(t, "php", "streams")


def test_many_short_commands_lose_nothing(t):
    t.need("curl")
    port, session = echo(t), t.session(client_only=True)
    script = "seq 60 | xargs -P 6 -I N curl -sS http://127.0.0.1:%d/N" % port
    p = t.run(["sh", "-c", script], session, preload=True)
    assert p.returncode == 0, p.stderr
    wait_for("the last exporter to end", lambda: not exporters())
    check(parse(p.stdout.decode()), read_spans(session.trace_file))


def test_without_the_option_a_command_is_left_alone(t):
    t.need("curl")
    port = echo(t)
    for name, config in (("none", {}), ("off", {"client_only": False})):
        session = t.session(name=name, **config)
        p = t.run(["curl", "-sS", "http://127.0.0.1:%d/" % port], session, preload=True)
        assert p.returncode == 0 and not p.stderr and not contexts(parse(p.stdout.decode())[0]), (p.stdout, p.stderr)
        assert not os.path.exists(session.trace_file) and not exporters()


def test_by_btracectl_run(t):
    t.need("curl")
    port, out = echo(t), t.path("out.jsonl")
    p = t.run([t.ctl, "run", "--set", "client_only=true", "--set", "file.path=" + out, "--exporter", "file=" + out, "--",
               "curl", "-sS", "http://127.0.0.1:%d/a" % port])
    assert p.returncode == 0, p.stderr
    check(parse(p.stdout.decode()), read_spans(out))
    assert b"client: 1 requests, 1 taken" in p.stderr, p.stderr


def test_a_server_that_first_connects_serves_as_ever(t):
    port, session = echo(t), t.session(client_only=True)
    server = t.serve([PYTHON, "-c", "import http.client, http.server, sys\n"
                      "c = http.client.HTTPConnection('127.0.0.1', %d)\n"
                      "c.request('GET', '/before'); c.getresponse().read()\n"
                      "http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind='127.0.0.1')" % port,
                      "{port}"], session)
    t.connect(server).get("/")
    server.stop()
    spans, ledger = session.finish()
    assert sorted(s.kind for s in spans) == ["CLIENT", "SERVER"] and ledger["requests"] == 1, (spans, ledger)


def test_a_collector_that_is_away_does_not_hold_a_command_up(t):
    t.need("curl")
    port, session = echo(t), t.session(client_only=True, exporter_type="zipkin", retry={"max_time": "1s"},
                                       zipkin={"endpoint": "http://127.0.0.1:%d/" % free_port()})
    p = subprocess.run(["curl", "-sS", "--max-time", "5", "http://127.0.0.1:%d/" % port], env={
        **os.environ, **session.environment, "LD_PRELOAD": t.library}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
    assert p.returncode == 0 and len(contexts(parse(p.stdout.decode())[0])) == 1, p.stdout
    wait_for("the exporter to give up", lambda: not exporters(), 30)
