# SPDX-License-Identifier: Apache-2.0
"""make demo: what a newcomer sees first. Twice in a row, as root and as a user; nothing may be left."""
import collections
import os
import shutil
import subprocess

from harness import ROOT, clean_environment, descendants, limit, read_spans

NOBODY = 65534
SERVER, CLIENT = "SERVER", "CLIENT"
KEEP = {"libbtrace.so", "btrace-exporter", "btracectl", "so", "exe", "gen", "exports.map", "libexporter.a", "libctl.a",
        "libshim.a"}


def copy_of_the_tree(t, owner):
    """The sources and what was built of them, with their times: make has nothing to do."""
    tree = t.path("tree")

    def ignore(directory, names):
        if directory == ROOT:
            return {n for n in names if n.startswith(".git")}
        return {n for n in names if n not in KEEP} if directory == os.path.join(ROOT, "build") else set()
    shutil.copytree(ROOT, tree, ignore=ignore, symlinks=True)
    if owner:
        subprocess.run(["chown", "-R", str(owner), tree], check=True)
    return tree


def demo(t, tree, owner):
    how = {"user": owner, "group": owner, "extra_groups": []} if owner else {}
    done = subprocess.run(["make", "demo"], cwd=tree, env=clean_environment(HOME=tree), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, **how)
    assert done.returncode == 0, done.stdout
    assert not descendants(), "left running: %s" % descendants()
    return done.stdout


def check(output, tree):
    spans = read_spans(os.path.join(tree, "build", "demo", "btrace-traces.jsonl"))
    seen = collections.Counter((s.resource["service.name"], s.kind, s.status_code) for s in spans)
    asked = {200: 4, 201: 1, 404: 1, 500: 1}  # nginx answers one request by itself, the others it asks gunicorn
    wanted = {(*who, status): n for who in (("nginx", SERVER), ("nginx", CLIENT), ("gunicorn", SERVER))
              for status, n in asked.items()}
    wanted["nginx", SERVER, 200] += 1
    assert seen == wanted, "%s\n%s" % (seen, output)
    assert len({s.trace_id for s in spans}) == 8, "one trace a request"
    for wanted in ("GET /roast", "POST /orders", "404", "500", "8 traces", "build/demo/btrace-traces.jsonl"):
        assert wanted in output, "%r is not in\n%s" % (wanted, output)


@limit(120)
def test_demo_as_root_twice(t):
    t.need_root()
    tree = copy_of_the_tree(t, None)
    for _ in range(2):
        check(demo(t, tree, None), tree)


@limit(120)
def test_demo_as_a_user_twice(t):
    owner = NOBODY if os.geteuid() == 0 else None
    tree = copy_of_the_tree(t, owner)
    for _ in range(2):
        check(demo(t, tree, owner), tree)
