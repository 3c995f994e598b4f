# SPDX-License-Identifier: Apache-2.0
"""The Python application of the demo: a small shop, plain WSGI, without a line about tracing."""
import json
import time

MENU = {"espresso": 2.2, "cappuccino": 3.1, "ristretto": 2.4}


def menu(environ):
    return "200 OK", MENU


def item(environ):
    name = environ["PATH_INFO"].rsplit("/", 1)[1]
    return ("200 OK", {name: MENU[name]}) if name in MENU else ("404 Not Found", {"error": "no such coffee"})


def order(environ):
    wanted = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    return "201 Created", {"total": sum(MENU[name] for name in wanted)}


def roast(environ):
    time.sleep(0.4)
    return "200 OK", {"beans": "roasted"}


def app(environ, start_response):
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    try:
        handler = {("GET", "/menu"): menu, ("POST", "/orders"): order, ("GET", "/roast"): roast}.get((method, path), item)
        status, answer = handler(environ)
    except KeyError:  # an order for what is not on the menu: the bug which the traces show
        status, answer = "500 Internal Server Error", {"error": "out of order"}
    body = json.dumps(answer).encode() + b"\n"
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
