# SPDX-License-Identifier: Apache-2.0
"""A WSGI application that asks $ASK_PORT for what it is asked itself, through a pool of urllib3, and answers with the
answer."""
import os

import urllib3

pool = urllib3.HTTPConnectionPool("127.0.0.1", int(os.environ["ASK_PORT"]), maxsize=8, retries=False)


def app(environ, start_response):
    body = environ["wsgi.input"].read()
    target = environ["PATH_INFO"] + ("?" + environ["QUERY_STRING"] if environ["QUERY_STRING"] else "")
    answer = pool.request(environ["REQUEST_METHOD"], target, body=body or None)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer.data)))])
    return [answer.data]
