# SPDX-License-Identifier: Apache-2.0
"""What the README tells people to type works as it stands."""
import os
import re

from harness import ROOT, free_port


def readme():
    with open(os.path.join(ROOT, "README.md")) as f:
        return f.read()


def test_links_and_pictures_are_there_and_small(t):
    targets = re.findall(r"\]\(([^)#:]+)\)", readme())
    assert "packaging/doc/report.png" in targets
    for target in targets:
        assert os.path.exists(os.path.join(ROOT, target)), target
    assert os.path.getsize(os.path.join(ROOT, "packaging/doc/report.png")) < 150 * 1024


def test_commands_and_options_exist(t):
    # what stands in backticks or as a line of its own
    texts = re.findall(r"`([^`\n]+)`", readme()) + re.findall(r"^    (\S.*?)(?:\s{2,}#.*)?$", readme(), re.M)
    calls = [c for text in texts for c in re.findall(r"(?:^|\s|/)btracectl ([a-z]+)([^|;&]*)", text)]
    assert len(calls) > 10, calls
    for name, rest in calls:
        p = t.run([t.ctl, name, "--help"])
        assert p.returncode == 0, "btracectl %s" % name
        for option in re.findall(r"(?:^|\s)(--?[a-z][a-z-]*)", rest.split(" -- ")[0]):
            assert re.search(r"(^|[ ,])%s\b" % re.escape(option), p.stdout.decode(), re.M), (name, option)


def test_the_first_five_minutes(t):
    t.need("curl")
    block = re.search(r"^## Five minutes\n(.*?)^!\[", readme(), re.M | re.S).group(1)
    lines = [line[4:] for line in block.splitlines() if line.startswith("    ")]
    assert lines and "make" in lines.pop(0)  # that has been done
    port = str(free_port())
    script = "set -m\n" + "\n".join(lines).replace("build/btracectl", t.ctl).replace("8000", port)
    script = script.replace("http.server &", "http.server %s &" % port)
    wait = "until curl -s -o /dev/null http://localhost:%s/; do sleep 0.1; done\n" % port
    script = script.replace("curl http", wait + "curl http", 1)
    p = t.run(["bash", "-c", script])
    assert p.returncode == 0, p.stderr.decode()
    text = p.stdout.decode()
    assert "GET /nothing-there" in text and "404" in text and "ROUTE" in text, text
    assert os.path.getsize(t.path("report.html")) > 10000
