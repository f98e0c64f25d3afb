#!/usr/bin/env python3
"""Tokenizers that panic, explode or never end, through `check --host` and `generate`.

Usage: tools/attack/tokenizers.py [--quick] [--seed N] [--mutations N]

Bombs by hand, then mutations of the fixture's tokenizer.json from a seed (3,000; with --quick 300). Each run must end with
an exit code of the program (0 or 1), without the text of a panic, within 10 s and 1 GB of memory.
The binary is $WEIGHTSMITH, or target/debug/weightsmith.
"""

import argparse
import copy
import itertools
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "fixtures/tiny-qwen2/instruct"
BINARY = Path(os.environ.get("WEIGHTSMITH", ROOT / "target/debug/weightsmith")).resolve()
ADDRESSES = 5 << 30
MOST_SECONDS = 10
MOST_MEMORY = 1 << 30
TEXT = "Anna lives in Rome. aaaaaaaaaaaa <s>(\u00c5\ufb01)  \n"


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Run:
    """A run of the program: its exit code, what it said, seconds, peak memory."""

    def __init__(self, arguments, folder):
        begun = time.monotonic()
        with open(folder / "said", "w+b") as said:
            process = subprocess.Popen(
                [BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                cwd=folder, preexec_fn=limited, env={"PATH": "/usr/bin:/bin", "HF_HOME": str(folder), "LC_ALL": "C.UTF-8"},
            )
            self.memory = 0
            while True:
                done, status, usage = os.wait4(process.pid, os.WNOHANG)
                self.seconds = time.monotonic() - begun
                if done:
                    self.code = os.waitstatus_to_exitcode(status)
                    self.memory = usage.ru_maxrss * 1024  # not below that of this script
                    break
                if self.seconds > 2 * MOST_SECONDS:
                    process.kill()
                    os.wait4(process.pid, 0)
                    self.code = None
                    break
                time.sleep(0.002)
            process.returncode = self.code or 0
            said.seek(0)
            self.said = said.read().decode(errors="replace")

    def problem(self):
        if self.code is None or self.seconds > MOST_SECONDS:
            return f"took {self.seconds:.1f} s"
        if self.code not in (0, 1):
            return f"exit code {self.code}"
        if re.search(r"panicked at|stack backtrace|overflowed its stack|memory allocation of", self.said):
            return "the text of a panic"
        if self.memory > MOST_MEMORY:
            return f"{self.memory >> 20} MB"
        return None

    def told(self):
        """What it says of the tokenizer."""
        lines = [line for line in self.said.splitlines() if re.search("tokenizer", line)]
        return " ".join((lines or self.said.splitlines() or [""])[0].split())[:110]


class Bench:
    """A model's folder to try tokenizers in."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(FIXTURE, folder / "m")

    def attempt(self, content, generate):
        path = self.folder / "m/tokenizer.json"
        with open(path, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
        runs = [Run(["check", "--host", "m"], self.folder)]
        if generate:
            runs.append(Run(["generate", "--raw", "m", "-p", TEXT, "--max-tokens", "3", "-j", "1"], self.folder))
        return runs


def replace(pattern, content):
    return {"type": "Replace", "pattern": {"String": pattern}, "content": content}


def split(regex):
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}


def nested(kind, key, inner, depth):
    for _ in range(depth):
        inner = {"type": kind, key: [inner]}
    return inner


def bombs():
    """Names, and what to change in the fixture's file."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": False}
    template = lambda single, special=None: {
        "type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": special or {}}
    word = {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##"}
    yield "precompiled table that is none", {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "!"}}
    yield "precompiled table that is empty", {"normalizer": {"type": "Precompiled", "precompiled_charsmap": ""}}
    yield "precompiled table of zeros", {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA" * 4000}}
    yield "prefix that merges lack", {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"], "continuing_subword_prefix": "\u00e4\u00e4"}}
    yield "template of the second text", {"post_processor": template([{"Sequence": {"id": "B", "type_id": 0}}])}
    yield "template of a missing token", {"post_processor": template([{"SpecialToken": {"id": "x", "type_id": 0}}])}
    yield "template that repeats", {"post_processor": template([{"Sequence": {"id": "A", "type_id": 0}}] * 100_000)}
    yield "template of templates", {"post_processor": {"type": "Sequence", "processors": [template([{"Sequence": {"id": "A", "type_id": 0}}] * 3)] * 30}}
    yield "special token of a million", {"post_processor": template([{"SpecialToken": {"id": "x", "type_id": 0}}], {"x": {"id": "x", "ids": [1] * 1_000_000, "tokens": ["x"] * 1_000_000}})}
    yield "pieces of length 0", {"pre_tokenizer": {"type": "FixedLength", "length": 0}}
    yield "pieces of length 2^64-1", {"pre_tokenizer": {"type": "FixedLength", "length": 2**64 - 1}}
    yield "strip more than there is", {"decoder": {"type": "Strip", "content": "a", "start": 0, "stop": 2**40}}
    yield "strip from the front", {"decoder": {"type": "Strip", "content": "a", "start": 2**40, "stop": 0}}
    yield "decoder of numbers", {"decoder": [1e308, {}]}
    yield "replace nothing", {"normalizer": replace("", "x")}
    yield "replace nothing by much", {"normalizer": replace("", "x" * 100_000)}
    for depth in (8, 18, 30, 60, 2000):
        yield f"normalizers {depth} deep", {"normalizer": nested("Sequence", "normalizers", {"type": "NFC"}, depth)}
        yield f"pre-tokenizers {depth} deep", {"pre_tokenizer": nested("Sequence", "pretokenizers", {"type": "Whitespace"}, depth)}
        yield f"processors {depth} deep", {"post_processor": nested("Sequence", "processors", byte_level, depth)}
        yield f"decoders {depth} deep", {"decoder": nested("Sequence", "decoders", {"type": "Fuse"}, depth)}
    wide = {"type": "NFC"}
    for _ in range(18):
        wide = {"type": "Sequence", "normalizers": [wide, wide]} if len(json.dumps(wide)) < 2_000_000 else wide
    yield "2^n normalizers", {"normalizer": wide}
    yield "100,000 normalizers", {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}] * 100_000}}
    yield "40 replaces that double", {"normalizer": {"type": "Sequence", "normalizers": [replace("a", "aa")] * 40}}
    yield "replaces one after the other", {"normalizer": {"type": "Sequence", "normalizers": [replace(chr(97 + i), chr(98 + i) * 9) for i in range(20)]}}
    yield "regular expressions that grow", {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"Regex": "."}, "content": "xyz"}] * 30}}
    yield "decoders that double", {"decoder": {"type": "Sequence", "decoders": [replace("a", "aa")] * 40}}
    yield "ByteLevel 30 times", {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [byte_level] * 30}}
    yield "5000 letters before a text", {"normalizer": {"type": "Prepend", "prepend": "x" * 5000}}
    yield "300 kB before a text", {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "x" * 100_000}] * 3}}
    yield "catastrophic pattern", {"pre_tokenizer": split(r"(?:(?=(a+))a+)+(?!a)b")}
    yield "catastrophic pattern (2)", {"pre_tokenizer": split(r"(a|a|aa)*(?!a)\1b")}
    yield "pattern of a million letters", {"pre_tokenizer": split("a?" * 500_000)}
    yield "pattern with a large count", {"pre_tokenizer": split("((a{1000}){1000}){1000}")}
    yield "pattern with a large count and a look", {"pre_tokenizer": split("(?:(?:(?:(?=a)a){1000}){1000}){1000}")}
    yield "pattern with deep groups", {"pre_tokenizer": split("(" * 8000 + "a" + ")" * 8000)}
    yield "pattern with deep looks", {"pre_tokenizer": split("(?=" * 4000 + "a" + ")" * 4000)}
    yield "replace with a deep pattern", {"normalizer": {"type": "Replace", "pattern": {"Regex": "(?:" * 5000 + ")" * 5000}, "content": ""}}
    yield "padding to 10^12", {"padding": {"strategy": {"Fixed": 10**12}, "direction": "Right", "pad_to_multiple_of": 10**12, "pad_id": 0, "pad_type_id": 0, "pad_token": "x"}}
    yield "truncation to 0", {"truncation": {"direction": "Right", "max_length": 0, "strategy": "LongestFirst", "stride": 0}}
    yield "truncation with a larger stride", {"truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 10**12}}
    for number in (-1, 2**32 - 1, 2**32, 2**63, 1e30):
        added = {"id": number, "content": "<x>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        yield f"added token {number}", {"added_tokens": [added]}
        yield f"token {number}", {"model": {"type": "BPE", "vocab": {"a": number, "b": 1, "ab": 2}, "merges": ["a b"]}, "added_tokens": []}
    yield "added token of 10 MB", {"added_tokens": [dict(added, id=0, content="x" * 10_000_000)]}
    yield "200,000 added tokens", {"added_tokens": [dict(added, id=i, content=f"<{i}>") for i in range(200_000)]}
    yield "added tokens that are one", {"added_tokens": [dict(added, id=i) for i in range(1000)]}
    yield "words of any length", {"model": dict(word, vocab={"?": 0, "a": 1}, max_input_chars_per_word=2**63), "added_tokens": []}
    yield "unigram without tokens", {"model": {"type": "Unigram", "vocab": [], "unk_id": None}, "added_tokens": []}
    yield "unigram, unknown out of range", {"model": {"type": "Unigram", "vocab": [["a", -1.0]], "unk_id": 10**9}, "added_tokens": []}
    yield "unigram of prefixes", {"model": {"type": "Unigram", "vocab": [["?", 0.0]] + [["a" * i, -1.0] for i in range(1, 4000)], "unk_id": 0}, "added_tokens": []}
    yield "BPE of nothing", {"model": {"type": "BPE", "vocab": {}, "merges": []}, "added_tokens": []}
    yield "BPE with a dropout of 1", {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 1.0}, "added_tokens": []}
    yield "BPE with a dropout of 5", {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 5.0}, "added_tokens": []}
    yield "a model of lists", {"model": [[[[]]]]}
    yield "metaspace of a long letter", {"pre_tokenizer": {"type": "Metaspace", "replacement": "\U0010ffff", "prepend_scheme": "always", "split": True}}


