# SPDX-License-Identifier: Apache-2.0
"""btracectl run --expect, and the examples for CI that use it."""
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree

from harness import ROOT, free_port

CI = os.path.join(ROOT, "packaging", "ci")

SMOKE = """
/usr/bin/python3 -m http.server --bind 127.0.0.1 %(port)d >/dev/null 2>&1 & server=$!
/usr/bin/python3 - <<END
import http.client, time
for path in ("/", "/small.txt", "/nothing"):
    for attempt in range(200):
        try:
            c = http.client.HTTPConnection("127.0.0.1", %(port)d)
            c.request("GET", path)
            c.getresponse().read()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
END
kill $server; wait $server; exit %(status)d
"""


def smoke(t, *options, status=0, of_command=0, cwd=None):
    """Three requests under `run`; (what stands on stderr from the verdict on, the directory)."""
    cwd = cwd or t.docroot_copy
    p = t.run([t.ctl, "run", *options, "--", "sh", "-c", SMOKE % {"port": free_port(), "status": of_command}], cwd=cwd)
    text = p.stderr.decode()
    assert p.returncode == status, "status %d, wanted %d\n%s\n%s" % (p.returncode, status, p.stdout.decode(), text)
    return text


def prepare(t, expectation):
    t.docroot_copy = t.path("work")
    os.mkdir(t.docroot_copy)
    shutil.copy(os.path.join(t.docroot, "small.txt"), t.docroot_copy)
    path = t.path("expect.yml")
    with open(path, "w") as f:
        f.write(expectation)
    return path


def test_run_ends_with_the_verdict(t):
    good = prepare(t, "requests: 3\n200: 2\n404: 1\nduplicates: 0\n")
    text = smoke(t, "--expect", good, "--junit", t.path("junit.xml"), "--ledger", t.path("ledger.json"))
    assert "all 8 checks passed" in text, text
    suite = xml.etree.ElementTree.parse(t.path("junit.xml")).getroot().find("testsuite")
    assert suite.get("failures") == "0" and suite.get("tests") == "8"
    # the file holds the traces of both runs now; judged is only what was added
    assert "all 4 checks passed" in smoke(t, "--expect", good)
    with open(good, "a") as f:
        f.write("5xx: 1\n")
    text = smoke(t, "--expect", good, status=1)
    assert "FAIL  requests with status 5xx: 0, wanted 1" in text and "1 of 5 checks failed" in text, text


def test_the_commands_own_failure_comes_first(t):
    path = prepare(t, "requests: 7\n")
    text = smoke(t, "--expect", path, status=5, of_command=5)
    assert "FAIL  requests: 3, wanted 7" in text, text


def test_a_mistake_in_the_expectation_costs_no_run(t):
    path = prepare(t, "requests: many\n")
    text = smoke(t, "--expect", path, status=2)
    assert "expect.yml:1:11: error: a number is wanted" in text and not os.path.exists(t.path("work/btrace-traces.jsonl"))
    assert "No such file" in smoke(t, "--expect", t.path("nothing.yml"), status=2)
    assert "--junit wants --expect" in smoke(t, "--junit", t.path("x.xml"), status=2)


def test_with_a_config_the_trace_file_is_where_it_says(t):
    path, config = prepare(t, "requests: 3\n"), t.path("btrace.yml")
    with open(config, "w") as f:
        f.write("tracing:\n  exporter_type: file\n  sample_rate: 1.0\n  file: {path: out.jsonl}\n")
    assert "all 1 check passed" in smoke(t, "-c", config, "--expect", path)
    assert os.path.getsize(t.path("out.jsonl")) > 0
    with open(config, "w") as f:
        f.write("tracing:\n  exporter_type: console\n  sample_rate: 1.0\n")
    assert "wants an exporter of the type file" in smoke(t, "-c", config, "--expect", path, status=2)


def test_options_of_run_go_before_the_config(t):
    path, config = prepare(t, "requests: 3\n"), t.path("btrace.yml")
    with open(config, "w") as f:
        f.write("tracing:\n  exporter_type: zipkin\n  sample_rate: 0\n  file: {path: out.jsonl}\n")
    smoke(t, "-c", config, "--exporter", "file=" + t.path("an other.jsonl"), "--sample", "1", "--service", "shop",
          "--set", "resource_attributes=team=till,note=two words", "--expect", path)
    with open(t.path("an other.jsonl")) as f:
        text = f.read()
    assert not os.path.exists(t.path("out.jsonl"))
    assert '"shop"' in text and '"till"' in text and '"two words"' in text, text[:2000]
    assert "all 1 check passed" in smoke(t, "--exporter", "console", "--exporter", "file=x.jsonl", "--expect", path)
    assert os.path.exists(t.path("work/x.jsonl")), "relative to where run was called"


