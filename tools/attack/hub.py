#!/usr/bin/env python3
"""A hub on loopback that lies, against `pull`, `check`, `merge --stream` and `push`.

    cargo build -p weightsmith-cli
    tools/attack/hub.py [--quick] [--jobs N] [PART OF A NAME ...]

The binary is $WEIGHTSMITH, target/debug/weightsmith without it. Each attack has a hub, a cache and a folder of its own. What must hold:

- the command ends by itself with exit code 1 or 2 and in words (0 where the attack is none to somebody careful),
- within 30 seconds, with two seconds of patience (HF_HUB_DOWNLOAD_TIMEOUT, HF_HUB_ETAG_TIMEOUT), and with at most 300 MB of memory,
- nothing outside of the cache was made or changed, and no file has a name in the cache that its bytes do not hash to,
- the token went to the hub's own address only, and no control character to the terminal.

`--quick` leaves out what takes more than a second or two.
"""

import argparse
import concurrent.futures
import gzip
import hashlib
import itertools
import json
import os
import pathlib
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
import lying_server  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("WEIGHTSMITH", str(ROOT / "target/debug/weightsmith"))
FIXTURES = ROOT / "fixtures/tiny-qwen2"
TOKEN = "hf_secretsecretsecret"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
LIMIT = 5_000_000_000
TREE = f"/api/models/org/tiny/tree/{COMMIT}"
FILES = {path.name: path.read_bytes() for path in sorted((FIXTURES / "instruct").iterdir())}
WEIGHTS = "model.safetensors"


