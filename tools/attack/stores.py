#!/usr/bin/env python3
"""A store on loopback that speaks S3's protocol and lies, against `inspect`, `check`, `merge` from it and `merge` to it.

    cargo build -p weightsmith-cli
    tools/attack/stores.py [--quick] [--jobs N] [PART OF A NAME ...]

What must hold is what tools/attack/hub.py says; the time is 40 seconds, because a store's client makes requests again.
"""

import itertools
import pathlib
import shutil
import sys
import tempfile
import urllib.parse
from xml.sax.saxutils import escape

sys.dont_write_bytecode = True
from hub import (  # noqa: E402
    CHUNKED, FILES, FIXTURES, Attack, Server, WEIGHTS, after_wait, both, execute, file_answer, forever, main, raw, sha256,
)

ATTACKS = []
PREFIX = "models/tiny/"


def attack(name, hook=None, command="inspect", **settings):
    ATTACKS.append(Attack(name, hook, command, **({"seconds": 40} | settings)))


def contents(key, size, tag="t"):
    return (f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{tag}</ETag><Size>{size}</Size></Contents>")


def page(*objects, token=None):
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return ("<?xml version='1.0' encoding='UTF-8'?><ListBucketResult>" + more + "".join(objects) +
            "</ListBucketResult>").encode()


def model(without=()):
    return [contents(PREFIX + name, len(data), sha256(data)[:8]) for name, data in FILES.items() if name not in without]


def is_list(request):
    return "list-type=2" in request.target


def listed(*objects, without=()):
    body = page(*model(without), *objects)
    return lambda request, store: raw(body) if is_list(request) else None


def lists(reply):
    """Answers listings by `reply`."""

    def hook(request, store):
        if not is_list(request):
            return None
        return reply(request, store) if callable(reply) else reply

    return hook


def objects(name, reply):
    def hook(request, store):
        if request.method != "GET" or not request.path.endswith("/" + name):
            return None
        return reply(request, store) if callable(reply) else reply

    return hook


def honest(request, store):
    if is_list(request):
        prefix = urllib.parse.parse_qs(request.target.split("?", 1)[1]).get("prefix", [""])[0]
        return raw(page(*(model() if prefix == PREFIX else [])))
    name = request.path.rsplit("/", 1)[-1]
    query = request.target.partition("?")[2]
    if request.method in ("GET", "HEAD"):
        if name not in FILES or "/out/" in request.path:
            return raw(b"<Error><Code>NoSuchKey</Code></Error>", "404 Not Found")
        return tagged(request, FILES[name])
    if request.method == "POST" and query.startswith("uploads"):
        return raw(b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
    if request.method == "POST":
        return raw(b"<CompleteMultipartUploadResult><ETag>t</ETag></CompleteMultipartUploadResult>")
    return raw(ETag='"t"')


def tagged(request, data, tag=None, **changes):
    head, body = file_answer(request, None, data).split(b"\r\n\r\n", 1)
    more = {"ETag": tag or sha256(data)[:8], "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"} | changes
    lines = "".join(f"\r\n{name}: {value}" for name, value in more.items())
    return head + lines.encode() + b"\r\n\r\n" + body


# --- listings

for key in ["../x.json", "a/../../config.json", "/etc/x.json", "..", "x//y.json", "a\\b.json", "a\x7fb.json", "a" * 2000 + ".json"]:
    attack(f"key {key!r:.30}", listed(contents(PREFIX + key, 1)), rc=(0, 1))
attack("a key with an escape sequence", listed(contents(PREFIX + "&#27;[31m.json", 1).replace("&amp;", "&")), rc=(0, 1))
attack("keys of another prefix", lists(raw(page(contents("other/config.json", 1)))), says="not found")
for size in [1 << 63, (1 << 64) - 1, (1 << 46) + 1]:
    shards = [contents(f"{PREFIX}model-0000{n}-of-00002.safetensors", size, n) for n in (1, 2)]
    attack(f"two shards of {size}", listed(*shards, without=[WEIGHTS]), says="at most 70368744177664 are allowed")
for size in [1 << 64, -1, "x", "", 1.5]:
    attack(f"size {size!r:.22}", listed(contents(PREFIX + "a.json", size)))
attack("a small file of 1 GiB", listed(contents(PREFIX + "a.json", 1 << 30)))
attack("pages without end", lists(lambda request, store: raw(page(token=next(store.count)))),
       says="the listing exceeds the limit", slow=True)
attack("the same page again", lists(raw(page(*model(), token="a"))), says="the listing exceeds the limit", slow=True)
attack("pages of many objects", lists(lambda request, store: raw(page(
    *[contents(f"{PREFIX}{next(store.count)}.json", 1) for _ in range(1000)], token=next(store.count)))), slow=True)
attack("a page of 40 MB", lists(forever(raw(length=40 << 20), b" " * (1 << 20))))
attack("a page without end", lists(forever(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n")))
attack("a page byte by byte", lists(forever(raw(length=9000), b" ", 0.05)), slow=True, seconds=200)
for name, body in {
    "not XML": b"hello",
    "nothing": b"",
    "HTML": b"<!DOCTYPE html><html><body>Log in</body></html>",
    "another element": b"<a/>",
    "not closed": b"<ListBucketResult><Contents>",
    "nested": b"<ListBucketResult>" + b"<a>" * 200_000,
    "entities": b'<!DOCTYPE a [<!ENTITY x "' + b"y" * 1000 + b'">]><ListBucketResult><Name>' + b"&x;" * 1000 + b"</Name></ListBucketResult>",
    "an external entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><ListBucketResult><Name>&x;</Name></ListBucketResult>',
    "not UTF-8": b"<ListBucketResult><Name>\xff</Name></ListBucketResult>",
    "a date that is none": page(contents(PREFIX + "a", 1)).replace(b"2026-01-01T00", b"soon"),
}.items():
    attack(f"list: {name}", lists(raw(body)))
attack("list: redirect elsewhere", lists(lambda request, store: raw(status="307 Go", Location=store.other.url + "/x")))
attack("list: refused with 10 MB", lists(lambda request, store: raw(b"a" * (10 << 20), "403 No")))
attack("list: silence", lists(after_wait(35)), slow=True, seconds=320)
attack("list: closed at once", lists(b""), slow=True)

# --- objects

CONFIG = FILES["config.json"]
for name, reply in {
    "shorter": lambda request, store: raw(b"{}", "206 Part", Content_Range="bytes 0-1/2", ETag="x"),
    "longer than asked": lambda request, store: tagged(request, CONFIG) + b"x" * 100_000,
    "the whole file without a range": lambda request, store: raw(CONFIG, ETag="x", Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT"),
    "another range": lambda request, store: raw(CONFIG, "206 Part", ETag="x", Content_Range=f"bytes 1-{len(CONFIG)}/{len(CONFIG) + 1}",
                                                Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT"),
    "another size": lambda request, store: raw(CONFIG, "206 Part", ETag="x", Content_Range=f"bytes 0-{len(CONFIG) - 1}/99999",
                                               Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT"),
    "without end": forever(CHUNKED.replace(b"200 OK", b"206 Part"), b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "changed since": raw(status="412 Changed"),
    "gone": raw(b"<Error><Code>NoSuchKey</Code></Error>", "404 Not Found"),
    "refused": raw(b"<Error><Code>AccessDenied</Code></Error>", "403 No"),
}.items():
    attack(f"config.json: {name}", objects("config.json", reply), rc=(0, 1))
for command in ["inspect", "merge"]:
    attack(f"{command}: weights of another size", objects(WEIGHTS, lambda request, store: raw(
        b"x" * (request.range[1] - request.range[0] + 1), "206 Part", ETag="x", Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT",
        Content_Range=f"bytes {request.range[0]}-{request.range[1]}/99999999")), command)
    attack(f"{command}: weights are zeros", objects(WEIGHTS, lambda request, store: tagged(request, bytes(len(FILES[WEIGHTS])))), command)
    attack(f"{command}: weights without end", objects(WEIGHTS, forever(
        CHUNKED.replace(b"200 OK", b"206 Part"), b"10000\r\n" + b" " * 65536 + b"\r\n")), command)
attack("inspect: a header of 2^63", objects(WEIGHTS, lambda request, store: tagged(
    request, (1 << 63).to_bytes(8, "little").ljust(len(FILES[WEIGHTS])))))
attack("headers of 90 MB in 8 shards", both(
    listed(*[contents(f"{PREFIX}model-0000{n}-of-00008.safetensors", 100_000_000, n) for n in range(1, 9)], without=[WEIGHTS]),
    lambda request, store: zeros(request) if ".safetensors" in request.path and request.method == "GET" else None),
    says="headers of", slow=True, memory=400)


def zeros(request):
    start, end = request.range
    data = ((90_000_000).to_bytes(8, "little") + b"{")[start : end + 1].ljust(end + 1 - start)
    return raw(data, "206 Part", Content_Range=f"bytes {start}-{end}/100000000", ETag="x", Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT")


# --- uploads

attack("upload: refused", lambda request, store: raw(b"<Error><Code>AccessDenied</Code></Error>", "403 No")
       if request.method in ("PUT", "POST") else None, "upload")
attack("upload: no tag", lambda request, store: raw() if request.method == "PUT" else None, "upload", slow=True)
attack("upload: nothing is there afterwards", None, "upload", says="differs from what was sent")
attack("upload: answers without end", lambda request, store: forever(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n")(request, store)
       if request.method == "PUT" else None, "upload", slow=True)
attack("upload: the claim is there", lambda request, store: raw(status="412 There") if request.method == "PUT" else None, "upload")

attack("inspect: honest", rc=(0,))
attack("check: honest", command="check", rc=(0,))
attack("merge: honest", command="merge", rc=(0,))


def run(one, merged):
    box = pathlib.Path(tempfile.mkdtemp(prefix="store-attack-"))
    other = Server(lambda request, store: raw())

    def answer(request, store):
        reply = one.hook(request, store) if one.hook else None
        return honest(request, store) if reply is None else reply

    store = Server(answer)
    store.other, store.count = other, itertools.count(1)
    try:
        (box / "recipe.yml").write_text(
            f"merge_method: slerp\nbase_model: s3://bucket/models/tiny\nmodels:\n  - model: s3://bucket/models/tiny\n"
            f"  - model: {FIXTURES}/base\nparameters:\n  t: 0.4\ndtype: bfloat16\n")
        (box / "local.yml").write_text((box / "recipe.yml").read_text().replace("s3://bucket/models/tiny", f"{FIXTURES}/instruct"))
        (box / "xdg").mkdir()
        arguments = {
            "inspect": ["inspect", "s3://bucket/models/tiny"],
            "check": ["check", "recipe.yml"],
            "merge": ["merge", "recipe.yml", "out"],
            "upload": ["merge", "local.yml", "s3://bucket/out"],
        }[one.command]
        environment = {"AWS_ENDPOINT_URL": store.url, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
                       "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secretsecret"}
        problems, took, memory, text = execute(one, box, arguments, environment)
        if any("authorization" in request.headers for request in other.seen):
            problems.append("a signed request went to another host")
        if "secretsecret" in text:
            problems.append("the key was printed")
        return problems, took, memory, text
    finally:
        store.close()
        other.close()
        shutil.rmtree(box, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(ATTACKS, run, __doc__))
