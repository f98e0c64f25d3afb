#!/usr/bin/env python3
"""Attacks `weightsmith serve` and the studio as slow, idle, greedy and guessing clients do, and checks that others are still answered.

usage: tools/attack/clients.py [--quick]

  WEIGHTSMITH  the binary, default target/debug/weightsmith of this repository
  --quick      1,500 connections and no waiting for time limits: about 20 s; otherwise 10,000 and some six minutes

Each attack is run on four servers: `serve --no-studio` and the studio, each with a key and without one; with --quick on `serve` without
a key and the studio with one. One line for each: ok or FAIL, the server, the attack, what happened, seconds, peak memory. Exit code 1 when one failed. Loopback only; Linux only (/proc).
"""
import contextlib
import json
import os
import re
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BINARY = os.environ.get("WEIGHTSMITH", os.path.join(ROOT, "target/debug/weightsmith"))
MODEL = os.path.join(ROOT, "fixtures/tiny-qwen2/instruct")
QUICK = "--quick" in sys.argv[1:]
KEY = "the key of this run"
ADDRESS_SPACE = 5_000_000 * 1024
MIB = 1 << 20
MAX_BODY = 32 * MIB
BODY_MEMORY = 128 * MIB  # as crates/server/src/settings.rs has it
PROMPT = 3.0  # seconds within which a well-behaved client is answered, on a busy machine


class Failed(Exception):
    """An attack got through."""


def expect(holds, what):
    if not holds:
        raise Failed(what)


class Server:
    """A server that is attacked."""

    def __init__(self, name, studio, key):
        self.name, self.studio, self.key = name, studio, key
        self.folder = tempfile.mkdtemp(prefix="clients-")
        command = [BINARY, "serve", MODEL, "--port", "0", "--max-body", "32MiB"]
        command += ["--data-dir", os.path.join(self.folder, "data")] if studio else ["--no-studio"]
        environment = {**os.environ, "HOME": self.folder, "HF_HUB_OFFLINE": "1"}
        environment.pop("WEIGHTSMITH_API_KEY", None)
        if key:
            environment["WEIGHTSMITH_API_KEY"] = KEY
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=limit)
        for line in self.process.stderr:
            if found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise SystemExit(f"the server did not start: {' '.join(command)}")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        # the model is loaded and read once, so that memory tells of the attack alone
        expect(self.ask("/v1/completions", {"prompt": "Anna", "max_tokens": 1})[0] == 200, "the first request failed")

    def end(self):
        self.process.terminate()
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        return code

    def connect(self, source=None):
        connection = socket.create_connection(("127.0.0.1", self.port), 20, (source, 0) if source else None)
        connection.settimeout(60)
        return connection

    def authorization(self):
        return f"authorization: Bearer {KEY}\r\n" if self.key else ""

    def head(self, method, path, length=None, more=None, close=True):
        body = "" if length is None else f"content-type: application/json\r\ncontent-length: {length}\r\n"
        more = self.authorization() if more is None else more
        end = "connection: close\r\n" if close else ""
        return f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n{body}{more}{end}\r\n".encode()

    def ask(self, path, body=None, more=None, source=None):
        """Status and text of an answer, on a connection of its own."""
        data = b"" if body is None else json.dumps(body).encode()
        head = self.head("GET" if body is None else "POST", path, None if body is None else len(data), more)
        with self.connect(source) as connection:
            connection.sendall(head + data)
            return answer(connection)

    def others_are_answered(self):
        """Checks that somebody else is: the health for all, a request for those with the key. Gives the slower one's seconds."""
        slowest = 0.0
        for path, body in (("/health", None), ("/v1/completions", {"prompt": "Anna", "max_tokens": 1})):
            begun = time.monotonic()
            try:
                status, text = self.ask(path, body)
            except OSError as error:
                raise Failed(f"{path} is not answered: {error}") from error
            took = time.monotonic() - begun
            expect(status == 200, f"{path} gives {status}: {text[:80]}")
            expect(took < PROMPT, f"{path} took {took:.1f} s")
            slowest = max(slowest, took)
        return slowest

    def status(self, name):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(rf"{name}:\s+(\d+)", status.read())[1]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def forget_peak(self):
        with contextlib.suppress(OSError), open(f"/proc/{self.process.pid}/clear_refs", "w") as refs:
            refs.write("5")


