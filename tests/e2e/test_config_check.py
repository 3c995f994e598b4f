# SPDX-License-Identifier: Apache-2.0
"""`btracectl check` and `btracectl config`: golden outputs (tests/config/check), the samples of BentoML's guides, and
the documents that are made from the table of options.

BTRACE_WRITE_GOLDEN=1 writes the .expected files instead of comparing: look at the difference before committing."""
import difflib
import json
import os
import re
import subprocess

from harness import PATH, ROOT, Skip

CONFIG = os.path.join(ROOT, "tests", "config")
CHECK = os.path.join(CONFIG, "check")
SAMPLES = os.path.join(CONFIG, "samples")


def run_ctl(t, *args, cwd=CHECK, **environment):
    """(stdout, stderr, exit status) with nothing in the environment but this."""
    done = subprocess.run([t.ctl, *args], cwd=cwd, env={"PATH": PATH, **environment}, capture_output=True, timeout=30)
    return done.stdout.decode(), done.stderr.decode(), done.returncode


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def names(directory=CHECK):
    return sorted(f[:-4] for f in os.listdir(directory) if f.endswith(".yml"))


def environment_of(name):
    path = os.path.join(CHECK, name + ".env")
    lines = read(path).splitlines() if os.path.exists(path) else []
    return dict(line.split("=", 1) for line in lines)


def test_check_says_what_is_expected(t):
    wrong = []
    for name in names():
        out, err, status = run_ctl(t, "check", name + ".yml", **environment_of(name))
        out = "%sexit %d\n" % (out.replace(CHECK, "DIRECTORY"), status)
        assert err == "", err
        golden = os.path.join(CHECK, name + ".expected")
        if os.environ.get("BTRACE_WRITE_GOLDEN"):
            with open(golden, "w") as f:
                f.write(out)
        if out != read(golden):
            wrong += difflib.unified_diff(read(golden).splitlines(), out.splitlines(), golden, "now", lineterm="")
    assert not wrong, "\n".join(wrong)
    assert len(names()) >= 18


def test_samples_of_the_guides_are_good_configs(t):
    expected = {
        "guide-013-1": "jaeger thrift over UDP to localhost:6831", "guide-013-2": "zipkin to http://localhost:9411/api/v2/spans",
        "guide-013-3": "jaeger thrift over UDP to localhost:6831", "guide-1x-1": "jaeger thrift over UDP to localhost:6831, 80 %",
        "guide-1x-2": "zipkin to http://localhost:9411/api/v2/spans, 100 %",
        "guide-1x-3": "jaeger thrift over UDP to localhost:6831, 100 %",
        "guide-1x-4": "jaeger thrift over UDP to localhost:6831, 100 % of new traces, 6 excluded patterns",
        "guide-1x-5": "otlp over gRPC to http://localhost:4317, 100 %",
        "guide-1x-6": "otlp over HTTP to http://localhost:4318/v1/traces, 100 %",
    }
    assert names(SAMPLES) == sorted(expected)
    for name, what in expected.items():
        old = "-013-" in name
        out, _, status = run_ctl(t, "check", os.path.join(SAMPLES, name + ".yml"))
        assert status == 0, out
        assert ("warning: an exporter but no sample_rate" in out) == old, out
        assert ("tracing is off" in out) == old, out
        assert old or "ok: " + what in out, out
        out, _, status = run_ctl(t, "check", os.path.join(SAMPLES, name + ".yml"),
                                 BENTOML_CONFIG_OPTIONS="tracing.sample_rate=0.3")
        assert status == 0 and "warning" not in out, out
        assert "ok: " + what.replace("100 %", "30 %").replace("80 %", "30 %") in out and "30 % of new traces" in out, out


def test_strict_makes_warnings_an_error(t):
    assert run_ctl(t, "check", "warnings.yml")[2] == 0
    assert run_ctl(t, "check", "--strict", "warnings.yml")[2] == 1
    assert run_ctl(t, "check", "--strict", "era-b.yml")[2] == 0


