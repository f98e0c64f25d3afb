#!/usr/bin/env python3
"""Measures `weightsmith serve` and prints a Markdown table: one client and several, a short request beside a long prompt, the cost of HTTP.

usage: bench.py --model FOLDER [--clients 8] [--tokens 128] [--long 8000] [--threads 2] [--runs 3] [--peer URL]

Random token prompts of 32 tokens are continued greedily past any end of text (`ignore_eos`). Figures are medians of RUNS.
- tokens/s of one client, and of all clients together: from the first request sent to the last answer read
- time to first token of a short request, sent while a prompt of LONG tokens is being read, and alone
- milliseconds per token of a stream beside those of the engine's own steps (from /metrics): what HTTP costs

--peer URL  a server of another make that serves the same model, such as llama.cpp's (`http://127.0.0.1:9000`), measured in turn; prompts
            go to it as text, since not every server takes tokens

WEIGHTSMITH  the binary, default target/dist/weightsmith of this repository
"""
import argparse
import concurrent.futures
import http.client
import json
import random
import statistics
import sys
import threading
import time
import urllib.parse

from server import serving


class Target:
    """A server that is measured."""

    def __init__(self, name, url, model, tokens):
        self.name, self.model, self.as_tokens = name, model, tokens
        parsed = urllib.parse.urlparse(url)
        self.host = parsed.netloc

    def stream(self, prompt, tokens):
        """Streams a continuation; the time of each part that has text."""
        body = {"model": self.model, "prompt": prompt, "max_tokens": tokens, "temperature": 0, "stream": True, "ignore_eos": True}
        connection = http.client.HTTPConnection(self.host, timeout=1200)
        begun = time.perf_counter()
        connection.request("POST", "/v1/completions", json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        times = []
        while line := answer.readline():
            if line.startswith(b"data: {"):
                times.append(time.perf_counter() - begun)
        connection.close()
        return times

    def prompt(self, draw, length):
        """Tokens, or words that make about as many."""
        if self.as_tokens:
            return [draw.randrange(100, 1000) for _ in range(length)]
        return " ".join(draw.choice(("one", "two", "red", "sea", "old", "sun")) for _ in range(length))


def together(target, draw, clients, tokens):
    """Tokens per second of some clients together."""
    prompts = [target.prompt(draw, 32) for _ in range(clients)]
    begun = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(clients) as threads:
        parts = list(threads.map(lambda prompt: len(target.stream(prompt, tokens)), prompts))
    # others may end a text before the wanted tokens, but stream each in a part of its own
    count = clients * tokens if target.as_tokens else sum(parts)
    return count / (time.perf_counter() - begun)


def beside(target, draw, long):
    """Seconds to the first token of a short request while a long prompt is being read."""
    prompt = target.prompt(draw, long)
    thread = threading.Thread(target=target.stream, args=(prompt, 1))
    thread.start()
    time.sleep(1)
    found = target.stream(target.prompt(draw, 16), 1)[0]
    if not thread.is_alive():
        print(f"{target.name}: the long prompt was done before the short request had its token", file=sys.stderr)
    thread.join()
    return found


def median(measure, runs):
    return statistics.median(measure() for _ in range(runs))


def rows(target, options):
    """What is measured of every server."""
    draw = random.Random(1)
    target.stream(target.prompt(draw, 32), 4)  # loads the model
    one = median(lambda: together(target, draw, 1, options.tokens), options.runs)
    several = median(lambda: together(target, draw, options.clients, options.tokens), options.runs)
    alone = median(lambda: target.stream(target.prompt(draw, 16), 1)[0], options.runs)
    busy = median(lambda: beside(target, draw, options.long), options.runs)
    print(f"| {target.name} | {one:.1f} | {several:.1f} | {several / one:.2f} | {alone * 1e3:.0f} | {busy * 1e3:.0f} |", flush=True)


def steps(server):
    """Sum and number of the engine's steps."""
    text = server.get("/metrics")
    figures = {line.split("{")[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if "step_seconds_sum" in line or "step_seconds_count" in line}
    return figures["weightsmith_step_seconds_sum"], figures["weightsmith_step_seconds_count"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--long", type=int, default=8000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer")
    options = parser.parse_args()
    with serving(f"model={options.model}", "-j", str(options.threads)) as server:
        print(f"| server | 1 client, tokens/s | {options.clients} clients, tokens/s | ratio | first token, ms | beside {options.long} tokens, ms |")
        print("|---|---|---|---|---|---|")
        own = Target("weightsmith", server.url, "model", True)
        rows(own, options)
        if options.peer:
            rows(Target("peer", options.peer, "model", False), options)
        draw = random.Random(2)
        before = steps(server)
        times = own.stream(own.prompt(draw, 32), 256)
        after = steps(server)
        parts = (times[-1] - times[0]) / (len(times) - 1)
        own_steps = (after[0] - before[0]) / (after[1] - before[1])
        print(f"\nmilliseconds per streamed token {parts * 1e3:.2f}, per step of the engine {own_steps * 1e3:.2f}, so HTTP costs {(parts - own_steps) * 1e3:.2f}")


main()
