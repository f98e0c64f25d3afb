#!/usr/bin/env python3
"""Merges from an S3 server to an S3 server, with boto3 as the witness of what is there.

    pip install 'moto[s3,server]==5.2.5' boto3==1.44.8
    WEIGHTSMITH=target/debug/weightsmith python tools/peer/stores/roundtrip.py

Starts moto's server on loopback, and before it a relay that can do something at a request: kill the command, or write a lock as
another writer would. Exits with an error when something is not as it should be.
"""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import boto3

ROOT = pathlib.Path(__file__).resolve().parents[3]
WEIGHTSMITH = str(pathlib.Path(os.environ["WEIGHTSMITH"]).resolve())
MOTO = os.environ.get("WEIGHTSMITH_MOTO") or str(pathlib.Path(sys.executable).with_name("moto_server"))
LOCK, CLAIM = "weightsmith.lock.json", "weightsmith.upload.json"
RECIPE = """\
merge_method: slerp
base_model: {base}
models:
  - model: {base}
  - model: {instruct}
parameters:
  t: 0.4
dtype: bfloat16
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Relay(http.server.BaseHTTPRequestHandler):
    """Hands requests on to moto; `hook(method, path)` hears of each first."""

    protocol_version = "HTTP/1.1"
    behind = 0
    hook = staticmethod(lambda method, path: None)

    def answer(self):
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        Relay.hook(self.command, self.path)
        connection = http.client.HTTPConnection("127.0.0.1", Relay.behind, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "content-length", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        size = answer.getheader("content-length") if self.command == "HEAD" else len(content)
        self.send_header("content-length", str(size or 0))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

    def handle(self):
        with contextlib.suppress(ConnectionError):  # of a command that was killed
            super().handle()

    def log_message(self, *_):
        pass


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        Relay.behind = free_port()
        self.moto = subprocess.Popen(
            [MOTO, "-H", "127.0.0.1", "-p", str(Relay.behind)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.relay = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
        threading.Thread(target=self.relay.serve_forever, daemon=True).start()
        self.s3 = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{Relay.behind}",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )
        for _ in range(300):
            with contextlib.suppress(Exception):
                self.s3.create_bucket(Bucket="models")
                return
            time.sleep(0.1)
        raise SystemExit("moto did not start")

    def environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HF_"))}
        for name in list(kept):
            if name.lower().endswith("_proxy"):
                del kept[name]
        return kept | {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.relay.server_port}",
            "AWS_ALLOW_HTTP": "true",
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "HF_HOME": str(self.folder / "hf"),
            "HF_ENDPOINT": "http://127.0.0.1:9",
        }

    def start(self, *arguments, **more):
        return subprocess.Popen(
            [WEIGHTSMITH, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment() | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments, code=0, says=(), **more):
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, f"{arguments}: exit code {process.returncode}, expected {code}\n{out}{err}"
        for words in says:
            assert words in out + err, f"{arguments} does not say `{words}`:\n{out}{err}"
        return out + err

    def put_folder(self, folder, prefix):
        for path in sorted(pathlib.Path(folder).iterdir()):
            self.s3.upload_file(str(path), "models", f"{prefix}/{path.name}")

    def put(self, key, content):
        self.s3.put_object(Bucket="models", Key=key, Body=content)

    def objects(self, prefix):
        found = self.s3.list_objects_v2(Bucket="models", Prefix=prefix + "/").get("Contents", [])
        names = [entry["Key"] for entry in found]
        return {
            name.removeprefix(prefix + "/"): self.s3.get_object(Bucket="models", Key=name)["Body"].read()
            for name in names
        }

    def loose_parts(self):
        return self.s3.list_multipart_uploads(Bucket="models").get("Uploads", [])

    def staged(self):
        base = self.folder / "cache/weightsmith/staging"
        return sorted(base.iterdir()) if base.exists() else []


@contextlib.contextmanager
def at(method, part, action):
    """Calls the action once, before such a request is handed on."""
    done = []

    def hook(found, path):
        if not done and found == method and part in path:
            done.append(path)
            action()

    Relay.hook = staticmethod(hook)
    yield done
    Relay.hook = staticmethod(lambda method, path: None)


def without_times(files):
    """The lock has the time of the merge; all else must be the same byte for byte."""
    lock = json.loads(files[LOCK])
    lock.pop("date")
    return {name: content for name, content in files.items() if name != LOCK} | {LOCK: lock}


def make_model(folder, seed, megabytes):
    """A checkpoint large enough to go up in parts: bfloat16 numbers near one."""
    folder.mkdir()
    rows = megabytes * 512
    numbers = random.Random(seed).randbytes(rows * 1024)
    data = bytearray(2 * len(numbers))
    data[0::2] = numbers
    data[1::2] = b"\x3f" * len(numbers)
    entry = {"dtype": "BF16", "shape": [rows, 1024], "data_offsets": [0, len(data)]}
    header = json.dumps({"model.layers.0.mlp.up_proj.weight": entry}).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + data)
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen2", "num_hidden_layers": 1}))


def local_merge(world, name, recipe):
    (world.folder / f"{name}.yml").write_text(recipe)
    world.run("merge", f"{name}.yml", name)
    return {
        str(path.relative_to(world.folder / name)): path.read_bytes()
        for path in (world.folder / name).rglob("*")
        if path.is_file()
    }


def round_trip(world):
    fixtures = ROOT / "fixtures/tiny-qwen2"
    for name in ("base", "instruct"):
        world.put_folder(fixtures / name, f"in/{name}")
    recipe = RECIPE.format(base="s3://models/in/base", instruct="s3://models/in/instruct/")
    (world.folder / "recipe.yml").write_text(recipe)
    world.run("check", "recipe.yml", says=["no problems"])
    world.run("explain", "recipe.yml")
    world.run("inspect", "s3://models/in/base", says=["Qwen2ForCausalLM"])
    world.run("merge", "recipe.yml", "s3://models/out/a", says=["the model is at s3://models/out/a"])
    assert not world.staged(), "the staging folder is removed"
    names = RECIPE.format(base=fixtures / "base", instruct=fixtures / "instruct")
    local = local_merge(world, "local", names)
    stored = world.objects("out/a")
    # the recipe and the card name the models as the recipe does
    for text in ("mergekit_config.yml", "README.md"):
        assert b"s3://models/in/base" in stored[text]
    assert stored["mergekit_config.yml"].decode() == recipe
    weights = [name for name in local if name not in ("mergekit_config.yml", "README.md", LOCK)]
    assert sorted(stored) == sorted(local)
    for name in weights:
        assert stored[name] == local[name], f"{name} is not what a merge of local models writes"
    lock = json.loads(stored[LOCK])
    for file in lock["files"]:
        assert len(stored[file["name"]]) == file["bytes"]
    # of the same name, which is the card's title
    streamed = world.folder / "here/a"
    streamed.parent.mkdir()
    world.run("merge", "recipe.yml", streamed)
    here = {path.name: path.read_bytes() for path in streamed.iterdir()}
    assert without_times(here) == without_times(stored), "in the store is what would be here"
    world.run("verify", streamed)
    print(f"{len(stored)} files up and down again, weights as in a merge of local models")


def refusals(world):
    before = world.objects("out/a")
    world.run("merge", "recipe.yml", "s3://models/out/a", code=1, says=["there is already a merged model", "--force"])
    assert world.objects("out/a") == before, "a refused merge changes nothing"
    world.put("out/a/model-00009-of-00009.safetensors", b"foreign")
    world.run("merge", "--force", "recipe.yml", "s3://models/out/a", code=1, says=["would not replace"])
    world.s3.delete_object(Bucket="models", Key="out/a/model-00009-of-00009.safetensors")
    world.run("merge", "--force", "recipe.yml", "s3://models/out/a")
    after = world.objects("out/a")
    assert without_times(after) == without_times(before) and CLAIM not in after
    world.put("out/notes/todo.txt", b"mine")
    world.run("merge", "recipe.yml", "s3://models/out/notes", code=1, says=["is not empty", "todo.txt"])
    world.run("merge", "recipe.yml", "s3://models/in", code=1, says=["is not empty"])
    world.run("merge", "--force", "recipe.yml", "s3://models/in/base/x", code=2, says=["contains or is inside the input"])
    world.run("merge", "recipe.yml", "s3://other/out", code=1, says=["there is no bucket `other`"])
    world.run("inspect", "s3://models/in/bas", code=1, says=["not found: "])
    world.run("inspect", "s3://models/in/base", code=1, says=["plain HTTP", "AWS_ALLOW_HTTP"], AWS_ALLOW_HTTP="false")
    (world.folder / "wrong.yml").write_text(RECIPE.format(base="s3://other/a", instruct="s3://models/nothing"))
    world.run("check", "wrong.yml", code=2, says=["wrong.yml:2", "there is no bucket `other`", "not found: `s3://models/nothing`"])
    print("results, foreign files, inputs and missing buckets are refused")


def races(world):
    def lock_of_another():
        world.put(f"out/race/{LOCK}", b"another's")

    with at("PUT", "out/race/config.json", lock_of_another) as seen:
        world.run("merge", "recipe.yml", "s3://models/out/race", code=1, says=["another writer changed", LOCK])
    assert seen and world.objects("out/race")[LOCK] == b"another's"
    world.run("merge", "recipe.yml", "s3://models/out/race", code=1, says=["there is already a merged model"])
    world.run("merge", "--force", "recipe.yml", "s3://models/out/race", says=["already merged by an earlier run"])
    assert json.loads(world.objects("out/race")[LOCK])["method"] == "slerp"

    seen_lock = []
    with at("PUT", "out/race/model", lambda: seen_lock.append(LOCK in world.objects("out/race"))):
        world.run("merge", "--force", "recipe.yml", "s3://models/out/race")
    assert seen_lock == [False], "while a result is replaced there is no lock"

    # two commands at once: the second is refused before it writes anything
    def second():
        other = world.folder / "other-staging"
        world.run("merge", "--staging", other, "recipe.yml", "s3://models/out/two", code=1, says=["another upload"])

    with at("PUT", "out/two/model", second) as seen:
        world.run("merge", "recipe.yml", "s3://models/out/two")
    assert seen and CLAIM not in world.objects("out/two")
    print("a lock that comes between stays, two uploads do not mix")


def interruptions(world):
    for seed, name in enumerate(["big-a", "big-b"]):
        make_model(world.folder / name, seed, 40)
        world.put_folder(world.folder / name, f"in/{name}")
    linear = "merge_method: linear\nmodels:\n" + "".join(
        f"  - model: {{{name}}}\n    parameters: {{{{weight: 0.5}}}}\n" for name in ("a", "b")
    )
    (world.folder / "big.yml").write_text(linear.format(a="s3://models/in/big-a", b="s3://models/in/big-b"))
    local = local_merge(world, "big", linear.format(a="./big-a", b="./big-b"))
    out, line = "s3://models/out/big", ["merge", "--out-shard-size", "20MiB", "big.yml"]
    process = world.start(*line, out)
    with at("PUT", "partNumber=3", process.kill) as seen:
        process.communicate()
    assert seen and process.returncode == -signal.SIGKILL
    assert CLAIM in world.objects("out/big") and LOCK not in world.objects("out/big")
    world.run("inspect", out, code=1, says=["is not complete"])
    world.run(*line, "--staging", "elsewhere", out, code=1, says=["another upload", "--force"])
    said = world.run(*line, out, says=["already merged by an earlier run"])
    assert not world.loose_parts(), "parts that a killed run left are given up"
    stored = world.objects("out/big")
    assert CLAIM not in stored and not world.staged()
    assert stored["model.safetensors"] == local["model.safetensors"], said

    process = world.start(*line, "s3://models/out/stopped")
    with at("PUT", "out/stopped/README.md", lambda: process.send_signal(signal.SIGINT)) as seen:
        _, err = process.communicate()
    assert seen and process.returncode == 130, err
    tag = world.s3.head_object(Bucket="models", Key="out/stopped/model.safetensors")["ETag"]
    assert tag.strip('"').endswith("-6"), f"{tag}: 40 MiB and a header go up in parts of 8 MiB"
    with at("POST", "out/stopped/model.safetensors", lambda: None) as seen:
        world.run(*line, "s3://models/out/stopped", says=["already sent by an earlier run"])
    assert not seen, "weights that are there are not sent again"
    assert world.objects("out/stopped")["model.safetensors"] == local["model.safetensors"]
    print("a killed and a stopped upload go on where they were")


def main():
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        try:
            start = time.time()
            for part in (round_trip, refusals, races, interruptions):
                part(world)
            print(f"object stores: all of it in {time.time() - start:.1f} s")
        finally:
            world.moto.terminate()
            world.moto.wait()


main()
