#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the end-to-end tests: functions test_* of the files test_*.py beside this one and in ../matrix.

	run.py [-k WORD] [--tier NAME] [--list] [-v] [-j N] [FILE...]

Each test runs in a process of its own, under a time limit, and all that it leaves behind is ended after it. The last
line is `N passed, N failed, N skipped`. With BTRACE_TEST_REQUIRE=all a skipped test is a failure.
"""
import argparse
import concurrent.futures
import importlib.util
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDERS = [HERE] + [os.path.join(os.path.dirname(HERE), d) for d in ("matrix", "receivers")]
sys.path[:0] = FOLDERS

import harness  # noqa: E402
import process  # noqa: E402

LIMIT = 60


def test_files():
    return [os.path.join(d, f) for d in FOLDERS for f in sorted(os.listdir(d)) if f.startswith("test_") and f.endswith(".py")]


def discover(files, tier, word):
    for path in files or test_files():
        spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, function in list(vars(module).items()):
            if not name.startswith("test_") or not callable(function):
                continue
            belongs = getattr(function, "tier", getattr(module, "TIER", "e2e"))
            label = "%s.%s" % (module.__name__[5:], name[5:])
            if (files or tier in (belongs, "all")) and (not word or word in label):
                yield label, function


def child(function, directory, stage, result):
    """In the process of the test: runs it and writes [outcome, text] to the file `result`."""
    os.setpgid(0, 0)
    # a shell starts what it puts into the background with SIGINT ignored, nohup does so with SIGHUP
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    process.become_subreaper()
    test = harness.Test(directory, stage)
    try:
        function(test)
        outcome = ["passed", ""]
    except harness.Skip as e:
        outcome = ["skipped", str(e)]
    except BaseException as e:
        outcome = ["failed", "".join(traceback.format_exception(e))]
        for server in test.servers:
            text = server.text()
            if text:
                outcome[1] += "--- output of %s ---\n%s\n" % (server.name, text[-3000:])
    try:
        complaint = test.close()
    except Exception:
        complaint = traceback.format_exc()
    if complaint:
        outcome = ["failed", outcome[1] + complaint]
    with open(result, "w") as f:
        json.dump(outcome, f)


def run_one(label, function, base, stage):
    """In a thread: forks the test, waits for it under its limit. (label, outcome, text, seconds)"""
    directory = os.path.join(base, label)
    os.makedirs(directory)
    os.chmod(directory, 0o755)
    begin = time.monotonic()
    result = os.path.join(base, label + ".result")  # no pipe, whose end a test started meanwhile would hold as well
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            log = os.open(os.path.join(directory, "output"), os.O_WRONLY | os.O_CREAT, 0o644)
            os.dup2(log, 1)
            os.dup2(log, 2)
            child(function, directory, stage, result)
        finally:
            os._exit(0)
    seconds = getattr(function, "limit", LIMIT)
    try:
        process.wait_for(label, lambda: os.waitpid(pid, os.WNOHANG)[0], seconds)
        try:
            with open(result) as f:
                outcome, text = json.load(f)
        except (OSError, ValueError):
            outcome, text = "failed", "the test's process died"
    except TimeoutError:
        text = "no end after %d s; running:\n%s" % (seconds, "\n".join(map(str, process.descendants(pid))))
        outcome = "failed"
        for p in process.descendants(pid)[::-1]:
            try:
                os.kill(p.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with open(os.path.join(directory, "output"), errors="replace") as f:
        printed = f.read()
    if outcome == "failed" and printed:
        text += "--- printed ---\n" + printed[-3000:]
    if outcome != "failed":
        shutil.rmtree(directory, ignore_errors=True)
    return label, outcome, text, time.monotonic() - begin


def give_up():
    """Told to end: ends all that the tests have started first."""
    for p in process.descendants()[::-1]:
        try:
            os.kill(p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    print("told to end before all tests were done", flush=True)
    os._exit(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-k", default="", metavar="WORD", help="only tests whose name holds WORD")
    parser.add_argument("--tier", default="e2e", help="which tier (default e2e; 'all')")
    parser.add_argument("--list", action="store_true", help="only show the names")
    parser.add_argument("-v", action="store_true", help="show each test as it ends")
    parser.add_argument("-j", type=int, default=1, help="so many at a time")
    parser.add_argument("--keep", action="store_true", help="keep the directories of failed tests")
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    tests = list(discover(args.files, args.tier, args.k))
    if args.list:
        print("\n".join(label for label, _ in tests))
        return 0
    base = tempfile.mkdtemp(prefix="btrace-e2e.")
    os.chmod(base, 0o755)
    stage = harness.make_stage(os.path.join(base, "stage"))
    process.become_subreaper()
    signal.signal(signal.SIGTERM, lambda *_: give_up())
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    strict = os.environ.get("BTRACE_TEST_REQUIRE") == "all"
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run_one, *t, base, stage) for t in tests]):
            label, outcome, text, seconds = done.result()
            if outcome == "skipped" and strict:
                outcome, text = "failed", "skipped, but BTRACE_TEST_REQUIRE=all: " + text
            counts[outcome] += 1
            if outcome != "passed" or args.v:
                print("  %-7s %s (%.1f s)%s" % (outcome, label, seconds, ": " + text if outcome == "skipped" else ""))
            if outcome == "failed":
                print("".join("    %s\n" % line for line in text.rstrip().splitlines()), flush=True)
    if not args.keep:
        shutil.rmtree(base, ignore_errors=True)
    elif counts["failed"]:
        print("kept: %s" % base)
    print("%d passed, %d failed, %d skipped" % (counts["passed"], counts["failed"], counts["skipped"]))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
