"""What the attacks on a studio share: a studio with bounds, and the table of what held."""

import http.client
import os
import pathlib
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("WEIGHTSMITH", str(ROOT / "target/debug/weightsmith"))


def environment(folder):
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {
        "HOME": folder,
        "HF_HOME": f"{folder}/hf",
        "HF_HUB_OFFLINE": "1",
        "XDG_DATA_HOME": f"{folder}/data",
    }


def limited(address_space):
    """What a child does before it becomes the binary: no more addresses than that, no core file."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return limit


class Studio:
    """A studio on a folder of models, with its own files in another."""

    def __init__(self, folder, models, address_space):
        self.log = open(f"{folder}/log", "w+b")
        self.child = subprocess.Popen(
            [BINARY, "studio", "--no-browser", "--port", "0", "--data-dir", f"{folder}/studio", "--folder", str(models)],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            env=environment(folder),
            preexec_fn=limited(address_space),
        )
        self.address = self.listens()

    def listens(self):
        for _ in range(600):
            self.log.seek(0)
            for line in self.log.read().decode(errors="replace").splitlines():
                if "listening on http://" in line:
                    return line.split("listening on http://")[1].split()[0].rstrip("/")
            if self.child.poll() is not None:
                break
            time.sleep(0.05)
        self.log.seek(0)
        sys.exit(f"the studio does not start: {self.log.read()!r}")

    def memory(self):
        """The most bytes of memory that it had."""
        with open(f"/proc/{self.child.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) << 10
        return 0

    def ask(self, method, path, body=None, most=None):
        """Status, bytes (so many at most) and seconds of an answer."""
        begun = time.monotonic()
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request(method, path, body, {"content-type": "application/json"} if body else {})
        answer = connection.getresponse()
        content = answer.read(most)
        connection.close()
        return answer.status, content, time.monotonic() - begun

    def end(self):
        self.child.terminate()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class Tally:
    """What held and what did not."""

    def __init__(self):
        self.passed = self.failed = 0

    def tell(self, name, wrong, seconds, memory):
        self.passed, self.failed = self.passed + (wrong is None), self.failed + (wrong is not None)
        print(f"{'FAIL' if wrong else 'ok  '} {name}: {wrong or 'bounded'}, {seconds:.2f} s, {memory >> 20} MB", flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(self.failed > 0)
