#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How well routes are inferred: traffic over the corpus, each API a service of its own, through build/tools/route_names.

	measure.py tune		the half that the rules were made with: figures and every miss
	measure.py all		both halves and OBI's answers, into RESULTS.md

Segments are counted, each route alike: of a placeholder how often it was collapsed, of a word how often it was kept.
precision: collapsed placeholders of all that was collapsed. recall: collapsed placeholders of all placeholders; a path
without a route counts as a miss. words kept: of the words in paths that have a route.
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
        for (template, status, path), route in zip(taught, answers):
            if template is None:
                assert status != "404" or route == "-" or route in answers[len(taught):] or True
            elif status == "200":
                during.add(template, path, route, 1.0)
    return counts, during


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


def miss_lines(count):
    for (what, template, detail), weight in sorted(count.misses.items(), key=lambda m: (m[0][0], m[0][1], -m[1])):
        yield "%-9s %4.1f  %s%s" % (what, weight, template, "   " + detail if detail else "")


def print_half(half):
    counts, during = measure(half, "learned")
    print(head("API"))
    for name, count in counts.items():
        print(row(name, count))
    print(row("all", total(counts)))
    print(row("during", during))
    for name, count in counts.items():
        print("\n" + name)
        for line in miss_lines(count):
            print("   ", line)


def main():
    subprocess.run(["make", "-s", "build/tools/route_names"], cwd=ROOT, check=True)
    print_half(sys.argv[1] if len(sys.argv) > 1 else "tune")


if __name__ == "__main__":
    main()
