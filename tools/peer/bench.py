#!/usr/bin/env python3
"""Runs whole merges of Weightsmith and of the peer (mergekit 0.1.5) side by side and prints a Markdown table.

usage: bench.py --data DIR [RECIPE[=COMPARE ARGUMENTS] ...] [--runs 3] [--work DIR] [--startup] [--twice] [--no-peer]

Each recipe is run RUNS times, in turn: the floor (`cat inputs > /dev/null; cp first-input out`), Weightsmith, the peer. Before
each run dirty pages are flushed and the inputs are read, so that it finds a warm page cache (a system that reclaims memory
early may have dropped them during a long run of another program). The wall time is that of the whole process; a run counts only
when it exits with 0. Times and ratios are given as: median (minimum). On a busy machine runs scatter, always upwards, and the
minima are the better guide. Private memory is the largest RssAnon in /proc/PID/status, sampled every 5 ms, and peak RSS is its
VmHWM (mapped input files count there). The two outputs of the last run are compared by compare.py, with the arguments that
follow the recipe's name (`merge.yml=--share 0.001`). Every output is deleted again.

Both programs run in DIR, where the recipes' relative model paths start. Without a RECIPE those in recipes/ are run, and the
checkpoints they need are made in DIR if they are missing (4 GB).

--startup  also: milliseconds until the first byte of `weightsmith --version` and `--help`, the median of 20
--twice    also: the private memory of the V recipe on the model and on one of twice the size (2 x 2 GB more, made if missing)
--no-peer  leave the peer out

WEIGHTSMITH  the binary, default target/dist/weightsmith of this repository
PEER         the peer's virtual environment (see setup), default ~/.cache/peer-mergekit
"""
import argparse
import datetime
import glob
import os
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BINARY = os.path.abspath(os.environ.get("WEIGHTSMITH") or os.path.join(ROOT, "target/dist/weightsmith"))
PEER = os.path.abspath(os.environ.get("PEER") or os.path.expanduser("~/.cache/peer-mergekit"))
SAMPLE_SECONDS = 0.005
TWICE_LAYERS = 58  # 2.00 GB against the 988 MB of 24 layers


@dataclass
class Run:
    """One finished process."""

    code: int
    seconds: float
    private_kib: int
    rss_kib: int
    stderr: str