def test_check_without_a_file_takes_the_one_of_the_environment(t):
    path = os.path.join(CHECK, "era-b.yml")
    out, _, status = run_ctl(t, "check", BTRACE_CONFIG=path, BENTOML_CONFIG="/nonexistent")
    assert status == 0 and out.startswith(path + ": ok: otlp over HTTP"), out
    out, _, status = run_ctl(t, "check", BTRACE_CONFIG="", BENTOML_CONFIG=path)
    assert status == 0 and out.startswith(path + ": ok: "), out
    out, _, status = run_ctl(t, "check", OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318")
    assert (out, status) == ("environment: ok: otlp over HTTP to http://collector:4318/v1/traces, 100 % of new traces\n", 0)
    out, _, status = run_ctl(t, "check")
    assert (out, status) == ("environment: tracing is off: no exporter_type\n", 0)


def test_check_reads_standard_input(t):
    done = subprocess.run([t.ctl, "check", "-"], input=b"tracing:\n  exporter_type: console\n  sample_rate: 7\n", env={"PATH": PATH},
                          stdout=subprocess.PIPE, timeout=30)
    assert done.returncode == 1 and done.stdout.startswith(b"stdin:3:16: error: tracing.sample_rate"), done.stdout


def test_check_tells_scripts_in_json(t):
    out, _, status = run_ctl(t, "check", "--json", "warnings.yml")
    found = json.loads(out)
    assert status == 0 and found["on"] and found["errors"] == 0 and found["warnings"] == len(found["messages"]) > 0, found
    assert all(m["severity"] == "warning" and m["source"] == "warnings.yml" and m["line"] for m in found["messages"]), found
    out, _, status = run_ctl(t, "check", "--json", "no-such.yml")
    found = json.loads(out)
    assert status == 1 and not found["on"] and found["errors"] == 1 and "cannot be read" in found["messages"][0]["text"], found


def test_missing_file_and_wrong_usage(t):
    out, _, status = run_ctl(t, "check", "no-such.yml")
    assert status == 1 and "no-such.yml: error: cannot be read: No such file or directory" in out, out
    for args in (["check", "a", "b"], ["check", "--what"], ["config", "a", "b"], ["config", "--what"],
                 ["config", "--schema", "x"]):
        out, err, status = run_ctl(t, *args)
        assert status == 2 and "--help`" in err and not out, (args, out, err, status)
    for command in ("check", "config"):
        out, _, status = run_ctl(t, command, "--help")
        assert status == 0 and out.startswith("usage: btracectl " + command), out


def test_config_shows_what_is_set_and_where(t):
    out, _, status = run_ctl(t, "config", "era-d.yml", BTRACE_SERVICE="Summarization")
    assert status == 0
    assert out.splitlines() == [
        "exporter_type = zipkin  (era-d.yml:3)",
        "service_name = Summarization  (BTRACE_SERVICE)",
        "sample_rate = 0.5  (era-d.yml:11)",
        "excluded_urls = /metrics  (era-d.yml:12)",
        "zipkin.endpoint = http://zipkin:9411/api/v2/spans  (era-d.yml:6)",
    ]
    out, _, status = run_ctl(t, "config", "all-exporters.yml")
    assert status == 0 and "secret" not in out, out
    assert run_ctl(t, "config", "errors.yml")[2] == 1


def paths_of_the_table():
    """The options, read from the table itself."""
    text = read(os.path.join(ROOT, "exporters", "config", "config.def"))
    return re.findall(r'^OPTION\(\w+,\s*\w+,\s*"([^"]+)"', text, re.M)


def test_every_option_is_explained_and_in_the_table(t):
    paths = paths_of_the_table()
    assert len(paths) > 60
    explained, markdown = run_ctl(t, "config", "--explain")[0], run_ctl(t, "config", "--markdown")[0]
    assert re.findall(r"^tracing\.(\S+)$", explained, re.M) == paths
    assert re.findall(r"^\| `([^`]+)`", markdown, re.M) == paths
    columns = {len(re.findall(r"(?<!\\)\|", line)) for line in markdown.splitlines()}
    assert columns == {6}, columns
    out, _, status = run_ctl(t, "config", "--explain", "agent_port")
    assert status == 0 and re.findall(r"^tracing\.(\S+)$", out, re.M) == ["jaeger.thrift.agent_port"], out
    out, err, status = run_ctl(t, "config", "--explain", "no_such_word")
    assert status == 1 and not out and "no_such_word" in err


def test_example_is_a_config_also_with_every_line_in_force(t):
    example = run_ctl(t, "config", "--example")[0]
    assert example == read(os.path.join(ROOT, "tests", "examples", "btrace.example.yml")), \
        "btracectl config --example > tests/examples/btrace.example.yml"
    os.mkdir(t.path("x"))
    with open(t.path("x/btrace.yml"), "w") as f:
        f.write(example)
    out, _, status = run_ctl(t, "check", "--strict", "btrace.yml", cwd=t.path("x"))
    assert status == 0 and "ok: file " in out and "and console, 100 % of new traces" in out, out
    everything = re.sub(r"^( *)#(\S)", r"\1\2", example, flags=re.M)
    with open(t.path("x/all.yml"), "w") as f:
        f.write(everything)
    out, _, status = run_ctl(t, "check", "all.yml", cwd=t.path("x"), TOKEN="x", JAEGER_PASSWORD="x")
    assert status == 0 and "unknown" not in out, out
    shown = run_ctl(t, "config", "all.yml", cwd=t.path("x"), TOKEN="x", JAEGER_PASSWORD="x")[0]
    assert [line.split(" = ")[0] for line in shown.splitlines()] == paths_of_the_table()


# With the interpreter whose Debian packages these are.
VALIDATE = """
import json, sys
try:
    import jsonschema, yaml
except ImportError as e:
    print("skip", e); sys.exit()
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for path in sys.argv[2:]:
    with open(path, "rb") as f:
        errors = list(validator.iter_errors(yaml.safe_load(f)))
    print(json.dumps([path, [e.message for e in errors]]))
"""


def validate(t, paths):
    schema, _, status = run_ctl(t, "config", "--schema")
    assert status == 0
    with open(t.path("schema.json"), "w") as f:
        f.write(schema)
    done = subprocess.run(["/usr/bin/python3", "-c", VALIDATE, t.path("schema.json"), *paths], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    if done.stdout.startswith("skip"):
        raise Skip("python3-jsonschema or python3-yaml is not installed")
    return {path: errors for path, errors in map(json.loads, done.stdout.splitlines())}


def test_schema_agrees_with_the_parser(t):
    """Editors must not complain of what we take, and should of what we do not."""
    files = [os.path.join(SAMPLES, n + ".yml") for n in names(SAMPLES)]
    not_yaml = {"tab", "unclosed", "ini", "latin1"}
    only_we_know = {"lookaround", "bomb"}  # what no schema can say
    takes = {}
    for name in names():
        path = os.path.join(CHECK, name + ".yml")
        out, _, status = run_ctl(t, "check", name + ".yml", **environment_of(name))
        takes[path] = status == 0 and "unknown key" not in out
        if name not in not_yaml | only_we_know:
            files.append(path)
    with open(t.path("example.yml"), "w") as f:
        f.write(re.sub(r"^( *)#(\S)", r"\1\2", run_ctl(t, "config", "--example")[0], flags=re.M))
    files.append(t.path("example.yml"))
    for path, errors in validate(t, files).items():
        assert bool(errors) != takes.get(path, True), (path, errors)


def test_schema_refuses_single_wrong_values(t):
    wrong = ["sample_rate: 1.5", "sample_rate: yes", "exporter_type: zipkn", "exporter_type: [otlp, jager]", "timeout: soon",
             "jaeger: {thrift: {agent_port: 65536}}", "jaeger: {thrift: {agent_port: -1}}", "typo: 1", "zipkin: {uri: x}",
             "otlp: {compression: zstd}", "propagators: [b4]", "detail: all", "reload: 7", "queue: {max_bytes: many}"]
    right = ["sample_rate: 1", "sample_rate: '0.5'", "sample_rate: ${RATE:-0.5}", "exporter_type: ZIPKIN", "type: jaeger",
             "exporter_type: 'otlp, console'", "timeout: 500ms", "timeout: 5", "jaeger: {port: '6831'}", "routes_inference: off",
             "otlp: {http: {headers: {a: 1}}, grpc: {headers: [[a, b]]}}", "excluded_urls: a,b", "excluded_urls: [a, 1]",
             "zipkin: null", "queue: {max_bytes: 32MiB}", "propagators: b3, jaeger", "reload: ${X:-true}"]
    paths = []
    for i, text in enumerate(wrong + right):
        paths.append(t.path("%d.yml" % i))
        with open(paths[-1], "w") as f:
            f.write("tracing:\n  %s\n" % text)
    found = validate(t, paths)
    for i, text in enumerate(wrong + right):
        assert bool(found[paths[i]]) == (i < len(wrong)), (text, found[paths[i]])
        status = run_ctl(t, "check", "--strict", "%d.yml" % i, cwd=t.directory)
        ours = status[2] == 0 or "error" not in status[0] and "unknown" not in status[0]
        assert ours == (i >= len(wrong)), (text, status)
