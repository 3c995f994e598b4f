# SPDX-License-Identifier: Apache-2.0
"""Our spans beside those of OpenTelemetry's own instrumentations (node http, Python ASGI): the same application gets
the same requests with the same W3C parents, once under the SDK and once under the library. Names, kinds, statuses and
all attributes that both have must agree; every difference is listed in DIFFERENCES with its reason, and a row that is
not needed any more is an error as well."""
import fcntl
import json
import os
import shutil
import subprocess

from harness import BUILD, Skip, limit, read_spans, wait_for
from process import PATH, ROOT, clean_environment, exporters, reap_strangers

TIER = "sdk"
APPS = os.path.join(ROOT, "tests", "semconv", "sdk")
PARENT = "00f067aa0ba902b7"
AGENT = "btrace-test/1.0 (x; y)"

# label, method, target, options of the client
REQUESTS = [
    ("query", "GET", "/users/42?a=1&b=x%20y", {}),
    ("404", "GET", "/missing", {}),
    ("302", "GET", "/moved", {}),
    ("500", "GET", "/fail", {}),
    ("503", "GET", "/unavailable", {}),
    ("head", "HEAD", "/users/42", {}),
    ("post", "POST", "/echo", {"body": b"x" * 5000}),
    ("chunked", "PUT", "/echo", {"body": b"y" * 10, "chunked": 4}),
    ("delete", "DELETE", "/users/42", {}),
    ("options", "OPTIONS", "/users/42", {}),
    ("patch", "PATCH", "/echo", {"body": b"z"}),
    ("secret", "GET", "/users/42?sig=secret&x=1", {}),
    ("proxied", "GET", "/users/42", {"headers": [("X-Forwarded-For", "203.0.113.9, 10.0.0.1"),
                                                 ("X-Forwarded-Proto", "https"),
                                                 ("X-Forwarded-Host", "shop.example.com")]}),
    ("forwarded", "GET", "/users/42", {"headers": [
        ("Forwarded", 'for="[2001:db8::7]:4711";host="shop.example.com:8443";proto=https, for=10.0.0.1'),
        ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Host", "other.example.com")]}),
    ("for", "GET", "/users/42", {"headers": [("X-Forwarded-For", "203.0.113.9")]}),
    ("ipv6", "GET", "/users/42", {"headers": [("Host", "[2001:db8::1]:8080")]}),
    ("absolute", "GET", "http://shop.example.com:8080/users/42?a=1", {"headers": [("Host", "shop.example.com:8080")]}),
    ("encoded", "GET", "/users/42%20b/%C3%A9?q=%26", {}),
    ("port", "GET", "/users/42", {"headers": [("Host", "localhost:8080"), ("X-Tag", "one"), ("X-Tag", "two")]}),
    ("1.0", "GET", "/users/42", {"version": "1.0", "headers": [("Host", "localhost"), ("Connection", "close")]}),
    ("purge", "PURGE", "/users/42", {}),
]
ALL = [r[0] for r in REQUESTS]

REDACTED = "secrets in queries are redacted by the conventions of 1.43; these instrumentations are older"
BELIEVED = "the conventions take the scheme, host and client that a proxy tells; this instrumentation does not"
UNKNOWN = "PURGE is no known method: `_OTHER`, and the name begins with HTTP"
JOINED = "the conventions allow an item a line as well as one joined value; node joins lines before anybody sees them"
LISTENER = "this instrumentation tells the listening socket, the conventions want what the client asked for"

PROXIES = ["proxied", "forwarded"]
BRACKETS = "an address has no brackets and no port: those are of the authority"
DECODED = "percent-decoded, and the whole URL of an absolute form; the conventions want the path as it was received"

# (application, names): {attribute, "name", "status" or "parent": (why, requests that differ)}
DIFFERENCES = {
    ("node", "stable"): {
        "url.query": (REDACTED, ["secret"]),
        "url.scheme": (BELIEVED, PROXIES),
        "client.address": (BRACKETS, ["forwarded"]),
        "server.address": (BRACKETS, ["ipv6"]),
        "http.request.header.x_tag": (JOINED, ["port"]),
        "name": (UNKNOWN, ["purge"]),
    },
    ("node", "legacy"): {
        "http.target": (REDACTED, ["secret"]),
        "http.url": (REDACTED + "; " + BELIEVED, ["secret"] + PROXIES),
        "http.scheme": (BELIEVED, PROXIES),
        "http.client_ip": (BELIEVED + " in Forwarded", ["forwarded"]),
        "net.host.name": (BELIEVED + "; " + BRACKETS, ["ipv6"] + PROXIES),
        "net.host.port": (LISTENER, ALL),
        "http.request.header.x_tag": (JOINED, ["port"]),
        "name": (UNKNOWN, ["purge"]),
    },
    ("asgi", "stable"): {
        "url.path": (DECODED, ["absolute", "encoded"]),
        "url.query": (REDACTED, ["secret"]),
        "url.scheme": (BELIEVED, PROXIES),
        "client.address": (BELIEVED, ["for"] + PROXIES),
        "server.address": (LISTENER + "; without the port", ALL),
        "server.port": (LISTENER, ALL),
        "name": ("the conventions forbid the path in the name; here are no routes", ALL),
    },
    ("asgi", "legacy"): {
        "http.target": ("path and query by the conventions; without the query here, " + DECODED,
                        ["query", "secret", "absolute", "encoded"]),
        "http.url": (DECODED + "; " + BELIEVED, ["query", "absolute", "encoded"] + PROXIES),
        "http.scheme": (BELIEVED, PROXIES),
        "http.host": (LISTENER, ALL),
        "net.host.port": (LISTENER, ALL),
        "http.method": ("of 2022 is the method as received; this one tells `_OTHER`, which came later", ["purge"]),
        "name": ("the conventions forbid the path in the name; here are no routes", ALL),
    },
}

# What only they tell.
ONLY_THEIRS = {
    "client.port": "opt-in",
    "net.host.ip": "opt-in",
    "net.transport": "opt-in",
    "http.status_text": "in no version of the conventions",
    "http.request_content_length_uncompressed": "the length of the body, whatever its encoding: http.request.body.size",
}


def versions():
    with open(os.path.join(ROOT, "scripts", "versions")) as f:
        return dict(line.strip().split("=", 1) for line in f if "=" in line and not line.startswith("#"))


def install(name, key, command):
    """Runs command once a set of versions, in build/sdk; the directory it filled."""
    directory = os.path.join(BUILD, "sdk", name)
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = os.path.join(directory, "stamp")
        if not os.path.exists(stamp) or open(stamp).read() != key:
            p = subprocess.run(command, cwd=directory, shell=True, timeout=240, stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if p.returncode != 0:
                raise Skip("%s: %s" % (name, (p.stdout.strip().splitlines() or ["cannot be installed"])[-1]))
            with open(stamp, "w") as f:
                f.write(key)
    return directory


def node_application():
    if not shutil.which("npm"):
        raise Skip("npm is not installed")
    v = versions()
    packages = ["@opentelemetry/api@" + v["NPM_OTEL_API"], "@opentelemetry/sdk-trace-node@" + v["NPM_OTEL_SDK"],
                "@opentelemetry/instrumentation@" + v["NPM_OTEL_INSTRUMENTATION"],
                "@opentelemetry/instrumentation-http@" + v["NPM_OTEL_INSTRUMENTATION"]]
    directory = install("node", " ".join(packages), "npm install --no-audit --no-fund --loglevel=error " + " ".join(packages))
    return (["node", os.path.join(APPS, "app.js")],
            {"NODE_OPTIONS": "--require " + os.path.join(APPS, "trace.js"),
             "NODE_PATH": os.path.join(directory, "node_modules")})


def asgi_application():
    v = versions()
    packages = ["opentelemetry-sdk==" + v["PYPI_OTEL_SDK"], "uvicorn==" + v["PYPI_UVICORN"],
                "opentelemetry-instrumentation-asgi==" + v["PYPI_OTEL_INSTRUMENTATION"]]
    directory = install("asgi", " ".join(packages), "/usr/bin/python3 -m venv . && bin/pip install -q --disable-pip-version-check "
                        + " ".join(packages))
    return ([os.path.join(directory, "bin", "python3"), "-m", "uvicorn", "--app-dir", APPS, "--port", "{port}",
             "--no-proxy-headers", "--log-level", "warning", "app_asgi:app"], {})


APPLICATIONS = {"node": node_application, "asgi": asgi_application}


def send_all(t, server):
    """Every request on a connection of its own, request i in trace i + 1."""
    for i, (_, method, target, how) in enumerate(REQUESTS):
        headers = [("traceparent", "00-%032x-%s-01" % (i + 1, PARENT)), ("User-Agent", AGENT)]
        how = dict(how, headers=headers + how.get("headers", []))
        with t.connect(server) as connection:
            connection.request(method, target, **how)


def under_the_sdk(t, argv, env, names):
    path = t.path("sdk.jsonl")
    env = dict(env, SPANS_FILE=path, OTEL_SEMCONV_STABILITY_OPT_IN="http" if names == "stable" else "")
    server = t.serve(argv, env=env, preload=False)

    def spans():
        with open(path) as f:
            found = [json.loads(line) for line in f if line.endswith("\n")]
        return found if sum(s["kind"] == "SERVER" for s in found) == len(REQUESTS) else None

    send_all(t, server)
    found = wait_for("%d SERVER spans of the SDK" % len(REQUESTS), lambda: os.path.exists(path) and spans())
    server.stop()
    return found


def under_the_library(t, argv, names):
    capture = {"request_headers": ["x-tag"], "response_headers": ["x-answer"]}
    session = t.session(semantic_conventions=names, child_spans=True, routes_inference="off", capture=capture)
    server = t.serve(argv, session)
    wait_for("keeper and worker", lambda: len(exporters()) == 2)  # then the policy is in force, without it nothing is captured
    send_all(t, server)
    server.stop()
    wait_for("the exporter to end", lambda: not exporters())
    reap_strangers(set())
    return [{"name": s.name, "kind": s.kind, "trace_id": s.trace_id, "parent_span_id": s.parent_span_id,
             "status": s.status, "attributes": s.attributes} for s in read_spans(session.trace_file)]


def facts(span):
    """What is compared. Peer ports differ by nature: their type is compared. The SDKs write captured headers with
    underscores, under stable names too."""
    out = {"name": span["name"], "status": span["status"], "parent": span["parent_span_id"]}
    for key, value in span["attributes"].items():
        if key in ("network.peer.port", "net.peer.port"):
            value = type(value).__name__
        if ".header." in key:
            key = key.replace("-", "_")
        out[key] = value
    return out


def server_spans(spans):
    found = {int(s["trace_id"], 16) - 1: s for s in spans if s["kind"] == "SERVER"}
    assert sorted(found) == list(range(len(REQUESTS))), "not one SERVER span a request: %s" % sorted(found)
    return found


def compare_servers(theirs, ours, explained):
    """Lines for each difference without a reason, and for each reason without a difference."""
    lines, differ = [], {}
    for i, (label, _, _, _) in enumerate(REQUESTS):
        a, b = facts(theirs[i]), facts(ours[i])
        lines += ["%s: only they tell %s = %r" % (label, k, a[k]) for k in set(a) - set(b) - set(ONLY_THEIRS)]
        for key in set(a) & set(b):
            if a[key] == b[key]:
                continue
            differ.setdefault(key, set()).add(label)
            if label not in explained.get(key, ("", ()))[1]:
                lines.append("%s: %s is %r, ours %r" % (label, key, a[key], b[key]))
    for key, (why, labels) in explained.items():
        if differ.get(key, set()) != set(labels):
            lines.append("%s differs for %s, not %s (%s)" % (key, sorted(differ.get(key, ())), sorted(labels), why))
    return lines


def children(spans, i):
    """The kinds of INTERNAL spans of request i: (what, event, status code, status); each once."""
    return {(" ".join(s["name"].split()[-2:]), s["attributes"].get("asgi.event.type") or s["attributes"].get("type"),
             s["attributes"].get("http.response.status_code") or s["attributes"].get("http.status_code"), s["status"])
            for s in spans if s["kind"] == "INTERNAL" and int(s["trace_id"], 16) == i + 1}


def run(t, application, names):
    argv, env = APPLICATIONS[application]()
    theirs = under_the_sdk(t, argv, env, names)
    ours = under_the_library(t, argv, names)
    lines = compare_servers(server_spans(theirs), server_spans(ours), DIFFERENCES[application, names])
    if application == "asgi":
        for i, (label, _, _, _) in enumerate(REQUESTS):
            a, b = children(theirs, i), children(ours, i)
            if a != b:
                lines.append("%s: children %s, ours %s" % (label, sorted(a, key=str), sorted(b, key=str)))
    assert not lines, "\n".join(lines)


@limit(420)
def test_node_http_agrees_in_the_stable_names(t):
    run(t, "node", "stable")


@limit(420)
def test_node_http_agrees_in_the_names_of_2022(t):
    run(t, "node", "legacy")


@limit(420)
def test_asgi_agrees_in_the_stable_names(t):
    run(t, "asgi", "stable")


@limit(420)
def test_asgi_agrees_in_the_names_of_2022(t):
    run(t, "asgi", "legacy")
