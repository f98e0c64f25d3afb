#!/usr/bin/env python3
"""Kills a merge before every system call that touches a file, and lets every one of them fail.

    tools/attack/publishing.py [--quick] [--only NAME] [--keep]

The binary is $WEIGHTSMITH, else target/debug/weightsmith. `pull` needs the hub for tests, $LOOPBACK_HUB, else
target/debug/examples/loopback_hub (cargo build -p weightsmith-hub --features testing --example loopback_hub).

After each fault OUT has the old content, the complete new one, or nothing; while files move inside of a mount point it has no config.json and is
refused by `inspect`. The same command, given again, ends with exit code 0 and the right bytes, and leaves nothing but them. A call that fails ends
in words. `--quick` takes every call that changes something on the disk and some of the others.
"""

import argparse
import errno
import multiprocessing
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import publishing_studio  # noqa: E402
import publishing_world as world  # noqa: E402
from system_calls import Fault, trace, why_not  # noqa: E402

MEMORY = 5_000_000 << 10
QUICK_OTHERS = 24  # of the calls that change nothing, in a quick run


class Broken(Exception):
    """What a fault led to that it must not lead to."""


class Merge:
    """A merge whose output begins with some content."""

    def __init__(self, name, arguments=(), old=False, begun=False, mount=None, recipe="slerp.yml"):
        self.name, self.old, self.begun, self.mount = name, old, begun, mount
        out = "out"
        self.arguments = ["merge", recipe, out, "-q", "-j", "1", *arguments]
        self.expected = self.before = None

    def prepare(self, base):
        """Finds out what is right: the bytes of the new content and of the old one."""
        folder = base / ("expected-" + self.name)
        self.place(folder)
        try:
            self.before = tree(folder / "out")
            world.done(self.arguments, folder)
            self.expected = tree(folder / "out")
        finally:
            self.clean(folder)
        if not self.expected or self.expected == self.before:
            raise Broken("the merge makes nothing new")

    def place(self, folder):
        world.copy_inputs(folder)
        out = folder / "out"
        if self.mount:
            out.mkdir()
            world.mount(self.mount, folder / "disk", out)
        if self.old:
            world.copy(world.path("old"), out)
        if self.begun:
            world.copy(world.path("begun"), folder / ".out.weightsmith-partial")
        self.names = sorted(os.listdir(folder))

    def clean(self, folder):
        if self.mount:
            world.unmount(folder / "out")
        shutil.rmtree(folder)

    def inspect(self, folder):
        """After a fault: the old content, the complete new one, or nothing."""
        found = tree(folder / "out")
        if found in ({}, self.before, self.expected):
            return
        if not self.mount:
            raise Broken(f"OUT has {differing(found, self.expected)}")
        if "config.json" in found:
            raise Broken("a part of a model has its config.json")
        answer = world.run(["inspect", "out"], folder)
        if answer.returncode == 0 or "incomplete" not in answer.stdout:
            raise Broken(f"a part of a model is not refused: {answer.stdout.strip()}")

    def ended(self, folder):
        """After an end in exit code 0: the complete new content, and nothing else."""
        found = tree(folder / "out")
        if found != self.expected:
            raise Broken(f"exit code 0, and OUT has {differing(found, self.expected)}")

    def tidy(self, folder):
        names = [name for name in sorted(os.listdir(folder)) if name != "out"]
        before = [name for name in self.names if name not in ("out", ".out.weightsmith-partial")]
        hidden = [name for name in os.listdir(folder / "out") if name.startswith(".")]
        if names != before or hidden:
            raise Broken(f"left behind: {sorted(set(names) - set(before)) + hidden}")


class Pull:
    """A download from the Hub on loopback into an empty cache."""

    name = "pull"
    arguments = ["pull", "--connections", "1", "-q", "org/model"]
    mount = None

    def prepare(self, base):
        self.expected = tree(world.path("a"))
        folder = base / "expected-pull"
        self.place(folder)
        world.done(self.arguments, folder)
        self.ended(folder)

    def place(self, folder):
        folder.mkdir(parents=True)

    def clean(self, folder):
        shutil.rmtree(folder)

    def snapshots(self, folder):
        return list(folder.glob("hf/hub/models--org--model/snapshots/*"))

    def inspect(self, folder):
        for blob in folder.glob("hf/hub/models--org--model/blobs/*"):
            if not blob.name.endswith(".incomplete") and not world.is_its_name(blob):
                raise Broken(f"{blob.name} is not what its name says")
        for snapshot in self.snapshots(folder):
            for name, content in tree(snapshot).items():
                if self.expected.get(name) != content:
                    raise Broken(f"{name} in the snapshot is not the Hub's")

    def ended(self, folder):
        snapshots = self.snapshots(folder)
        if len(snapshots) != 1 or tree(snapshots[0]) != self.expected:
            raise Broken("exit code 0, and the snapshot is not the Hub's model")

    def tidy(self, folder):
        left = [str(path.name) for path in folder.rglob("*") if "incomplete" in path.name or ".tmp" in path.name]
        if left:
            raise Broken(f"left behind: {left}")


