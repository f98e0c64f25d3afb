#!/usr/bin/env python3
"""Model cards that were made to take much time or memory, through the studio's page of a model.

usage: tools/attack/cards.py [--quick]

The binary is $WEIGHTSMITH, else target/debug/weightsmith. Each card may take 2 seconds at first and 0.5 seconds from then on, and all of
them together 400 MB. Needs Python 3.11 and Linux, and fixtures/tiny-qwen2.
"""

import concurrent.futures
import os
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from attacked_studio import ROOT, Studio, Tally  # noqa: E402

FIXTURE = ROOT / "fixtures/tiny-qwen2/base"
QUICK = "--quick" in sys.argv

FIRST = 2.0
AGAIN = 0.5
MEMORY = 400 << 20
ADDRESS_SPACE = 4 << 30

# what cards are made of, repeated up to a size
PIECES = [
    "> ", ">", "- ", "1. ", "* - + ", "<div>", "<b>", "<p><b>", "<a href=x>", "<font size=1>", "<table><td>", "<svg>", "<math><mi>",
    "<script>", "<textarea>", "<li>", "<dd><dt>", "<button>", "<nobr>", "<!--", "<![CDATA[", "<?", "<a x=\"", "&", "&amp", "&#1;", "[",
    "![", "[a](", "[a]: b\n", "[^a]", "*", "**a ", "*a **b ", "~~a ", "`", "`a``", "```\n", "|", "|a|b|\n", "\\", "\n", "\t- a\n", "# a\n",
    "a\n\n", "http://a ", "\u00e9", "\0",
]
SIZE = (256 << 10) - 4096


def numbered(make, size=SIZE):
    pieces, length, number = [], 0, 0
    while length < size:
        pieces.append(make(number))
        length += len(pieces[-1])
        number += 1
    return "".join(pieces[:-1])


def attacks():
    """Names and texts."""
    for piece in PIECES:
        yield f"{piece!r}, 252 KB", piece * (SIZE // len(piece.encode()))
    # the bound of the size is what counts here
    yield "'> ' x 100,000", "> " * 100_000
    yield "'<div>' x 100,000", "<div>" * 100_000
    yield "1 MB of '&'", "&" * 1_000_000
    yield "15 MB of a table", "|a|b|c|\n|-|-|-|\n" + "|1|2|3|\n" * 1_900_000
    yield "40 MB of text", "a b c d\n" * 5_000_000
    yield "a table with short rows", "|a" * 500 + "\n" + "|-" * 500 + "\n" + "|\n" * 120_000
    yield "a wide table", "|a" * 60_000 + "\n" + "|-" * 60_000 + "\n|"
    yield "lists by indentation", numbered(lambda n: "  " * n + "- a\n")
    yield "a list and blank lines", "- " * 30 + "\n" + "\n" * 200_000
    yield "a quote and lazy lines", "> " * 31 + "a\n" + "a\n" * 100_000
    yield "open fonts and paragraphs", "".join(f"<font size={n}>" for n in range(90)) + "\n\n" + "a\n\n" * 60_000
    yield "open fonts with hidden ends", numbered(lambda n: f"<font size={n}><!-- </font> -->") + "\n\n" + "a\n\n" * 1000
    yield "fonts in a table", "<table>" + numbered(lambda n: f"<font size={n}>a</font>")
    yield "links in a table", "<table>" + "<a>x</a>" * 30_000
    yield "attributes", "<b" + numbered(lambda n: f" a{n}=1") + ">"
    yield "references", numbered(lambda n: f"[r{n}]: /x\n", SIZE // 2) + "\n" + "[r1] " * 20_000
    yield "footnotes", numbered(lambda n: f"[^f{n}]\n\n[^f{n}]: a\n\n")
    yield "emphasis in emphasis", "*_" * 60_000 + "a" + "_*" * 60_000
    yield "brackets in brackets", "[" * 100_000 + "a" + "](b)" * 30_000
    yield "code spans", numbered(lambda n: "`" * n + " ")
    yield "metadata of brackets", "---\n" + "[" * 200_000 + "\n---\na"
    yield "metadata of tags", "---\ntags: [" + "a, " * 80_000 + "]\n---\na"
    yield "metadata of aliases", '---\na: &x "' + "y" * 100_000 + '"\nb: [' + "*x, " * 30_000 + "]\n---\na"
    yield "15 MB of metadata", "---\n" + "a: 1\n" * 3_000_000 + "---\na"


class CardStudio(Studio):
    """A studio with one model, whose card is written anew."""

    def __init__(self, folder):
        self.card = f"{folder}/models/m/README.md"
        shutil.copytree(FIXTURE, f"{folder}/models/m")
        self.write("# Card\n")
        super().__init__(folder, f"{folder}/models", ADDRESS_SPACE)

    def write(self, text):
        with open(f"{self.card}.new", "wb") as file:
            file.write(text.encode())
        os.replace(f"{self.card}.new", self.card)

    def get(self, path):
        return self.ask("GET", path)


def attack(studio, text):
    """What is wrong with the answers, and the seconds of the first one."""
    studio.write(text)
    try:
        status, body, seconds = studio.get("/api/models/m/card")
        again = studio.get("/api/models/m/card")[2]
        listed = studio.get("/api/models")[2]
    except OSError as error:
        return f"no answer: {error}", 0.0
    if status not in (200, 404):
        return f"status {status}: {body[:200]!r}", seconds
    if len(body) > 8 << 20:
        return f"{len(body)} bytes of answer", seconds
    if seconds > FIRST:
        return "too slow", seconds
    if max(again, listed) > AGAIN:
        return f"again {again:.2f} s, the list {listed:.2f} s", seconds
    return None, seconds


def main():
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        studio = CardStudio(folder)
        try:
            for number, (name, text) in enumerate(attacks()):
                if not QUICK or number % 2 == 0:
                    wrong, seconds = attack(studio, text)
                    memory = studio.memory()
                    if memory > MEMORY:
                        wrong = wrong or "too much memory"
                    tally.tell(name, wrong, seconds, memory)
            # who asks again and again makes no more work
            studio.write("# a\n\n" * 20_000)
            begun = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                answers = list(pool.map(lambda _: studio.get("/api/models/m/card")[0], range(64)))
            seconds = time.monotonic() - begun
            wrong = None if set(answers) == {200} and seconds < 4 * FIRST else f"answers {set(answers)}"
            tally.tell("64 visits of a new card at once", wrong, seconds, studio.memory())
            studio.write("# Card\n")
            _, body, seconds = studio.get("/api/models/m/card")
            wrong = None if b"<h1>Card</h1>" in body else f"{body[:200]!r}"
            tally.tell("an ordinary card after all of them", wrong, seconds, studio.memory())
        finally:
            studio.end()
    tally.end()


if __name__ == "__main__":
    main()