class MemorySampler(threading.Thread):
    """Keeps the largest RssAnon and VmHWM of a process until `stop` is set."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.path = f"/proc/{pid}/status"
        self.private = self.rss = 0
        self.stop = threading.Event()

    def run(self):
        while not self.stop.is_set():
            try:
                with open(self.path) as file:
                    status = file.read()
            except OSError:
                return
            fields = dict(re.findall(r"^(RssAnon|VmHWM):\s+(\d+) kB$", status, re.MULTILINE))
            self.private = max(self.private, int(fields.get("RssAnon", 0)))
            self.rss = max(self.rss, int(fields.get("VmHWM", 0)))
            self.stop.wait(SAMPLE_SECONDS)


def warm(files):
    """Brings files into the page cache."""
    for path in files:
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 24):
                pass


def measure(command, files, cwd, work):
    """Runs a command that reads `files` to its end, with its memory sampled."""
    os.sync()
    warm(files)
    with open(os.path.join(work, "stderr"), "w+", errors="replace") as log:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        sampler = MemorySampler(process.pid)
        sampler.start()
        code = process.wait()
        seconds = time.perf_counter() - start
        sampler.stop.set()
        sampler.join()
        log.seek(0)
        return Run(code, seconds, sampler.private, sampler.rss, log.read())


def inputs(recipe, cwd):
    """The weight files of every model that a recipe names."""
    with open(recipe) as file:
        names = dict.fromkeys(re.findall(r"(?:base_model|model):\s*([^\s#]+)", file.read()))
    files = []
    for name in names:
        folders = [os.path.join(start, name) for start in (cwd, os.path.dirname(recipe))]
        found = next((f for f in (sorted(glob.glob(folder + "/*.safetensors")) for folder in folders) if f), None)
        if found is None:
            sys.exit(f"{recipe}: no weights of {name} in {cwd}")
        files += found
    return files


def ours(recipe, out):
    return [BINARY, "merge", recipe, out, "--quiet"]


def theirs(recipe, out):
    return [os.path.join(PEER, "bin/mergekit-yaml"), recipe, out, "--quiet"]


def floor(files, out):
    return ["sh", "-c", 'out=$1; shift; cat "$@" > /dev/null; cp "$1" "$out"', "sh", out, *files]


def last_line(text):
    return (text.strip().splitlines() or ["no message"])[-1]


def compared(mine, other, arguments):
    """Runs compare.py; (agrees, its last line)."""
    command = [os.path.join(PEER, "bin/python"), os.path.join(HERE, "compare.py"), mine, other, *shlex.split(arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    print(done.stdout, end="", file=sys.stderr)
    return done.returncode == 0, last_line(done.stdout or done.stderr)


def removed(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)


def benchmark(recipe, arguments, options, work):
    """All runs of one recipe: {program: [Run]}, and what compare.py said."""
    files = inputs(recipe, options.data)
    programs = {"floor": lambda out: floor(files, out), "weightsmith": lambda out: ours(recipe, out)}
    if options.peer:
        programs["mergekit"] = lambda out: theirs(recipe, out)
    results = {name: [] for name in programs}
    agreement = (True, "not compared")
    try:
        for number in range(options.runs):
            for name, command in programs.items():
                if any(run.code for run in results[name]):
                    continue
                out = os.path.join(work, name)
                run = measure(command(out), files, options.data, work)
                results[name].append(run)
                print(f"{os.path.basename(recipe)} {name}: {run.seconds:.3f} s, private {run.private_kib / 1024:.0f} MiB, exit {run.code}", file=sys.stderr)
                if run.code and name != "mergekit":
                    sys.exit(f"{name} failed with {run.code} on {recipe}: {run.stderr.strip()}")
                if number + 1 < options.runs or name == "floor":
                    removed(out)
        if options.peer and not results["mergekit"][-1].code:
            agreement = compared(os.path.join(work, "weightsmith"), os.path.join(work, "mergekit"), arguments)
    finally:
        for name in programs:
            removed(os.path.join(work, name))
    return results, agreement


def middle(runs):
    return statistics.median(run.seconds for run in runs)


def shortest(runs):
    return min(run.seconds for run in runs)


def times(runs):
    return f"{middle(runs):.2f} ({shortest(runs):.2f})"


def ratio(slow, fast):
    return f"{middle(slow) / middle(fast):.2f} × ({shortest(slow) / shortest(fast):.2f} ×)"


def memory(runs):
    return f"{max(run.private_kib for run in runs) / 1024:.0f} / {max(run.rss_kib for run in runs) / 1024:.0f}"


def row(recipe, results, agreement):
    lowest, mine, other = results["floor"], results["weightsmith"], results.get("mergekit")
    cells = [os.path.basename(recipe), times(lowest), times(mine), ratio(mine, lowest)]
    if other is None:
        cells += ["–", "–", memory(mine), "–", "–"]
    elif other[-1].code:
        cells += [f"failed: {last_line(other[-1].stderr)}", "–", memory(mine), "–", "–"]
    else:
        cells += [times(other), ratio(other, mine), memory(mine), memory(other), ("agrees: " if agreement[0] else "DIFFERS: ") + agreement[1]]
    return "| " + " | ".join(cells) + " |"


def versions(options):
    def output(*command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with open("/proc/cpuinfo") as file:
        processor = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    with open("/proc/meminfo") as file:
        total = int(re.search(r"^MemTotal:\s+(\d+)", file.read()).group(1))
    parts = [datetime.date.today().isoformat(), output(BINARY, "--version")]
    if options.peer:
        code = "from importlib.metadata import version as v; print('mergekit', v('mergekit') + ', torch', v('torch'))"
        parts.append(output(os.path.join(PEER, "bin/python"), "-c", code))
    parts += [f"{platform.system()} {platform.release()}", processor.group(1) if processor else platform.machine(),
              f"{len(os.sched_getaffinity(0))} cores", f"{total / 1048576:.0f} GiB"]
    return ", ".join(parts)


def startup(argument, repeats=20):
    """Median milliseconds from the start of the process to the first byte of its output."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        process = subprocess.Popen([BINARY, argument], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        first = os.read(process.stdout.fileno(), 1)
        taken.append(time.perf_counter() - start)
        process.stdout.read()
        process.stdout.close()
        if process.wait() or not first:
            sys.exit(f"`weightsmith {argument}` failed or said nothing")
    return statistics.median(taken) * 1000


