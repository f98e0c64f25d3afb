#!/usr/bin/env python3
"""Runs text generation by Weightsmith, llama.cpp, candle and transformers side by side and prints a Markdown table.

usage: bench.py --data DIR [--prompt 512] [--decode 128] [--threads 2] [--rounds 3] [--batch 8] [--only NAME ...]

All engines run the same token ids greedily on random weights in the shape of Qwen2.5-0.5B (made by make_qwen.py if they are missing;
GGUF files are made of them), one engine at a time, in turn, ROUNDS times, candle and transformers once; the median counts, the best is
in parentheses. All files are written in pieces of 8 MiB, as downloads are, since a file's pages in memory are as large as the pieces
it was written in, and large ones are read faster. candle in bf16, which widens every matrix at every token, decodes 8 tokens
only. Private memory is the largest RssAnon in /proc/PID/status, sampled every 5 ms. What the memory of the
machine allows is measured in the same run (`cargo bench -p weightsmith-infer --bench linear`, reading): the share of it is
bytes of weights a token needs x tokens per second / bandwidth.

PEER_TEXT    llama.cpp and candle (see setup), default ~/.cache/peer-text
PEER         transformers (see ../setup), default ~/.cache/peer-mergekit
"""
import argparse
import datetime
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
TARGET = os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target")
PEER = os.environ.get("PEER") or os.path.expanduser("~/.cache/peer-mergekit")
PEER_TEXT = os.environ.get("PEER_TEXT") or os.path.expanduser("~/.cache/peer-text")
CANDLE = {"RAYON_NUM_THREADS": "{threads}", "CANDLE_NUM_THREADS": "{threads}"}


def engines(options):
    """Name -> (command, environment, bytes of weights that a token needs)."""
    model, gguf = (os.path.join(options.data, "qwen25-0.5b-text", name) for name in ("model", "gguf"))
    ours, torch, threads = os.path.join(TARGET, "dist/examples/speed"), os.path.join(PEER, "bin/python"), str(options.threads)
    lengths = [str(options.prompt), str(options.decode)]
    text, candle = os.path.join(PEER_TEXT, "bin/python"), os.path.join(PEER_TEXT, "candle/release/candle-peer")
    few = [lengths[0], str(min(options.decode, 8))]  # for what needs a second for each token
    environment = {key: value.format(threads=threads) for key, value in CANDLE.items()}
    bf16, q8_0 = 988_000_000, 988_000_000 * 34 // 64
    llama, transformers = os.path.join(HERE, "llama.py"), os.path.join(HERE, "torch_peer.py")
    return {
        "Weightsmith bf16": ([ours, model, "bf16", *lengths, threads], {}, bf16),
        "llama.cpp bf16": ([text, llama, gguf + "/bf16.gguf", *lengths, threads], {}, bf16),
        "Weightsmith Q8_0": ([ours, model, "q8_0", *lengths, threads], {}, q8_0),
        "llama.cpp Q8_0": ([text, llama, gguf + "/q8_0.gguf", *lengths, threads], {}, q8_0),
        "candle bf16": ([candle, "bf16", model, *few], environment, bf16),
        "candle f32": ([candle, "f32", model, *lengths], environment, 2 * bf16),
        "candle Q8_0": ([candle, "q8_0", gguf + "/q8_0.gguf", *lengths], environment, q8_0),
        "transformers bf16": ([torch, transformers, model, *lengths, threads, "bfloat16"], {}, bf16),
        "transformers f32": ([torch, transformers, model, *lengths, threads, "float32"], {}, 2 * bf16),
        f"Weightsmith bf16, {options.batch} at once": ([ours, model, "bf16", *lengths, threads, str(options.batch)], {}, None),
        f"Weightsmith Q8_0, {options.batch} at once": ([ours, model, "q8_0", *lengths, threads, str(options.batch)], {}, None),
    }


