#!/usr/bin/env python3
"""How fast models come from a hub on loopback, and how soon a recipe on a model of 200 shards is checked from headers.

    pip install huggingface_hub numpy safetensors        # measured with 2.4.0
    cargo build --profile dist -p weightsmith-cli
    cargo build --profile dist -p weightsmith-hub --features testing --example loopback_hub
    python tools/peer/hub/speed.py MODEL target/dist/weightsmith target/dist/examples/loopback_hub

MODEL is a folder with a checkpoint of about a gigabyte (tools/peer/make_qwen.py makes one). In each of five rounds the same files
are copied by `cp` (what the disk and the page cache allow), pulled by Weightsmith with 1, 4 and 8 connections, and downloaded by
huggingface_hub with xet switched off, as the loopback hub speaks LFS.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
from safetensors.numpy import save_file

model, weightsmith, hub_program = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:4])
rounds = 5
work = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("WORK_FOLDER")))


def many_shards(folder, shards):
    """A model like a 70B one in its number of shards and tensors, with tiny tensors."""
    folder.mkdir()
    weight_map = {}
    for shard in range(shards):
        layer = {}
        for kind in ("self_attn.q_proj", "self_attn.k_proj", "mlp.up_proj", "mlp.down_proj"):
            layer[f"model.layers.{shard}.{kind}.weight"] = numpy.zeros((8, 8), numpy.float16)
        if shard == 0:
            layer["model.embed_tokens.weight"] = numpy.zeros((16, 8), numpy.float16)
        name = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        save_file(layer, folder / name, metadata={"format": "pt"})
        weight_map.update(dict.fromkeys(layer, name))
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "num_hidden_layers": shards, "vocab_size": 16}
    (folder / "config.json").write_text(json.dumps(config))


many_shards(work / "shards-a", 200)
shutil.copytree(work / "shards-a", work / "shards-b")
hub = subprocess.Popen(
    [hub_program, f"org/model={model}", f"org/a={work}/shards-a", f"org/b={work}/shards-b"],
    stdout=subprocess.PIPE,
    text=True,
)
try:
    endpoint = hub.stdout.readline().strip()
    size = sum(path.stat().st_size for path in pathlib.Path(model).iterdir() if path.is_file())
    print(f"{size / 1e6:.0f} MB; megabytes per second, {rounds} rounds, median (all)")

    def fresh():
        home = work / "home"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        return os.environ | {
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }

    download = "from huggingface_hub import snapshot_download; snapshot_download('org/model')"
    pull = [weightsmith, "--quiet", "pull", "org/model"]
    commands = {
        "cp": ["cp", "-r", model, str(work / "home" / "copy")],
        "weightsmith, 1 connection": [*pull, "--connections", "1"],
        "weightsmith, 4 connections": [*pull, "--connections", "4"],
        "weightsmith, 8 connections": [*pull, "--connections", "8"],
        "huggingface_hub": [sys.executable, "-c", download],
    }
    speeds = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            environment = fresh()
            start = time.perf_counter()
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
            speeds[name].append(size / 1e6 / (time.perf_counter() - start))
    for name, each in speeds.items():
        print(f"{name:28} {statistics.median(each):6.0f}  ({', '.join(f'{one:.0f}' for one in each)})")

    recipe = work / "recipe.yml"
    recipe.write_text(
        "merge_method: linear\ndtype: float16\nmodels:\n"
        "  - {model: org/a, parameters: {weight: 0.5}}\n  - {model: org/b, parameters: {weight: 0.5}}\n"
    )
    times = []
    for _ in range(rounds):
        environment = fresh()
        start = time.perf_counter()
        subprocess.run([weightsmith, "--quiet", "check", str(recipe)], env=environment, check=True)
        times.append(time.perf_counter() - start)
    print(f"check of two models of 200 shards each from headers: {statistics.median(times):.2f} s")
finally:
    hub.kill()
    shutil.rmtree(work, ignore_errors=True)
