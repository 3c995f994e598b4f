#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How well routes are inferred: traffic over the corpus, each API a service of its own, through build/tools/route_names.

	measure.py tune [API]	the half that the rules were made with: figures and every miss
	measure.py all		both halves and OBI's answers, into RESULTS.md
	measure.py check	fails if the figures are worse than those of RESULTS.md

Segments are counted, each route alike: of a placeholder how often it was collapsed, of a word how often it was kept.
precision: placeholders of all that was collapsed. recall: collapsed placeholders of all placeholders; a path without a
route counts as a miss. words kept: of the words in paths that have a route.
"""
import collections
import os
import random
import re
import subprocess
import sys

import corpus

ROOT = os.path.dirname(os.path.dirname(corpus.HERE))
TOOL = os.path.join(ROOT, "build", "tools", "route_names")
EACH = 10          # requests for each route that are looked at
TRAFFIC = 2000     # requests before that
NOISE = 0.05
LOST = 0.03        # requests for things that are not there


def traffic(api, rng, n):
    noise = corpus.noise()
    weights = [1.0 / (1 + rng.randrange(len(api.templates))) for _ in api.templates]
    for template in rng.choices(api.templates, weights, k=n):
        roll = rng.random()
        if roll < NOISE:
            status, path = rng.choice(noise)
            yield None, status, path
        else:
            yield template, "404" if roll < NOISE + LOST and "{" in template else "200", api.values.path(template, rng)


def ask(mode, requests):
    lines = ["NEW " + mode] + ["%s GET %s" % (status, path) for _, status, path in requests]
    out = subprocess.run([TOOL], input="\n".join(lines) + "\n", stdout=subprocess.PIPE, check=True, encoding="utf-8")
    answers = out.stdout.splitlines()
    assert len(answers) == len(requests), (len(answers), len(requests))
    return answers


def segments(path):
    return [s for s in path.split("/") if s]


def is_collapsed(segment):
    return "{" in segment


class Count:
    def __init__(self):
        self.ids = self.ids_collapsed = self.words = self.words_kept = self.requests = self.named = self.exact = 0.0
        self.words_named = 0.0
        self.misses = collections.Counter()

    def add(self, template, path, route, weight):
        self.requests += weight
        wanted, came = segments(template), segments(route)
        if route == "-":
            lost = sum(is_collapsed(s) for s in wanted)
            self.ids += lost * weight
            self.words += (len(wanted) - lost) * weight
            self.misses["no route", template, ""] += weight
            return
        self.named += weight
        exact = len(wanted) == len(came)
        asked = segments(path)
        for i, want in enumerate(wanted):
            got = came[i] if i < len(came) else ""
            right = self.segment(want, got, weight)
            exact = exact and right
            if not right:
                what = "destroyed" if not is_collapsed(want) else "leaked"
                self.misses[what, template, "%s -> %s" % (asked[i], got)] += weight
        self.exact += weight * exact

    def segment(self, want, got, weight):
        if is_collapsed(want):
            self.ids += weight
            around = [p for p in re.split(r"\{\w+\}", want) if len(re.sub(r"\W", "", p)) > 1]
            self.ids_collapsed += weight * is_collapsed(got)
            kept = sum(p in got for p in around)
            self.words += weight * len(around)
            self.words_named += weight * len(around)
            self.words_kept += weight * kept
            return is_collapsed(got) and kept == len(around)
        self.words += weight
        self.words_named += weight
        self.words_kept += weight * (got == want)
        return got == want

    def merge(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def figures(self):
        wrong = self.words_named - self.words_kept
        return {
            "precision": self.ids_collapsed / max(1e-9, self.ids_collapsed + wrong),
            "recall": self.ids_collapsed / max(1e-9, self.ids),
            "words kept": self.words_kept / max(1e-9, self.words_named),
            "routes exact": self.exact / self.requests,
            "named": self.named / self.requests,
        }


def measure(half, mode, before=TRAFFIC, seed=1):
    """({api: Count after the traffic}, Count over the traffic itself)"""
    counts, during = {}, Count()
    for api in corpus.apis(half):
        rng = random.Random("%s %d" % (api.name, seed))
        taught = list(traffic(api, rng, before))
        asked = [(t, "200", api.values.path(t, rng)) for t in api.templates for _ in range(EACH)]
        answers = ask(mode, taught + asked)
        count = counts[api.name] = Count()
        for (template, _, path), route in zip(asked, answers[len(taught):]):
            count.add(template, path, route, 1.0 / EACH)
        made = set()
        for (template, status, path), route in zip(taught, answers):
            if status == "200":
                made.add(route)
                during.add(template, path, route, 1.0)
            assert route == "-" or route in made, "%s made %s with %s" % (path, route, status)
    return counts, during


def mean(results):
    """Of several ({api: Count}, Count)."""
    counts, during = collections.defaultdict(Count), Count()
    for some, other in results:
        for name, count in some.items():
            counts[name].merge(count)
        during.merge(other)
    return dict(counts), during


def total(counts):
    all_apis = Count()
    for count in counts.values():
        all_apis.merge(count)
    return all_apis


NAMES = ("precision", "recall", "words kept", "routes exact", "named")


def row(name, count):
    figures = count.figures()
    return "| %s | " % name + " | ".join("%.3f" % figures[n] for n in NAMES) + " |"


def head(first):
    return "| %s | " % first + " | ".join(NAMES) + " |\n|" + "---|" * (len(NAMES) + 1)


def miss_lines(count, scale=1.0):
    for (what, template, detail), weight in sorted(count.misses.items(), key=lambda m: (m[0][0], m[0][1], -m[1])):
        yield "%-9s %5.2f  %s%s" % (what, weight * scale, template, "   " + detail if detail else "")


def print_half(half, only):
    counts, during = measure(half, "learned")
    print(head("API"))
    for name, count in counts.items():
        print(row(name, count))
    print(row("all", total(counts)))
    print(row("during", during))
    for name, count in counts.items():
        if only in (None, name):
            print("\n" + name)
            for line in miss_lines(count):
                print("   ", line)


def obi_rows():
    for line in corpus.content(os.path.join(corpus.HERE, "obi.txt")):
        path, theirs, right = line.split("\t")
        if right != "?":
            yield path, theirs, right


def obi():
    """(OBI's Count, ours), each path the first request of a service of its own."""
    theirs, ours = Count(), Count()
    rows = list(obi_rows())
    lines = [line for path, _, _ in rows for line in ("NEW learned", "200 GET " + path)]
    out = subprocess.run([TOOL], input="\n".join(lines) + "\n", stdout=subprocess.PIPE, check=True, encoding="utf-8")
    for (path, their, right), our in zip(rows, out.stdout.splitlines()):
        right = right.replace("*", "{id}")
        theirs.add(right, path, their.replace("*", "{id}"), 1.0)
        ours.add(right, path, our, 1.0)
    return theirs, ours


RESULTS = os.path.join(corpus.HERE, "RESULTS.md")
SEEDS = 5


def publish(out):
    routes = {half: sum(len(a.templates) for a in corpus.apis(half)) for half in ("tune", "publish")}
    out("# Route inference, measured\n")
    out("Written by `tests/routes/measure.py all`; what the figures mean stands there. %d routes to tune the rules on,"
        % routes["tune"])
    out("%d to publish figures of: no rule and no word was added for a miss listed here. Each API is a service" %
        routes["publish"])
    out("of its own that gets %d requests, %d %% of them scanners' and %d %% for things that are not there; then" %
        (TRAFFIC, NOISE * 100, LOST * 100))
    out("each route is asked for %d times with new values. Mean of %d rounds of traffic.\n" % (EACH, SEEDS))
    results = {}
    for half in ("publish", "tune"):
        counts, during = mean([measure(half, "learned", seed=s) for s in range(1, SEEDS + 1)])
        results[half] = counts
        out("## The %s half\n" % half)
        out(head("API"))
        for name, count in counts.items():
            out(row(name, count))
        out(row("**all**", total(counts)))
        out(row("during the traffic, each request alike", during) + "\n")
    out("## With less and more traffic, and by looks alone (publish half)\n")
    out(head("requests to each API"))
    for before in (0, 50, 200, 20000):
        out(row("%d" % before, total(measure("publish", "learned", before)[0])))
    out(row("%d, `routes_inference: typed`" % TRAFFIC, total(measure("publish", "typed")[0])) + "\n")
    theirs, ours = obi()
    out("## Beside OBI\n")
    out("The %d paths of `obi.txt` of which one can tell what is right without seeing the server; each the first request"
        % int(ours.requests))
    out("of a service. OBI v0.12.0's answers are as measured.\n")
    out(head("rule"))
    out(row("OBI", theirs))
    out(row("libbtrace", ours) + "\n")
    out("Ours that are not right:\n\n```")
    for line in miss_lines(ours):
        out(line)
    out("```\n\n## Every miss of the publish half\n")
    out("How many of a route's requests in one; `leaked`: an id was kept, `destroyed`: a word was taken for an id.\n\n```")
    for name, count in results["publish"].items():
        for line in miss_lines(count, 1.0 / SEEDS):
            out("%-14s %s" % (name, line))
    out("```")


def recorded():
    """{half: [precision, recall, ...] of all its APIs} as RESULTS.md has them."""
    figures, half = {}, None
    with open(RESULTS, encoding="utf-8") as f:
        for line in f:
            if line.startswith("## The ") and line.endswith(" half\n"):
                half = line.split()[2]
            elif line.startswith("| **all** |"):
                figures[half] = [float(cell) for cell in line.split("|")[2:-1]]
    return figures


def check():
    """Neither half is worse than published, and the publish half reaches what the project aims at."""
    published = recorded()
    for half in ("publish", "tune"):
        counts, _ = mean([measure(half, "learned", seed=s) for s in range(1, SEEDS + 1)])
        figures = total(counts).figures()
        print("%s: " % half + ", ".join("%s %.3f" % (name, figures[name]) for name in NAMES))
        for name, before in zip(NAMES, published[half]):
            assert figures[name] >= before - 0.001, "%s half: %s was %.3f, is %.4f" % (half, name, before, figures[name])
        if half == "publish":
            assert figures["precision"] >= 0.97 and figures["recall"] >= 0.95, figures


def main():
    subprocess.run(["make", "-s", "build/tools/route_names"], cwd=ROOT, check=True)
    what = sys.argv[1] if len(sys.argv) > 1 else "tune"
    if what == "check":
        check()
    elif what == "all":
        with open(RESULTS, "w", encoding="utf-8") as f:
            publish(lambda line: print(line, file=f))
    else:
        print_half(what, sys.argv[2] if len(sys.argv) > 2 else None)


if __name__ == "__main__":
    main()