class Sampler(threading.Thread):
    """Keeps the largest RssAnon of a process until `stop` is set."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.path, self.private, self.stop = f"/proc/{pid}/status", 0, threading.Event()

    def run(self):
        while not self.stop.wait(0.005):
            try:
                with open(self.path) as file:
                    found = re.search(r"^RssAnon:\s+(\d+) kB$", file.read(), re.MULTILINE)
            except OSError:
                return
            self.private = max(self.private, int(found.group(1)) if found else 0)


def run(command, environment):
    """Seconds to the first token, tokens per second, MiB of private memory. If llama.cpp crashes, it gets a second chance."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    sampler = Sampler(process.pid)
    sampler.start()
    line = process.stdout.readline()
    first = time.perf_counter() - start
    rest, errors = process.communicate(timeout=1800)
    sampler.stop.set()
    sampler.join()
    if process.returncode < 0 and command[1].endswith("llama.py") and not environment:
        print(f"llama.cpp was killed by signal {-process.returncode}; again without repacked weights", file=sys.stderr)
        return run(command, {"LLAMA_PLAIN": "1"})
    if process.returncode or not line.startswith("first"):
        sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{errors[-2000:]}")
    return {**json.loads(rest.strip().splitlines()[-1]), "first": first, "private": sampler.private / 1024}


def made(options):
    base = os.path.join(options.data, "qwen25-0.5b/base")
    if not os.path.exists(base + "/model.safetensors"):
        subprocess.run([PEER + "/bin/python", os.path.join(HERE, "../make_qwen.py"), os.path.dirname(base)], check=True)
    folder = os.path.join(options.data, "qwen25-0.5b-text")
    model, gguf = os.path.join(folder, "model"), os.path.join(folder, "gguf")
    if not os.path.exists(gguf + "/q8_0.gguf"):
        copied(base, model)
        subprocess.run([PEER_TEXT + "/bin/python", os.path.join(HERE, "make_gguf.py"), model, folder + "/new"], check=True)
        copied(folder + "/new", gguf)
        shutil.rmtree(folder + "/new")
    for path in (model + "/model.safetensors", gguf + "/bf16.gguf", gguf + "/q8_0.gguf"):
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 24):
                pass


def copied(source, target):
    """Copies files in large pieces."""
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(source):
        with open(os.path.join(source, name), "rb", buffering=0) as old, open(os.path.join(target, name), "wb", buffering=0) as new:
            while piece := old.read(8 << 20):
                new.write(piece)


def bandwidth(threads):
    """GB/s that this machine reads, by the benchmark of the linear layers."""
    command = ["cargo", "bench", "--quiet", "-p", "weightsmith-infer", "--bench", "linear", "--", str(threads)]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    print(out, file=sys.stderr)
    return float(re.search(r"reads ([0-9.]+) GB/s", out).group(1))


def cell(runs, key, digits=1):
    values = [run[key] for run in runs]
    best = min(values) if key in ("first", "private") else max(values)
    return f"{statistics.median(values):.{digits}f} ({best:.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    for name, value in (("prompt", 512), ("decode", 128), ("threads", 2), ("rounds", 3), ("batch", 8)):
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--only", action="append", default=[], help="engines whose name has this in it")
    options = parser.parse_args()
    options.data = os.path.abspath(options.data)
    subprocess.run(["cargo", "build", "--profile", "dist", "--quiet", "-p", "weightsmith-infer", "--example", "speed"], cwd=ROOT, check=True)
    made(options)
    chosen = {name: engine for name, engine in engines(options).items() if not options.only or any(part in name for part in options.only)}
    reads = bandwidth(options.threads)
    results = {name: [] for name in chosen}
    for number in range(options.rounds):
        for name, (command, environment, _) in chosen.items():
            if number > 0 and name.startswith(("candle", "transformers")):
                continue
            results[name].append(run(command, environment))
            print(name, results[name][-1], file=sys.stderr, flush=True)
    print(f"Measured {datetime.date.today().isoformat()}: prompt {options.prompt}, decode {options.decode}, {options.threads} threads, "
          f"{options.rounds} rounds in turn, median (best); the memory reads {reads:.1f} GB/s.\n")
    print("| engine | prompt, tok/s | decode, tok/s | of bandwidth | start to first token, s | private, MiB |\n|---|---|---|---|---|---|")
    for name, runs in results.items():
        weights = chosen[name][2]
        share = "–" if weights is None else f"{100 * statistics.median(run['decode'] for run in runs) * weights / (reads * 1e9):.0f} %"
        print(f"| {name} | {cell(runs, 'prompt', 0)} | {cell(runs, 'decode')} | {share} | {cell(runs, 'first', 2)} | {cell(runs, 'private', 0)} |")


if __name__ == "__main__":
    main()
