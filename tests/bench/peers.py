#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers: servers under OpenTelemetry's own auto-instrumentation, in the same rounds as under ours.

	make bench-peers	installs them into build/bench/peers, from npm and PyPI, at the versions of tests/bench/peers

make bench measures them where they are installed and says so where they are not. They export what they record to the
same receiver as we do, OTLP over HTTP in protobuf, spans only.
"""
import os
import shutil
import subprocess
import sys

from measure import BUILD, HERE

WHERE = os.path.join(BUILD, "bench", "peers")
OTEL = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_SERVICE_NAME": "bench",
        "OTEL_NODE_RESOURCE_DETECTORS": "env,host,os,process"}  # the others ask the networks of clouds
SAMPLERS = {"OpenTelemetry, 100 %": "always_on", "OpenTelemetry, 0 %": "always_off"}
WAYS = ("plain", "100 %") + tuple(SAMPLERS)

NODE = """const http = require('http');
http.createServer((q, r) => { r.writeHead(200, {'Content-Length': 12}); r.end('hello world\\n'); })
    .listen(%d, '127.0.0.1');
"""
FLASK = """import logging
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, run_simple
logging.getLogger('werkzeug').disabled = True
WSGIRequestHandler.protocol_version = 'HTTP/1.1'
app = Flask(__name__)
@app.get('/')
def hello():
    return 'hello world'
run_simple('127.0.0.1', %d, app, threaded=True)
"""


class Peer:
    """A server that is started plainly, with us, or with a peer."""

    def __init__(self, name, text, connections, program, instrumented, installed, **env):
        self.name, self.text, self.connections, self.env = name, text, connections, env
        self.program, self.instrumented = program, instrumented
        self.missing = next((f for f in installed if not os.path.exists(f)), None)

    def serve(self, bench, way, port):
        script = bench.script(self.name, port, self.text)
        env = {**OTEL, **self.env, "OTEL_TRACES_SAMPLER": SAMPLERS.get(way, ""),
               "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:%d" % bench.sink.port}
        argv = self.instrumented if way in SAMPLERS else self.program
        return bench.serve([*argv, script], way, port=port, peer=env if way in SAMPLERS else {})


def peers():
    node = shutil.which("node") or "node"
    modules = os.path.join(WHERE, "node_modules")
    venv = os.path.join(WHERE, "venv", "bin")
    python = os.path.join(venv, "python")
    register = os.path.join(modules, "@opentelemetry", "auto-instrumentations-node", "build", "src", "register.js")
    return [Peer("node hello world", NODE, 16, [node], [node, "--require", register], [register]),
            Peer("Flask hello world", FLASK, 4, [python], [os.path.join(venv, "opentelemetry-instrument"), python],
                 [os.path.join(venv, "opentelemetry-instrument")])]


def install():
    place = os.path.join(HERE, "peers")
    os.makedirs(WHERE, exist_ok=True)
    shutil.copy(os.path.join(place, "package.json"), WHERE)
    subprocess.run(["npm", "install", "--prefix", WHERE, "--no-audit", "--no-fund", "--no-package-lock", "--silent"],
                   check=True)
    subprocess.run(["/usr/bin/python3", "-m", "venv", os.path.join(WHERE, "venv")], check=True)
    subprocess.run([os.path.join(WHERE, "venv", "bin", "pip"), "install", "--quiet", "--disable-pip-version-check",
                    "-r", os.path.join(place, "requirements.txt")], check=True)


if __name__ == "__main__":
    sys.exit(install() if sys.argv[1:] == ["--install"] else __doc__)
