# SPDX-License-Identifier: Apache-2.0
"""git, curl, wget, apt, node and Java, each the same plain and under the library; exact spans where they are served."""
import hashlib
import os
import shutil
import subprocess

from harness import ROOT, limit, make_docroot
from programs import check_logged, four_ways, lighttpd, logged, record

TIER = "servers"
HOSTS = os.path.join(ROOT, "tests", "e2e", "hosts")
BACKEND = "/usr/lib/git-core/git-http-backend"
ECHO = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\nX-Length: %s\\r\\n\\r\\n' \"$CONTENT_LENGTH\"\ncat\n"


def tree(directory, without=()):
    """{path: hash} of all files below."""
    out = {}
    for base, _, files in os.walk(directory):
        for name in files:
            path = os.path.join(base, name)
            if not any(w in path for w in without):
                with open(path, "rb") as f:
                    out[os.path.relpath(path, directory)] = hashlib.sha256(f.read()).hexdigest()
    return out


def site(way):
    """What lighttpd serves: the usual files, and a CGI program that sends back what it got."""
    root = os.path.join(way.work, "root")
    make_docroot(root)
    for name in ("small.txt", "index.html", "large.bin"):
        os.utime(os.path.join(root, name), (1700000000, 1700000000))
    with open(os.path.join(root, "echo.cgi"), "w") as f:
        f.write(ECHO)
    os.chmod(os.path.join(root, "echo.cgi"), 0o755)
    return lighttpd(way, 'cgi.assign = (".cgi" => "")\n')


# --- git ---

GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", "-c", "protocol.version=2"]


def git_story(way, url):
    """Clone, push, fetch, a shallow clone, and what is refused; what each command said."""
    env = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
           "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}
    said = []

    def git(*args):
        said.append(way.run(GIT + list(args), env=env, timeout=120))

    git("clone", "-q", url + "/a.git", "one")
    for i in range(3):
        with open(os.path.join(way.work, "one", "file%d" % i), "wb") as f:  # too much for one POST with a length
            f.write(b"".join(hashlib.sha256(b"%d.%d" % (i, n)).digest() for n in range(40000)))
        git("-C", "one", "add", ".")
        git("-C", "one", "commit", "-q", "-m", "number %d" % i)
    git("-C", "one", "push", "-q", "origin", "HEAD:main")
    git("clone", "-q", url + "/a.git", "two")
    git("-C", "two", "log", "--format=%H %s")
    git("-C", "two", "commit", "-q", "--allow-empty", "-m", "of two")
    git("-C", "two", "push", "-q", "origin", "HEAD:main", "HEAD:refs/tags/t1")
    git("-C", "one", "fetch", "-q", "--tags")
    git("-C", "one", "rev-parse", "origin/main", "t1")
    git("-C", "one", "commit", "-q", "--allow-empty", "-m", "not on top")
    git("-C", "one", "push", "-q", "origin", "HEAD:main")
    git("clone", "-q", "--depth", "1", url + "/a.git", "three")
    git("-C", "three", "rev-list", "--all", "--count")
    git("ls-remote", url + "/a.git")
    git("ls-remote", url + "/nothing.git")
    git("-C", "two", "fsck", "--full")
    return said


@limit(300)
def test_git_clones_pushes_and_fetches_over_http(t):
    t.need("git", "lighttpd")
    if not os.path.exists(BACKEND):
        t.skip("git-http-backend is not installed")
    rows = {}

    def scenario(way):
        repository = os.path.join(way.work, "root", "a.git")
        way.run(GIT + ["init", "-q", "--bare", repository])
        way.run(GIT + ["-C", repository, "config", "http.receivepack", "true"])
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "www-data", repository], check=True)
        server = lighttpd(way, 'alias.url = ("/git" => "%s")\n$HTTP["url"] =~ "^/git" {\ncgi.assign = ("" => "")\n'
                          'setenv.set-environment = ("GIT_PROJECT_ROOT" => "%s/root", "GIT_HTTP_EXPORT_ALL" => "1", '
                          '"HOME" => "%s")\n}\n' % (BACKEND, way.work, way.work))
        said = git_story(way, "http://127.0.0.1:%d/git" % way.port)
        server.stop()
        rows[way.name] = logged(server)
        assert [s[0] for s in said].count(0) == len(said) - 2, said
        return said, [row[:3] for row in rows[way.name]]  # the length of packs differs from run to run
    for way in four_ways(t, scenario):
        if way.session:
            check_logged(way, "git", rows[way.name])
    assert {(m, s) for m, _, s, _ in rows["all"]} >= {("GET", 200), ("POST", 200), ("GET", 404)}, rows["all"]