def tree(folder):
    """The files below a folder, but working folders, without what differs between two runs."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")) if os.path.isdir(folder) else []:
        name = str(path.relative_to(folder))
        if path.is_file() and not name.startswith(".weightsmith-partial/"):
            found[name] = path.read_bytes()
            if name == "weightsmith.lock.json":
                found[name] = re.sub(rb'"date": "[^"]*"', b'"date": ""', found[name])
    return found


def differing(found, expected):
    return {name: len(found[name]) if name in found else None
            for name in sorted(set(found) | set(expected)) if found.get(name) != expected.get(name)}


def attempt(job):
    """One fault and what follows; nothing where all is as it must be."""
    scenario, index, error, call = job
    folder = world.base / f"{scenario.name}-{index}-{error}-{os.getpid()}"
    output = str(folder) + ".txt"
    fault = Fault(index, error)
    scenario.place(folder)
    try:
        command = [world.binary, *scenario.arguments]
        run = trace(command, world.environment(folder), folder, output, fault, memory=MEMORY)
        text = pathlib.Path(output).read_text(errors="replace")
        if run.timed_out:
            raise Broken("it hangs")
        if error is None and run.reached and run.code != -9:
            raise Broken(f"killed, and exit code {run.code}")
        if error is not None or not run.reached:
            if run.code < 0 or run.code == 101 or "panicked" in text:
                raise Broken(f"exit code {run.code}: {text.strip()[-300:]}")
            if run.code == 0:
                scenario.ended(folder)
            elif not re.search(r"\w+", text):
                raise Broken(f"exit code {run.code} without a word")
        scenario.inspect(folder)
        again = world.run(scenario.arguments, folder)
        if again.returncode != 0:
            raise Broken(f"the rerun ends with {again.returncode}: {again.stdout.strip()[-300:]}")
        scenario.ended(folder)
        scenario.tidy(folder)
        return None
    except Broken as broken:
        return f"{scenario.name}, call {index} {call}, {fault}: {broken}"
    finally:
        scenario.clean(folder)
        os.remove(output)


def jobs(scenario, calls, quick):
    """Every call killed and failing, and full disks for those that may need room."""
    others = [index for index, call in enumerate(calls) if not call.is_changing]
    kept = set(others[:: max(1, len(others) // QUICK_OTHERS)] if quick else others)
    for index, call in enumerate(calls):
        if call.is_changing or index in kept:
            yield scenario, index, None, str(call)
            # Rust's library panics where closing a folder fails, which no file system lets it do
            if not (call.name == "close" and call.is_folder):
                yield scenario, index, errno.EIO, str(call)
        if call.is_changing and call.name not in ("flock", "fcntl", "unlink", "unlinkat", "rmdir"):
            yield scenario, index, errno.ENOSPC, str(call)


def attack(scenario, pool, quick, base):
    start = time.monotonic()
    scenario.prepare(base)
    folder = base / ("listed-" + scenario.name)
    scenario.place(folder)
    command = [world.binary, *scenario.arguments]
    listed = trace(command, world.environment(folder), folder, str(folder) + ".txt", listing=True, memory=MEMORY)
    scenario.clean(folder)
    chosen = list(jobs(scenario, listed.calls, quick))
    places = len({job[1] for job in chosen})
    broken = [one for one in pool.imap_unordered(attempt, chosen, chunksize=4) if one]
    changing = sum(call.is_changing for call in listed.calls)
    for one in broken[:20]:
        print("    " + one)
    word = "FAIL" if broken else "ok"
    print(f"{word:4} {scenario.name}: {len(chosen)} faults at {places} of {len(listed.calls)} calls "
          f"({changing} of them change something), {len(broken)} wrong, {time.monotonic() - start:.1f} s", flush=True)
    return len(chosen), len(broken)


def scenarios():
    shards = ["--out-shard-size", "200"]
    yield Merge("plain", ["--sync"])
    yield Merge("force", ["--sync", "--force"], old=True)
    yield Merge("sharded", shards)
    yield Merge("resume", shards, begun=True)
    yield Merge("mount", ["--sync"], mount="tmpfs")
    yield Merge("mount-force", ["--force"], mount="tmpfs", old=True)
    yield Merge("bind-force", ["--force", *shards], mount="bind", old=True)
    yield Pull()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="every call that changes something, some of the others")
    parser.add_argument("--only", help="only scenarios whose name begins so")
    parser.add_argument("--jobs", type=int, default=2, help="faults at the same time")
    options = parser.parse_args()
    reason = why_not()
    if reason:
        print(f"skip publishing: {reason}")
        return 0
    can_mount = world.private_mounts()
    counts = []
    with tempfile.TemporaryDirectory(dir=world.scratch(), prefix="publishing-") as base:
        world.begin(pathlib.Path(base))
        has_hub = world.hub()
        with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
            for scenario in scenarios():
                if options.only and not scenario.name.startswith(options.only):
                    continue
                if scenario.mount and not can_mount:
                    print(f"skip {scenario.name}: no mounting here")
                elif scenario.name == "pull" and not has_hub:
                    print("skip pull: no hub for tests, see --help")
                else:
                    counts.append(attack(scenario, pool, options.quick, pathlib.Path(base)))
            if not options.only or "studio".startswith(options.only):
                counts.append(publishing_studio.attack(pool, options.quick))
        world.end()
    faults, failed = (sum(column) for column in zip(*counts)) if counts else (0, 0)
    print(f"{faults - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