def raw_bombs():
    """Names and whole files, or their pieces."""
    yield "empty file", b""
    yield "not UTF-8", b'{"version": "\xff"}'
    yield "brackets", b"[" * 1_000_000
    yield "objects", b'{"a":' * 1_000_000
    yield "model of brackets", b'{"model":' + b"[" * 1_000_000
    yield "decoder that breaks off", b'{"version": "1.0", "decoder": {"type": "Fuse", "x": 1e999}, "model": {}}'
    yield "200 MB of blanks", itertools.repeat(b" " * 1_000_000, 200)


VALUES = [None, True, -1, 0, 1, 2**31, 2**64, -(2**70), 1e308, "", "a", "\u0000", "\U0001f600" * 5, "A" * 3000, [], {}, [[]],
          {"String": ""}, {"Regex": ".*"}, {"Regex": "("}, {"type": "Sequence", "normalizers": []}]
# choices for the fields of steps: what is odd and still understood
TEXTS = ["", "a", "n", " ", "An", "\u2581", "\u0120", "e\u0301", "\U0001f600", "</w>", "##", "xyz"]
LETTERS = ["a", " ", "n", ".", "\u2581", "\U0001f600"]
REGEXES = ["", "a*", "n+(?!a)", "[a-n]?", "$", "^", "\\b", "(?=a)", "(a)|(n)", "\\s+(?!\\S)", "."]
NUMBERS = [0, 1, 2, 3, 1000, 2**40, 2**64 - 1]
BOOLEANS = [True, False]
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
SCHEMES = ["always", "never", "first"]