def git_hash(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def entry(path, data=b"x", **changes):
    """A file of a tree."""
    found = {"type": "file", "path": path, "size": len(data), "oid": git_hash(data)}
    if path.endswith(".safetensors"):
        found["lfs"] = {"oid": sha256(data), "size": len(data), "pointerSize": 134}
    return found | changes


def tree(*more, without=()):
    """The honest tree with more in it."""
    return [entry(path, data) for path, data in FILES.items() if path not in without] + list(more)


def large(path, size, number=0):
    """A large file of any size."""
    return entry(path, lfs={"oid": f"{number:064x}", "size": size, "pointerSize": 134})


def raw(body=b"", status="200 OK", length=None, **headers):
    """A whole answer as bytes."""
    length = len(body) if length is None else length
    head = {"Content-Length": length, "Connection": "close"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items() if value is not None)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body


def as_json(value, **headers):
    return raw(json.dumps(value).encode(), **headers)


class Server(lying_server.Server):
    """Answers by a hook, else as an honest hub does."""

    def otherwise(self, request):
        return honest(request, self)


def honest(request, hub):
    path = request.path
    if path == "/api/models/org/tiny/revision/main":
        return as_json({"id": "org/tiny", "sha": COMMIT})
    if path == TREE:
        return as_json(tree())
    if "/resolve/" in path:
        return file_answer(request, path.split("/resolve/")[1].split("/", 1)[1])
    if path == "/api/whoami-v2":
        return as_json({"type": "user", "name": "me"})
    if path == "/api/repos/create":
        return as_json({"url": f"{hub.url}/me/out"})
    if path.startswith("/api/models/me/out/revision/"):
        return as_json({"sha": COMMIT})
    if path.startswith("/api/models/me/out/tree/"):
        return as_json([])
    if path.startswith("/api/models/me/out/preupload/"):
        files = json.loads(request.body)["files"]
        mode = lambda name: "lfs" if name.endswith(".safetensors") else "regular"
        return as_json({"files": [{"path": f["path"], "uploadMode": mode(f["path"])} for f in files]})
    if path == "/me/out.git/info/lfs/objects/batch":
        return as_json(batch(request, {"href": f"{hub.url}/lfs/put"}))
    if path.startswith("/lfs/"):
        return raw(ETag='"x"')
    if path.startswith("/api/models/me/out/commit/"):
        return as_json({"commitOid": COMMIT})
    return raw(b'{"error":"not found"}', "404 Not Found", X_Error_Code="RepoNotFound")


def batch(request, upload, **more):
    objects = json.loads(request.body)["objects"]
    actions = {"upload": upload} | more
    return {"transfer": "basic", "objects": [o | {"actions": actions} for o in objects]}


def file_answer(request, name, data=None):
    data = FILES.get(name) if data is None else data
    if data is None:
        return raw(status="404 Not Found", X_Error_Code="EntryNotFound")
    if not request.range:
        return raw(data)
    start, end = request.range
    end = min(end, len(data) - 1)
    place = f"bytes {start}-{end}/{len(data)}"
    return raw(data[start : end + 1], "206 Part", Content_Range=place)


# --- what an attack is made of


class Attack:
    def __init__(self, name, hook=None, command="pull", rc=(1, 2), slow=False, says=None, prepare=None,
                 after=None, seconds=30, memory=300):
        self.name, self.hook, self.command, self.rc, self.slow = name, hook, command, rc, slow
        self.says, self.prepare, self.after = says, prepare, after
        self.seconds, self.memory = seconds, memory


ATTACKS = []


def attack(name, *arguments, **settings):
    ATTACKS.append(Attack(name, *arguments, **settings))


def at(part, reply):
    """Answers by `reply` where the path has that part; a function gets request and hub."""

    def hook(request, hub):
        if part not in request.path:
            return None
        return reply(request, hub) if callable(reply) else reply

    return hook


def listing(*more, without=()):
    return at(TREE, as_json(tree(*more, without=without)))


def both(*hooks):
    def hook(request, hub):
        return next((reply for one in hooks if (reply := one(request, hub)) is not None), None)

    return hook


def forever(head, piece, pause=0.0):
    def reply(request, hub):
        def pieces():
            yield head
            while True:
                yield piece
                if pause:
                    time.sleep(pause)

        return pieces()

    return reply


def after_wait(seconds, then=b""):
    def reply(request, hub):
        def pieces():
            time.sleep(seconds)
            yield then

        return pieces()

    return reply


def trickled(data, pause=0.05):
    """An honest answer to the range that is asked for, byte by byte."""

    def reply(request, hub):
        answer = file_answer(request, None, data)
        head, body = answer.split(b"\r\n\r\n", 1)

        def pieces():
            yield head + b"\r\n\r\n"
            for byte in body:
                yield bytes([byte])
                time.sleep(pause)

        return pieces()

    return reply


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

# --- paths that lead out

for path in [
    "../config.json", "/etc/config.json", "a/../../config.json", "..\\config.json", "c:config.json",
    "x\0.json", "", ".", "..", "./../x.json", "chat_templates/../../x.json", "chat_templates/..",
]:
    attack(f"path {path!r}", listing(entry(path)), says="is outside the repository")
attack("path of 5,000 letters", listing(entry("a" * 5000 + ".json")), says="is a path of")
attack("name of 300 letters", listing(entry("a" * 300 + ".json")))
attack("name with escape sequences", both(listing(entry("\x1b]0;evil\x07\x1b[31m.json")), at(".json", raw(b"y"))))
attack("name with a line end", both(listing(entry("a\nb.json")), at("a\nb", raw(b"y"))))
attack("a file that is a folder too", listing(entry("chat_templates"), entry("chat_templates/a.json")), rc=(0, 1, 2))
attack("the same file twice", listing(entry("config.json", b"other")), rc=(0, 1))
attack("a path that is a number", at(TREE, as_json([{"type": "file", "path": 7, "oid": "0" * 40}])))
attack("a path that is null", at(TREE, as_json([{"type": "file", "path": None, "oid": "0" * 40}])))
attack("git's own folder", listing(entry(".git/hooks/post-checkout")), rc=(0,))

# --- hashes and commits

for oid in ["../../x", "0" * 39, "", "g" * 40, "0" * 40 + "\n", "0" * 64]:
    attack(f"hash {oid[:12]!r} of {len(oid)}", listing(entry("a.json", oid=oid)), says="has no hash")
attack("a hash that is null", listing(entry("a.json", oid=None)))
attack("SHA-256 of other bytes", listing(entry(WEIGHTS, b"x", size=len(FILES[WEIGHTS]), lfs={
    "oid": "1" * 64, "size": len(FILES[WEIGHTS])}), without=[WEIGHTS]), says="has hash")
attack("git hash of other bytes", listing(entry("a.json", b"xx"), without=[]), rc=(1, 2))
for sha in ["../../x", "main", "", "z" * 40, "0" * 1_000_000]:
    attack(f"commit {sha[:8]!r} of {len(sha)}", at("/revision/", as_json({"sha": sha})), says="is not a commit")
for value in [None, 5, ["0" * 40], {"sha": COMMIT}]:
    attack(f"commit {value!r:.20}", at("/revision/", as_json({"sha": value})))
attack("no commit", at("/revision/", as_json({})))

# --- sizes

SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
for sizes in [(1 << 63, 1 << 63), ((1 << 64) - 1, 2), (1 << 41, 1)]:
    two = [large(name, size, number) for number, (name, size) in enumerate(zip(SHARDS, sizes))]
    for command in ["pull", "check", "stream"]:
        attack(f"sizes {sizes[0]} and {sizes[1]}, {command}", listing(*two, without=[WEIGHTS]), command,
               says="at most 1099511627776 are allowed")
attack("more than the disk has", listing(
    *[large(f"model-{n:05}-of-01000.safetensors", 1 << 40, n) for n in range(1, 1001)], without=[WEIGHTS]),
    says="are free")
for size in [1 << 64, -1, 1e30, 1.5, "5", None, [], {}]:
    hook = listing(entry(WEIGHTS, lfs={"oid": "1" * 64, "size": size}), without=[WEIGHTS])
    attack(f"size {size!r:.22}", hook)
attack("weights of no bytes", listing(large(WEIGHTS, 0), without=[WEIGHTS]))
attack("a size larger than the file", listing(entry("a.json", b"x", size=5000)))
attack("a size smaller than the file", both(listing(entry("a.json", b"xy")), at("a.json", raw(b"xyz" * 1000))), rc=(0,))
attack("100,000 small files", at(TREE, lambda request, hub: as_json(
    [entry(f"{n}.json", b"", oid=f"{n:040x}") for n in range(100_000)])), slow=True, rc=(1,))

# --- listings

attack("40 MB of spaces", at(TREE, forever(raw(length=40 << 20), b" " * (1 << 20))), says="more than 32 MiB")
attack("40 MB of one text", at(TREE, forever(raw(b'["', length=40 << 20), b"a" * (1 << 20))))
attack("30 MB of a path", at(TREE, lambda request, hub: as_json([entry("a" * (30 << 20))])), says="is a path of")
attack("250,000 folders", at(TREE, lambda request, hub: raw(
    b"[" + b'{"type":"directory","path":"a"},' * 250_000)), says="more than 200000 files and folders")
attack("600,000 tiny entries", at(TREE, raw(b"[" + b"{}," * 600_000 + b"]")))
for name, body in {
    "nested a million times": b"[" * 1_000_000,
    "nested objects": b'{"a":' * 500_000,
    "nested where nobody looks": b'[{"type":"file","x":' + b"[" * 1_000_000,
    "a page of HTML": b"<!DOCTYPE html><html><body>Log in</body></html>",
    "nothing": b"",
    "null": b"null",
    "an object": b"{}",
    "nulls": b"[null]",
    "not closed": b'[{"type":"file"',
    "not UTF-8": b'[{"type":"file","path":"\xff\xfe"}]',
    "a byte order mark": b"\xef\xbb\xbf[]",
    "UTF-16": "[]".encode("utf-16"),
    "a number of a million digits": b'[{"type":"file","path":"a","size":' + b"9" * 1_000_000 + b"}]",
    "NaN": b'[{"type":"file","path":"a","size":NaN}]',
    "a lone surrogate": b'[{"type":"file","path":"\\ud800"}]',
    "more behind the end": b"[]" + b"x" * 1000,
    "arrays for objects": b'[["file","a",1,"' + b"0" * 40 + b'"]]',
}.items():
    attack(f"listing: {name}", at(TREE, raw(body)))
attack("listing: gzip that nobody asked for", at(TREE, raw(gzip.compress(b"[]"), Content_Encoding="gzip")))
attack("listing: a gzip bomb", at(TREE, raw(gzip.compress(b" " * (16 << 20)), Content_Encoding="gzip")))
attack("listing: chunks without end", at(TREE, forever(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n")),
       says="more than 32 MiB")
attack("listing: a chunk of 2^64", at(TREE, CHUNKED + b"ffffffffffffffff1\r\n[]"), slow=True)
attack("listing: cut", at(TREE, raw(b"[", length=5000)), slow=True)
attack("listing: two lengths", at(TREE, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n[]"), slow=True)
attack("listing: a negative length", at(TREE, raw(b"[]", length=-1)), slow=True)
attack("listing: byte by byte", at(TREE, trickled(b" " * 10_000)), slow=True, says="too slow")
attack("listing: chunk sizes byte by byte", at(TREE, forever(CHUNKED, b"0", 0.05)), slow=True, seconds=150)
attack("a tree of no weights", listing(without=[WEIGHTS]), says="no safetensors weights")
attack("a shard of 999,999", listing(large("model-00001-of-999999.safetensors", 5), without=[WEIGHTS]))

# --- pages


def pages(link, pause=0.0, body=b"[]"):
    counter = itertools.count()

    def reply(request, hub):
        time.sleep(pause)
        return raw(body, Link=f'<{link(next(counter), hub)}>; rel="next"')

    return at(TREE, reply)


attack("pages without end", pages(lambda n, hub: f"{hub.url}{TREE}?cursor={n}"), says="pages", slow=True)
attack("the same page again", pages(lambda n, hub: f"{hub.url}{TREE}?cursor=a"), says="repeats an earlier one")
attack("two pages in turn", pages(lambda n, hub: f"{hub.url}{TREE}?cursor={n % 2}"), says="repeats an earlier one")
attack("a page of another model", pages(lambda n, hub: f"{hub.url}/api/models/x/y/tree/{COMMIT}?a"), says="belongs to another request")
attack("a page at another host", pages(lambda n, hub: f"{hub.other.url}{TREE}?cursor=a"), says="repeats an earlier one")
attack("a page that is a file", pages(lambda n, hub: "file:///etc/passwd?a"), says="belongs to another request")
attack("a page with the Hub in its name", pages(lambda n, hub: f"{hub.url}@{hub.other.url[7:]}/x?a"), says="belongs to another request")
attack("a page of 8,000 letters", pages(lambda n, hub: f"{hub.url}{TREE}?c={'a' * 8000}{n}"), rc=(0, 1))
attack("pages with the same file", pages(lambda n, hub: f"{hub.url}{TREE}?c={n}", body=json.dumps(
    [entry("a.json")] * 1000).encode()), says="more than 200000", slow=True)

# --- redirects and tokens


def redirect(location, status="307 Go"):
    return lambda request, hub: raw(status=status, Location=location(hub) if callable(location) else location)


for place in ["/revision/", TREE, "/resolve/"]:
    attack(f"redirect of {place[:12]} to another host", at(place, redirect(lambda hub: hub.other.url + "/x")))
    attack(f"redirect of {place[:12]} to itself", at(place, lambda request, hub: raw(
        status="302 Go", Location=request.target)), says="redirects, giving up")
    attack(f"redirect of {place[:12]} with the Hub as user", at(place, redirect(
        lambda hub: f"{hub.url}@{hub.other.url[7:]}/x")))
for location in ["file:///etc/passwd", "ftp://127.0.0.1/x", "//127.0.0.1:1/x", "", "x", "http://", "http:///x",
                 "http://127.0.0.1:99999/x", "javascript:alert(1)", "\x1b[31m"]:
    attack(f"redirect to {location!r}", at("/resolve/", redirect(location)))
attack("a redirect without a place", at("/resolve/", raw(status="302 Go")))
attack("a redirect to 60,000 letters", at("/resolve/", redirect(lambda hub: f"{hub.url}/{'a' * 60_000}")))
attack("files from another host", at("/resolve/", lambda request, hub: raw(
    status="302 Go", Location=f"{hub.other.url}/cdn/{request.path.rsplit('/', 1)[1]}")), rc=(0,))

# --- bodies of files

for name in ["config.json", WEIGHTS]:
    data, place = FILES[name], f"/resolve/{COMMIT}/{name}"
    attack(f"{name}: without end", at(place, forever(CHUNKED, b"10000\r\n" + b"a" * 65536 + b"\r\n")), says="has hash")
    attack(f"{name}: byte by byte", at(place, trickled(data)), slow=True, says="the connection ended",
           rc=(1,) if name == WEIGHTS else (0, 1), seconds=60)
    attack(f"{name}: always cut", at(place, raw(data[: len(data) // 2], length=len(data))), slow=True)
    attack(f"{name}: shorter than it says", at(place, raw(data[:-1])), slow=True)
    attack(f"{name}: longer than it says", at(place, raw(data + b"x")), rc=(0,))
    attack(f"{name}: other bytes", at(place, raw(bytes(len(data)))), says="has hash")
    attack(f"{name}: a page of HTML", at(place, raw(b"<!DOCTYPE html>".ljust(len(data)))), says="has hash")
    attack(f"{name}: gzip", at(place, raw(gzip.compress(data), Content_Encoding="gzip")), slow=True)
    for status in ["204 None", "304 Same", "416 Range", "404 Not Found", "999 What"]:
        attack(f"{name}: {status}", at(place, raw(status=status)), slow=status.startswith("2"))
HEAD = FILES[WEIGHTS][:16384]
for command in ["check", "stream"]:
    for name, reply in {
        "the whole file for a range": raw(FILES[WEIGHTS]),
        "another range": raw(HEAD, "206 Part", Content_Range=f"bytes 1-16384/{len(FILES[WEIGHTS])}"),
        "another size": raw(HEAD, "206 Part", Content_Range="bytes 0-16383/16384"),
        "no range": raw(HEAD, "206 Part"),
        "a range of 2^64": raw(HEAD, "206 Part", Content_Range=f"bytes 0-{1 << 64}/{1 << 65}"),
        "parts": raw(HEAD, "206 Part", Content_Type="multipart/byteranges; boundary=x"),
    }.items():
        attack(f"{command}: {name}", at(f"/resolve/{COMMIT}/{WEIGHTS}", lambda request, hub, reply=reply: (
            reply if request.method == "GET" else None)), command)


def header(data):
    """Weights whose header is that."""
    data = data.ljust(len(FILES[WEIGHTS]))
    return both(listing(entry(WEIGHTS, data), without=[WEIGHTS]), at(f"/{WEIGHTS}", lambda request, hub: file_answer(request, None, data)))


for name, data in {
    "a header of 2^63 bytes": (1 << 63).to_bytes(8, "little") + b"{}",
    "a header of 2^64-1 bytes": b"\xff" * 8,
    "a header longer than the file": (90_000_000).to_bytes(8, "little"),
    "a header of nothing": bytes(8),
    "a header that is HTML": b"<!DOCTYPE html><html>",
    "a tensor of 2^63 bytes": (lambda text: len(text).to_bytes(8, "little") + text)(
        b'{"a":{"dtype":"BF16","shape":[4611686018427387904],"data_offsets":[0,9223372036854775808]}}'),
}.items():
    attack(f"check: {name}", header(data), "check")
attack("check: a header of 99 MB of spaces", both(
    listing(large(WEIGHTS, 200_000_000, 5), without=[WEIGHTS]),
    at(f"/{WEIGHTS}", lambda request, hub: spaces(request))), "check", slow=True)


def spaces(request):
    start, end = request.range
    data = ((99_000_000).to_bytes(8, "little") + b"{")[start : end + 1].ljust(end + 1 - start)
    return raw(data, "206 Part", Content_Range=f"bytes {start}-{end}/200000000")




def later(reply):
    """The header is right; blocks are not."""

    def hook(request, hub):
        if not request.path.endswith(WEIGHTS) or not request.range or request.range[0] < 1:
            if not request.range or request.range[1] < 1_000_000:
                return None
        return reply(request, hub) if callable(reply) else reply

    return hook


attack("stream: blocks are cut", later(raw(b"x", length=100)), "stream", slow=True)
attack("stream: blocks of another range", later(raw(b"x" * 100, "206 Part", Content_Range="bytes 0-99/100")), "stream")
attack("stream: blocks byte by byte", later(trickled(FILES[WEIGHTS])), "stream", slow=True)
attack("stream: blocks are refused", later(raw(status="403 No")), "stream")

# --- headers, silence, patience

attack("a million header lines", at("/revision/", forever(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1000)), slow=True)
attack("a header without end", at("/revision/", forever(b"HTTP/1.1 200 OK\r\nX: ", b"a" * 65536)), slow=True)
attack("a status without end", at("/revision/", forever(b"HTTP/1.1 200 ", b"a" * 65536)), slow=True)
attack("headers byte by byte", at("/revision/", forever(b"HTTP/1.1 200 OK\r\nX: ", b"a", 0.05)), slow=True)
attack("silence", at("/revision/", after_wait(40)), slow=True)
attack("silence after the headers", at("/revision/", lambda request, hub: (
    piece for piece in itertools.chain([raw(length=100)], iter(lambda: time.sleep(0.5) or b"", None)))), slow=True)
attack("closed at once", at("/revision/", b""), slow=True)
attack("noise", at("/revision/", b"\x00\xff" * 5000), slow=True)
attack("HTTP/0.9", at("/revision/", b"<html>"), slow=True)
attack("continue without end", at("/revision/", forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01)), slow=True)
for value in ["301", "4000", "9" * 30]:
    attack(f"Retry-After: {value[:9]}", at("/revision/", raw(status="429 Wait", Retry_After=value)),
           slow=len(value) > 10)
for value in ["-1", "soon", "Wed, 21 Oct 2099 07:28:00 GMT", "0"]:
    attack(f"Retry-After: {value[:9]}", at("/revision/", raw(status="503 Wait", Retry_After=value)), slow=True)

# --- refusals

attack("a refusal of 50 MB", at("/revision/", lambda request, hub: raw(b"a" * (50 << 20), "404 No")))
attack("a refusal without end", at("/revision/", forever(CHUNKED.replace(b"200 OK", b"404 No"), b"10000\r\n" + b"a" * 65536 + b"\r\n")))
attack("a refusal byte by byte", at("/revision/", forever(raw(status="403 No", length=10_000), b"a", 0.05)), slow=True)
attack("a refusal with escapes", at("/revision/", raw(status="404 No", X_Error_Message="\x1b[31mred\x1b]0;x\x07")))
attack("a refusal with escapes in JSON", at("/revision/", raw(b'{"error":"\\u001b[31m\\u0007"}', "404 No")))
attack("a refusal nested", at("/revision/", raw(b'{"error":' + b"[" * 60_000, "404 No")))
attack("a gate", at("/revision/", raw(status="403 No", X_Error_Code="GatedRepo")), says="is gated")

# --- a cache in which others have planted something


def blob(name):
    return sha256(FILES[name]) if name == WEIGHTS else git_hash(FILES[name])


def planted(make):
    def prepare(box):
        repo = box / "cache/models--org--tiny"
        for folder in ["blobs", "refs", "snapshots"]:
            (repo / folder).mkdir(parents=True)
        (box / "cache/.locks/models--org--tiny").mkdir(parents=True)
        make(box, repo)

    return prepare


def foreign_link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    path.symlink_to(target)
    os.lchown(path, 12345, 12345)


for name in ["config.json", WEIGHTS]:
    begun = f"blobs/{blob(name)}.incomplete"
    lock = f"cache/.locks/models--org--tiny/{blob(name)}.lock"
    attack(f"planted: {name} begun is a link", prepare=planted(lambda box, repo, begun=begun: (
        (repo / begun).symlink_to(box / "victim"))), rc=(0,))
    attack(f"planted: {name} begun is a second name", prepare=planted(lambda box, repo, begun=begun: (
        (repo / begun).hardlink_to(box / "victim"))), rc=(0,))
    attack(f"planted: {name} begun is a pipe", prepare=planted(lambda box, repo, begun=begun: (
        os.mkfifo(repo / begun))), rc=(0,))
    attack(f"planted: {name} begun is a folder", prepare=planted(lambda box, repo, begun=begun: (
        (repo / begun).mkdir())))
    attack(f"planted: {name} begun with wrong bytes", prepare=planted(lambda box, repo, begun=begun: (
        (repo / begun).write_bytes(b"wrong"))), says="has hash")
    attack(f"planted: {name} is a link within its folder", prepare=planted(lambda box, repo, name=name: (
        (repo / "snapshots" / COMMIT).mkdir(), (repo / "snapshots" / COMMIT / name).symlink_to(box / "victim"))), rc=(0,))
    attack(f"planted: the lock of {name} is a link", prepare=planted(lambda box, repo, lock=lock: (
        (box / lock).symlink_to(box / "made"))))
    attack(f"planted: the lock of {name} is a pipe", prepare=planted(lambda box, repo, lock=lock: (
        os.mkfifo(box / lock))))
attack("planted: the branch is a link", prepare=planted(lambda box, repo: (
    (repo / "refs/main").symlink_to(box / "victim"))), rc=(0,))
attack("planted: the branch is a pipe", prepare=planted(lambda box, repo: os.mkfifo(repo / "refs/main")), rc=(0,))
if os.geteuid() == 0:
    for folder in ["blobs", "snapshots", "refs", f"snapshots/{COMMIT}"]:
        attack(f"planted: {folder[:12]} is another user's link", prepare=planted(lambda box, repo, folder=folder: (
            foreign_link(repo / folder, box / "elsewhere"))), says="created by another user")
    attack("planted: a blob is another user's link", prepare=planted(lambda box, repo: (
        foreign_link(repo / "blobs" / blob("config.json"), FIXTURES / "base/config.json"))), rc=(0,))

# --- publishing

attack("push: honest", command="push", rc=(0,))
for value in ["../../x", "a/b/c", "", "a b", 5, None, "a" * 1000, "\x1b[31m"]:
    attack(f"push: an account {value!r:.14}", at("/api/whoami-v2", as_json({"name": value})), "push unnamed")
attack("push: an account without end", at("/api/whoami-v2", forever(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n")), "push unnamed")
attack("push: no way of uploading", at("/preupload/", as_json({"files": []})), "push", says="uploadMode")
attack("push: ways byte by byte", at("/preupload/", forever(raw(length=9999), b" ", 0.05)), "push", slow=True)


def lfs(upload, **more):
    """Large files go where `upload` says."""

    def hook(request, hub):
        if "/lfs/objects/batch" not in request.path:
            return None
        text = json.dumps({"transfer": "basic", "objects": [
            {"oid": oid, "size": 1, "actions": {"upload": upload(hub)} | {k: v(hub) for k, v in more.items()}}
            for oid in OIDS]})
        return raw(text.encode())

    return hook


OIDS = []
attack("push: to another host", lfs(lambda hub: {"href": hub.other.url + "/put"}), "push", rc=(0, 1))
attack("push: confirmed at another host", lfs(lambda hub: {"href": hub.url + "/lfs/x"}, verify=lambda hub: {
    "href": hub.other.url + "/verify"}), "push", rc=(0, 1))
for size in [0, -1, "x", None, 1, "1"]:
    attack(f"push: parts of {size!r}", lfs(lambda hub, size=size: {
        "href": hub.url + "/lfs/x", "header": {"chunk_size": size}}), "push")
attack("push: parts without addresses", lfs(lambda hub: {
    "href": hub.url + "/lfs/x", "header": {"chunk_size": 1_000_000}}), "push", says="no address for part")
attack("push: 2 million addresses", lfs(lambda hub: {"href": hub.url + "/lfs/x", "header": {
    "chunk_size": 1_000_000} | {str(n): "" for n in range(2_000_000)}}), "push", says="more than 10000 parts", slow=True)
attack("push: headers that are lists", lfs(lambda hub: {"href": hub.url, "header": {"a": [[]]}}), "push")
for href in ["file:///etc/passwd", "", "x", "//x"]:
    attack(f"push: to {href!r}", lfs(lambda hub, href=href: {"href": href}), "push")
attack("push: by xet", at("/lfs/objects/batch", as_json({"transfer": "xet", "objects": []})), "push", says="xet")
attack("push: refused", at("/lfs/objects/batch", raw(status="403 No")), "push")
attack("push: nobody reads the upload", both(lfs(lambda hub: {"href": hub.url + "/lfs/x"}), at("/lfs/x", after_wait(4))),
       "push", rc=(0, 1), slow=True, seconds=90)
attack("push: a commit without end", at("/commit/", forever(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n")), "push")
attack("push: a commit that is there", at("/commit/", raw(status="412 No")), "push")
attack("push: a page that is none", at("/commit/", as_json({"commitOid": 5, "pullRequestUrl": []})), "push")

# --- honest

attack("pull: honest", rc=(0,))
attack("check: honest", command="check", rc=(0,))
attack("stream: honest", command="stream", rc=(0,))
attack("offline: nobody there", lambda request, hub: b"", command="nobody", seconds=5, says="can't reach 127.0.0.1:9")
attack("offline: a name that is none", command="nowhere", seconds=15, says="can't reach no.such.host.invalid")


# --- running them


def recipe(box):
    (box / "recipe.yml").write_text(
        f"merge_method: slerp\nbase_model: org/tiny\nmodels:\n  - model: org/tiny\n  - model: {FIXTURES}/base\n"
        "parameters:\n  t: 0.4\ndtype: bfloat16\n")


def arguments(command, box):
    match command:
        case "pull" | "nobody" | "nowhere":
            return ["pull", "org/tiny"]
        case "check":
            return ["check", "recipe.yml"]
        case "stream":
            return ["merge", "--stream", "recipe.yml", "out"]
        case "push":
            return ["push", "--private", "merged", "me/out"]
        case "push unnamed":
            return ["push", "--private", "merged"]


def watched(child):
    """Waits for a program; gives the most memory that it had, in MB."""
    most = 0
    while child.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
            most = max(most, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
        except (OSError, ValueError):
            pass
        time.sleep(0.01)
    return most / 1000


def outside(box):
    """Everything that must stay as it is."""
    found = {}
    for folder, folders, names in os.walk(box):
        path = pathlib.Path(folder)
        if path == box:
            folders[:] = [name for name in folders if name not in ("cache", "out", "xdg")]
            names = [name for name in names if name not in ("stdout", "stderr")]
        for name in names + folders:
            one = path / name
            kind = one.lstat()
            found[str(one)] = (stat.S_IFMT(kind.st_mode), one.read_bytes() if one.is_file() else b"")
    return found


def wrong_in_cache(box):
    for found in (box / "cache").glob("models--*/blobs/*"):
        if found.is_symlink() or not found.is_file():
            continue
        name, data = found.name, found.read_bytes()
        if name.endswith(".incomplete"):
            continue
        if name not in (sha256(data), git_hash(data)):
            return f"blob {name} has other bytes"
    for found in (box / "cache").glob("models--*/snapshots/*/**/*"):
        target = found.resolve()
        if found.is_file() and not target.is_relative_to((box / "cache").resolve()) and target.name != "victim":
            return f"{found} leads to {target}"
    return None


def run(one, merged):
    box = pathlib.Path(tempfile.mkdtemp(prefix="hub-attack-"))
    other = Server(lambda request, hub: file_answer(request, request.path.rsplit("/", 1)[-1]))
    hub = Server(one.hook)
    hub.other = other
    try:
        (box / "cache").mkdir()
        (box / "elsewhere").mkdir()
        (box / "victim").write_text("precious")
        recipe(box)
        if one.command.startswith("push"):
            shutil.copytree(merged, box / "merged")
        if one.prepare:
            one.prepare(box)
        endpoint = {"nobody": "http://127.0.0.1:9", "nowhere": "http://no.such.host.invalid"}.get(one.command, hub.url)
        environment = {"HF_HUB_CACHE": str(box / "cache"), "HF_ENDPOINT": endpoint, "HF_TOKEN": TOKEN,
                       "HF_HUB_DOWNLOAD_TIMEOUT": "2", "HF_HUB_ETAG_TIMEOUT": "2"}
        problems, took, memory, text = execute(one, box, arguments(one.command, box), environment)
        if any(TOKEN in str(request.headers) for request in other.seen):
            problems.append("the token went to another host")
        if problem := wrong_in_cache(box):
            problems.append(problem)
        return problems, took, memory, text
    finally:
        hub.close()
        other.close()
        shutil.rmtree(box, ignore_errors=True)


def execute(one, box, arguments, environment):
    """Runs the binary in a folder of its own and looks at what it did."""
    before = outside(box)
    environment = environment | {"PATH": os.environ["PATH"], "HOME": str(box), "HF_HOME": str(box / "home"), "NO_PROXY": "*",
                                 "XDG_CACHE_HOME": str(box / "xdg"), "RUST_BACKTRACE": "0"}
    start = time.monotonic()
    with open(box / "stdout", "wb") as stdout, open(box / "stderr", "wb") as stderr:
        child = subprocess.Popen([BINARY, *arguments], cwd=box, env=environment, stdin=subprocess.DEVNULL,
                                 stdout=stdout, stderr=stderr)
        resource.prlimit(child.pid, resource.RLIMIT_AS, (LIMIT, LIMIT))
        timer = threading.Timer(one.seconds + 5, child.kill)
        timer.start()
        memory = watched(child)
        timer.cancel()
    took = time.monotonic() - start
    said = (box / "stderr").read_bytes() + (box / "stdout").read_bytes()
    text = said.decode(errors="replace").strip()
    problems = []
    if child.returncode not in one.rc:
        problems.append(f"exit code {child.returncode}")
    if child.returncode and not text:
        problems.append("no word")
    if one.says and child.returncode and one.says not in text:
        problems.append(f"does not say {one.says!r}")
    if "panicked" in text or "RUST_BACKTRACE" in text:
        problems.append("panicked")
    if any(byte < 32 and byte not in b"\n\t" for byte in said) or b"\x7f" in said:
        problems.append("control characters on the terminal")
    if TOKEN in text:
        problems.append("the token was printed")
    if took > one.seconds:
        problems.append("too long")
    if memory > one.memory:
        problems.append("too much memory")
    if outside(box) != before:
        changed = set(outside(box).items()) ^ set(before.items())
        problems.append(f"changed outside of the cache: {sorted({path for path, _ in changed})}")
    return problems, took, memory, text


def honest_merge(folder):
    """A merged model to publish."""
    (folder / "recipe.yml").write_text(
        f"merge_method: slerp\nbase_model: {FIXTURES}/base\nmodels:\n  - model: {FIXTURES}/base\n"
        f"  - model: {FIXTURES}/instruct\nparameters:\n  t: 0.4\ndtype: bfloat16\n")
    subprocess.run([BINARY, "--quiet", "merge", "recipe.yml", "merged"], cwd=folder, check=True)
    OIDS.extend(sha256(path.read_bytes()) for path in (folder / "merged").glob("*.safetensors"))
    return folder / "merged"


def main(attacks, run, about):
    parser = argparse.ArgumentParser(description=about.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="leave out what is slow")
    parser.add_argument("--jobs", type=int, default=4, help="attacks at the same time")
    parser.add_argument("names", nargs="*", help="parts of the attacks' names")
    options = parser.parse_args()
    chosen = [one for one in attacks if not (options.quick and one.slow)]
    if options.names:
        chosen = [one for one in chosen if any(part in one.name for part in options.names)]
    failed = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        merged = honest_merge(pathlib.Path(folder))
        for one, (problems, took, memory, text) in zip(chosen, pool.map(lambda one: run(one, merged), chosen)):
            failed += bool(problems)
            said = next((line for line in text.split("\n") if line.startswith(("error", "warning"))), "").replace("error: ", "")
            happened = "; ".join(problems) + " | " + text[:1500] if problems else said[:100]
            print(f"{'FAIL' if problems else 'ok':4} {one.name:50} {took:5.1f} s {memory:4.0f} MB  {happened}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(ATTACKS, run, __doc__))
