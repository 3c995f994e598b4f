# SPDX-License-Identifier: Apache-2.0
"""The Debian package and the bundle: installed, and tracing as they would be used.

Tier packages: on this machine; the package is really installed and removed again, so only CI does that. Tier roots: in
empty Debian systems made by debootstrap (`make roots`), which takes a mirror, root's rights and some minutes.
"""
import glob
import http.client
import json
import os
import re
import shutil
import subprocess

from harness import ROOT, free_port, limit, listening, tier, wait_for
from process import descendants

TIER = "packages"
PACKAGES = os.path.join(ROOT, "build", "packages")
CI = os.environ.get("CI") or os.environ.get("BTRACE_TEST_REQUIRE") == "all"

CONFIG = "tracing: {exporter_type: file, sample_rate: 1, file: {path: %s}}\n"

NGINX = """
error_log %(root)s/error.log error;
pid %(root)s/nginx.pid;
events {}
http {
    access_log off;
    server { listen 127.0.0.1:%(port)d; location / { return 200 "ok"; } }
}
"""

SERVER = r"""
use IO::Socket::INET;
my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], ReuseAddr => 1) or die $!;
for (1 .. $ARGV[1]) {
    my $c = $s->accept or die $!;
    while (<$c>) { last if /^\r?\n/ }
    print $c "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    close $c;
}
"""


