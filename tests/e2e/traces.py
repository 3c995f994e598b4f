# SPDX-License-Identifier: Apache-2.0
"""Sessions of the library in tests: config, ledger, trace file, and what must hold between them."""
import collections
import json
import os
import sys

from process import ROOT, exporters, reap_strangers, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests", "vectors"))
import decode_otlp_json  # noqa: E402


def yaml(value, indent=0):
    """Block style YAML of dicts, lists and scalars; enough for config files."""
    pad = "  " * indent
    if isinstance(value, dict):
        return "".join("%s%s:%s" % (pad, k, nested(v, indent)) for k, v in value.items())
    return "".join("%s-%s" % (pad, nested(v, indent)) for v in value)


def nested(value, indent):
    if isinstance(value, (dict, list)) and value:
        return "\n" + yaml(value, indent + 1)
    return " %s\n" % json.dumps(value)


def plain(value):
    """A decoded AnyValue as a Python value."""
    kind, v = next(iter(value.items()))
    return int(v) if kind == "int" else [plain(x) for x in v] if kind == "array" else v


class Span:
    def __init__(self, neutral):
        self.neutral = neutral
        self.name, self.kind = neutral["name"], neutral["kind"]
        self.trace_id, self.span_id = neutral["trace_id"], neutral["span_id"]
        self.parent_span_id = neutral["parent_span_id"]
        self.start_ns, self.end_ns = int(neutral["start_ns"]), int(neutral["end_ns"])
        self.status = neutral["status"]["code"]
        self.attributes = {k: plain(v) for k, v in neutral["attributes"].items()}
        self.resource = {k: plain(v) for k, v in neutral["resource"].items()}

    def get(self, key, default=None):
        return self.attributes.get(key, default)

    @property
    def method(self):
        return self.get("http.request.method_original") or self.get("http.request.method")

    @property
    def target(self):
        query = self.get("url.query")
        return self.get("url.path", "") + ("?" + query if query else "")

    @property
    def status_code(self):
        return self.get("http.response.status_code")

    def row(self):
        return (self.method, self.target, self.status_code, self.get("http.request.body.size", 0),
                self.get("http.response.body.size", 0))

    def __repr__(self):
        return "<span %s %s>" % (self.name, self.row())


def read_spans(path):
    """All spans of an OTLP/JSON lines file; every line must decode. No file: no spans."""
    spans = []
    if not os.path.exists(path):
        return spans
    with open(path, "rb") as f:
        for number, line in enumerate(f, 1):
            if not line.endswith(b"\n"):
                raise AssertionError("%s: line %d is cut off" % (path, number))
            try:
                spans += [Span(s) for s in decode_otlp_json.decode(line)]
            except (ValueError, KeyError) as e:
                raise AssertionError("%s: line %d: %s: %r" % (path, number, e, line[:200])) from e
    return spans


class Ledger(dict):
    """The JSON that BTRACE_LEDGER names; missing counters are errors."""

    def check(self, unbalanced=0):
        """The identities. unbalanced: how much may be unaccounted for (threads killed)."""
        want = (self["taken"] + self["sampled_out"] + self["excluded"] + sum(self["dropped"].values())
                + self["unbalanced"])
        assert self["requests"] == want, "requests is not the sum of what became of them: %s" % self
        assert abs(self["unbalanced"]) <= unbalanced, "unbalanced by %d: %s" % (self["unbalanced"], self)
        c = self["client"]
        assert c["requests"] == c["taken"] + c["sampled_out"] + c["excluded"] + c["dropped"] + c["unbalanced"], c
        assert abs(c["unbalanced"]) <= unbalanced and abs(self["own"]["unbalanced"]) <= unbalanced, self
        o = self["own"]
        assert o["begun"] == o["taken"] + o["sampled_out"] + o["dropped"] + o["unbalanced"], o
        assert self["aborted"] <= self["taken"], "more aborted than taken: %s" % self
        for name, e in self["exporters"].items():
            went = e["sent"] + e["failed"] + e["queue_dropped"] + e["spooled"]
            taken = self["taken"] + self["client"]["taken"] + self["own"]["taken"]
            assert taken + self["child_spans"] == went, "exporter %s: taken %d, accounted for %d: %s" % (name, self["taken"], went, self)
        return self


