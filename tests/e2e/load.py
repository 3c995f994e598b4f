# SPDX-License-Identifier: Apache-2.0
"""Load for tests in which something dies: clients that go on, and know of each request what became of it."""
import random
import threading
import time

from client import Connection, ProtocolError


class Load:
    """Threads that ask, each on its own connection, and connect again when it breaks. Every target is unique."""

    def __init__(self, port, clients=8, slow_ms=20, pause=0.0):
        self.port, self.slow_ms, self.pause = port, slow_ms, pause
        self.complete, self.broken = [], []  # exchanges
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        rng, count, log, connection = random.Random(number), 0, [], None
        while not self.over.is_set():
            try:
                connection = connection or Connection(("127.0.0.1", self.port), log, timeout=30)
                count += 1
                slow = "&ms=%d" % rng.randrange(self.slow_ms) if rng.random() < 0.3 and self.slow_ms else ""
                connection.get("/c%d?n=%d%s" % (number, count, slow))
            except (OSError, ProtocolError):
                if connection:
                    connection.close()
                else:
                    time.sleep(0.01)  # nobody listens just now
                connection = None
            self.keep(log)
            if self.pause:
                time.sleep(self.pause)
        if connection:
            connection.close()

    def keep(self, log):
        with self.lock:
            for e in log:
                (self.complete if e.complete else self.broken).append(e)
        log.clear()

    def count(self):
        with self.lock:
            return len(self.complete)

    def wait_for_more(self, more, timeout=60):
        """Until so many more responses have come; False if they do not."""
        want, end = self.count() + more, time.monotonic() + timeout
        while self.count() < want:
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client hangs"
        return self.complete, self.broken
