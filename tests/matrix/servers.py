# SPDX-License-Identifier: Apache-2.0
"""The servers of the matrix: one row for each script of tests/servers.

name: (what it is, {facts}). Facts: ci=True: in CI's selection; env: for the script; backend=True: a proxy; gap: why
there are no spans (and none may be seen), told: what btracectl doctor or the exporter says of that; programs: must be
installed; needs_root; npm: a package, by its version in scripts/versions; slow: seconds to start.
"""
HTTP = {
    "nginx": ("master and 2 workers, epoll, sendfile", dict(ci=True, env={"ECHO": "1"}, backend=True, programs=["nginx"])),
    "apache-event": ("processes × 27 threads", dict(ci=True, programs=["apache2"], needs_root=True)),
    "apache-worker": ("processes × threads", dict(ci=True, programs=["apache2"], needs_root=True)),
    "apache-prefork": ("one process a connection", dict(ci=True, programs=["apache2"], needs_root=True)),
    "lighttpd": ("one process, epoll", dict(ci=True, programs=["lighttpd"])),
    "h2o": ("2 event loop threads", dict(ci=True, programs=["h2o"])),
    "webfs": ("one process, select", dict(ci=True, programs=["webfsd"])),
    "busybox-httpd": ("fork per connection, dup2 to 0 and 1", dict(ci=True, programs=["busybox"])),
    "mini-httpd": ("fork per connection", dict(ci=True, programs=["mini_httpd"], needs_root=True)),
    "haproxy": ("2 threads, epoll, proxy", dict(ci=True, backend=True, programs=["haproxy"])),
    "varnish": ("closefrom, thread pools, proxy", dict(ci=True, backend=True, programs=["varnishd"])),
    "tinyproxy": ("thread per connection, MSG_PEEK, proxy", dict(ci=True, backend=True, programs=["tinyproxy"])),
    "squid": ("one process, proxy", dict(backend=True, programs=["squid"])),
    "py-httpserver": ("thread per connection", dict(ci=True)),
    "flask": ("werkzeug, thread per connection", dict(ci=True, modules=["werkzeug"])),
    "gunicorn-sync": ("master and workers", dict(ci=True, programs=["gunicorn"])),
    "gunicorn-gthread": ("workers with threads", dict(ci=True, programs=["gunicorn"])),
    "gunicorn-gevent": ("workers with greenlets", dict(ci=True, programs=["gunicorn"], modules=["gevent"])),
    "waitress": ("poll loop reads, threads write", dict(ci=True, modules=["waitress"])),
    "cheroot": ("thread pool", dict(ci=True, modules=["cheroot"])),
    "uwsgi": ("master and workers", dict(ci=True, programs=["uwsgi"])),
    "uvicorn-asyncio-h11": ("asyncio", dict(ci=True, modules=["uvicorn"])),
    "uvicorn-uvloop-httptools": ("libuv, closes by syscall()", dict(ci=True, modules=["uvicorn", "uvloop", "httptools"])),
    "hypercorn": ("multiprocessing, asyncio", dict(ci=True, modules=["hypercorn"])),
    "aiohttp": ("asyncio, sendfile", dict(ci=True, modules=["aiohttp"])),
    "tornado": ("asyncio", dict(ci=True, modules=["tornado"])),
    "twisted": ("its own reactor", dict(ci=True, modules=["twisted"])),
    "daphne": ("twisted, ASGI", dict(modules=["daphne"])),
    "node-http": ("libuv", dict(ci=True, programs=["node"])),
    "node-cluster": ("connections passed by SCM_RIGHTS", dict(ci=True, programs=["node"])),
    "node-express": ("libuv, express", dict(programs=["node", "npm"], npm="express")),
    "php-S": ("php's own server, poll", dict(ci=True, programs=["php"])),
    "puma": ("reactor and threads", dict(ci=True, programs=["puma"])),
    "unicorn": ("prefork", dict(ci=True, programs=["unicorn"])),
    "thin": ("EventMachine", dict(ci=True, programs=["thin"])),
    "webrick": ("thread per connection", dict(ci=True, path="/usr/share/doc/ruby-webrick")),
    "starman": ("Perl, prefork", dict(ci=True, programs=["starman"])),
    "jdk-httpserver": ("NIO and a pool", dict(ci=True, programs=["javac"], slow=90)),
    "tomcat10": ("acceptor, poller, pool", dict(programs=["java"], path="/usr/share/tomcat10", slow=90)),
    "jetty9": ("NIO selectors and a pool", dict(programs=["java"], path="/usr/share/jetty9", slow=90)),
    "inets": ("Erlang VM", dict(programs=["erl"])),
    "libmicrohttpd-epoll": ("C library, epoll thread", dict(ci=True, path="/usr/include/microhttpd.h")),
    "libmicrohttpd-thread": ("C library, thread per connection", dict(ci=True, path="/usr/include/microhttpd.h")),
    "libevent-evhttp": ("C library, readv and writev", dict(ci=True, path="/usr/include/event2/http.h")),
    "rust-hyper": ("tokio threads", dict(programs=["cargo"], path="/usr/share/cargo/registry", slow=400)),
    "caddy": ("Go", dict(programs=["caddy"], gap="Go makes raw system calls", told="is a Go program")),
    "go-nethttp": ("Go, static", dict(programs=["go"], gap="static: the library is not loaded", told="is a Go program",
                                           slow=300)),
    "micro-httpd-inetd": ("inetd, stdio on the socket",
                          dict(ci=True, programs=["inetutils-inetd"], gap="stdio inside libc",
                               told="no request seen on", needs_root=True)),
}
# no HTTP/1: their own clients get the same results, and there is not one span
CONTROLS = {
    "redis": dict(ci=True, programs=["redis-server", "redis-cli", "redis-benchmark"]),
    "memcached": dict(ci=True, programs=["memcached"]),
    "postgres": dict(ci=True, path="/usr/lib/postgresql", needs_root=True),
}
# scripts that the matrix leaves to others: HTTP/2 and TLS have tests of their own
ELSEWHERE = {"node-http2": "HTTP/2", "nghttpd": "HTTP/2", "stunnel": "TLS"}