class Session:
    """One config, one trace file, one ledger. tracing: more keys of the tracing section; raw: the whole file."""

    def __init__(self, directory, name="session", raw=None, variable="BTRACE_CONFIG", ledger=True, **tracing):
        self.directory = os.path.join(directory, name)
        os.makedirs(self.directory)
        os.chmod(self.directory, 0o755)
        self.config = os.path.join(self.directory, "btrace.yml")
        self.trace_file = os.path.join(self.directory, "traces.jsonl")
        self.ledger_file = os.path.join(self.directory, "ledger.json") if ledger else None
        section = {"exporter_type": "file", "sample_rate": 1.0, "file": {"path": self.trace_file}}
        section.update(tracing)
        with open(self.config, "w") as f:
            f.write(raw if raw is not None else yaml({"tracing": {k: v for k, v in section.items() if v is not None}}))
        self.environment = {variable: self.config}
        if ledger:
            self.environment["BTRACE_LEDGER"] = self.ledger_file

    def read_ledger(self):
        """The ledger, or None while it is not there or not complete."""
        try:
            with open(self.ledger_file) as f:
                return Ledger(json.load(f))
        except (FileNotFoundError, ValueError):
            return None

    def finish(self, timeout=15, unbalanced=0):
        """Waits until no exporter is left; (spans, checked ledger). The traced processes must have ended."""
        wait_for("the exporter to end: %s" % exporters(), lambda: not exporters(), timeout)
        reap_strangers(set())
        ledger = self.read_ledger()
        assert ledger is not None, "the exporter ended without a ledger in %s" % self.ledger_file
        return read_spans(self.trace_file), ledger.check(unbalanced)


def expected_rows(exchanges):
    return [(e.method, e.target, e.status, e.request_size, e.response_size) for e in exchanges]


def multiset_difference(want, have):
    """What is missing and what is too much, as text; empty when equal."""
    want, have = collections.Counter(want), collections.Counter(have)
    missing, more = want - have, have - want
    out = ["missing %d times: %s" % (n, row) for row, n in list(missing.items())[:5]]
    out += ["too many by %d: %s" % (n, row) for row, n in list(more.items())[:5]]
    if missing or more:
        out.append("%d missing, %d too many, of %d" % (sum(missing.values()), sum(more.values()), sum(want.values())))
    return "\n".join(out)


def check_spans(exchanges, spans, slack_ms=500):
    """Exactly one span for each exchange, with its method, target, status and body sizes; and, where a target is
    unique, at its time. Incomplete exchanges are the test's own matter: leave them out on both sides."""
    spans = [s for s in spans if s.kind == "SERVER"]  # what the server asks others is not ours to expect
    text = multiset_difference(expected_rows(exchanges), [s.row() for s in spans])
    assert not text, "spans do not match the requests:\n" + text
    assert len({s.span_id for s in spans}) == len(spans), "span ids are not unique"
    counts = collections.Counter(e.target for e in exchanges)
    by_target = {s.target: s for s in spans}
    slack = slack_ms * 1000000
    for e in exchanges:
        if counts[e.target] != 1:
            continue
        s = by_target[e.target]
        assert s.start_ns <= s.end_ns, "%s ends before it starts" % s
        assert e.start_ns - slack <= s.start_ns <= e.end_ns + slack, \
            "%s starts %.1f ms after its request" % (s, (s.start_ns - e.start_ns) / 1e6)
        # the write that ends a span returns before or after the client has read the last byte, and the server may
        # lose its processor in between
        assert s.end_ns <= e.end_ns + 20 * slack, "%s ends %.1f ms after its response" % (s, (s.end_ns - e.end_ns) / 1e6)


