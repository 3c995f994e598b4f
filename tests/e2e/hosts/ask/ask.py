#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ask.py LIBRARY PORT N: N requests over a kept connection, every third a POST; prints the bodies of the answers."""
import asyncio
import http.client
import sys

library, port, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
url = "http://127.0.0.1:%s/%s%%d?n=%%d" % (port, library)


def how(i):
    return ("POST", b"x" * i * 100) if i % 3 == 1 else ("GET", None)


def http_client():
    c = http.client.HTTPConnection("127.0.0.1", int(port))
    for i in range(n):
        method, body = how(i)
        c.request(method, (url % (i, i)).split(port, 1)[1], body)
        print(c.getresponse().read().decode())


def urllib3():
    import urllib3
    pool = urllib3.PoolManager()
    for i in range(n):
        method, body = how(i)
        print(pool.request(method, url % (i, i), body=body).data.decode())


async def aiohttp():
    import aiohttp
    async with aiohttp.ClientSession() as session:
        async def one(i):
            method, body = how(i)
            async with session.request(method, url % (i, i), data=body) as answer:
                return await answer.text()
        print("\n".join(await asyncio.gather(*map(one, range(n)))))


asyncio.run(aiohttp()) if library == "aiohttp" else {"http.client": http_client, "urllib3": urllib3}[library]()
