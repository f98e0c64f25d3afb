#!/usr/bin/env python3
"""Recipes that were made to take much memory or time, through `weightsmith check`, its `--json`, and the studio's `/api/check`.

usage: tools/attack/recipes.py [--quick]

The binary is $WEIGHTSMITH, else target/debug/weightsmith. Each attack may take 5 seconds and 300 MB, and its answer may have 3 MB. Needs
Python 3.11 and Linux, and fixtures/tiny-qwen2 for a studio.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from attacked_studio import BINARY, ROOT, Studio, Tally, environment, limited  # noqa: E402

FIXTURES = ROOT / "fixtures/tiny-qwen2"
QUICK = "--quick" in sys.argv

SECONDS = 5.0
MEMORY = 300 << 20
ANSWER = 3_000_000
ADDRESS_SPACE = 3 << 30

HEAD = "merge_method: linear\nmodels:\n  - model: base\n    parameters: {weight: 1}\n"


def laughs(width, levels, leaf="x"):
    lines = [f"a0: &a0 [{', '.join([leaf] * width)}]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]")
    return "\n".join(lines)


def numbered(count, make):
    return "".join(make(number) for number in range(count))


def attacks():
    """Names and texts."""
    mb = 1_000_000
    yield "one long text named 90,000 times", f'a: &x "{"y" * 500_000}"\nb: [{"*x, " * 90_000}*x]\n'
    yield "the same, 1.3 MB", f'a: &x "{"y" * mb}"\nb: [{"*x, " * 90_000}*x]\n'
    yield "a billion laughs", laughs(9, 12)
    yield "laughs of long texts", laughs(2, 30, '"' + "y" * 1000 + '"')
    yield "aliases in aliases, deep", laughs(1, 200)
    yield "merge keys of a long mapping", f'a: &a {{k: "{"y" * 10_000}"}}\nb: [{"{<<: *a}, " * 10_000}]\n'
    yield "merge keys of many mappings", f"a: &a {{k: 1}}\nb: {{<<: [{'*a, ' * 80_000}]}}\n"
    yield "merge keys that chain", numbered(300, lambda n: f"m{n}: &m{n} {{<<: *m{n - 1}, k{n}: 1}}\n" if n else "m0: &m0 {k: 1}\n")
    yield "anchors in anchors", "".join(f"&a{n} [" for n in range(60)) + '"' + "y" * 900_000 + '"' + "]" * 60
    yield "100,000 anchors", numbered(40_000, lambda n: f"- &a{n} x\n")
    yield "an alias within itself", "a: &a [*a]\n"
    yield "documents", "---\na: 1\n" * 110_000
    yield "more documents", "---\na: 1\n" * 200_000
    yield "empty documents", "---\n" * 250_000
    yield "unknown keys", HEAD + numbered(45_000, lambda n: f"unknown_key_{n}: 1\n")
    yield "unknown keys like others", HEAD + numbered(45_000, lambda n: f"merge_methodd{n}: 1\n")
    yield "the same key", "merge_method: linear\n" * 45_000
    yield "the same key with long values", numbered(500, lambda n: f'k: "{"y" * 1900}"\n')
    yield "keys that are numbers", numbered(45_000, lambda n: f"{n}: 1\n")
    yield "keys without a text", ": 1\n" * 45_000
    yield "wrong tags", HEAD + numbered(45_000, lambda n: f"k{n}: !x 1\n")
    yield "long wrong tags", HEAD + numbered(900, lambda n: f"k{n}: !{'x' * 1000} 1\n")
    yield "wrong entries of a long name", HEAD + "parameters:\n  " + "n" * 1000 + ": [" + "[], " * 50_000 + "]\n"
    yield "entries that are no models", "merge_method: linear\nmodels:\n" + "- a\n" * 90_000
    yield "models", "merge_method: linear\nmodels:\n" + "- model: base\n" * 30_000
    yield "different models", "merge_method: passthrough\nslices:\n" + numbered(10_000, lambda n: f"- sources: [{{model: org/m{n}, layer_range: [0, 1]}}]\n")
    yield "adapters", "merge_method: linear\nmodels:\n" + numbered(120, lambda n: f"- model: base+lora{n}\n") * 3
    yield "layers", "merge_method: passthrough\nslices:\n" + "- sources: [{model: base, layer_range: [0, 6]}]\n" * 10_000
    yield "layers within the bound", "merge_method: passthrough\nslices:\n" + "- sources: [{model: base, layer_range: [0, 6]}]\n" * 300
    yield "a huge range", "merge_method: passthrough\nslices:\n- sources: [{model: base, layer_range: [0, 18446744073709551615]}]\n"
    yield "sources", "merge_method: linear\nslices:\n" + ("- sources:\n" + "  - {model: base, layer_range: [0, 6], parameters: {weight: 1}}\n" * 120) * 60
    yield "sources within the bound", "merge_method: linear\nslices:\n" + ("- sources:\n" + "  - {model: base, layer_range: [0, 6], parameters: {weight: 1}}\n" * 22) * 60
    yield "filters", HEAD + "parameters:\n" + numbered(40, lambda p: f"  p{p}:\n" + numbered(450, lambda n: f'    - {{filter: "{"a" * 20}{n}", value: 1}}\n'))
    yield "filters of a known parameter", HEAD + "parameters:\n  weight:\n" + numbered(18_000, lambda n: f"    - {{filter: mlp{n}, value: 1}}\n")
    yield "a long gradient", HEAD.replace("weight: 1", "weight: [" + "0.1, " * 80_000 + "1]")
    yield "brackets", "[" * (mb - 1)
    yield "braces", "{a: " * 250_000
    yield "dashes", "- " * 500_000
    yield "question marks", "? " * 500_000
    yield "colons", ":" * mb
    yield "indentation", numbered(1400, lambda n: " " * n + "a:\n")
    yield "a long line", "a" * mb
    yield "lines of a text", "a: |\n" + "  b\n" * 250_000
    yield "a text over lines", "a: b\n" + "  b\n" * 250_000
    yield "quotes", '"' + "\\n" * 500_000 + '"'
    yield "an open quote", "a: '" + "x\n" * 500_000
    yield "comments", "# a\n" * 250_000
    yield "tabs", "a:\n" + "\t" * mb
    yield "look-alikes", "a:\u00a0b\n" * 200_000
    yield "look-alikes in texts", HEAD + numbered(40_000, lambda n: f"k{n}: a\u200b\n")
    yield "curly quotes", "“a”: “b”\n" * 70_000
    yield "CRLF", "a: 1\r\n" * 150_000
    yield "lone CR", "a: 1\r" * 150_000
    yield "zeros", "\0" * mb
    yield "60 MB", "a: 1\n" * 12_000_000


def check(folder, text, *options):
    """The exit code, what was said, seconds and bytes of memory of a `check`."""
    path = f"{folder}/recipe.yml"
    with open(path, "wb") as file:
        file.write(text.encode())
    with open(f"{folder}/said", "w+b") as said:
        begun = time.monotonic()
        child = subprocess.Popen(
            [BINARY, "check", path, *options],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd=FIXTURES,
            env=environment(folder),
            preexec_fn=limited(ADDRESS_SPACE),
        )
        timer = begun + 60
        while True:
            done, status, usage = os.wait4(child.pid, os.WNOHANG)
            if done:
                break
            if time.monotonic() > timer:
                os.kill(child.pid, signal.SIGKILL)
            time.sleep(0.005)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        said.seek(0)
        return child.returncode, said.read(ANSWER + 1), seconds, usage.ru_maxrss << 10


def verdict(code, said, seconds, memory):
    """What is wrong with an answer; nothing where it is right."""
    if code not in (0, 2):
        return f"exit code {code}: {said[-200:]!r}"
    if b"panicked" in said:
        return f"a panic: {said[:200]!r}"
    if len(said) > ANSWER:
        return f"more than {ANSWER} bytes of answer"
    if seconds > SECONDS:
        return "too slow"
    if memory > MEMORY:
        return "too much memory"
    return None


def in_studio(studio, text):
    """What is wrong with the studio's answer, and its seconds."""
    begun = time.monotonic()
    try:
        status, body, seconds = studio.ask("POST", "/api/check", json.dumps({"recipe": text}), ANSWER + 1)
    except OSError as error:
        return f"no answer: {error}", time.monotonic() - begun
    if status not in (200, 413):
        return f"status {status}: {body[:200]!r}", seconds
    if len(body) > ANSWER:
        return f"more than {ANSWER} bytes of answer", seconds
    if seconds > SECONDS:
        return "too slow", seconds
    return None, seconds


def main():
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(folder, FIXTURES, ADDRESS_SPACE)
        try:
            for number, (name, text) in enumerate(attacks()):
                # in a quick run each goes one way
                for way, options in enumerate(([], ["--json"])):
                    if not QUICK or number % 3 == way:
                        said = check(folder, text, *options)
                        tally.tell(" ".join(["check", *options, name]), verdict(*said), *said[2:])
                if not QUICK or number % 3 == 2:
                    wrong, seconds = in_studio(studio, text)
                    tally.tell(f"/api/check {name}", wrong, seconds, studio.memory())
            wrong, seconds = in_studio(studio, HEAD)
            memory = studio.memory()
            if memory > 2 * MEMORY:
                wrong = wrong or "too much memory"
            tally.tell("/api/check an ordinary recipe after all of them", wrong, seconds, memory)
        finally:
            studio.end()
    tally.end()


if __name__ == "__main__":
    main()