def twice(options, work):
    """The private memory of the V recipe on a model and on one of twice its size."""
    made("qwen-twice", options, "--layers", str(TWICE_LAYERS), "--only", "base,instruct")
    source = os.path.join(HERE, "recipes/slerp-v.yml")
    larger = os.path.join(work, "slerp-v-twice.yml")
    with open(source) as file, open(larger, "w") as target:
        target.write(file.read().replace("/qwen25-0.5b/", "/qwen-twice/"))
    rows, peaks = [], []
    alone = argparse.Namespace(**{**vars(options), "peer": False})
    for recipe in (source, larger):
        results, _ = benchmark(recipe, "", alone, work)
        mine = results["weightsmith"]
        peaks.append(max(run.private_kib for run in mine) / 1024)
        size = os.path.getsize(inputs(recipe, options.data)[0]) / 1e9
        rows.append(f"| {size:.2f} GB | {times(mine)} | {ratio(mine, results['floor'])} | {memory(mine)} |")
    print("\n| model | Weightsmith, s | ÷ floor | private / RSS, MiB |\n|---|---|---|---|")
    print("\n".join(rows))
    print(f"\nPrivate memory for the larger model: {peaks[1] - peaks[0]:+.0f} MiB.")


def made(family, options, *arguments):
    folder = os.path.join(options.data, family)
    if not glob.glob(os.path.join(folder, "instruct", "*.safetensors")):
        subprocess.run([os.path.join(PEER, "bin/python"), os.path.join(HERE, "make_qwen.py"), folder, *arguments], check=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE[=COMPARE ARGUMENTS]")
    parser.add_argument("--data", required=True, help="where the recipes' model paths start")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", help="where outputs are written for a while, default the system's temporary folder")
    parser.add_argument("--startup", action="store_true")
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--no-peer", dest="peer", action="store_false")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    if not os.access(BINARY, os.X_OK):
        parser.error(f"no Weightsmith at {BINARY}: build it, or set WEIGHTSMITH")
    if options.peer and not os.access(os.path.join(PEER, "bin/mergekit-yaml"), os.X_OK):
        parser.error(f"no mergekit in {PEER}: run {os.path.join(HERE, 'setup')}, or set PEER")
    options.data = os.path.abspath(options.data)
    os.makedirs(options.data, exist_ok=True)
    return options


def main():
    options = arguments()
    recipes = options.recipes
    if not recipes:
        recipes = sorted(glob.glob(os.path.join(HERE, "recipes", "*.yml")))
    if not options.recipes or options.twice:
        made("qwen25-0.5b", options)
    agreed = True
    rows = []
    with tempfile.TemporaryDirectory(prefix="weightsmith-bench.", dir=options.work) as work:
        for entry in recipes:
            recipe, _, tolerance = entry.partition("=")
            recipe = os.path.abspath(recipe)
            results, agreement = benchmark(recipe, tolerance, options, work)
            agreed &= agreement[0]
            rows.append(row(recipe, results, agreement))
        print(f"Measured {versions(options)}; runs in turn: {options.runs}, warm page cache; median (minimum).\n")
        print("| recipe | floor, s | Weightsmith, s | ÷ floor | mergekit, s | times faster | Weightsmith private / RSS, MiB | mergekit private / RSS, MiB | outputs |")
        print("|---|---|---|---|---|---|---|---|---|")
        print("\n".join(rows))
        if options.twice:
            twice(options, work)
    if options.startup:
        print(f"\nStart-up to the first byte: `--version` {startup('--version'):.1f} ms, `--help` {startup('--help'):.1f} ms.")
    return not agreed


if __name__ == "__main__":
    sys.exit(main())
