# SPDX-License-Identifier: Apache-2.0
"""The spans of tests/vectors in every format, decoded by readers that share no code with the encoders."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VECTORS = os.path.join(ROOT, "tests", "vectors")
GOLDEN = os.path.join(ROOT, "tests", "semconv", "golden")
sys.path.insert(0, VECTORS)
import check as check_py  # noqa: E402
import neutral  # noqa: E402
from process import build_tool  # noqa: E402

# our format: what check.py calls it; None: only for people
CHECKED = {
    "otlp-json": "otlp-json", "otlp-pb": "otlp-pb", "zipkin": "zipkin", "jaeger-compact": "jaeger-thrift",
    "jaeger-binary": "jaeger-thrift", "jaeger-binary-batch": "jaeger-thrift", "jaeger-pb": "jaeger-pb", "console": None,
}


def encoder():
    return build_tool("encode_vectors")


def check(*args):
    done = subprocess.run([sys.executable, "-B", os.path.join(VECTORS, "check.py"), *args], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_format_means_the_same_to_independent_decoders(t):
    tool = encoder()
    names = subprocess.run([tool], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(names) == sorted(CHECKED), "a format without a check, or the other way round: %r" % names
    for ours, theirs in CHECKED.items():
        out = subprocess.run([tool, ours, os.path.join(VECTORS, "spans.json")], capture_output=True, check=True).stdout
        path = os.path.join(t.directory, ours)
        with open(path, "wb") as f:
            f.write(out)
        if theirs:
            check(theirs, path)


def decoded(name):
    """The spans of a golden file, by a decoder that shares no code with the encoders."""
    with open(os.path.join(GOLDEN, name), "rb") as f:
        return check_py.FORMATS[CHECKED[name]][0](f.read())


def test_golden_spans_mean_the_same_in_every_format(t):
    source = decoded("otlp-json")
    with open(os.path.join(GOLDEN, "spans.txt"), encoding="utf-8") as f:
        told = sum(line.startswith(" trace ") for line in f)
    assert len(source) == told > 13, (len(source), told)
    for name in (n for n in CHECKED if CHECKED[n]):
        profile = check_py.FORMATS[CHECKED[name]][1]
        differences = neutral.compare(neutral.project(source, profile), decoded(name), profile, source)
        assert not differences, name + ":\n" + "\n".join(differences)


def test_console_has_one_line_a_span(t):
    out = subprocess.run([encoder(), "console", os.path.join(VECTORS, "spans.json")], capture_output=True, check=True).stdout
    lines = out.decode().split("\n")
    assert len(lines) == 6 and lines[0].startswith("13:00:00.123 GET /users/{id} "), lines


def test_vectors_are_what_their_readers_say(t):
    check()