# --- curl and wget ---

CURLS = """
{u}/small.txt
-0 {u}/small.txt
-I {u}/large.bin
-r 0-9 {u}/large.bin
-r 100000-200000 {u}/large.bin
-r -7 {u}/large.bin
-r 99999999- {u}/large.bin
-C 3000000 {u}/large.bin
-d a=b {u}/echo.cgi
-d @root/large.bin {u}/echo.cgi
--data-binary @root/large.bin -H Expect:100-continue {u}/echo.cgi
--data-binary @root/large.bin -H Expect: {u}/echo.cgi
-T root/small.txt {u}/echo.cgi
-T - {u}/echo.cgi
-X POST -T - {u}/echo.cgi
-X POST -H Transfer-Encoding:chunked --data-binary @root/large.bin {u}/echo.cgi
-F one=1 -F file=@root/small.txt -H Content-Type:text/plain {u}/echo.cgi
-T root/small.txt {u}/small.txt
-X OPTIONS {u}/small.txt
-X DELETE {u}/small.txt
-G -d q=1 -d r=2 {u}/small.txt
--compressed {u}/large.bin
-H Connection:close {u}/small.txt {u}/small.txt
{u}/small.txt {u}/index.html {u}/large.bin {u}/nothing {u}/small.txt
{u}/small.txt?n=[1-25]
-I {u}/small.txt {u}/index.html --next {u}/small.txt --next -d x=y {u}/echo.cgi
-f {u}/nothing
-z 2030-01-01 {u}/small.txt
-z 2001-01-01 {u}/small.txt
--path-as-is {u}/../small.txt
-x {u} http://elsewhere.example/small.txt
--max-filesize 1000 {u}/large.bin
--limit-rate 20M {u}/large.bin
-L -e http://here/ -A agent -b c=d -u user:secret {u}/small.txt
--raw -i {u}/echo.cgi
--no-keepalive --tcp-nodelay {u}/small.txt
--tcp-fastopen {u}/small.txt
--interface 127.0.0.1 -4 {u}/small.txt
--connect-timeout 5 -m 20 --retry 2 {u}/nothing
--tr-encoding {u}/small.txt
""".strip().splitlines()


@limit(300)
def test_curl_with_many_options(t):
    t.need("curl", "lighttpd")
    rows = {}

    def scenario(way):
        server, out = site(way), []
        for number, line in enumerate(CURLS):
            argv = ["curl", "-q", "-sS", "-D", "head%d" % number, "-w", "%{http_code} %{size_download} %{num_connects}\\n",
                    *line.format(u="http://127.0.0.1:%d" % way.port).split()]
            status, body, err = way.run(argv, input=b"typed in", stdin=None)
            with open(os.path.join(way.work, "head%d" % number), "rb") as f:
                head = way.same(f.read())
            out.append((line, status, hashlib.sha256(body).hexdigest(), body[-200:], err, head))
        server.stop()
        rows[way.name] = logged(server)
        return out, [row[:3] for row in rows[way.name]]
    for way in four_ways(t, scenario):
        if way.session:
            check_logged(way, "curl", rows[way.name])


WGETS = """
{u}/small.txt
-c {u}/large.bin
--spider {u}/large.bin
--spider {u}/nothing
-r -l 2 -nH -P tree {u}/index.html
--post-data=a=b -O posted {u}/echo.cgi
--post-file=root/large.bin -O sent {u}/echo.cgi
--method=PUT --body-file=root/small.txt -O put {u}/echo.cgi
-N {u}/small.txt
-N {u}/small.txt
--no-http-keep-alive -O both {u}/small.txt {u}/index.html
-O kept {u}/small.txt {u}/index.html {u}/large.bin {u}/nothing {u}/small.txt
--start-pos=3000000 -O tail {u}/large.bin
-e http_proxy={u} -O proxied http://elsewhere.example/small.txt
""".strip().splitlines()


@limit(200)
def test_wget_with_many_options(t):
    t.need("wget", "lighttpd")
    rows = {}

    def scenario(way):
        server = site(way)
        out = [way.run(["wget", "-nv", "--no-config", *line.format(u="http://127.0.0.1:%d" % way.port).split()],
                       env={"TZ": "UTC"})[:2] for line in WGETS]
        server.stop()
        rows[way.name] = logged(server)
        return out, tree(way.work, without=("access.log",)), [row[:3] for row in rows[way.name]]
    for way in four_ways(t, scenario):
        if way.session:
            check_logged(way, "wget", rows[way.name])


# --- apt ---

