"""Starts `weightsmith serve` on a free port, for the scripts beside this one.

WEIGHTSMITH  the binary, default target/dist/weightsmith of this repository
"""
import contextlib
import json
import os
import re
import subprocess
import time
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
FIXTURES = os.path.join(ROOT, "fixtures/tiny-qwen2")


def binary():
    return os.environ.get("WEIGHTSMITH", os.path.join(ROOT, "target/dist/weightsmith"))


class Server:
    """A running server."""

    def __init__(self, process, url):
        self.process = process
        self.url = url

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return answer.read().decode()

    def post(self, path, body):
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)

    def memory(self):
        """Private and shared memory in KiB, as /proc tells it: RssAnon and VmRSS."""
        with open(f"/proc/{self.process.pid}/status") as status:
            text = status.read()
        return tuple(int(re.search(rf"{name}:\s+(\d+)", text)[1]) for name in ("RssAnon", "VmRSS"))


@contextlib.contextmanager
def serving(*arguments):
    """Serves until the block ends; then the server must end within its grace period, with exit code 0."""
    command = [binary(), "serve", "--port", "0", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)  # where the examples' paths begin
    url = None
    for line in process.stderr:
        if found := re.search(r"listening on (http://\S+)", line):
            url = found[1]
            break
    if url is None:
        raise SystemExit(f"the server did not start: {' '.join(command)}")
    try:
        yield Server(process, url)
    finally:
        begun = time.monotonic()
        process.terminate()
        process.stderr.read()
        code = process.wait(60)
        print(f"server: exit code {code} {time.monotonic() - begun:.2f} s after SIGTERM")
    if code != 0:
        raise SystemExit("the server did not end well")


def check(name, holds, found=""):
    """Says whether something holds, and ends the script when it does not."""
    print(f"{'ok ' if holds else 'BAD'} {name}{': ' + str(found) if found != '' else ''}")
    if not holds:
        raise SystemExit(1)
