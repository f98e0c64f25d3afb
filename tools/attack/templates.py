#!/usr/bin/env python3
"""Asks `check --host` and a server to use chat templates that want all memory, all time or all of the stack.

    tools/attack/templates.py [--quick] [--only NAME]

The binary is $WEIGHTSMITH, else target/debug/weightsmith. For each template, `weightsmith check --host` must end by itself within the time and say
what is wrong, and a server that has the model must answer the chat with an error, stay below the memory, and then answer a chat of an
honest model. `--quick` takes every fifth template for `check --host`, and all for the server. Needs only the fixtures.
"""

import argparse
import http.client
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("WEIGHTSMITH", str(ROOT / "target/debug/weightsmith"))
FIXTURE = ROOT / "fixtures/tiny-qwen2/instruct"
ADDRESS_SPACE = 5_000_000 << 10  # what a process may ask for at all
MEMORY = 1 << 30  # what it may use
SECONDS = 10  # in which it must end: two, and patience with a busy machine
QUICK_STEP = 5


def wrapped(first, following, last="x", times=100_000):
    """A value that contains the last one, many times."""
    return (
        "{% set n = namespace(v=" + first + ") %}{% for i in range(" + str(times) + ") %}"
        "{% set n.v = " + following + " %}{% endfor %}" + last
    )


