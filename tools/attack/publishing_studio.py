"""The studio's history under faults: a studio makes a merge and is killed, or gets an error, at a call for its database."""

import errno
import json
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

import publishing_world as world
from system_calls import Fault, trace

DATABASE = "studio.db"
QUICK = 12  # faults of a quick run
RECIPE = "models: [{model: a}, {model: b}]\nmerge_method: slerp\nbase_model: a\nparameters: {t: 0.5}\n"
STATES = {"queued", "running", "interrupted", "done", "failed", "cancelled"}


class Broken(Exception):
    """What a fault led to that it must not lead to."""


def place(folder):
    world.copy_inputs(folder)


def command():
    folders = ["--folder", str(world.path("a")), "--folder", str(world.path("b"))]
    return [world.binary, "serve", "--port", "0", "--data-dir", "data", *folders]


class Client:
    """Asks a studio whose address stands in a file, as far as it lives."""

    def __init__(self, output):
        self.output = pathlib.Path(output)
        self.pid = None

    def address(self):
        until = time.monotonic() + 15
        while time.monotonic() < until:
            text = self.output.read_text(errors="replace") if self.output.exists() else ""
            for word in text.split():
                if word.startswith("http://127.0.0.1:"):
                    return word.rstrip("/.,")
            if self.pid and not os.path.exists(f"/proc/{self.pid}"):
                return None
            time.sleep(0.01)
        return None

    def ask(self, address, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(address + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def merge(self, name):
        """Has a model made; the run as it ended, or nothing where the studio died."""
        try:
            address = self.address()
            if not address:
                return None
            run = self.ask(address, "/api/runs", {"kind": "merge", "name": name, "recipe": RECIPE})
            until = time.monotonic() + 10
            while run["state"] in ("queued", "running") and time.monotonic() < until:
                time.sleep(0.01)
                run = self.ask(address, f"/api/runs/{run['id']}")
            return run
        except (OSError, ValueError, urllib.error.HTTPError):
            return None
        finally:
            self.end()

    def end(self):
        try:
            os.kill(self.pid, signal.SIGTERM)
        except (ProcessLookupError, TypeError):
            pass


def traced(folder, output, fault, listing=False):
    client = Client(output)
    asking = threading.Thread(target=client.merge, args=("made",))

    def started(pid):
        client.pid = pid
        asking.start()

    run = trace(command(), world.environment(folder), folder, output, fault, listing=listing,
                memory=5_000_000 << 10, started=started, wait=40)
    asking.join()
    return run


def attempt(job):
    """One fault, then a studio on the same data: its history can be read and gone on with."""
    index, error, call = job
    folder = world.base / f"studio-{index}-{error}-{os.getpid()}"
    output = str(folder) + ".txt"
    place(folder)
    try:
        run = traced(folder, output, Fault(index, error, DATABASE))
        if run.timed_out:
            raise Broken("it hangs")
        if error and (run.code not in (0, 1) or "panicked" in pathlib.Path(output).read_text()):
            raise Broken(f"exit code {run.code}: {pathlib.Path(output).read_text()[-300:]}")
        again(folder, output + "2")
        return None
    except Broken as broken:
        return f"studio, call {index} {call}, {Fault(index, error)}: {broken}"
    finally:
        shutil.rmtree(folder)
        for name in (output, output + "2"):
            if os.path.exists(name):
                os.remove(name)


def again(folder, output):
    with open(output, "wb") as sink:
        studio = subprocess.Popen(command(), cwd=folder, env=world.environment(folder), stdout=sink, stderr=sink)
    client = Client(output)
    client.pid = studio.pid
    try:
        address = client.address()
        if not address:
            raise Broken(f"the next studio does not start: {pathlib.Path(output).read_text()[-300:]}")
        runs = client.ask(address, "/api/runs")["runs"]
        names = {path.name for path in (folder / "data/models").glob("*") if not path.name.startswith(".")}
        if len(runs) > 1 or any(run["state"] not in STATES for run in runs):
            raise Broken(f"the history is {runs}")
        for run in runs:
            if run["state"] == "done" and "made" not in names:
                raise Broken("the history has a model that is not there")
            if run["state"] not in ("done", "queued", "running"):
                client.ask(address, f"/api/runs/{run['id']}/resume", {})
            settle(client, address, run["id"])
        other = client.ask(address, "/api/runs", {"kind": "merge", "name": "other", "recipe": RECIPE})
        settle(client, address, other["id"])
    except (OSError, ValueError, KeyError, urllib.error.HTTPError) as error:
        text = error.read().decode() if isinstance(error, urllib.error.HTTPError) else ""
        raise Broken(f"the next studio: {error} {text}") from error
    finally:
        client.end()
        studio.wait()


def settle(client, address, number):
    until = time.monotonic() + 15
    while time.monotonic() < until:
        run = client.ask(address, f"/api/runs/{number}")
        if run["state"] == "done":
            return
        if run["state"] not in ("queued", "running"):
            break
        time.sleep(0.01)
    raise Broken(f"run {number} is {run['state']}: {run.get('error')}")


def attack(pool, quick):
    """All faults; their number, and of those what went wrong."""
    start = time.monotonic()
    folder = world.base / "listed-studio"
    place(folder)
    listed = traced(folder, str(folder) + ".txt", Fault(-1, None, DATABASE), listing=True)
    if not (folder / "data/models/made").is_dir():
        raise SystemExit("studio: no model was made: " + pathlib.Path(str(folder) + ".txt").read_text())
    shutil.rmtree(folder)
    jobs = [(index, error, str(call)) for index, call in enumerate(listed.calls) for error in (None, errno.EIO)]
    chosen = jobs[:: max(1, len(jobs) // QUICK)] if quick else jobs
    broken = [one for one in pool.imap_unordered(attempt, chosen) if one]
    for one in broken[:20]:
        print("    " + one)
    print(f"{'FAIL' if broken else 'ok':4} studio: {len(chosen)} faults at {len({job[0] for job in chosen})} of {len(listed.calls)} calls "
          f"for the history, {len(broken)} wrong, {time.monotonic() - start:.1f} s", flush=True)
    return len(chosen), len(broken)
