# SPDX-License-Identifier: Apache-2.0
"""The servers of the matrix: one row for each script of tests/servers.

name: (what it is, {facts}). Facts: ci=True: in CI's selection; env: for the script; backend=True: a proxy; gap: why
there are no spans (and none may be seen); programs: must be installed; needs_root; slow: seconds to start.
"""
HTTP = {
    "nginx": ("master and 2 workers, epoll, sendfile", dict(ci=True, env={"ECHO": "1"}, backend=True, programs=["nginx"])),
    "apache-event": ("processes × 27 threads", dict(ci=True, programs=["apache2"], needs_root=True)),
    "apache-worker": ("processes × threads", dict(programs=["apache2"], needs_root=True)),
    "apache-prefork": ("one process a connection", dict(programs=["apache2"], needs_root=True)),
    "lighttpd": ("one process, epoll", dict(ci=True, programs=["lighttpd"])),
    "haproxy": ("2 threads, epoll, proxy", dict(ci=True, backend=True, programs=["haproxy"])),
    "busybox-httpd": ("fork per connection, dup2 to 0 and 1", dict(ci=True, programs=["busybox"])),
    "mini-httpd": ("fork per connection", dict(ci=True, programs=["mini_httpd"], needs_root=True)),
    "py-httpserver": ("thread per connection", dict(ci=True)),
    "gunicorn-sync": ("master and workers", dict(ci=True, programs=["gunicorn"])),
    "gunicorn-gthread": ("workers with threads", dict(ci=True, programs=["gunicorn"])),
    "gunicorn-gevent": ("workers with greenlets", dict(programs=["gunicorn"], modules=["gevent"])),
    "uvicorn-asyncio-h11": ("asyncio", dict(ci=True, modules=["uvicorn"])),
    "uvicorn-uvloop-httptools": ("libuv, closes by syscall()", dict(ci=True, modules=["uvicorn", "uvloop", "httptools"])),
    "aiohttp": ("asyncio, sendfile", dict(modules=["aiohttp"])),
    "node-http": ("libuv", dict(ci=True, programs=["node"])),
    "node-cluster": ("connections passed by SCM_RIGHTS", dict(ci=True, programs=["node"])),
    "node-express": ("libuv, express", dict(programs=["node", "npm"])),
    "php-S": ("php's own server, poll", dict(ci=True, programs=["php"])),
    "puma": ("reactor and threads", dict(ci=True, programs=["puma"])),
    "jdk-httpserver": ("NIO and a pool", dict(ci=True, programs=["javac"], slow=90)),
    "tomcat10": ("acceptor, poller, pool", dict(programs=["java"], path="/usr/share/tomcat10", slow=90)),
    "libmicrohttpd-epoll": ("C library, epoll thread", dict(ci=True, path="/usr/include/microhttpd.h")),
    "libmicrohttpd-thread": ("C library, thread per connection", dict(path="/usr/include/microhttpd.h")),
    "libevent-evhttp": ("C library, readv and writev", dict(ci=True, path="/usr/include/event2/http.h")),
    "rust-hyper": ("tokio threads", dict(programs=["cargo"], path="/usr/share/cargo/registry", slow=300)),
    "caddy": ("Go", dict(programs=["caddy"], gap="Go makes raw system calls")),
    "go-nethttp": ("Go, static", dict(programs=["go"], gap="static: the library is not loaded", slow=300)),
    "micro-httpd-inetd": ("inetd, stdio on the socket",
                          dict(programs=["inetutils-inetd"], gap="stdio inside libc", needs_root=True)),
}
# no HTTP/1: their own clients get the same results, and there is not one span
CONTROLS = {
    "redis": dict(ci=True, programs=["redis-server", "redis-cli", "redis-benchmark"]),
    "memcached": dict(programs=["memcached"]),
    "postgres": dict(path="/usr/lib/postgresql", needs_root=True),
}
# scripts that the matrix leaves to others: HTTP/2 and TLS have tests of their own
ELSEWHERE = {"node-http2": "HTTP/2", "nghttpd": "HTTP/2", "stunnel": "TLS"}