def repository(root, packages):
    """A flat one of empty packages, unsigned."""
    index = []
    for i in range(packages):
        name = "p%02d" % i
        tree_of = os.path.join(root, name)
        os.makedirs(tree_of + "/DEBIAN")
        control = "Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: %s\n" % (name, "x" * (1 + 100 * i))
        with open(tree_of + "/DEBIAN/control", "w") as f:
            f.write(control)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree_of, tree_of + ".deb"], check=True, stdout=subprocess.DEVNULL,
                       env={"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": "1700000000"})
        shutil.rmtree(tree_of)
        with open(tree_of + ".deb", "rb") as f:
            data = f.read()
        index.append("%sFilename: ./%s.deb\nSize: %d\nSHA256: %s\n" % (control, name, len(data), hashlib.sha256(data).hexdigest()))
    with open(os.path.join(root, "Packages"), "w") as f:
        f.write("\n".join(index))
    for name in os.listdir(root):
        os.utime(os.path.join(root, name), (1700000000, 1700000000))


def apt_settings(way):
    for name in ("lists/partial", "cache/archives/partial", "etc/preferences.d"):
        os.makedirs(os.path.join(way.work, name))
    open(os.path.join(way.work, "status"), "w").close()
    with open(os.path.join(way.work, "sources"), "w") as f:
        f.write("deb [trusted=yes] http://127.0.0.1:%d ./\n" % way.port)
    settings = {"Dir::Etc": way.work + "/etc/", "Dir::Etc::sourcelist": way.work + "/sources", "Dir::Etc::sourceparts": "/dev/null",
                "Dir::State::lists": way.work + "/lists/", "Dir::State::status": way.work + "/status",
                "Dir::Cache": way.work + "/cache/", "Dir::Log": way.work + "/", "APT::Sandbox::User": "root",
                "APT::Architecture": "amd64", "Acquire::Languages": "none", "Acquire::http::Proxy": "DIRECT", "quiet": "2"}
    path = os.path.join(way.work, "apt.conf")
    with open(path, "w") as f:
        f.write("".join('%s "%s";\n' % pair for pair in settings.items()))
    return {"APT_CONFIG": path}


@limit(200)
def test_apt_updates_and_downloads(t):
    """Its http method asks for ten files at once on one connection."""
    t.need("apt-get", "dpkg-deb", "lighttpd")
    rows = {}

    def scenario(way):
        root = make_docroot(os.path.join(way.work, "root"))
        repository(root, 15)
        server = lighttpd(way, "")
        env = apt_settings(way)
        said = [way.run(["apt-get", "update"], env=env), way.run(["apt-get", "update"], env=env),
                way.run(["apt-get", "download"] + ["p%02d" % i for i in range(15)], env=env),
                way.run(["apt-get", "download", "nothing"], env=env)]
        server.stop()
        rows[way.name] = logged(server)
        assert [s[0] for s in said] == [0, 0, 0, 100], said
        return said, tree(way.work, without=("access.log", "output", "apt.conf", "pkgcache.bin")), sorted(row[:3] for row in rows[way.name])
    for way in four_ways(t, scenario):
        if way.session:
            check_logged(way, "apt", rows[way.name])
    assert len([row for row in rows["all"] if row[1].endswith(".deb") and row[2] == 200]) == 15, rows["all"]


# --- server and clients in one process ---

def alone(t, program, argv, status):
    """A program that serves itself; as many spans as it says. Beside another one, which is there first."""
    def scenario(way):
        other = way.serve([os.path.join(HOSTS, "host.py"), "{port}"])
        done = way.run(argv, timeout=100)
        other.stop()
        assert done[0] == status and b"served" in done[1], done
        return done
    ways = four_ways(t, scenario)
    served, asked = (int(n) for n in scenario(ways[0])[1].split()[-3::2])
    for way in ways:
        if not way.session:
            continue
        spans, ledger = way.session.finish(40)
        server = [s for s in spans if s.kind == "SERVER"]
        assert len(server) == ledger["requests"] == served, (way.name, served, ledger)
        if way.name == "all":
            client = {s.span_id: s for s in spans if s.kind == "CLIENT"}
            assert len(client) == ledger["client"]["requests"] == asked, (asked, ledger)
            lost = [s for s in server if s.parent_span_id not in client or client[s.parent_span_id].trace_id != s.trace_id]
            record("programs", program, {"requests": served, "server": len(server), "client": len(client)})
            assert not lost, lost


@limit(200)
def test_node_against_itself(t):
    t.need("node")
    alone(t, "node", ["node", os.path.join(HOSTS, "self.js")], 0)


@limit(400)
def test_java_against_itself(t):
    t.need("javac")
    alone(t, "java", ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", os.path.join(HOSTS, "Self.java")], 7)
