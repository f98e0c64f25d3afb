#!/usr/bin/env python3
"""Weight files that change while they are read: cut off, grown, overwritten, replaced, deleted.

usage: tools/attack/shrinking.py [--quick] [--rounds N]

Merges, comparisons, a server and the studio read models whose files change under them. No signal may end a process; the message
names the file; what has no part in it goes on. The command is $WEIGHTSMITH (default: target/debug/weightsmith). Needs
Python 3.11 alone. One line for each attack; exit code 1 if any failed.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("WEIGHTSMITH", ROOT / "target/debug/weightsmith")).resolve()
FIXTURES = ROOT / "fixtures/tiny-qwen2"
MEMORY = 5_000_000_000
WEIGHTS = "model.safetensors"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def sparse_model(folder, elements):
    """A model of one tensor of zeros, which takes no room on the disk."""
    folder.mkdir(parents=True)
    text = json.dumps({"w.weight": {"dtype": "F32", "shape": [elements], "data_offsets": [0, elements * 4]}}).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / WEIGHTS, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + elements * 4)


def cut(path):
    os.truncate(path, 8192)


def cut_to_nothing(path):
    os.truncate(path, 0)


def cut_and_restore(path):
    size = path.stat().st_size
    os.truncate(path, 8192)
    os.truncate(path, size)


def cut_in_the_last_page(path):
    os.truncate(path, path.stat().st_size - 2)


def grow(path):
    os.truncate(path, path.stat().st_size + 4096)


def overwrite(path):
    """As `cp other.safetensors model.safetensors` does: the same file gets other bytes."""
    content = path.read_bytes() if path.stat().st_size < 1 << 24 else None
    with open(path, "r+b") as file:
        file.truncate(0)
        if content is not None:
            file.write(content)
        else:
            file.truncate(300_000_000)
    os.utime(path)


def replace(path):
    copy = path.with_suffix(".new")
    with open(copy, "wb") as file:
        file.truncate(path.stat().st_size)
    os.rename(copy, path)


def delete(path):
    os.remove(path)


CHANGES = [cut, cut_to_nothing, cut_and_restore, cut_in_the_last_page, grow, overwrite, replace, delete]
# who has the file open does not see these
HARMLESS_WHEN_OPEN = [replace, delete]

# an attack that takes longer has found a process that hangs
ATTACK_SECONDS = 240


def out_of_time(*_):
    raise TimeoutError("something hangs")


class Results:
    def __init__(self):
        self.passed = self.failed = 0

    def note(self, name, problem, seconds):
        ok = problem is None
        self.passed += ok
        self.failed += not ok
        print(f"{'ok  ' if ok else 'FAIL'} {name:44} {problem or 'as it should be'} ({seconds:.1f} s)", flush=True)

    def attempt(self, name, attack):
        begin = time.monotonic()
        signal.alarm(ATTACK_SECONDS)
        try:
            problem = attack()
        except Exception as error:  # an attack that breaks off is a failure, not the end
            problem = f"{type(error).__name__}: {error}"
        signal.alarm(0)
        self.note(name, problem, time.monotonic() - begin)


def start(arguments, folder, **more):
    environment = {**os.environ, "HF_HOME": str(folder / "no-cache"), "XDG_DATA_HOME": str(folder / "data"), "HF_ENDPOINT": "http://127.0.0.1:9"}
    return subprocess.Popen([BINARY, *arguments], cwd=folder, env=environment, preexec_fn=limited, text=True, **more)


def judge(child, file, inputs, folder):
    """What is wrong with the end of a command whose input changed."""
    try:
        output, errors = child.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        child.kill()
        return "does not end"
    if child.returncode < 0:
        return f"ended by signal {-child.returncode}"
    if child.returncode != 1 or file not in errors:
        return f"code {child.returncode}, {errors.strip()[-200:]!r}"
    left = sorted(entry.name for entry in folder.iterdir())
    if left != sorted(inputs):
        return f"left behind: {left}"
    return None


def merge(change, method, moment):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in "ab":
            sparse_model(folder / name, 1 << 26)
        more = "base_model: a\nparameters: {t: 0.5}\n" if method == "slerp" else "parameters: {weight: 0.5}\n"
        (folder / "r.yml").write_text(f"models:\n  - model: a\n  - model: b\nmerge_method: {method}\n{more}")
        inputs = [entry.name for entry in folder.iterdir()]
        child = start(["merge", "-q", "-j", "2", "--allow-non-finite", "r.yml", "out"], folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while not any(entry.name.startswith(".") for entry in folder.iterdir()) and child.poll() is None:
            time.sleep(0.001)
        time.sleep(moment)
        if child.poll() is not None:
            child.communicate()
            return "over before the change; use a slower machine or a larger model"
        # it stands still meanwhile, so that the change lies within the run
        child.send_signal(signal.SIGSTOP)
        change(folder / "b" / WEIGHTS)
        child.send_signal(signal.SIGCONT)
        return judge(child, "b/model.safetensors" if change is not delete else "model.safetensors", inputs, folder)


def diff(change):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in "ab":
            sparse_model(folder / name, 1 << 27)
        inputs = [entry.name for entry in folder.iterdir()]
        child = start(["diff", "-j", "1", "a", "b"], folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        maps = f"/proc/{child.pid}/maps"
        while child.poll() is None and f"{folder}/b/{WEIGHTS}" not in pathlib.Path(maps).read_text():
            time.sleep(0.001)
        child.send_signal(signal.SIGSTOP)
        change(folder / "b" / WEIGHTS)
        child.send_signal(signal.SIGCONT)
        if change in HARMLESS_WHEN_OPEN:
            child.communicate(timeout=120)
            return None if child.returncode == 0 else f"code {child.returncode}"
        return judge(child, f"b/{WEIGHTS}", inputs, folder)


class Server:
    def __init__(self, folder, arguments):
        self.child = start(["serve", "--port", "0", *arguments], folder, stderr=subprocess.PIPE)
        self.said = []
        for line in self.child.stderr:
            self.said.append(line)
            if "listening on " in line:
                self.address = line.split("listening on ")[1].strip()
                break
        else:
            raise RuntimeError("it does not listen: " + "".join(self.said))
        self.drain = threading.Thread(target=lambda: self.said.extend(self.child.stderr), daemon=True)
        self.drain.start()

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"content-type": "application/json"})
        try:
            with DIRECT.open(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def complete(self, model, prompt):
        return self.ask("/v1/completions", {"model": model, "prompt": prompt, "max_tokens": 2})

    def end(self):
        """What is wrong with how it ends."""
        if self.child.poll() is not None:
            return f"ended by itself: {self.child.returncode}"
        self.child.terminate()
        try:
            code = self.child.wait(60)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return "does not end"
        return None if code == 0 else f"code {code}"


def copies(folder, names=("base", "instruct")):
    for name in names:
        shutil.copytree(FIXTURES / name, folder / name)


def serve(change, arguments):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        copies(folder)
        server = Server(folder, ["base", "instruct", *arguments])
        problem = None
        for model in ("base", "instruct"):
            code, answer = server.complete(model, "Anna")
            problem = problem or (code != 200 and f"{model}: {code} {answer}") or None
        time.sleep(0.3)  # so that the files are looked at again
        change(folder / "base" / WEIGHTS)
        codes, answers = [], []
        for prompt in ("Once upon a time", "Anna went", "The dog"):
            code, answer = server.complete("base", prompt)
            answers.append(answer)
            codes.append(code)
            if code != 200 and WEIGHTS not in json.dumps(answer):
                problem = problem or f"the file is not named: {answer}"
        if change in HARMLESS_WHEN_OPEN and codes != [200] * 3:
            problem = problem or f"{codes}, though the file is still there for who has it open"
        if change not in HARMLESS_WHEN_OPEN and codes[0] == 200:
            problem = problem or f"{codes}: answers from a file that changed"
        if change is overwrite and codes[-1] != 200:
            problem = problem or f"{codes}: sound weights are not loaded anew: {answers[-1]}"
        code, answer = server.complete("instruct", "Once upon a time")
        if code != 200:
            problem = problem or f"another model: {code} {answer}"
        ended = server.end()
        return problem or ended


def studio(change, kind):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        models = folder / "models"
        models.mkdir()
        for name in "ab":
            sparse_model(models / name, 1 << 26)
            (models / name / "config.json").write_text("{}")
        copies(models, ["base"])
        server = Server(folder, ["--folder", str(models), "--data-dir", str(folder / "studio")])
        server.ask("/api/models")
        recipe = "models:\n  - model: a\n    parameters: {weight: 0.5}\n  - model: b\n    parameters: {weight: 0.5}\nmerge_method: linear\n"
        request = {"kind": "merge", "name": "c", "recipe": recipe} if kind == "merge" else {"kind": "difference", "model": "a", "against": "b"}
        code, run = server.ask("/api/runs", request)
        if code not in (200, 201, 202):
            server.end()
            return f"{code} {run}"
        maps = pathlib.Path(f"/proc/{server.child.pid}/maps")
        address = f"/api/runs/{run['id']}"
        while f"{models}/b/{WEIGHTS}" not in maps.read_text() and server.ask(address)[1].get("state") in ("queued", "running"):
            time.sleep(0.001)
        change(models / "b" / WEIGHTS)
        deadline = time.monotonic() + 100
        while (state := server.ask(address)[1]).get("state") in ("queued", "running") and time.monotonic() < deadline:
            time.sleep(0.05)
        problem = None
        if state.get("state") != "failed" or WEIGHTS not in json.dumps(state):
            problem = f"{json.dumps(state)[:300]}"
        code, answer = server.complete("base", "Anna")
        if code != 200:
            problem = problem or f"another model: {code} {answer}"
        ended = server.end()
        return problem or ended


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--quick", action="store_true", help="a few attacks, some 20 seconds")
    arguments.add_argument("--rounds", type=int, default=3, help="moments at which merges are tried")
    options = arguments.parse_args()
    signal.signal(signal.SIGALRM, out_of_time)
    results = Results()
    quick = options.quick
    for change in [cut, overwrite] if quick else CHANGES:
        for method in ["linear"] if quick else ["linear", "slerp"]:
            for moment in range(1 if quick else options.rounds):
                name = f"merge, {method}, {change.__name__}, {moment}"
                results.attempt(name, lambda: merge(change, method, moment * 0.03))
    for change in [cut] if quick else CHANGES:
        results.attempt(f"diff, {change.__name__}", lambda: diff(change))
    for change in [cut_to_nothing, overwrite, delete] if quick else CHANGES:
        results.attempt(f"serve, {change.__name__}", lambda: serve(change, ["--no-studio"]))
    for change in [cut] if quick else [cut, cut_to_nothing, cut_and_restore]:
        for kind in ["merge"] if quick else ["merge", "difference"]:
            results.attempt(f"studio, {kind}, {change.__name__}", lambda: studio(change, kind))
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
