# SPDX-License-Identifier: Apache-2.0
"""A browser for tests: chromedriver by the WebDriver protocol (W3C), standard library only.

	with Browser(directory) as b:
	    b.open("file:///tmp/report.html")
	    b.click("#theme")
	    b.keys("j")
	    assert b.js("return document.title") == "x"
"""
import base64
import http.client
import json
import os
import re
import shutil
import subprocess
import time

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Escape": "\ue00c", "Enter": "\ue007", "ArrowDown": "\ue015", "ArrowUp": "\ue013", "ArrowLeft": "\ue012",
        "ArrowRight": "\ue014", "Tab": "\ue004", "PageDown": "\ue00f", "Home": "\ue011", "End": "\ue010",
        "Shift": "\ue008"}


def available():
    return shutil.which("chromium") and shutil.which("chromedriver")


class BrowserError(Exception):
    pass


class Browser:
    def __init__(self, directory, size=(1440, 900), dark=False, timezone="UTC"):
        self.profile = os.path.join(directory, "chromium")
        environment = dict(os.environ, TZ=timezone, HOME=directory)
        for name in [n for n in environment if n.lower().endswith("_proxy")]:
            del environment[name]
        self.driver = subprocess.Popen([shutil.which("chromedriver"), "--port=0"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
        self.session = None
        try:
            self.port = self._read_port()
            flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1",
                     "--user-data-dir=" + self.profile, "--window-size=%d,%d" % size]
            if dark:
                flags.append("--force-dark-mode")
            answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
                "goog:chromeOptions": {"binary": shutil.which("chromium"), "args": flags}}}})
            self.session = answer["sessionId"]
            self.cdp("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False)
            self.scheme("dark" if dark else "light")
        except BaseException:
            self.close()
            raise

    def _read_port(self):
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found.group(1))
        raise BrowserError("chromedriver did not start")

    def _call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(answer, dict) and "error" in answer:
            raise BrowserError("%s: %s" % (answer["error"], answer.get("message", "").splitlines()[0]))
        return answer

    def call(self, method, path, body=None):
        return self._call(method, "/session/%s%s" % (self.session, path), body)

    def cdp(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def scheme(self, name):
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def js(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, condition, seconds=30):
        """Until the JavaScript expression is true; returns its value."""
        end = time.monotonic() + seconds
        while True:
            value = self.js("return (%s)" % condition)
            if value:
                return value
            if time.monotonic() > end:
                raise BrowserError("never true: %s" % condition)
            time.sleep(0.02)

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", "/element/%s/click" % self.find(selector), {})

    def type(self, selector, text):
        self.call("POST", "/element/%s/value" % self.find(selector), {"text": text})

    def keys(self, *names):
        """Pressed one after the other, in whatever has the focus."""
        actions = []
        for name in names:
            value = KEYS.get(name, name)
            actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def drag(self, selector, start, end):
        """Over an element, from one pair of shares of its size to another."""
        box = self.js("const r = document.querySelector(arguments[0]).getBoundingClientRect(); return [r.x, r.y, r.width, r.height]", selector)

        def point(share, milliseconds):
            return {"type": "pointerMove", "duration": milliseconds, "x": round(box[0] + share[0] * box[2]),
                    "y": round(box[1] + share[1] * box[3])}
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [
            point(start, 0), {"type": "pointerDown", "button": 0}, point(end, 60), {"type": "pointerUp", "button": 0}]}]})

    def text(self, selector):
        return self.js("return document.querySelector(arguments[0]).innerText", selector)

    def texts(self, selector):
        return self.js("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", selector)

    def complaints(self):
        """What the page wrote to its console as an error, violations of its policy among it."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"}) if entry["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("GET", "/screenshot")))

    def close(self):
        if self.session:
            try:
                self.call("DELETE", "")
            except (OSError, BrowserError):
                pass
        self.driver.terminate()
        self.driver.wait()
        self.driver.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
