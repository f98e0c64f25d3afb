#!/usr/bin/env python3
"""Runs a long prompt through a Qwen2.5-0.5B-shaped model and measures what memory it takes.

usage: long_context.py MODEL [--tokens 32768] [--every 4096] [--threads 2] [--binary target/dist/examples/long_context]

MODEL is a folder with config.json and weights, as make_qwen.py writes it; it needs no tokenizer, since the tokens are made up. For
every so many tokens a line of a Markdown table is printed: tokens done, time, tokens/s since the line before, tokens per second of
the process's own CPU time times its threads (what a machine without other work would do, about), the cache by formula (layers x 2 x
heads x dimension x 2 bytes a token) and as the program counts it, and private memory (RssAnon of /proc/PID/status, also
sampled twice a second for the largest). Mapped weights are not private: the system can drop them at any time.

    tools/peer/make_qwen.py DATA --only base
    cargo build --profile dist -p weightsmith-infer --example long_context
    tools/peer/long_context.py DATA/base --tokens 32768
"""
import argparse
import json
import os
import pathlib
import subprocess
import threading
import time

MIB = 1 << 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=32768)
    parser.add_argument("--every", type=int, default=4096, help="tokens of a line; a multiple of 1024")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--binary", default="target/dist/examples/long_context")
    return parser.parse_args()


def bytes_of_a_token(config):
    """Keys and values of all layers, in bfloat16."""
    heads = config["num_attention_heads"]
    dimension = config.get("head_dim") or config["hidden_size"] // heads
    return config["num_hidden_layers"] * 2 * config.get("num_key_value_heads", heads) * dimension * 2


class Process:
    """Private memory of a process, sampled while it runs, and its CPU time."""

    def __init__(self, pid):
        self.path = f"/proc/{pid}/status"
        self.stat = f"/proc/{pid}/stat"
        self.largest = 0
        self.last = 0
        threading.Thread(target=self.watch, daemon=True).start()

    def cpu_seconds(self):
        with open(self.stat) as stat:
            # the name in parentheses may hold blanks
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def private(self):
        try:
            with open(self.path) as status:
                for line in status:
                    if line.startswith("RssAnon:"):
                        private = int(line.split()[1]) * 1024
                        self.last = private
                        self.largest = max(self.largest, private)
                        return private
        except OSError:
            pass
        return None

    def watch(self):
        while self.private() is not None:
            time.sleep(0.5)


def main():
    options = arguments()
    token = bytes_of_a_token(json.loads((options.model / "config.json").read_text()))
    print(f"{token / 1024:g} KiB of cache a token; {options.tokens} tokens, {options.threads} threads\n")
    print("| tokens | s | tokens/s | by CPU time | cache by formula, MiB | cache, MiB | private memory, MiB |\n|---|---|---|---|---|---|---|", flush=True)
    process = subprocess.Popen(
        [options.binary, str(options.model), str(options.tokens)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "THREADS": str(options.threads)},
    )
    watched = Process(process.pid)
    before = (0, 0.0, 0.0)
    rest = []
    for line in process.stdout:
        fields = line.rstrip("\n").split("\t")
        if line.startswith("#"):
            rest.append(f"{fields[0][2:]}: {fields[1]}")
            continue
        done, seconds, cache = int(fields[0]), float(fields[1]), int(fields[2])
        if done % options.every and done < options.tokens:
            continue
        private = watched.private() or watched.last
        cpu = watched.cpu_seconds()
        speed = (done - before[0]) / (seconds - before[1])
        by_cpu = (done - before[0]) / (cpu - before[2]) * options.threads
        before = (done, seconds, cpu)
        print(f"| {done} | {seconds:.1f} | {speed:.1f} | {by_cpu:.1f} | {done * token / MIB:.0f} | {cache / MIB:.0f} | {private / MIB:.0f} |", flush=True)
    if process.wait():
        raise SystemExit(process.returncode)
    print("\n" + "; ".join(rest) + f"; largest private memory: {watched.largest / MIB:.0f} MiB")


if __name__ == "__main__":
    main()
