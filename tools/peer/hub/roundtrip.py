#!/usr/bin/env python3
"""From the hub and back: two remote models checked from headers, merged by streaming, published, downloaded by the
official Python client, and verified against the lock.

    pip install huggingface_hub          # measured with 2.4.0
    cargo build --profile dist -p weightsmith-cli
    cargo build --profile dist -p weightsmith-hub --features testing --example loopback_hub
    python tools/peer/hub/roundtrip.py target/dist/weightsmith target/dist/examples/loopback_hub

Prints the commands and what they said; exits with an error when one of them failed.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

weightsmith, hub_program = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
root = pathlib.Path(__file__).resolve().parents[3]
fixtures = root / "fixtures/tiny-qwen2"
work = pathlib.Path(tempfile.mkdtemp())
models = {"org/base": fixtures / "base", "org/instruct": fixtures / "instruct"}

hub = subprocess.Popen(
    [hub_program, "--token", "secret=me", *(f"{name}={folder}" for name, folder in models.items())],
    stdout=subprocess.PIPE,
    text=True,
)
try:
    endpoint = hub.stdout.readline().strip()
    os.environ.update(
        HF_ENDPOINT=endpoint, HF_TOKEN="secret", HF_HOME=str(work / "home"), HF_HUB_DISABLE_XET="1"
    )
    (work / "recipe.yml").write_text(
        "merge_method: slerp\nbase_model: org/base\nmodels:\n  - model: org/base\n"
        "  - model: org/instruct\nparameters:\n  t: 0.4\ndtype: bfloat16\n"
    )

    def run(*arguments):
        print("$ weightsmith", *arguments)
        done = subprocess.run([weightsmith, *arguments], cwd=work, text=True, capture_output=True)
        print((done.stdout + done.stderr).replace(endpoint, "HUB").replace(str(work), "WORK").rstrip())
        assert done.returncode == 0, f"exit code {done.returncode}"
        return done.stdout.strip()

    def cached_weights():
        return sum(
            path.stat().st_size
            for path in (work / "home").glob("hub/models--*/blobs/*")
            if len(path.name) == 64
        )

    run("check", "recipe.yml")
    run("merge", "--stream", "recipe.yml", "merged")
    assert cached_weights() == 0, "streaming leaves no weights in the cache"
    page = run("push", "--private", "merged")

    from huggingface_hub import __version__, snapshot_download

    name = page.removeprefix(endpoint + "/")
    folder = snapshot_download(name, local_dir=work / "down", cache_dir=work / "cache")
    print(f"$ snapshot_download({name!r})  # huggingface_hub {__version__}")
    for left in (".gitattributes", ".cache"):
        path = pathlib.Path(folder) / left
        if path.is_file():
            path.unlink()
    run("verify", "down")
    run("merge", "recipe.yml", "downloaded")
    weights = "model.safetensors"
    same = (work / "merged" / weights).read_bytes() == (work / "downloaded" / weights).read_bytes()
    assert same, "a streamed merge has the bytes of a downloaded one"
    os.environ["HF_HUB_OFFLINE"] = "1"
    snapshot_download("org/base", allow_patterns=["config.json", weights])
    print("what weightsmith downloaded, the Python client finds in the cache")
finally:
    hub.kill()
