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

from errors import BOUND
from oracle import formula

MODEL_SIZE_LIMIT = 64 * 1024
BOUNDS = {"karcher": 1e-5}  # the peer's norms and dot products are added up in f32
RECIPES = "crates/merge/tests/golden/recipes/"
# Of these the peer's bfloat16 result is what it makes of `dtype: bfloat16`, as it merges them in f32 all the same.
AVERAGES = ("examples/01-slerp-v.yml", "examples/02-slerp-full-v.yml", "examples/03-linear.yml")
CHECKED = ("examples/04-ties.yml", *(f"{RECIPES}{name}.yml" for name in ("task-arithmetic", "model-stock", "sce", "karcher", "breadcrumbs")))




def samples(tensor):
    """16 elements spread over the flattened tensor: element i * (n - 1) / 15, rounded down."""
    flat, count = tensor.flatten(), tensor.numel()
    return [flat[i * (count - 1) // 15].item() for i in range(16)]


def shortest(value):
    """The shortest decimal that an f32 reads back from."""
    return json.loads(str(torch.tensor(value, dtype=torch.float32).numpy()[()]))


def merged(text, **dtypes):
    """Runs a recipe with other types, and returns its tensors."""
    recipe = yaml.safe_load(text) | dtypes
    with tempfile.TemporaryDirectory() as out:
        run_merge(MergeConfiguration.model_validate(recipe), out, MergeOptions(write_model_card=False, copy_tokenizer=False, quiet=True))
        with safe_open(os.path.join(out, "model.safetensors"), framework="pt") as file:
            return {name: file.get_tensor(name).clone() for name in file.keys()}


def gathered(text):
    """For each output tensor of a recipe: its name, its inputs, the base's position, and the parameters."""
    for entry in planned(text):
        tensors, models = [], [model for model, _, _ in entry["inputs"]]
        for model, name, _ in entry["inputs"]:
            with safe_open(os.path.join(folder(model), "model.safetensors"), framework="pt") as file:
                tensors.append(file.get_tensor(name))
        base = models.index(entry["base"]) if entry["base"] is not None else None
        yield entry["name"], tensors, base, entry["shared"], [p for _, _, p in entry["inputs"]]


def check_same_code(text, results, dtype, out_dtype=None):
    """The in-memory calls that make the small files compute what a run of the same recipe writes, bit for bit."""
    method = yaml.safe_load(text)["merge_method"]
    compared = 0
    for name, tensors, base, shared, each in gathered(text):
        per_input = {key: [p[key] for p in each if key in p] for key in {key for p in each for key in p}}
        again = merge_tensors(tensors, method, parameters={**shared, **per_input}, base_index=base, dtype=dtype, out_dtype=out_dtype)
        assert torch.equal(again, results[name]), name
        compared += 1
    assert compared == len(results)


def doubts(text, results):
    """Compares a float32 run with the formula; for each tensor, the elements that hang on a choice that is a tie or nearly one, and
    the formula's values."""
    method = yaml.safe_load(text)["merge_method"]
    found, most, chosen, elements, sums = {}, 0.0, 0, 0, 0.0
    for name, tensors, base, shared, each in gathered(text):
        expected, choices = formula(method, [t.double().numpy() for t in tensors], base, shared, each)
        off = (results[name].double() - torch.from_numpy(expected)).abs() / abs(expected).max()
        doubtful = torch.from_numpy(choices.doubtful)
        error = off[~doubtful].max().item() if not doubtful.all() else 0.0
        if method == "sce" and choices.ties and 2 * BOUND < error < 1e-3:  # the models' weights hang on what is chosen among ties
            print(f"sce {name}: a choice among ties moves all elements by up to {error:.1e}")
            doubtful, error = torch.ones_like(doubtful), 0.0
        assert error <= BOUNDS.get(method, 2 * BOUND), f"{method} {name}: off by {error:.3g}"
        most, chosen, elements = max(most, error), chosen + (off[doubtful] > 2 * BOUND).sum().item(), elements + off.numel()
        found[name] = doubtful, torch.from_numpy(expected)
        sums = max(sums, abs(results[name].double().abs().sum().item() / abs(expected).sum() - 1))
    doubtful = sum(mask.sum().item() for mask, _ in found.values())
    print(f"{method}: off by {most:.1e} of a tensor's magnitude at most; {doubtful} of {elements} elements in doubt, {chosen} chosen otherwise; "
          f"sums of magnitudes off by {sums:.1e} at most")
    return found


def write(recipe):
    with open(recipe) as file:
        text = file.read()
    exact = merged(text, dtype="float32")
    check_same_code(text, exact, torch.float32)
    head = {"recipe": recipe, "versions": VERSIONS, "positions": "element i * (n - 1) / 15, rounded down, of the flattened tensor, for i in 0..16"}
    if recipe in AVERAGES:
        rounded, doubtful = merged(text, dtype="bfloat16"), {}
        check_same_code(text, rounded, torch.bfloat16)
    else:
        rounded, doubtful = merged(text, dtype="float32", out_dtype="bfloat16"), doubts(text, exact)
        check_same_code(text, rounded, torch.float32, torch.bfloat16)
        head["bf16"] = "dtype: float32, out_dtype: bfloat16"
    lines = []
    for key in sorted(exact):
        digest = {"shape": list(exact[key].shape), "abs_sum": exact[key].double().abs().sum().item(),
                  "f32": [shortest(v) for v in samples(exact[key])], "bf16": [shortest(v) for v in samples(rounded[key])]}
        mask, expected = doubtful.get(key, (torch.zeros(1), None))
        if mask.any():
            digest["doubtful"] = mask.sum().item()
            digest["doubtful_samples"] = [i for i, doubt in enumerate(samples(mask)) if doubt]
            digest["formula_abs_sum"] = expected.abs().sum().item()
            digest["formula"] = [shortest(v) for v in samples(expected)]
        lines.append(f"{json.dumps(key)}:{compact(digest)}")
    stem = os.path.splitext(os.path.basename(recipe))[0]
    stem = stem.split("-", 1)[1] if stem[0].isdigit() else stem
    path = os.path.join(HERE, f"tiny_qwen2__{stem.replace('-', '_')}.json")
    write_lines(path, head, "tensors", lines, "{}")
    size = os.path.getsize(path)
    assert size <= MODEL_SIZE_LIMIT, f"{path} has {size} bytes"
    print(f"{os.path.basename(path)}: {len(lines)} tensors, {size} bytes")


def models():
    for recipe in (*AVERAGES, *CHECKED):
        write(recipe)