def nested():
    """Sources that are deep, or long without being deep."""
    many = 100_000
    yield "minus", "{{ " + "-" * many + "1 }}"
    yield "not", "{{ " + "not " * 60_000 + "1 }}"
    yield "filters", "{{ 1" + "|string" * 30_000 + " }}"
    yield "attributes", "{{ a" + ".a" * many + " }}"
    yield "plus", "{{ 1" + "+1" * many + " }}"
    yield "powers", "{{ 1" + "**1" * 80_000 + " }}"
    yield "items", "{{ a" + "[0]" * 80_000 + " }}"
    yield "calls", "{{ a" + "()" * many + " }}"
    yield "elif", "{% if 0 %}" + "{% elif 0 %}" * 20_000 + "{% endif %}"
    yield "choices", "{{ 1" + " if 1 else 1" * 20_000 + " }}"
    yield "open choices", "{{ 1" + " if 1" * 50_000 + " }}"
    yield "tilde", "{{ 1" + "~''" * 60_000 + " }}"
    yield "comparisons", "{{ 1" + "<1" * many + " }}"
    for opening in ["(", "[", "{1:", "f(", "a[", "{{ ", "1 is eq("]:
        yield f"brackets {opening.strip()}", "{{ " + opening * (240_000 // len(opening))
    for tag in ["if 1", "for x in y", "macro f()", "call f()", "set a", "with a=1", "filter upper", "block a", "raw", "generation"]:
        yield f"blocks {tag}", ("{% " + tag + " %}") * (240_000 // (len(tag) + 6))
    yield "targets", "{% set " + "(" * 200_000
    yield "digits", "{{ " + "9" * 200_000 + " }}"
    yield "backslashes", "{{ '" + "\\" * 200_001 + " }}"
    yield "a long source", "x" * (64 << 20)


def deep():
    """Values that contain values."""
    for name, first, following in [
        ("lists", "[]", "[n.v]"),
        ("tuples", "()", "(n.v,)"),
        ("mappings", "{}", "{'a': n.v}"),
        ("keys", "()", "{(n.v,): 1}"),
        ("cyclers", "1", "cycler(n.v)"),
        ("joiners", "1", "joiner(n.v)"),
        ("methods", "[]", "[n.v].index"),
        ("views", "[]", "{1: n.v}.items()"),
        ("generators", "[]", "[n.v] | select('defined')"),
        ("loops", "[1]", "[loop]"),
    ]:
        yield f"deep {name}, dropped", wrapped(first, following)
        yield f"deep {name}, written", wrapped(first, following, "{{ n.v }}")
    yield "deep values, as JSON", wrapped("[]", "[n.v]", "{{ n.v | tojson }}")
    yield "deep values, compared", wrapped("[[], []]", "[[n.v[0]], [n.v[1]]]", "{{ n.v[0] == n.v[1] }}")
    yield "deep values, sorted", wrapped("[[], []]", "[[n.v[0]], [n.v[1]]]", "{{ n.v | sort }}")
    yield "deep values, a key", wrapped("()", "(n.v,)", "{{ {n.v: 1} }}")
    yield "a namespace in itself", "{% set n = namespace() %}{% set n.x = n %}{{ n }}{{ n | tojson }}"
    yield "namespaces in each other", "{% set a = namespace() %}{% set b = namespace(x=[a] * 9) %}{% set a.x = [b] * 9 %}{{ [a, b] * 100000 }}"
    yield "a chain of namespaces", wrapped("1", "m", "{{ n }}").replace("{% set n.v", "{% set m = namespace(p=n.v) %}{% set n.v")
    yield "a macro in itself", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"
    yield "two macros", "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}"
    yield "a call in itself", "{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{% endmacro %}{{ f() }}"
    yield "a loop in itself", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"
    yield "a default in itself", "{% macro f(a=f()) %}{% endmacro %}{{ f() }}"


def large():
    """Values that grow, or are large at once."""
    for source in [
        "'a' * 10 ** 18", "[0] * 100000000", "(0,) * 10 ** 18", "[1] | tojson(indent=100000000000)", "'a\\nb' | indent(100000000000)",
        "'%1000000000d' | format(1)", "'%.1000000000f' | format(1)", "'%*d' % (10 ** 12, 1)", "'{:1000000000}'.format(1)",
        "'{:.1000000000f}'.format(1.5)", "'{:{}}'.format(1, 10 ** 12)", "'a'.center(10 ** 12)", "'a'.ljust(10 ** 12)", "'a'.rjust(10 ** 12)",
        "'a'.zfill(10 ** 12)", "'a' | center(10 ** 12)", "'\\t'.expandtabs(10 ** 12)", "range(10 ** 30) | list", "9 ** 10 ** 9",
        "('x' * 100000) | replace('x', 'y' * 100000)", "('x' * 100000).replace('', 'y' * 100000)", "(['x'] * 1000) | join('y' * 1000000)",
        "('y' * 1000000).join(['x'] * 1000)", "[1] | batch(10 ** 12, 0) | list", "[1] | slice(10 ** 12) | list", "('x' * 10000000) | wordwrap(1)",
        "('x ' * 1000000) | wordwrap(1, wrapstring='y' * 100000)", "('\\n' * 10000000).splitlines()", "('a ' * 8000000).split()", "('a' * 16000000) | list",
        "('a' * 10000000).translate({97: 'b' * 1000000})", "([[0] * 1000] * 100000) | sum(start=[])", "('&' * 15000000) | e", "('é' * 8000000) | urlencode",
        "strftime_now('%Y' * 1000000)", "strftime_now('%999999999Y')", "raise_exception('x' * 16000000)",
    ]:
        yield source, "{{ " + source + " }}"
    yield "texts that double", wrapped("'x'", "n.v ~ n.v", times=60)
    yield "lists that double", wrapped("[0]", "n.v + n.v", times=60)
    yield "formats that double", wrapped("'{0}{0}'", "n.v.format(n.v)", times=60)
    yield "many texts", wrapped("[]", "n.v + ['x' * 10000]")
    for name, last in [("written", "n.v"), ("as JSON", "n.v | tojson"), ("looked at", "n.v is lower"), ("as a key", "{n.v: 1}")]:
        yield f"2^60 values, {name}", wrapped("('x',)", "(n.v, n.v)", "{{ " + last + " }}", times=60)
    yield "much output", "{% for i in range(99999) %}{{ 'x' * 100000 }}{% endfor %}"
    yield "much captured", "{% filter upper %}{% for i in range(99999) %}{{ 'x' * 100000 }}{% endfor %}{% endfilter %}"
    yield "macros that stay", "{% for i in range(99999) %}{% for j in range(99999) %}{% macro f() %}{% endmacro %}{% endfor %}{% endfor %}"


def slow():
    """Work without an end."""
    yield "loops", "{% for i in range(99999) %}{% for j in range(99999) %}{% for k in range(99999) %}{% endfor %}{% endfor %}{% endfor %}"
    yield "macros that fork", "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(35) }}"
    yield "2^60 comparisons", wrapped("[[1], [1]]", "[[n.v[0], n.v[0]], [n.v[1], n.v[1]]]", "{{ n.v[0] == n.v[1] }}", times=60)
    for expression in [
        "s[i]", "s.find('b')", "s | length", "s is upper", "s | trim", "s.split()", "s == t", "s | reverse | length", "s[::-1] | length",
        "('a' * 4000000 ~ 'c') in s", "'x' in l", "l | sort | length", "l | unique | list | length", "l[::-1] | length",
        "dict.fromkeys(l) | length", "'{}'.format(*l)", "'%s' % (s,)", "s.encode() | length", "s.strip(t) | length",
    ]:
        setup = "{% set s = 'a' * 8000000 %}{% set t = 'a' * 7999999 ~ 'b' %}{% set l = range(99999) | list %}"
        yield f"again and again {expression}", setup + "{% for i in range(99999) %}{{ " + expression + " }}{% endfor %}"


BOMBS = {name: source for group in (nested, deep, large, slow) for name, source in group()}
# these are parsed and run within the bounds, as in Jinja2: what counts is that they end
HARMLESS = {
    "filters", "plus", "powers", "elif", "choices", "tilde", "comparisons", "a namespace in itself",
    *(name for name in BOMBS if name.startswith("deep loops")),
}


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def model(base, name, source=None):
    """The fixture's files by links, with another template."""
    folder = base / name
    folder.mkdir()
    for file in FIXTURE.iterdir():
        shutil.copy(file, folder / file.name)
    if source is not None:
        (folder / "chat_template.jinja").write_text(source)
    return folder


def check_host(base, source):
    """What `check --host` says of a template: a problem with it, or nothing."""
    folder = model(base, "checked", source)
    try:
        begin = time.monotonic()
        child = subprocess.Popen(
            [BINARY, "check", "--host", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=limited, cwd=base,
        )
        try:
            said, _ = child.communicate(timeout=6 * SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return "it does not end", 6 * SECONDS
        seconds = time.monotonic() - begin
        if child.returncode not in (0, 1, 2) or b"panicked" in said or b"overflow" in said:
            return f"exit code {child.returncode}: {said[-200:]!r}", seconds
        return None if seconds < SECONDS else "too slow", seconds
    finally:
        shutil.rmtree(folder)


class Server:
    """A server of an honest model and of the bombs."""

    def __init__(self, base, bombs):
        self.names = {name: f"bomb{number}" for number, name in enumerate(bombs)}
        folders = [model(base, "honest"), *(model(base, self.names[name], source) for name, source in bombs.items())]
        self.log = open(base / "server.log", "wb")
        self.child = subprocess.Popen(
            [BINARY, "serve", "--port", "0", "--no-studio", "--max-memory", "64MiB", *map(str, folders)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=limited, cwd=base,
        )
        self.port = None
        deadline = time.monotonic() + 60
        while self.port is None and time.monotonic() < deadline:
            line = self.child.stdout.readline().decode(errors="replace")
            if not line:
                raise SystemExit("the server does not start")
            self.log.write(line.encode())
            if "http://127.0.0.1:" in line:
                self.port = int("".join(filter(str.isdigit, line.split("127.0.0.1:")[1].split("/")[0].split()[0])))
        os.set_blocking(self.child.stdout.fileno(), False)

    def ask(self, name):
        """A chat's status and answer."""
        body = {"model": name, "messages": [{"role": "user", "content": "Where does Anna live?"}], "max_tokens": 4}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=6 * SECONDS)
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as problem:
            return 0, repr(problem)
        finally:
            connection.close()

    def peak(self):
        """The most memory that it and its children have used, in bytes."""
        peak = 0
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                status = (process / "status").read_text()
            except OSError:
                continue
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            if str(self.child.pid) in (fields.get("Pid"), fields.get("PPid")):
                peak += int(fields.get("VmHWM", "0 kB").split()[0]) << 10
        return peak

    def attack(self, name):
        begin = time.monotonic()
        status, answer = self.ask(self.names[name])
        seconds = time.monotonic() - begin
        if self.child.poll() is not None:
            return f"the server is gone ({self.child.returncode})", seconds
        if status == 0 or status == 200 and name not in HARMLESS:
            return f"{status}: {answer[:200]}", seconds
        if str(pathlib.Path(tempfile.gettempdir())) in answer:
            return f"names a folder: {answer[:200]}", seconds
        if seconds > SECONDS:
            return "too slow", seconds
        if self.peak() > MEMORY:
            return f"{self.peak() >> 20} MiB of memory", seconds
        honest, answer = self.ask("honest")
        return (None if honest == 200 else f"the honest model: {honest} {answer[:200]}"), seconds

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.log.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs of `check --host`")
    parser.add_argument("--only", default="", help="templates with this in their name")
    arguments = parser.parse_args()
    bombs = {name: source for name, source in BOMBS.items() if arguments.only in name}
    passed = failed = 0

    def report(name, where, problem, seconds, memory=None):
        nonlocal passed, failed
        passed, failed = passed + (problem is None), failed + (problem is not None)
        used = f" {memory >> 20:5} MiB" if memory is not None else ""
        print(f"{'ok  ' if problem is None else 'FAIL'} {where:6} {name}: {problem or 'ended'}, {seconds:.2f} s{used}", flush=True)

    base = pathlib.Path(tempfile.mkdtemp(prefix="weightsmith-templates-"))
    try:
        server = Server(base, bombs)
        try:
            for name in bombs:
                problem, seconds = server.attack(name)
                report(name, "serve", problem, seconds, server.peak())
                if server.child.poll() is not None:
                    break
        finally:
            server.end()
        for number, (name, source) in enumerate(bombs.items()):
            if arguments.quick and number % QUICK_STEP:
                continue
            report(name, "check", *check_host(base, source))
    finally:
        shutil.rmtree(base)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
