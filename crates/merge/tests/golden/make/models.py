"""tiny_qwen2__<recipe>.json: samples of whole merges of fixtures/tiny-qwen2."""
import json
import os
import tempfile

from planned import folder, planned
from versions import HERE, VERSIONS, compact, write_lines

import torch
import yaml
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.merge_methods import merge_tensors
from mergekit.options import MergeOptions
from safetensors import safe_open


def samples(tensor):
    """16 elements spread over the flattened tensor: element i * (n - 1) / 15, rounded down."""
    flat, count = tensor.flatten(), tensor.numel()
    return [flat[i * (count - 1) // 15].item() for i in range(16)]


def shortest(value):
    """The shortest decimal that an f32 reads back from."""
    return json.loads(str(torch.tensor(value, dtype=torch.float32).numpy()[()]))


def check_same_code(text, results, dtype):
    """The in-memory calls that make the small files compute what a run of the same recipe writes, bit for bit."""
    method = yaml.safe_load(text)["merge_method"]
    compared = 0
    for entry in planned(text):
        tensors = []
        for model, name, _ in entry["inputs"]:
            with safe_open(os.path.join(folder(model), "model.safetensors"), framework="pt") as file:
                tensors.append(file.get_tensor(name))
        models = [model for model, _, _ in entry["inputs"]]
        per_input = {key: [p[key] for _, _, p in entry["inputs"]] for key in entry["inputs"][0][2]}
        base = models.index(entry["base"]) if entry["base"] is not None else None
        again = merge_tensors(tensors, method, parameters={**entry["shared"], **per_input}, base_index=base, dtype=dtype)
        assert torch.equal(again, results[entry["name"]]), entry["name"]
        compared += 1
    assert compared == len(results)




def models():
    pass