def answer(connection):
    """Status and text of what comes until the connection is closed; 0 if nothing does."""
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    found = re.match(rb"HTTP/1\.1 (\d+)", data)
    return int(found[1]) if found else 0, data.decode(errors="replace")


def opened(server, count, send=b""):
    """Connections that were opened, and have sent something."""
    held = []
    for _ in range(count):
        connection = server.connect()
        if send:
            with contextlib.suppress(OSError):  # it was closed for another
                connection.sendall(send)
        held.append(connection)
    return held


def closed(connections):
    for connection in connections:
        connection.close()


def idle(server):
    count = 1500 if QUICK else 10_000
    slowest = 0
    for send in (b"", b"GET /health HTTP/1.1\r\nhost: local", server.head("GET", "/health", close=False)):
        held = opened(server, count // 3, send)
        slowest = max(slowest, server.others_are_answered())
        if send == b"":
            silent = held
        else:
            closed(held)
    slowest = max(slowest, server.others_are_answered())
    closed(silent)
    return f"{count} connections, others within {slowest:.2f} s"


def trickled_heads(server):
    held = opened(server, 200)
    begun = time.monotonic()
    open_ones, slowest = held, 0
    text = b"GET /health HTTP/1.1\r\nx-more: " + b"a" * 200
    for byte in text:
        if not open_ones or (QUICK and time.monotonic() - begun > 1):
            break
        open_ones = [one for one in open_ones if sent(one, bytes([byte]))]
        if byte == ord("/"):
            slowest = max(slowest, server.others_are_answered())
        time.sleep(0.3)
    took = time.monotonic() - begun
    slowest = max(slowest, server.others_are_answered())
    closed(held)
    if not QUICK:
        expect(took < 45, f"heads could be sent for {took:.0f} s")
    return f"200 heads, others within {slowest:.2f} s, given up after {'(not waited for)' if QUICK else f'{took:.0f} s'}"


def sent(connection, data):
    """Whether a connection is still open for more."""
    try:
        connection.sendall(data)
        connection.setblocking(False)
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        connection.setblocking(True)
        connection.settimeout(60)


def slow_bodies(server):
    paths = ["/v1/completions", "/v1/chat/completions", "/tokenize", "/detokenize"]
    if server.studio:
        paths += ["/api/check", "/api/runs", "/api/previews", "/api/login"]
    held = []
    for path in paths:
        more = "" if path == "/api/login" else None
        held += [(path, one) for one in opened(server, 30, server.head("POST", path, 1000, more) + b"{")]
    begun = time.monotonic()
    slowest = server.others_are_answered()
    if QUICK:
        closed(one for _, one in held)
        return f"{len(held)} bodies, others within {slowest:.2f} s"
    while time.monotonic() - begun < 25:
        for _, one in held:
            sent(one, b" ")
        slowest = max(slowest, server.others_are_answered())
        time.sleep(1)
    statuses = {}
    for path, one in held:
        status, _ = answer(one)
        statuses[status] = statuses.get(status, 0) + 1
        # a login without a key is open to all; of one address, few may wait
        expected = (204, 408, 503) if path == "/api/login" else (408,)
        expect(status in expected, f"{path} ends with {status}")
    took = time.monotonic() - begun
    expect(took < 45, f"bodies could be sent for {took:.0f} s")
    return f"{len(held)} bodies, others within {slowest:.2f} s, over after {took:.0f} s: {statuses}"


def held_bodies(server):
    size, count = 30 * MIB, 15 if QUICK else 50
    path = "/api/check" if server.studio else "/v1/completions"
    before = server.status("RssAnon")
    held = []
    for _ in range(count):
        connection = server.connect()
        connection.settimeout(2)
        # all but the end: refused ones are not read to their end by everybody
        with contextlib.suppress(OSError):
            connection.sendall(server.head("POST", path, size) + b" " * (size - 10))
        held.append(connection)
    used = server.status("RssAnon") - before
    slowest = server.others_are_answered()
    refused = 0
    for connection in held:
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            refused += b" 503 " in connection.recv(64)
    closed(held)
    expect(used < BODY_MEMORY + 96 * MIB, f"{used // MIB} MiB are used")
    expect(refused >= count - 10, f"{refused} of {count} were told to come back")
    return f"{count} of {size // MIB} MiB take {used // MIB} MiB, {refused} told to come back, others within {slowest:.2f} s"


def many_values(server):
    path = "/api/runs" if server.studio else "/tokenize"
    before = server.status("RssAnon")
    server.forget_peak()
    for text in ("[" + "[]," * (8 * MIB // 3) + "[]]", "[" + '{"a":1},' * MIB + "{}]"):
        data = text.encode()
        with server.connect() as connection:
            connection.sendall(server.head("POST", path, len(data)) + data)
            status, _ = answer(connection)
        expect(status == 413, f"values of gigabytes give {status}")
    used = server.status("VmHWM") - before
    expect(used < 600 * MIB, f"{used // MIB} MiB are used")
    server.others_are_answered()
    return "413 before they are made"


def refused_while_sending(server):
    size = 64 * MIB
    wanted = {"/v1/completions": 413, "/tokenize": 413, "/v1/nothing": 404, "/v1/models": 405}
    if server.studio:
        wanted |= {"/api/check": 413, "/api/nothing": 404}
    if server.key:
        wanted["/detokenize"] = 401
    for path, status in wanted.items():
        with server.connect() as connection:
            more = "" if status == 401 else None
            connection.sendall(server.head("POST", path, size, more))
            for _ in range(64):
                connection.sendall(b" " * MIB)
            found, _ = answer(connection)
        expect(found == status, f"{path} gives {found or 'a reset'}, not {status}")
    return f"{len(wanted)} times 64 MiB were sent before the answer was read"


def streams(server):
    if not server.studio:
        return None
    held = opened(server, 300 if QUICK else 1000, server.head("GET", "/api/events"))
    time.sleep(0.5)
    statuses = {}
    for connection in held:
        connection.settimeout(10)
        start = connection.recv(12)
        statuses[start[9:].decode()] = statuses.get(start[9:].decode(), 0) + 1
    slowest = server.others_are_answered()
    expect(statuses.get("200") == 32, f"streams: {statuses}")
    closed(held)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with server.connect() as connection:
            connection.sendall(server.head("GET", "/api/events"))
            if connection.recv(12).endswith(b"200"):
                return f"{statuses}, others within {slowest:.2f} s, room again when they leave"
        time.sleep(0.2)
    raise Failed("there is no room after they left")


def unread_answers(server):
    path = "/openapi.json"
    held = opened(server, 500, server.head("GET", path, close=False) * 20)
    slowest = server.others_are_answered()
    closed(held)
    return f"500 clients read nothing, others within {slowest:.2f} s"


def guesses(server):
    if not server.key:
        return None
    with server.connect() as proven:
        proven.sendall(server.head("GET", "/v1/models", close=False))
        expect(proven.recv(65536).startswith(b"HTTP/1.1 200"), "the key is not taken")
        begun = time.monotonic()
        statuses = {}
        for number in range(200):
            status, _ = server.ask("/v1/models", more=f"authorization: Bearer guess {number}\r\n")
            statuses[status] = statuses.get(status, 0) + 1
            if server.studio:
                status, _ = server.ask("/api/login", {"key": f"guess {number}"}, more="")
                statuses[status] = statuses.get(status, 0) + 1
        took = time.monotonic() - begun
        looked_at = statuses.get(401, 0)
        expect(set(statuses) == {401, 429}, f"guesses give {statuses}")
        # five for nothing, then one after 1, 2, 4, 8 … seconds
        expect(looked_at <= 5 + 8 and 2 ** max(looked_at - 6, 0) <= took + 1, f"{looked_at} looked at in {took:.1f} s")
        proven.sendall(server.head("GET", "/v1/models"))
        expect(answer(proven)[0] == 200, "a connection that brought the key before is held up")
    status, _ = server.ask("/v1/models", source="127.0.0.2")
    expect(status == 200, f"the right key from another address gives {status}")
    return f"{statuses} in {took:.1f} s; the right key from elsewhere is taken"


def hang_ups(server):
    count = 500 if QUICK else 5000
    before = server.descriptors()
    texts = [b"", b"GET /hea", server.head("POST", "/tokenize", 1000) + b"{", server.head("GET", "/v1/models", close=False)]
    for number in range(count):
        connection = server.connect()
        connection.sendall(texts[number % len(texts)])
        if number % 2:  # a reset
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    slowest = server.others_are_answered()
    deadline = time.monotonic() + 10
    while server.descriptors() > before + 8 and time.monotonic() < deadline:
        time.sleep(0.1)
    left = server.descriptors() - before
    expect(left <= 8, f"{left} descriptors stay open")
    return f"{count} clients, others within {slowest:.2f} s, no descriptor stays"


def half_closed(server):
    held = []
    for path, body in (("/health", None), ("/tokenize", b'{"prompt": "a"}'), ("/tokenize", b"{")):
        connection = server.connect()
        length = None if body is None else len(body) if body != b"{" else 1000
        connection.sendall(server.head("GET" if body is None else "POST", path, length) + (body or b""))
        connection.shutdown(socket.SHUT_WR)
        held.append(connection)
    held += [(one.shutdown(socket.SHUT_WR), one)[1] for one in opened(server, 200)]
    begun = time.monotonic()
    for connection in held:
        connection.settimeout(10)
        answer(connection)
    took = time.monotonic() - begun
    closed(held)
    expect(took < 10, f"they were held for {took:.0f} s")
    server.others_are_answered()
    return f"{len(held)} clients that only read are let go within {took:.2f} s"


# guesses come last: they hold up this address
ATTACKS = [
    idle, trickled_heads, slow_bodies, held_bodies, many_values, refused_while_sending, streams, unread_answers, hang_ups,
    half_closed, guesses,
]

SERVERS = [("serve", False, False), ("serve with a key", False, True), ("studio", True, False), ("studio with a key", True, True)]


def run(server, attack):
    """Runs an attack; gives whether it was withstood, or nothing where there is nothing to attack."""
    server.forget_peak()
    begun = time.monotonic()
    try:
        found, holds = attack(server), True
    except (Failed, OSError) as problem:
        found, holds = str(problem) or repr(problem), False
    if found is None:
        return None
    if server.process.poll() is not None:
        raise SystemExit(f"FAIL {server.name}: {attack.__name__}: the server ended with {server.process.returncode}: {found}")
    name = attack.__name__.replace("_", " ")
    peak = server.status("VmHWM") // MIB
    print(f"{'ok  ' if holds else 'FAIL'} {server.name}: {name}: {found}; {time.monotonic() - begun:.1f} s, {peak} MiB", flush=True)
    return holds


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 20_000), most))
    results = []
    for name, studio, key in SERVERS[::3] if QUICK else SERVERS:
        server = Server(name, studio, key)
        try:
            results += [run(server, attack) for attack in ATTACKS]
        finally:
            code = server.end()
        print(f"{'ok  ' if code == 0 else 'FAIL'} {name}: ends with {code} when it is asked to")
        results.append(code == 0)
    passed, failed = results.count(True), results.count(False)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