def get(port, path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    c.request("GET", path)
    c.getresponse().read()
    c.close()


def package(t):
    found = glob.glob(os.path.join(PACKAGES, "btrace_*.deb"))
    if not found:
        t.skip("`make deb` has not been run")
    return found[0]


def bundle(t):
    if not os.path.exists(os.path.join(PACKAGES, "btrace", "libbtrace.so")):
        t.skip("`make bundle` has not been run")
    return os.path.join(PACKAGES, "btrace")


def spans_of(path):
    n = 0
    with open(path) as f:
        for line in f:
            for r in json.loads(line)["resourceSpans"]:
                n += sum(len(s["spans"]) for s in r["scopeSpans"])
    return n


# --- the package ---

def test_the_package_has_everything_in_its_place(t):
    names = t.run(["dpkg-deb", "-c", package(t)], check=True).stdout.decode()
    multiarch = t.run(["dpkg-architecture", "-qDEB_HOST_MULTIARCH"], check=True).stdout.decode().strip()
    for name in ("usr/lib/%s/libbtrace.so" % multiarch, "usr/libexec/btrace/btrace-exporter", "usr/bin/btracectl",
                 "usr/share/man/man1/btracectl-doctor.1.gz", "usr/share/bash-completion/completions/btracectl",
                 "usr/share/doc/btrace/examples/btrace.example.yml", "usr/share/doc/btrace/examples/systemd/btrace.conf",
                 "usr/include/btrace.h", "usr/lib/%s/pkgconfig/btrace.pc" % multiarch,
                 "usr/lib/python3/dist-packages/btrace.py", "usr/share/doc/btrace/examples/own/thumbnails.c",
                 "usr/share/doc/btrace/copyright", "usr/share/doc/btrace/changelog.Debian.gz"):
        assert " ./%s\n" % name in names, (name, names)
    assert "root/root" in names and not re.search(r" \./etc/| \./usr/local", names), names
    fields = t.run(["dpkg-deb", "-f", package(t), "Depends"], check=True).stdout.decode()
    for library in "libc6 (>= 2.", "libyaml-0-2", "libcurl", "libprotobuf-c1", "zlib1g":
        assert library in fields, fields


def test_lintian_has_no_complaint(t):
    t.need("lintian")
    p = t.run(["lintian", "--allow-root", "--fail-on", "error,warning", package(t)], timeout=120)
    assert p.returncode == 0 and not re.search(rb"^[EW]:", p.stdout, re.M), p.stdout.decode()


def install_and_trace(t, run, root, port):
    """nginx as its unit starts it, with the drop-in's environment. `run` runs a command in `root`."""
    with open(os.path.join(ROOT, "packaging", "systemd", "btrace.conf")) as f:
        environment = dict(re.findall(r"^Environment=(\w+)=(\S+)", f.read(), re.M))
    assert set(environment) == {"LD_PRELOAD", "BTRACE_CONFIG"} and environment["LD_PRELOAD"] == "libbtrace.so"
    work = root + t.directory
    os.makedirs(work, exist_ok=True)
    with open(os.path.join(work, "nginx.conf"), "w") as f:
        f.write(NGINX % {"root": t.directory, "port": port})
    with open(os.path.join(work, "btrace.yml"), "w") as f:
        f.write(CONFIG % "out.jsonl")
    environment.update(BTRACE_CONFIG=os.path.join(t.directory, "btrace.yml"),
                       BTRACE_LEDGER=os.path.join(t.directory, "ledger.json"), PATH="/usr/sbin:/usr/bin:/sbin:/bin")
    settings = ["env", "-i"] + ["%s=%s" % pair for pair in environment.items()]
    nginx = ["/usr/sbin/nginx", "-c", os.path.join(t.directory, "nginx.conf")]
    p = run(["btracectl", "doctor", "--user", "www-data", "-c", environment["BTRACE_CONFIG"], "nginx"])
    assert b"dynamically linked to glibc" in p.stdout, p
    p = run([*settings, *nginx, "-g", "daemon on; master_process on;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert p.returncode == 0, p
    wait_for("nginx", lambda: listening(port), 30)
    for i in range(20):
        get(port, "/%d" % i)
    p = run(["btracectl", "ps", "--json"])
    assert p.returncode == 0 and any(s["config"] == environment["BTRACE_CONFIG"] for s in map(json.loads, p.stdout.splitlines())), p
    assert run([*nginx, "-s", "quit"]).returncode == 0
    wait_for("the account", lambda: os.path.exists(os.path.join(work, "ledger.json")), 60)
    with open(os.path.join(work, "ledger.json")) as f:
        ledger = json.load(f)
    assert ledger["requests"] == ledger["taken"] == ledger["exporters"]["file"]["sent"] == 20, ledger
    assert spans_of(os.path.join(work, "out.jsonl")) == 20


@limit(240)
def test_the_package_installs_traces_nginx_and_is_gone_when_removed(t):
    t.need_root()
    t.need("nginx")
    if not CI:
        t.skip("only CI installs the package on the machine itself; see `make roots`")
    if t.run(["dpkg", "-s", "btrace"]).returncode == 0:
        t.skip("a package btrace is installed already")
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    p = t.run(["dpkg", "-i", package(t)], env=path, timeout=120)
    try:
        assert p.returncode == 0, p.stderr.decode()
        files = t.run(["dpkg", "-L", "btrace"], env=path, check=True).stdout.decode().split("\n")
        install_and_trace(t, lambda argv, **how: t.run(argv, env=path, **how), "", free_port())
        assert t.run(["bash", "-c", "source /usr/share/bash-completion/completions/btracectl"]).returncode == 0
    finally:
        p = t.run(["dpkg", "-P", "btrace"], env=path, timeout=120)
    assert p.returncode == 0, p.stderr.decode()
    left = [f for f in files if os.path.isfile(f)]
    assert len(files) > 20 and not left, left


# --- the bundle ---

def test_the_bundle_uses_none_of_the_systems_libraries(t):
    home = t.path("moved/elsewhere")
    shutil.copytree(bundle(t), home, symlinks=True)
    poison = t.path("poison")
    os.mkdir(poison)
    for name in os.listdir(os.path.join(home, "runtime")):
        if name.startswith(("libcurl.", "libyaml-", "libprotobuf-c.", "libz.", "libssl.", "libcrypto.")):
            with open(os.path.join(poison, name), "w") as f:
                f.write("not a library\n")
    port, log = free_port(), t.path("trace.jsonl")
    poisoned = {"LD_LIBRARY_PATH": poison, "PATH": "/usr/bin:/bin"}
    ctl = os.path.join(home, "btracectl")
    assert t.run([ctl, "--version"], env=poisoned).returncode == 0
    server = t.spawn([ctl, "run", "--exporter", "file=" + log, "--", "perl", "-e", SERVER, str(port), "3"], env=poisoned)
    wait_for("the server", lambda: listening(port), 60)

    def exporter():
        for p in descendants():
            try:
                with open("/proc/%d/comm" % p.pid) as f:
                    if f.read() == "btrace-exporter\n":
                        with open("/proc/%d/maps" % p.pid) as maps:
                            return maps.read()
            except FileNotFoundError:
                pass
        return None
    get(port, "/1")
    maps = wait_for("the exporter", exporter, 60)
    files = {line.split(None, 5)[5] for line in maps.splitlines() if len(line.split(None, 5)) == 6}
    strange = [f for f in files if f.startswith("/") and not f.startswith((home, "/memfd:", "/dev/zero", "/SYSV"))]
    assert not strange and any("libcurl" in f for f in files), files
    get(port, "/2")
    get(port, "/3")
    assert server.wait(60) == 0 and spans_of(log) == 3
    for library in os.listdir(os.path.join(home, "runtime")):
        if library.startswith("libcurl"):
            assert any("curl" in name for name in os.listdir(os.path.join(home, "share", "licenses")))


def test_the_bundle_says_where_its_header_is_wherever_it_lies(t):
    home = t.path("moved")
    shutil.copytree(bundle(t), home, symlinks=True)
    p = t.run(["pkg-config", "--cflags", "--libs", "btrace"], env={"PKG_CONFIG_PATH": os.path.join(home, "share/pkgconfig")})
    assert p.returncode == 0, p
    example = os.path.join(ROOT, "tests", "examples", "own", "thumbnails.c")
    t.run(["cc", "-o", t.path("example"), example, "-pthread", *p.stdout.decode().split()], check=True)
    p = t.run(["/usr/bin/python3", "-c", "import btrace; print(btrace.available)"],
              env={"PYTHONPATH": os.path.join(home, "share/python"), "LD_PRELOAD": os.path.join(home, "libbtrace.so")})
    assert p.stdout == b"True\n", p


def test_the_dockerfile_takes_what_the_makefile_makes(t):
    with open(os.path.join(ROOT, "packaging", "container", "Dockerfile")) as f:
        text = f.read()
    targets = re.findall(r"\bmake (\w+)", text)
    makefile = open(os.path.join(ROOT, "Makefile")).read()
    assert targets and all(re.search(r"^%s:" % name, makefile, re.M) for name in targets), targets
    source = re.search(r"^COPY --from=build /src/(\S+) ", text, re.M).group(1)
    assert os.path.join(ROOT, source) == bundle(t), source
    part = re.search(r"scripts/setup (\w+)", text).group(1)
    assert re.search(r"^\s+%s\)" % part, open(os.path.join(ROOT, "scripts", "setup")).read(), re.M), part


# --- in empty systems ---

class Root:
    def __init__(self, t, suite):
        t.need_root()
        t.need("debootstrap", "unshare")
        self.t, self.path = t, t.path("root")
        p = t.run([os.path.join(ROOT, "packaging", "roots", "make"), suite, self.path], cwd=ROOT, timeout=400)
        if p.returncode == 3:
            t.skip(p.stderr.decode().strip().splitlines()[-1])
        assert p.returncode == 0, p.stderr.decode()
        for name in "/etc/resolv.conf", "/etc/hosts":
            if os.path.exists(name):
                shutil.copy(name, self.path + name)

    def command(self, argv):
        """With /proc and /dev of its own; the mounts are gone with the process."""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"', self.path, *argv]

    def run(self, argv, **how):
        return self.t.run(self.command(argv), **how)


def bundle_in(t, suite):
    root = Root(t, suite)
    shutil.copytree(bundle(t), root.path + "/opt/btrace", symlinks=True)
    assert not glob.glob(root.path + "/usr/lib/*/libyaml*") and not glob.glob(root.path + "/usr/lib/*/libcurl*")
    with open(root.path + "/server.pl", "w") as f:
        f.write(SERVER)
    port = free_port()
    server = t.spawn(root.command(["/opt/btrace/btracectl", "run", "--exporter", "file=/out.jsonl", "--ledger", "/ledger.json",
                                   "--", "perl", "/server.pl", str(port), "10"]), cwd="/")
    wait_for("the server", lambda: listening(port), 60)
    for i in range(10):
        get(port, "/%d" % i)
    assert server.wait(60) == 0
    assert spans_of(root.path + "/out.jsonl") == 10
    # and as people do it, without btracectl
    with open(root.path + "/btrace.yml", "w") as f:
        f.write(CONFIG % "/plain.jsonl")
    port = free_port()
    server = t.spawn(root.command(["env", "LD_PRELOAD=/opt/btrace/libbtrace.so", "BTRACE_CONFIG=/btrace.yml",
                                   "BTRACE_LEDGER=/plain.json", "perl", "/server.pl", str(port), "5"]), cwd="/")
    wait_for("the server", lambda: listening(port), 60)
    for i in range(5):
        get(port, "/%d" % i)
    wait_for("the account", lambda: os.path.exists(root.path + "/plain.json"), 60)
    assert server.wait(60) == 0 and spans_of(root.path + "/plain.jsonl") == 5
    p = root.run(["/opt/btrace/btracectl", "view", "--json", "/out.jsonl"])
    assert p.returncode == 0 and len(p.stdout.splitlines()) == 10, p


@tier("roots")
@limit(500)
def test_the_bundle_traces_in_an_empty_debian_12(t):
    bundle_in(t, "bookworm")


@tier("roots")
@limit(500)
def test_the_bundle_traces_in_an_empty_debian_11(t):
    bundle_in(t, "bullseye")


@tier("roots")
@limit(600)
def test_the_package_installs_into_an_empty_debian_12(t):
    root = Root(t, "bookworm")
    shutil.copy(package(t), root.path + "/btrace.deb")
    for name in glob.glob("/etc/apt/sources.list*/*") + glob.glob("/etc/apt/apt.conf.d/*proxy*"):
        if "disabled" not in name and "debian" in name or "proxy" in name:
            shutil.copy(name, root.path + os.path.dirname(name))
    with open(root.path + "/usr/sbin/policy-rc.d", "w") as f:
        f.write("#!/bin/sh\nexit 101\n")
    os.chmod(root.path + "/usr/sbin/policy-rc.d", 0o755)
    env = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    for argv in (["apt-get", "-qq", "update"],
                 ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "/btrace.deb", "nginx-light"]):
        p = root.run(argv, env=env, timeout=300)
        assert p.returncode == 0, p.stderr.decode()
    install_and_trace(t, lambda argv, **how: root.run(argv, env=env, **how), root.path, free_port())
    p = root.run(["apt-get", "-qq", "purge", "-y", "btrace"], env=env, timeout=120)
    assert p.returncode == 0 and not glob.glob(root.path + "/usr/lib/*/libbtrace*"), p
