# SPDX-License-Identifier: Apache-2.0
"""btracectl view, assert and report on trace files, as people and CI call them.

What they print is compared with tests/golden/ctl/*; BTRACE_GOLDEN=write writes these anew, to be read in the diff.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree

from harness import ROOT, clean_environment, limit, wait_for

GOLDEN = os.path.join(ROOT, "tests", "golden", "ctl")
VECTORS = os.path.join(ROOT, "tests", "vectors", "otlp.json")


def traces(t, scenario, name=None, n=0, seed=1):
    path = t.path(name or scenario + ".jsonl")
    t.run([sys.executable, os.path.join(ROOT, "tests", "tools", "make_traces.py"), "--scenario", scenario, "--traces",
           str(n), "--seed", str(seed), "-o", path], check=True)
    return path


def ctl(t, *arguments, status=0, text=None, **environment):
    """Its output, with its errors behind; the exit status must be as wanted."""
    environment = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "COLUMNS": "100", **environment}
    p = t.run([t.ctl, *arguments], env=environment, input=text, stdin=None if text is not None else subprocess.DEVNULL)
    assert p.returncode == status, "%s: status %d, wanted %d\n%s%s" % (arguments, p.returncode, status, p.stdout.decode(),
                                                                      p.stderr.decode())
    return p.stdout.decode() + p.stderr.decode()


def golden(t, name, text):
    """Compared with the golden file, the directory of the test left out."""
    path, text = os.path.join(GOLDEN, name), text.replace(t.directory + "/", "").replace(ROOT + "/", "")
    if os.environ.get("BTRACE_GOLDEN") == "write":
        os.makedirs(GOLDEN, exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    with open(path, encoding="utf-8") as f:
        wanted = f.read()
    assert text == wanted, "not as in %s; got\n%s" % (path, text)


# --- view ---

def test_view_shows_waterfalls_and_routes(t):
    demo = traces(t, "demo")
    golden(t, "view-demo.txt", ctl(t, "view", demo))
    golden(t, "view-demo-ascii.txt", ctl(t, "view", demo, LC_ALL="C", COLUMNS="80"))
    golden(t, "view-demo-colour.txt", ctl(t, "view", "--color", "always", "--only", "traces", demo))
    golden(t, "view-vectors.txt", ctl(t, "view", VECTORS, COLUMNS="140"))
    golden(t, "view-shop-routes.txt", ctl(t, "view", "--only", "routes", traces(t, "shop", n=500), COLUMNS="130"))


def test_view_lets_no_name_touch_the_terminal(t):
    hostile = traces(t, "hostile")
    for locale in "C.UTF-8", "C":
        text = ctl(t, "view", hostile, LC_ALL=locale)
        assert not [c for c in text if (ord(c) < 32 and c != "\n") or 0x7f <= ord(c) < 0xa0 or 0x202a <= ord(c) <= 0x202e]
    golden(t, "view-hostile.txt", ctl(t, "view", hostile))


def test_view_filters(t):
    demo = traces(t, "demo")

    def shown(*options):
        return [json.loads(line)["spans"][0]["path"] for line in ctl(t, "view", "--json", *options, demo).splitlines()]
    assert len(shown()) == 8
    assert shown("--route", "/users/*") == ["/users/42", "/users/7"]
    assert shown("-r", "/users/{id}") == ["/users/42", "/users/7"]
    assert shown("--status", "5xx") == ["/error"]
    assert shown("--status=404,error") == ["/missing", "/error"]
    assert shown("--slower-than", "100ms") == ["/slow"]
    assert shown("--method", "POST") == ["/orders"]
    assert shown("--service", "a*", "-t5ms") == ["/orders", "/slow"]
    assert shown("--limit", "2") == ["/users/7", "/static/logo.png"]
    trace = json.loads(ctl(t, "view", "--json", "-n1", demo))["trace_id"]
    assert shown("--trace", trace[:9]) == ["/static/logo.png"]
    assert shown("--route", "/nothing") == []
    text = ctl(t, "view", "-n1", demo)
    assert "the last 1 are shown" in text, text


def test_view_json_has_every_value(t):
    lines = [json.loads(line) for line in ctl(t, "view", "--json", VECTORS).split("\n") if line]
    spans = {s["span_id"]: s for line in lines for s in line["spans"]}
    assert len(lines) == 4 and len(spans) == 6
    s = spans["f0f1f2f3f4f5f6f7"]
    assert s["attributes"]["app.min"] == -9223372036854775808 and s["attributes"]["app.beyond_double"] == 9007199254740993
    assert s["attributes"]["app.escapes"] == 'q"b\\s/n\nt\tc\x01u\u2028d\x7f' and s["attributes"]["app.none"] == []
    assert s["duration_ns"] == 998642 and s["status"] == 404 and s["parent_span_id"] == "8000000000000001"


def test_view_reads_what_it_can_and_says_what_it_cannot(t):
    demo = traces(t, "demo")
    with open(demo) as f:
        line = f.read()
    broken = t.path("broken.jsonl")
    with open(broken, "w") as f:
        f.write(line + '{"resourceSpans": 7}\n' + "\n" + line[:500])
    golden(t, "view-broken.txt", ctl(t, "view", "--only", "routes", broken, status=1))
    assert "8 traces" in ctl(t, "view", "-", text=line.encode())
    assert "No such file" in ctl(t, "view", t.path("nothing"), status=2)
    assert "Is a directory" in ctl(t, "view", t.directory, status=2)
    assert "btrace-traces.jsonl: No such file" in ctl(t, "view", status=2)
    assert "wants statuses" in ctl(t, "view", "--status", "bad", demo, status=2)
    assert ctl(t, "view", os.devnull) == "0 traces, 0 spans, 0 with errors\n"


def test_view_obeys_no_color_and_a_pipe(t):
    demo = traces(t, "demo")
    assert "\x1b" not in ctl(t, "view", demo, TERM="xterm")
    assert "\x1b" in ctl(t, "view", "--color=always", demo)
    terminal = ["script", "-qec", "stty cols 90; %s view %s" % (t.ctl, demo), "/dev/null"]
    t.need("script")
    for extra, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        p = t.run(terminal, env={"TZ": "UTC", "LC_ALL": "C.UTF-8", "TERM": "xterm", "COLUMNS": "", **extra})
        assert (b"\x1b[3" in p.stdout) == coloured, (extra, p.stdout[:300])


def follow(t, *arguments):
    return t.spawn([t.ctl, "view", "-f", "--json", *arguments], stdout=open(t.path("followed"), "wb"),
                   env=clean_environment(TZ="UTC", LC_ALL="C.UTF-8"))


def followed(t):
    with open(t.path("followed")) as f:
        return [json.loads(line) for line in f if line.endswith("\n")]


def test_view_follows_a_file_that_appears_grows_and_is_rotated(t):
    file, demo = t.path("growing.jsonl"), traces(t, "demo")
    with open(demo) as f:
        line = f.read()
    p = follow(t, file)
    with open(file, "w") as f:
        f.write(line[:1000])
        f.flush()
        f.write(line[1000:])
    wait_for("the first eight traces", lambda: len(followed(t)) == 8)
    os.rename(file, file + ".1")
    with open(traces(t, "demo", "second.jsonl", seed=2)) as f:
        second = f.read()
    with open(file, "w") as f:
        f.write(second)
    wait_for("the traces of the new file", lambda: len(followed(t)) == 16)
    assert len({s["trace_id"] for s in followed(t)}) == 16
    assert p.poll() is None
    p.send_signal(signal.SIGINT)
    p.wait()


def test_view_shows_a_trace_whole_when_its_spans_come_apart(t):
    file, demo = t.path("parts.jsonl"), traces(t, "demo")
    with open(demo) as f:
        request = json.load(f)
    parts = [json.dumps({"resourceSpans": [r]}) for r in request["resourceSpans"]]
    with open(file, "w") as f:
        f.write("")
    follow(t, file)
    with open(file, "a") as f:
        f.write(parts[0] + "\n")
        f.flush()
        f.write(parts[1] + "\n")
    wait_for("eight traces", lambda: len(followed(t)) == 8)
    assert sum(len(trace["spans"]) for trace in followed(t)) == 15
    assert all(trace["spans"][0]["service"] == "nginx" for trace in followed(t))


def test_view_follows_its_standard_input_to_the_end(t):
    with open(traces(t, "demo"), "rb") as f:
        assert len(ctl(t, "view", "-f", "--json", "-", text=f.read()).splitlines()) == 8


# --- assert ---

def test_assert_compares_with_a_recorded_run(t):
    demo, shop = traces(t, "demo"), traces(t, "demo", "again.jsonl", seed=2)
    golden(t, "recorded-demo.yml", ctl(t, "assert", "--record", demo))
    assert ctl(t, "assert", "--record", demo) == ctl(t, "assert", "--record", shop), "ids, times or ports are recorded"
    ctl(t, "assert", "--record", "-o", t.path("demo.yml"), demo)
    assert ctl(t, "assert", "-e", t.path("demo.yml"), shop) == "all 27 checks passed\n"
    golden(t, "recorded-vectors.yml", ctl(t, "assert", "--record", VECTORS))
    hostile = traces(t, "hostile")
    ctl(t, "assert", "--record", "-o", t.path("hostile.yml"), hostile)
    ctl(t, "assert", "-e", t.path("hostile.yml"), hostile)
    ctl(t, "assert", "-e", t.path("hostile.yml"), demo, status=1)


def test_assert_tells_what_differs(t):
    demo, expectation = traces(t, "demo"), t.path("expect.yml")
    with open(expectation, "w") as f:
        f.write("requests: 16\n5xx: 0\np99: 200ms\nroutes:\n  GET /users/{id}: 2..3\n  GET /user: 1\n"
                "  POST /orders: {201: 2, p99: 5ms}\n"
                "shapes:\n  - tree: |\n      nginx GET /users/{id} 200\n        app GET /users/{id} 404\n        db SELECT\n"
                "  - count: 3\n    tree: |\n      nginx GET /users* 200\n        ...\nother_shapes: forbid\n")
    golden(t, "assert-differs.txt", ctl(t, "assert", "-e", expectation, "--junit", t.path("junit.xml"), demo, status=1))
    suite = xml.etree.ElementTree.parse(t.path("junit.xml")).getroot().find("testsuite")
    assert suite.get("tests") == "10" and suite.get("failures") == str(len(suite.findall(".//failure"))), suite.attrib
    verdict = json.loads(ctl(t, "assert", "-e", expectation, "--json", demo, status=1))
    assert verdict["ok"] is False and verdict["checks"] == 10 and verdict["findings"][0]["got"] == "15", verdict


def test_assert_by_options_alone(t):
    demo = traces(t, "demo")
    assert ctl(t, "assert", "--requests", "15", "--errors", "2", "--p99", "1s", demo) == "all 3 checks passed\n"
    assert "requests: 15, wanted at least 20" in ctl(t, "assert", "--requests", ">= 20", demo, status=1)
    assert "requests with status 5xx: 2, wanted 0" in ctl(t, "assert", "--no-status", "5xx", demo, status=1)
    assert "p99: 413 ms, wanted at most 100 ms" in ctl(t, "assert", "--p99", "100ms", demo, status=1)
    assert "cannot be" in ctl(t, "assert", "--p99", "100", demo, status=2)
    assert "nothing to check" in ctl(t, "assert", demo, status=2)
    assert "a file of traces is wanted" in ctl(t, "assert", status=2)


def test_assert_gives_no_verdict_on_what_it_could_not_read(t):
    demo, broken = traces(t, "demo"), t.path("broken.jsonl")
    with open(demo) as f, open(broken, "w") as g:
        g.write(f.read() + "{]\n")
    text = ctl(t, "assert", "--requests", "15", broken, status=2)
    assert "broken.jsonl:2:2:" in text and "would mean nothing" in text, text
    with open(t.path("bad.yml"), "w") as f:
        f.write("requests: many\nrouts: {}\n")
    golden(t, "assert-mistakes.txt", ctl(t, "assert", "-e", t.path("bad.yml"), demo, status=2))
    assert "No such file" in ctl(t, "assert", "-e", t.path("nothing.yml"), demo, status=2)
    assert "not a ledger" in ctl(t, "assert", "--ledger", demo, demo, status=2)


def test_every_request_of_a_real_run_has_its_span(t):
    session = t.session()
    server = t.serve("py-httpserver", session)
    connection = t.connect(server)
    for i in range(20):
        connection.get("/small.txt?n=%d" % i)
    connection.get("/nothing")
    connection.close()
    server.stop()
    session.finish()
    ctl(t, "assert", "--requests", "21", "--ledger", session.ledger_file, "--no-status", "5xx", session.trace_file)
    lines = open(session.trace_file).read().splitlines()
    with open(t.path("less.jsonl"), "w") as f:
        f.write("\n".join(lines[1:]) + "\n")
    text = ctl(t, "assert", "--ledger", session.ledger_file, t.path("less.jsonl"), status=1)
    assert "spans of requests that were to be traced" in text, text


# --- help ---

def test_every_command_has_help(t):
    names = [line.split()[0] for line in ctl(t, "help").splitlines() if line.startswith("  ")]
    assert {"view", "assert", "report", "run", "check"} <= set(names), names
    for name in names:
        for arguments in ([name, "--help"], ["help", name]):
            text = ctl(t, *arguments)
            assert text.startswith("usage: btracectl"), "%s: %s" % (arguments, text[:100])
            assert max(map(len, text.splitlines())) <= 120, arguments
    assert "no command 'veiw'" in ctl(t, "veiw", status=2)
    assert re.fullmatch(r"btracectl \d+\.\d+\.\d+\n", ctl(t, "--version"))
    golden(t, "help-view.txt", ctl(t, "view", "--help"))
    golden(t, "help-assert.txt", ctl(t, "assert", "--help"))


def test_manual_pages_have_every_option(t):
    names = [line.split()[0] for line in ctl(t, "help").splitlines() if line.startswith("  ")]
    overview = ctl(t, "help", "--man")
    for name in names:
        page, text = ctl(t, "help", "--man", name), ctl(t, name, "--help")
        assert page.startswith(".\\\" Made by") and "\n.SH OPTIONS\n" in page, page[:200]
        options = re.findall(r"^  .*?--([a-z0-9-]+)", text, re.M)
        assert options and not [o for o in options if "\\-\\-" + o.replace("-", "\\-") not in page], (name, options)
        assert "btracectl\\-%s (1)" % name in overview, name
        if shutil.which("man"):
            warnings = t.run(["man", "--warnings", "-l", "-"], env={"LC_ALL": "C.UTF-8", "MANPAGER": "cat"}, stdin=None,
                             input=page.encode()).stderr
            assert not warnings, warnings
    golden(t, "man-view.1", ctl(t, "help", "--man", "view"))
    t.run([os.path.join(ROOT, "packaging", "man", "generate"), t.ctl, t.path("docs")], check=True)
    assert set(os.listdir(t.path("docs"))) == {"btracectl.1", "btracectl.bash"} | {"btracectl-%s.1" % n for n in names}


def complete(t, *words):
    """What bash offers for the last word."""
    script = ('source <("$1" help --completion); shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _btracectl; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    p = t.run(["bash", "-c", script, "bash", t.ctl, "btracectl", *words])
    assert p.returncode == 0 and not p.stderr, p
    return p.stdout.decode().split()


def test_bash_completes_commands_options_and_values(t):
    open(t.path("traces.jsonl"), "w").close()
    assert {"run", "view", "assert", "report"} <= set(complete(t, ""))
    assert complete(t, "vi") == ["view"]
    assert complete(t, "view", "--slo") == ["--slower-than"]
    assert set(complete(t, "view", "--color", "a")) == {"auto", "always"}
    assert complete(t, "view", "--color", "=", "n") == ["never"]
    assert complete(t, "view", "--only", "") == ["traces", "routes"]
    assert complete(t, "view", "--limit", "") == []
    assert complete(t, "view", "tra") == ["traces.jsonl"]
    assert complete(t, "assert", "--expect", "tra") == ["traces.jsonl"]
    assert "assert" in complete(t, "help", "a")
    assert "nothing" not in complete(t, "nothing", "")
    assert "python3" in complete(t, "run", "python")


@limit(120)
def test_a_hundred_thousand_spans_are_read_in_time_and_memory(t):
    flat = traces(t, "flat", n=100000)
    p = t.run(["/usr/bin/python3", "-c", """
import resource, subprocess, sys, time
p = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
r = resource.getrusage(resource.RUSAGE_CHILDREN)
print(p.returncode, r.ru_utime + r.ru_stime, r.ru_maxrss // 1024, p.stdout.count(b"\\n"))
""", t.ctl, "view", "--only", "routes", flat])
    status, seconds, megabytes, lines = p.stdout.split()
    assert int(status) == 0 and int(lines) == 11, p
    assert float(seconds) < 2 and int(megabytes) < 200, "%s s of CPU, %s MB" % (seconds, megabytes)
