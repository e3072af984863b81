"""Tries the image's root: what is in it, and whether pinclean runs there as its user,
with nothing writable but /data."""

import http.server
import shutil
import ssl
import stat
import subprocess
import sys
import threading

LARGEST = 150_000_000
USER = "65532:65532"


def try_out(image, scratch, bucket):
    check_contents(image)
    work = scratch / "work"
    work.mkdir()
    shutil.copytree(bucket, work / "bucket")
    subprocess.run(["chown", "-R", USER, work], check=True)
    for name in ("hosts", "resolv.conf"):  # as a container engine puts them there
        shutil.copy(f"/etc/{name}", image / "etc" / name)
    for arguments in (
        ["--version"],
        ["check"],
        ["run", "--source", "bucket", "--out", "clean"],
        ["ask", "--all", "--tables", "clean", "--save", "answers"],
    ):
        done = inside(image, work, arguments)
        print(done.stdout, end="")
        assert done.returncode == 0, done.stderr
    assert list(work.glob("clean/pin/_delta_log/*.json")), "the run left no table"
    assert list(work.glob("answers/*.csv")), "no question was answered"
    again = inside(image, work, ["run", "--source", "bucket", "--out", "/etc/clean"])
    assert again.returncode == 1 and "ead-only" in again.stderr, again.stderr
    try_certificates(image, work, scratch)
    print("the image's root holds")


def check_contents(image):
    """Small enough, and one program: whatever else may be executed is a library."""
    files = [p for p in image.rglob("*") if p.is_file() and not p.is_symlink()]
    size = sum(p.stat().st_size for p in files)
    assert size < LARGEST, f"{size} bytes"
    programs = [p for p in files if p.stat().st_mode & 0o111 and ".so" not in p.name]
    assert [p.name for p in programs] == ["pinclean"], programs
    special = [p for p in files if p.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)]
    assert not special, special
    assert (image / "usr/share/zoneinfo/Europe/Berlin").exists()
    print(f"{len(files)} files, {size / 1e6:.1f} MB; one program")


# Run in a mount namespace of its own: the root read-only, the folder as its /data.
ENTER = """
import os, subprocess, sys
image, work, user, *command = sys.argv[1:]
def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)
mount("--bind", image, image)
mount("-o", "remount,bind,ro", image)
mount("--bind", work, image + "/data")
user, group = map(int, user.split(":"))
os.chroot(image)
os.chdir("/data")
os.setgroups([])
os.setgid(group)
os.setuid(user)
os.execve(command[0], command, {})
"""


def inside(image, work, arguments):
    """Runs pinclean in the root as the image's user, without any variable."""
    enter = ["unshare", "--mount", sys.executable, "-c", ENTER, image, work, USER]
    command = [*enter, "/usr/bin/pinclean", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def try_certificates(image, work, scratch):
    """An endpoint over HTTPS is trusted if its certificate is in the bundle, else not."""
    key, certificate = scratch / "key.pem", scratch / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-addext", "basicConstraints=critical,CA:FALSE",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    arguments = ["run", "--bucket", "pins", "--out", "clean-remote", "--no-sign-request",
                 "--endpoint-url", f"https://localhost:{server.server_port}"]
    stranger = inside(image, work, arguments)
    assert stranger.returncode == 1 and not Empty.asked, stranger.stderr
    bundle = image / "etc/ssl/certs/ca-certificates.crt"
    assert bundle.read_text().count("BEGIN CERTIFICATE") > 100
    bundle.write_text(bundle.read_text() + certificate.read_text())
    known = inside(image, work, arguments)
    assert Empty.asked and "certificate" not in known.stderr, known.stderr
    print(f"HTTPS: {len(Empty.asked)} requests once the certificate is in the bundle, none before")


class Empty(http.server.BaseHTTPRequestHandler):
    """A bucket in which nothing is."""

    asked = []

    def do_GET(self):
        Empty.asked.append(self.path)
        body = b'<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'
        self.send_response(200)
        self.send_header("x-amz-bucket-region", "us-east-1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass
