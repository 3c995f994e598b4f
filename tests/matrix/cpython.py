# SPDX-License-Identifier: Apache-2.0
"""Runs modules of CPython's own test suite (Debian: libpython3.11-testsuite) and writes what came of each test.

	cpython.py RESULTS MODULE|TEST... [-CLASS|-TEST ...]

-: without these.

A line of RESULTS is `<ok|failed|skipped> <test id>`, written when the test ends, so that a test which ends the process
is seen as missing. Details of failures go to stderr. Tests that need more than this machine (support.use_resources)
do not run.
"""
import sys
import unittest


class Result(unittest.TextTestResult):
    """A test may fail in several of its parts: what it comes to is written once, when it ends."""
    path = ""

    def startTest(self, test):
        self.word = "ok"
        super().startTest(test)

    def say(self, word, test):
        with open(self.path, "a") as f:
            f.write("%s %s\n" % (word, getattr(test, "id", lambda: str(test))()))

    def stopTest(self, test):
        super().stopTest(test)
        self.say(self.word, test)
        self.word = None

    word = None

    def note(self, word, test):
        if self.word is None:  # a class or a module cannot be set up: there is no test
            self.say(word, test)
        elif self.word != "failed":
            self.word = word

    def addError(self, test, err):
        super().addError(test, err)
        self.note("failed", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note("failed", test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note("failed", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note("skipped", test)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note("failed", test)


def chosen(suite, without):
    """The tests of a suite, flat, in their order. Fixtures of classes and modules are kept by their neighbourhood."""
    for test in suite:
        if isinstance(test, unittest.BaseTestSuite):
            yield from chosen(test, without)
        elif not any(test.id() == w or test.id().startswith(w + ".") for w in without):
            yield test


def main():
    from test import support
    names = [name for name in sys.argv[2:] if name[0] != "-"]
    without = [name[1:] for name in sys.argv[2:] if name[0] == "-"]
    # this module asks for a "network" to run at all, and stays on loopback; others would ask name servers
    support.use_resources = ["network"] if "test_socketserver" in names[0] else []
    Result.path = sys.argv[1]
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    sys.argv[1:] = []
    unittest.TextTestRunner(stream=sys.stderr, verbosity=2, resultclass=Result).run(
        unittest.TestSuite(chosen(suite, without)))


if __name__ == "__main__":
    main()