def step(component, chance):
    """A step that is understood, with odd values."""
    some = chance.choice
    pattern = some([{"String": some(TEXTS)}, {"Regex": some(REGEXES)}])
    byte_level = {"type": "ByteLevel", "add_prefix_space": some(BOOLEANS), "trim_offsets": some(BOOLEANS), "use_regex": some(BOOLEANS)}
    metaspace = {"type": "Metaspace", "replacement": some(LETTERS), "prepend_scheme": some(SCHEMES), "split": some(BOOLEANS)}
    replacement = {"type": "Replace", "pattern": pattern, "content": some(TEXTS)}
    piece = lambda: some([{"Sequence": {"id": some("AB"), "type_id": some([0, 1, 7])}}, {"SpecialToken": {"id": some(["x", "y"]), "type_id": 0}}])
    pieces = lambda: [piece() for _ in range(chance.randint(0, 3))]
    around = [[some(TEXTS), some([0, 5, 2**32 - 1])] for _ in range(2)]
    return some({
        "normalizer": [
            {"type": "BertNormalizer", "clean_text": some(BOOLEANS), "handle_chinese_chars": some(BOOLEANS), "strip_accents": some([None, True]), "lowercase": some(BOOLEANS)},
            {"type": "Strip", "strip_left": some(BOOLEANS), "strip_right": some(BOOLEANS)}, {"type": "StripAccents"},
            {"type": some(["NFC", "NFD", "NFKC", "NFKD"])}, {"type": "Nmt"}, {"type": "Lowercase"}, replacement, replacement,
            {"type": "Prepend", "prepend": some(TEXTS)}, {"type": "ByteLevel"},
            {"type": "Precompiled", "precompiled_charsmap": some(["", "AAAAAAAA", "AAAA" * 400, "BAAAAA==", "!"])},
        ],
        "pre_tokenizer": [
            {"type": "BertPreTokenizer"}, byte_level, metaspace, {"type": "Whitespace"}, {"type": "WhitespaceSplit"},
            {"type": "Punctuation", "behavior": some(BEHAVIORS)}, {"type": "Digits", "individual_digits": some(BOOLEANS)},
            {"type": "UnicodeScripts"}, {"type": "CharDelimiterSplit", "delimiter": some(LETTERS)},
            {"type": "FixedLength", "length": some(NUMBERS)},
            {"type": "Split", "pattern": pattern, "behavior": some(BEHAVIORS), "invert": some(BOOLEANS)},
        ],
        "post_processor": [
            byte_level, {"type": "RobertaProcessing", "sep": around[0], "cls": around[1], "trim_offsets": some(BOOLEANS), "add_prefix_space": some(BOOLEANS)},
            {"type": "BertProcessing", "sep": around[0], "cls": around[1]},
            {"type": "TemplateProcessing", "single": pieces(), "pair": pieces(), "special_tokens": {"x": {"id": "x", "ids": [1, 2], "tokens": ["x"]}}},
        ],
        "decoder": [
            byte_level, metaspace, replacement, {"type": "Fuse"}, {"type": "ByteFallback"},
            {"type": "Strip", "content": some(LETTERS), "start": some(NUMBERS), "stop": some(NUMBERS)},
            {"type": "CTC", "pad_token": some(TEXTS), "word_delimiter_token": some(TEXTS), "cleanup": some(BOOLEANS)},
            {"type": "BPEDecoder", "suffix": some(TEXTS)}, {"type": "WordPiece", "prefix": some(TEXTS), "cleanup": some(BOOLEANS)},
        ],
    }[component])


