#!/usr/bin/env python3
"""Seconds from the start of the process to its end after one token of a short prompt, the tokenizer's reading included.

usage: first_token.py PROGRAM MODEL|RECIPE [--runs 5] [--prompt TEXT] [-- OPTIONS OF generate]

Writes the median and the fastest run in wall-clock time, and the processor time (user and system) of the same runs: on a machine with other
work the second says more. A first run, which brings the files into the page cache, does not count. Needs nothing but Python.
"""
import argparse
import os
import statistics
import subprocess
import time


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--prompt", default="What is the capital of France?")
    parser.add_argument("options", nargs="*")
    return parser.parse_args()


def run(command):
    """Wall-clock time and processor time."""
    begun, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.perf_counter() - begun, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def main():
    o = arguments()
    command = [o.program, "generate", o.model, "--prompt", o.prompt, "--max-tokens", "1", *o.options]
    run(command)
    walls, cpus = zip(*(run(command) for _ in range(o.runs)))
    print(f"{o.model}: wall {statistics.median(walls):.2f} s (fastest {min(walls):.2f}), "
          f"processor {statistics.median(cpus):.2f} s (least {min(cpus):.2f}), {o.runs} runs")


if __name__ == "__main__":
    main()
