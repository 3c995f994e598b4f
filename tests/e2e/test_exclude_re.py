# SPDX-License-Identifier: Apache-2.0
"""excluded_urls decides as Python's re does (re.search, re.ASCII): random patterns and texts, fixed seed."""
import os
import random
import re
import subprocess
import warnings

from process import build_tool

SEED = int(os.environ.get("EXCLUDE_SEED", "20240501"))
PATTERNS = int(os.environ.get("EXCLUDE_PATTERNS", "4000"))
TEXTS = 24
# What we refuse although Python can do it; everything else refused must be an error there too.
REFUSED = ("not supported", "too large")

ATOMS = ["a", "b", "ab", "/", "-", "0", "7", "_", "A", "é", "漢", "😀", ".", "\\.", "\\d", "\\w", "\\s", "\\D", "\\W",
         "\\S", "[ab]", "[^a]", "[a-c0-9]", "[^/]", "[é-ü]", "[^é]", "[\\w-]", "[\\W]", "[^\\d\\s]", "[]a]", "[^]a]", "[a-]",
         "\\x61", "\\u00e9", "\\t", "\\n", "\\/", "[\\]\\\\]", "\\060", "[\\60-\\67]", "{", "}", "]", "a{", "{,", "[À-￿]",
         "[\\U00010000-\\U0010ffff]", "\n", "[\x20-~]", "(?:)", "()"]
ANCHORS = ["^", "$", "\\A", "\\Z", "\\b", "\\B"]
REPEATS = ["*", "+", "?", "{2}", "{1,2}", "{,2}", "{2,}", "{0}", "*?", "+?", "??", "{1,3}?", "{0,1}", "{,}"]
FLAGS = ["i", "s", "m", "x", "im", "a", "is", "i-s", "-i", "-ms"]
TEXT = ["a", "b", "c", "ab", "/", "-", "0", "7", "42", "_", "A", "B", "é", "É", "ü", "漢", "😀", " ", "\t", "\n", "\n", ".", "{", "}", "]",
        "\\", "\x00", "ÿ", "aa", "a/b", "http://h:3000/", "~"]


def atom(rng, depth):
    roll = rng.random()
    if depth and roll < 0.22:
        inner = alternation(rng, depth - 1)
        kind = rng.random()
        if kind < 0.35:
            return "(" + inner + ")"
        if kind < 0.75:
            return "(?:" + inner + ")"
        if kind < 0.85:
            return "(?P<n%d>%s)" % (rng.randrange(10 ** 9), inner)
        if kind < 0.95:
            return "(?%s:%s)" % (rng.choice(FLAGS), inner)
        return "(?#c)" + inner
    if roll < 0.32:
        return rng.choice(ANCHORS)
    return rng.choice(ATOMS)


def sequence(rng, depth):
    out = ""
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 3, 4, 5))):
        out += atom(rng, depth)
        if rng.random() < 0.25:
            out += rng.choice(REPEATS)
    return out


def alternation(rng, depth):
    return "|".join(sequence(rng, depth) for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3))))


def mangle(rng, pattern):
    """Patterns with mistakes in them."""
    at = rng.randrange(len(pattern) + 1)
    if rng.random() < 0.5:
        return pattern[:at] + pattern[at + 1:]
    return pattern[:at] + rng.choice("()[]{}*+?|\\^$.-,:<>=!#P1xi") + pattern[at:]


def random_pattern(rng):
    pattern = alternation(rng, 3)
    if rng.random() < 0.15:
        pattern = "(?%s)" % rng.choice(("i", "s", "m", "x", "im", "a")) + pattern
    while rng.random() < 0.2:
        pattern = mangle(rng, pattern)
    return pattern.replace("\0", "")


def random_text(rng):
    return "".join(rng.choice(TEXT) for _ in range(rng.choice((0, 1, 2, 3, 4, 6, 9))))


def oracle(pattern):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return re.compile(pattern, re.ASCII)
        except (re.error, OverflowError, RecursionError, ValueError):
            return None


def answers(lines):
    """What tests/tools/exclude_match says to them."""
    out = subprocess.run([build_tool("exclude_match")], input="\n".join(lines) + "\n",
                         stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout.splitlines()
    assert len(out) == len(lines), "%d answers to %d lines" % (len(out), len(lines))
    return out


def encode(text):
    return text.encode("utf-8", "surrogatepass").hex()


def compare(sets):
    """sets: [(patterns, texts)]; a set matches where any of its patterns does. How often what happened."""
    lines, asked = [], []
    for patterns, texts in sets:
        compiled = [oracle(p) for p in patterns]
        lines.append("P " + " ".join(encode(p) for p in patterns))
        asked.append((patterns, compiled, None))
        for text in texts:
            lines.append("T " + encode(text))
            asked.append((patterns, compiled, text))
    counts = {"same": 0, "matched": 0, "refused": 0, "errors": 0}
    state = None
    for answer, (patterns, compiled, text) in zip(answers(lines), asked):
        if text is None:
            state = answer
            refused = answer.startswith("error") and any(word in answer for word in REFUSED)
            if refused:
                counts["refused"] += 1
            elif answer.startswith("error"):
                counts["errors"] += 1
                assert None in compiled, "%r: %s" % (patterns, answer)
            else:
                assert None not in compiled, "%r is an error in Python" % (patterns,)
        elif not state.startswith("error"):
            hit = any(c.search(text) for c in compiled)
            assert (answer == "1") == hit, "%r on %r: %s" % (patterns, text, answer)
            counts["same"] += 1
            counts["matched"] += hit
    return counts


def test_random_patterns_decide_as_re_search(t):
    rng = random.Random(SEED)
    sets = []
    while len(sets) < PATTERNS:
        pattern = random_pattern(rng)
        if pattern:
            sets.append(([pattern], [random_text(rng) for _ in range(TEXTS)]))
    counts = compare(sets)
    assert counts["same"] > PATTERNS * TEXTS // 2 and counts["matched"] > PATTERNS * TEXTS // 20, counts
    assert PATTERNS // 100 < counts["errors"] < PATTERNS // 2 and counts["refused"] < PATTERNS // 10, counts


def test_sets_of_patterns_match_where_any_of_them_does(t):
    rng = random.Random(SEED + 1)
    sets = []
    while len(sets) < PATTERNS // 20:
        patterns = [p for p in (random_pattern(rng) for _ in range(4)) if p and oracle(p)]
        literals = [re.escape("".join(rng.choice("ab/c0") for _ in range(rng.randrange(2, 6)))) for _ in range(4)]
        chosen = patterns[:rng.randrange(3)] + literals
        rng.shuffle(chosen)
        sets.append((chosen, [random_text(rng) for _ in range(TEXTS)]))
    compare(sets)


def test_a_thousand_literals_are_one_automaton(t):
    rng = random.Random(SEED + 2)
    words = ["".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789-_/") for _ in range(rng.randrange(6, 14)))
             for _ in range(1000)]
    texts = ["http://127.0.0.1:3000/" + rng.choice(words)[:rng.choice((99, 99, 4))] + "/x" for _ in range(500)]
    assert compare([([re.escape(w) for w in words], texts)])["same"] == 500
