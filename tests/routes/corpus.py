#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The corpus of routes: tune-*.txt and publish-*.txt beside this file, with values-*.txt for their placeholders.

A route's line is its template, a tab and one concrete path. `corpus.py` alone checks that all agree; `corpus.py --examples`
writes the concrete paths anew.
"""
import os
import random
import re
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
PLACEHOLDER = re.compile(r"\{(\w+)\}")
TOKEN = re.compile(r"\[(\^?[^\]]+)\]|\(([^)]*)\)|(.)")
COUNT = re.compile(r"\{(\d+)(?:,(\d+))?\}")


def members(text):
    out, i = [], 0
    while i < len(text):
        if i + 2 < len(text) and text[i + 1] == "-":
            out += [chr(c) for c in range(ord(text[i]), ord(text[i + 2]) + 1)]
            i += 3
        else:
            out.append(text[i])
            i += 1
    return out


def make(pattern, rng):
    out, at = [], 0
    while at < len(pattern):
        m = TOKEN.match(pattern, at)
        at = m.end()
        low = high = 1
        counted = COUNT.match(pattern, at)
        if counted:
            low = int(counted.group(1))
            high = int(counted.group(2) or low)
            at = counted.end()
        for _ in range(rng.randint(low, high)):
            if m.group(1):
                out.append(rng.choice(members(m.group(1))))
            elif m.group(2):
                out.append(rng.choice(m.group(2).split("|")))
            else:
                out.append(m.group(3))
    return "".join(out)


class Values:
    def __init__(self, lines):
        self.kinds = {}
        for line in lines:
            name, rest = line.split(":", 1)
            kind, *args = rest.split(" ")[1:]
            self.kinds[name] = (kind, args)
            if kind == "list":
                weights = [1.0 / (i + 3) for i in range(len(args))]
                self.kinds[name] = (kind, (args, weights))

    def one(self, name, rng):
        kind, args = self.kinds[name]
        if kind == "int":
            return str(rng.randint(int(args[0]), int(args[1])))
        if kind == "make":
            return make(" ".join(args), rng)
        if kind == "uuid":
            return str(uuid.UUID(int=rng.getrandbits(128), version=4))
        assert kind == "list", kind
        return rng.choices(*args)[0]

    def path(self, template, rng):
        return PLACEHOLDER.sub(lambda m: self.one(m.group(1), rng), template)


def content(path):
    with open(path, encoding="utf-8") as f:
        return [line.rstrip("\n") for line in f if line.strip() and not line.startswith("#")]


class Api:
    def __init__(self, half, path):
        self.path = path
        self.name = os.path.basename(path)[len(half) + 1:-4]
        common = content(os.path.join(HERE, "values-%s.txt" % half))
        lines = content(path)
        self.values = Values(common + [line for line in lines if not line.startswith("/")])
        routes = [line.split("\t") for line in lines if line.startswith("/")]
        self.templates = [r[0] for r in routes]
        self.examples = [r[1] if len(r) > 1 else None for r in routes]


def apis(half):
    names = sorted(n for n in os.listdir(HERE) if n.startswith(half + "-") and n.endswith(".txt"))
    return [Api(half, os.path.join(HERE, n)) for n in names]


def noise():
    return [tuple(line.split(" ", 1)) for line in content(os.path.join(HERE, "noise.txt"))]


def write_examples(api, rng):
    with open(api.path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    for i, line in enumerate(lines):
        if line.startswith("/"):
            template = line.split("\t")[0]
            lines[i] = template + "\t" + api.values.path(template, rng)
    with open(api.path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))


def check(api):
    for template, example in zip(api.templates, api.examples):
        shape = ".+".join(re.escape(part) for part in PLACEHOLDER.split(template)[::2])
        assert example and re.fullmatch(shape, example), "%s: %s is not like %s" % (api.name, example, template)
    assert len(set(api.templates)) == len(api.templates), "%s: a route twice" % api.name


def main():
    rng = random.Random(1)
    total = 0
    for half in ("tune", "publish"):
        for api in apis(half):
            if sys.argv[1:] == ["--examples"]:
                write_examples(api, rng)
            else:
                check(api)
            total += len(api.templates)
    print("%d routes, %d noise paths" % (total, len(noise())))


if __name__ == "__main__":
    main()