def test_options_of_run_that_are_mistaken_start_nothing(t):
    prepare(t, "")
    config = t.path("btrace.yml")
    with open(config, "w") as f:
        f.write("tracing: {exporter_type: file, sample_rate: 1, file: {path: out.jsonl}}\n"
                "services: {shop: {tracing: {timeout: 3s}}}\n")
    for options, wanted in ((["--set", "sample_rat=1"], "sample_rate"), (["--sample", "2"], "from 0 to 1"),
                            (["--exporter", "zipkn"], "zipkin"), (["--set", "sample_rate"], "KEY=VALUE is wanted"),
                            (["-c", config, "--set", "timeout=1s"], "btrace.yml:2 goes before it")):
        p = t.run([t.ctl, "run", *options, "--", "touch", t.path("started")], cwd=t.docroot_copy)
        assert p.returncode == 2 and wanted in p.stderr.decode(), (options, p.stderr)
    assert not os.path.exists(t.path("started"))


def test_the_command_gets_its_arguments_and_no_more(t):
    for before in (["--"], ["--service", "x", "--"], ["-c", "/dev/null", "--"], []):
        p = t.run([t.ctl, "run", *before, "printf", "[%s]", "--bind", "a b", "18"], cwd=t.directory)
        assert p.stdout == b"[--bind][a b][18]", (before, p.stdout)


def test_no_requests_at_all_is_a_verdict_too(t):
    path = prepare(t, "requests: 0\n")
    p = t.run([t.ctl, "run", "--expect", path, "--", "true"], cwd=t.docroot_copy)
    assert p.returncode == 0 and b"all 1 check passed" in p.stderr, p
    with open(path, "w") as f:
        f.write("requests: '>= 1'\n")
    assert t.run([t.ctl, "run", "--expect", path, "--", "true"], cwd=t.docroot_copy).returncode == 1


# --- the examples for CI ---

def commands_of(name):
    """The lines of an example that call btracectl."""
    with open(os.path.join(CI, name)) as f:
        return re.findall(r"^\s*(?:- |run: )?(btracectl .*)$", f.read(), re.M)


def test_the_examples_for_ci_use_commands_and_options_that_exist(t):
    for name in "github-actions.yml", "gitlab-ci.yml":
        commands = commands_of(name)
        assert len(commands) == 2, commands
        for command in commands:
            words = command.split(" -- ")[0].split()
            text = t.run([t.ctl, words[1], "--help"], check=True).stdout.decode()
            for word in words[2:]:
                assert not word.startswith("-") or re.search(r"(^|[ ,])%s\b" % re.escape(word), text, re.M), (name, word)


def test_the_examples_for_ci_are_yaml_with_the_keys_that_are_needed(t):
    program = """
import json, sys, yaml
print(json.dumps(yaml.load(sys.stdin, Loader=yaml.BaseLoader)))
"""
    if subprocess.run(["/usr/bin/python3", "-c", "import yaml"], stderr=subprocess.DEVNULL).returncode:
        t.skip("python3-yaml is not installed")
    for name, keys in (("github-actions.yml", ("name", "on", "jobs")), ("gitlab-ci.yml", ("traces",)), ("expect.yml", ("requests",))):
        with open(os.path.join(CI, name)) as f:
            p = t.run(["/usr/bin/python3", "-c", program], stdin=f)
        assert p.returncode == 0, "%s: %s" % (name, p.stderr.decode())
        assert all('"%s":' % key in p.stdout.decode() for key in keys), (name, p.stdout)


def test_the_steps_of_the_examples_run_as_they_stand(t):
    t.need("curl")
    work = t.path("repository")
    os.makedirs(os.path.join(work, "ci"))
    for name in "smoke-test.sh", "expect.yml":
        shutil.copy(os.path.join(CI, name), os.path.join(work, "ci"))
    for command in commands_of("gitlab-ci.yml"):
        p = t.run(["sh", "-c", command], cwd=work, env={"PORT": str(free_port()), "PATH": os.path.dirname(t.ctl) + ":/usr/bin:/bin"})
        assert p.returncode == 0, "%s\n%s%s" % (command, p.stdout.decode(), p.stderr.decode())
    for name in "btrace-traces.jsonl", "ledger.json", "traces.xml", "report.html":
        assert os.path.getsize(os.path.join(work, name)) > 0, name