def model(original, chance):
    """The fixture's model with odd values."""
    changed = copy.deepcopy(original["model"])
    for _ in range(chance.randint(1, 3)):
        key = chance.choice(["continuing_subword_prefix", "end_of_word_suffix", "unk_token", "byte_fallback", "fuse_unk", "ignore_merges", "dropout"])
        changed[key] = chance.choice({"byte_fallback": BOOLEANS, "fuse_unk": BOOLEANS, "ignore_merges": BOOLEANS, "dropout": [None, 0.0, 0.5, 1.0]}.get(key, TEXTS))
    return changed


KINDS = {"normalizer": "normalizers", "pre_tokenizer": "pretokenizers", "post_processor": "processors", "decoder": "decoders"}


def places(value, path=()):
    """Paths to values, those of a large vocabulary left out but for a few."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for index, (key, inner) in enumerate(items):
        if index < 12:
            yield from places(inner, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def mutated(original, text, chance):
    """The bytes of a changed file."""
    kind = chance.randrange(10)
    if kind == 0:
        # bytes
        content = bytearray(text)
        for _ in range(chance.randint(1, 8)):
            place = chance.randrange(len(content))
            content[place:place + chance.randint(0, 3)] = bytes(chance.choice(b'{}[]",:0129eE-.\\ua\xff') for _ in range(chance.randint(0, 3)))
        return bytes(content)
    file = copy.deepcopy(original)
    for component in chance.sample(list(KINDS), chance.randint(1, 3)):
        steps = [step(component, chance) for _ in range(chance.randint(1, 4))]
        file[component] = steps[0] if len(steps) == 1 else {"type": "Sequence", KINDS[component]: steps}
    if kind < 3:
        file["model"] = model(original, chance)
    elif kind < 5:
        # anything, anywhere
        found = [path for path in places(file) if path]
        path = chance.choice(found)
        parent, key = at(file, path[:-1]), path[-1]
        parent[key] = copy.deepcopy(chance.choice([*VALUES, at(file, chance.choice(found))]))
    return json.dumps(file, ensure_ascii=chance.random() < 0.5).encode(errors="replace")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--mutations", type=int)
    options = options.parse_args()
    count = options.mutations or (300 if options.quick else 3000)
    if not BINARY.is_file():
        sys.exit(f"{BINARY}: missing; build it with `cargo build -p weightsmith-cli`")
    text = (FIXTURE / "tokenizer.json").read_bytes()
    original = json.loads(text)
    passed = failed = 0

    def judge(name, runs, loud):
        nonlocal passed, failed
        problems = [problem for run in runs if (problem := run.problem())]
        failed += bool(problems)
        passed += not problems
        if loud or problems:
            seconds, memory = max(run.seconds for run in runs), max(run.memory for run in runs)
            outcome = f"FAIL {name}: {problems[0]}" if problems else f"ok   {name}"
            print(f"{outcome} | {runs[0].told()} | {seconds:.2f} s, {memory >> 20} MB", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for name, changes in bombs():
            content = deep(original, changes) if "2000 deep" in name else json.dumps({**original, **changes}).encode()
            judge(name, bench.attempt(content, generate=True), loud=True)
        for name, content in raw_bombs():
            judge(name, bench.attempt(content, generate=isinstance(content, bytes)), loud=True)

    def chunk(worker):
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(Path(folder))
            for number in range(worker, count, 2):
                chance = random.Random(f"{options.seed}-{number}")
                content = mutated(original, text, chance)
                judge(f"mutation {options.seed}-{number}", bench.attempt(content, generate=number % 3 == 0), loud=False)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(chunk, range(2)))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def deep(original, changes):
    """JSON of a value that is nested too deep for `json`."""
    (key, value), = changes.items()
    head, tail = [], []
    while isinstance(value, dict) and any(isinstance(inner, list) and inner for inner in value.values()):
        name = next(name for name, inner in value.items() if isinstance(inner, list) and inner)
        rest = {other: inner for other, inner in value.items() if other != name}
        head.append(json.dumps(rest)[:-1] + f', "{name}": [')
        tail.append("]}")
        value = value[name][0]
    whole = "".join(head) + json.dumps(value) + "".join(tail)
    others = {other: inner for other, inner in original.items() if other != key}
    return (json.dumps(others)[:-1] + f', "{key}": {whole}}}').encode()


if __name__ == "__main__":
    sys.exit(main())
