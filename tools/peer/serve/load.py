#!/usr/bin/env python3
"""Puts `weightsmith serve` under a mixed load for a while, from 16 clients on this machine, and looks for what must not happen.

usage: load.py [--model FOLDER] [--seconds 600] [--clients 16] [--seed 1]        (WEIGHTSMITH is the binary)

Each client draws requests: short and long prompts, whole and streamed, some broken off in the middle of their stream, some malformed.
Every request must be answered as expected or with 429 and Retry-After; the server must live, its private memory must not grow by more
than 5 % after a first fifth of the time (warm-up: caches fill), and in the end nothing may run or wait.
"""
import argparse
import collections
import http.client
import json
import random
import threading
import time

from server import FIXTURES, check, serving

WORDS = "Anna Tom Rome Oslo lives works likes pet colour friend Monday twenty egg story home".split()


class Client(threading.Thread):
    """Sends requests until the time is over."""

    def __init__(self, number, options, server, counts):
        super().__init__(daemon=True)
        self.draw = random.Random(options.seed * 1000 + number)
        self.until = time.monotonic() + options.seconds
        self.host = server.url.removeprefix("http://")
        self.model = options.model.rstrip("/").split("/")[-1]
        self.counts = counts
        self.problems = []

    def run(self):
        kinds = [(self.whole, 5), (self.streamed, 4), (self.broken_off, 2), (self.malformed, 2)]
        calls, weights = zip(*kinds)
        while time.monotonic() < self.until:
            call = self.draw.choices(calls, weights)[0]
            try:
                outcome = call()
            except Exception as problem:  # whatever it is, it is what this looks for
                outcome = "failed"
                self.problems.append(f"{call.__name__}: {problem!r}")
            self.counts[call.__name__, outcome] += 1

    def body(self, **more):
        length = self.draw.choice([3, 10, 30, 100, 400, 1500])
        prompt = " ".join(self.draw.choice(WORDS) for _ in range(length))
        return {"model": self.model, "prompt": prompt, "max_tokens": self.draw.randint(1, 64), "temperature": self.draw.choice([0, 1]), **more}

    def send(self, body):
        connection = http.client.HTTPConnection(self.host, timeout=300)
        text = body if isinstance(body, str) else json.dumps(body)
        connection.request("POST", "/v1/completions", text, {"content-type": "application/json"})
        return connection, connection.getresponse()

    def busy(self, answer):
        if answer.status != 429:
            return False
        seconds = int(answer.headers["retry-after"])
        answer.read()
        time.sleep(min(seconds, 1))
        return True

    def whole(self):
        connection, answer = self.send(self.body(n=self.draw.choice([1, 1, 1, 3]), logprobs=self.draw.choice([None, 2])))
        if self.busy(answer):
            return "429"
        found = json.load(answer)
        connection.close()
        assert answer.status == 200 and found["choices"][0]["finish_reason"], found
        return "answered"

    def streamed(self):
        connection, answer = self.send(self.body(stream=True))
        if self.busy(answer):
            return "429"
        text = answer.read()
        connection.close()
        assert text.endswith(b"data: [DONE]\n\n"), text[-200:]
        return "answered"

    def broken_off(self):
        connection, answer = self.send(self.body(stream=True, max_tokens=400, ignore_eos=True))
        if self.busy(answer):
            return "429"
        answer.read(self.draw.randint(1, 2000))
        connection.sock.close() if connection.sock else None
        answer.close()
        connection.close()
        return "broken off"

    def malformed(self):
        bad = self.draw.choice([
            "{", "[]", "null", json.dumps(self.body(n=0)), json.dumps(self.body(max_tokens=-1)), json.dumps(self.body(prompt=[])),
            json.dumps(self.body(prompt=[10**6])), json.dumps(self.body(model="no such")), json.dumps(self.body(temperature="hot")),
            json.dumps(self.body(max_tokens=10**8)),
        ])
        connection, answer = self.send(bad)
        if self.busy(answer):  # where only the model can tell what is wrong
            return "429"
        found = json.load(answer)
        connection.close()
        assert answer.status in (400, 404) and found["error"]["message"], found
        return "refused"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=f"{FIXTURES}/instruct")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    counts = collections.Counter()
    with serving(options.model, "--parallel", "8", "--queue", "4", "--cache-memory", "256MiB", "--context", "8192") as server:
        clients = [Client(number, options, server, counts) for number in range(options.clients)]
        for client in clients:
            client.start()
        begun = time.monotonic()
        memory = []
        while any(client.is_alive() for client in clients):
            time.sleep(min(1, options.seconds / 60))
            memory.append((time.monotonic() - begun, *server.memory()))
        for client in clients:
            client.join()
        for (kind, outcome), count in sorted(counts.items()):
            print(f"    {kind}: {outcome} {count}")
        problems = [problem for client in clients for problem in client.problems]
        check("every request was answered or cleanly refused", not problems, problems[:5] or sum(counts.values()))
        check("some were told to come back later", any(outcome == "429" for _, outcome in counts))
        early = max(private for at, private, _ in memory if at <= options.seconds / 5)
        late = max(private for at, private, _ in memory if at >= options.seconds * 4 / 5)
        check("memory is flat within 5 %", late <= 1.05 * early, f"{early / 1024:.1f} MiB, then {late / 1024:.1f} MiB")
        time.sleep(1)
        running = [line for line in server.get("/metrics").splitlines() if line.startswith(("weightsmith_running", "weightsmith_waiting"))]
        check("nothing is left", all(line.endswith(" 0") for line in running), running)


main()
