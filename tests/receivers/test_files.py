# SPDX-License-Identifier: Apache-2.0
"""The receivers that need no server: files with rotation, and the terminal."""
import glob
import os
import re

import rows
from harness import read_spans

TIER = "receivers"
MAX = 200000


def test_rotated_files_together_have_every_span_once(t):
    session = t.session(exporter_type="file", file={"path": t.path("spans.jsonl"), "max_bytes": MAX, "max_files": 50},
                        batch={"max_spans": 20})
    server = t.serve("nginx", session, env=rows.QUIET)
    exchanges = rows.load(server.address, rows.plan(), connections=8)
    server.stop()
    session.finish()
    files = glob.glob(t.path("spans.jsonl*"))
    assert len(files) > 3, files
    for path in files:
        assert os.path.getsize(path) <= MAX, "%s: %d bytes" % (path, os.path.getsize(path))
    rows.check_spans(exchanges, [s for path in files for s in read_spans(path)])


def test_console_has_a_line_for_each_request(t):
    session = t.session(exporter_type=["console", "file"])
    server = t.serve("nginx", session, env=rows.QUIET)
    exchanges = rows.load(server.address, rows.plan(), connections=8)
    server.stop()
    spans, ledger = session.finish()
    rows.check_spans(exchanges, spans)
    lines = [line for line in server.text().splitlines() if re.match(r"\d\d:\d\d:\d\d\.\d{3} ", line)]
    assert len(lines) == ledger["exporters"]["console"]["sent"] == rows.REQUESTS, (len(lines), ledger)
    ids = {s.trace_id for s in spans}
    assert all(line.split()[-1] in ids for line in lines), lines[:3]
    for status in (200, 404, 502):
        want = sum(e.status == status for e in exchanges)
        assert sum(" %d " % status in line[:70] for line in lines) == want, (status, want, lines[:10])
