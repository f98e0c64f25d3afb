#!/usr/bin/env python3
"""Writes the golden files beside this script: what mergekit 0.1.5 computes.

usage, from the repository's root:  ~/.cache/peer-mergekit/bin/python crates/merge/tests/golden/make.py [values|models|parameters ...]

Run it with the peer's Python (see tools/peer/setup). Nothing random but seeded by the name of what is drawn, so a case can be
added without a change of the others. README.md here describes the files.

values      <method>__<part>__<dtype>.safetensors   inputs and merged tensors, small, method by method
models      tiny_qwen2__<recipe>.json               samples of whole merges of fixtures/tiny-qwen2
parameters  parameters.json                         the parameters that each tensor gets under gradients, filters and slices
"""
import json
import os
import platform
import sys
import tempfile
import zlib

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import yaml
from importlib.metadata import version
from mergekit.architecture import get_architecture_info
from mergekit.config import MergeConfiguration
from mergekit.io.tasks import LoaderCache
from mergekit.merge import run_merge
from mergekit.merge_methods import merge_tensors
from mergekit.options import MergeOptions
from mergekit.plan import MergePlanner
from safetensors import safe_open
from safetensors.torch import save_file

from parameter_recipes import RECIPES

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "../../../.."))
VERSIONS = {"mergekit": version("mergekit"), "torch": torch.__version__.split("+")[0], "python": platform.python_version()}
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64}
SIZE_LIMIT = 16 * 1024
MODEL_SIZE_LIMIT = 64 * 1024
SHAPES = {"line": (7,), "tall": (5, 3), "wide": (3, 5), "one": (1,), "cube": (2, 3, 2), "empty": (0, 4), "larger": (9, 11)}
# The smallest subnormal and normal number and about the largest number of each type; beyond F32's range nothing is merged in f32.
EDGES = {"f32": (1e-45, 1.1754944e-38, 3e38), "f16": (6e-8, 6.104e-5, 65504.0), "bf16": (1e-40, 1.1754944e-38, 3e38),
         "f64": (5e-324, 2.2250738585072014e-308, 1e308)}


def drawn(name, shape, dtype):
    """Normally distributed numbers, seeded by the name alone."""
    draw = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    return torch.randn(shape, generator=draw, dtype=torch.float64).to(dtype)


class Golden:
    """One golden file: named inputs, and cases that merge some of them."""

    def __init__(self, method, part, kind):
        self.method, self.part, self.kind, self.dtype = method, part, kind, DTYPES.get(kind)
        self.tensors, self.cases = {}, []

    def input(self, name, tensor):
        self.tensors[name] = tensor if self.dtype is None else tensor.to(self.dtype)
        return name

    def draw(self, name, shape, dtype=torch.float64):
        return self.input(name, drawn(name, shape, dtype))

    def case(self, name, inputs, base=None, parameters=None, each=None):
        tensors = [self.tensors[i] for i in inputs]
        per_input = {key: [values[key] for values in each] for key in (each[0] if each else {})}
        merged = merge_tensors(tensors, self.method, parameters={**(parameters or {}), **per_input}, base_index=base, dtype=self.dtype)
        assert self.dtype is None or merged.dtype == self.dtype
        self.tensors[f"{name}/expected"] = merged.contiguous().clone()
        self.cases.append({"name": name, "inputs": inputs, "base": base, "parameters": parameters or {},
                           "input_parameters": each or [{} for _ in inputs]})

    def save(self):
        path = os.path.join(HERE, f"{self.method}__{self.part}__{self.kind}.safetensors")
        metadata = {"method": self.method, "dtype": self.kind, "versions": compact(VERSIONS), "cases": compact(self.cases)}
        save_file(self.tensors, path, metadata=metadata)
        rewrite_header(path)
        size = os.path.getsize(path)
        assert size <= SIZE_LIMIT, f"{path} has {size} bytes"
        print(f"{os.path.basename(path)}: {len(self.cases)} cases, {len(self.tensors)} tensors, {size} bytes")


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def rewrite_header(path):
    """Sorts the metadata's keys, whose order safetensors leaves to chance, so that the same values give the same file."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        data = file.read()
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = compact(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)
    os.chmod(path, 0o644)


def weights(*values):
    return [{"weight": value} for value in values]


def linear(kind):
    golden = Golden("linear", "shapes", kind)
    for name, shape in SHAPES.items():
        golden.case(name, [golden.draw(f"{name}/{i}", shape) for i in range(2)], each=weights(0.3, 0.9))
    golden.save()
    golden = Golden("linear", "weights", kind)
    three = [golden.draw(f"three/{i}", (5, 3)) for i in range(3)]
    smallest, normal, largest = EDGES[kind]
    edges = [golden.input("edges/0", torch.tensor([0.0, -0.0, smallest, -normal, largest / 2, -largest], dtype=torch.float64)),
             golden.input("edges/1", torch.tensor([-0.0, -0.0, normal, normal, largest / 4, -largest / 2], dtype=torch.float64))]
    for name, inputs, values in (
        ("single", three[:1], (0.7,)), ("equal", three[:2], (0.5, 0.5)), ("unequal", three[:2], (0.25, 2.0)),
        ("third", three, (0.2, 0.3, 0.5)), ("negative", three, (1.0, -0.4, 0.3)), ("zero_weight", three, (0.6, 0.0, 0.1)),
        ("one_left", three, (0.0, 1.0, 0.0)), ("edges", edges, (0.5, 0.5)),
    ):
        for normalize in (True, False):
            golden.case(f"{name}_{'normalized' if normalize else 'sum'}", inputs, parameters={"normalize": normalize}, each=weights(*values))
    golden.save()


def angled(golden, name, cosine):
    """A pair of 24-element vectors at the given angle, as far as the type can hold it."""
    a, b = (drawn(f"{name}/{i}", (4, 6), torch.float64) for i in range(2))
    b -= (a * b).sum() / (a * a).sum() * a
    b *= (a.norm() / b.norm()).item()
    pair = [golden.input(f"{name}/0", a), golden.input(f"{name}/1", 0.8 * (cosine * a + (1 - cosine * cosine) ** 0.5 * b))]
    x, y = (golden.tensors[i].double() for i in pair)
    actual = ((x * y).sum() / (x.norm() * y.norm())).item()
    assert abs(cosine) == 1 or (abs(actual) > 0.9995) == (abs(cosine) > 0.9995), f"{name} in {golden.kind}: {actual}"
    return pair


def slerp(kind):
    golden = Golden("slerp", "shapes", kind)
    for position, (name, shape) in enumerate(SHAPES.items()):
        golden.case(name, [golden.draw(f"{name}/{i}", shape) for i in range(2)], base=position % 2, parameters={"t": 0.3})
    golden.save()
    golden = Golden("slerp", "angles", kind)
    geometries = {
        "wide_angle": (angled(golden, "wide_angle", -0.4), (0.0, 0.25, 0.5, 1.0, 1.5, -0.5)),
        "below_threshold": (angled(golden, "below_threshold", 0.9992), (0.25, 0.5, 1.5)),
        "above_threshold": (angled(golden, "above_threshold", 0.9998), (0.0, 0.25, 0.5, 1.0, 1.5)),
        "nearly_opposite": (angled(golden, "nearly_opposite", -0.9992), (0.25, 0.5)),
    }
    zero = golden.input("zero", torch.zeros(4))
    x, y = (golden.input(n, torch.tensor(v)) for n, v in (("x_axis", (2.0, -1.0, 0.0, 0.0)), ("y_axis", (0.0, 0.0, 0.5, 3.0))))
    minus_x, twice_x = golden.input("minus_x_axis", -golden.tensors[x]), golden.input("twice_x_axis", 2 * golden.tensors[x])
    geometries |= {
        "orthogonal": ([x, y], (0.0, 0.25, 0.5, 1.0, 1.5)), "opposite": ([x, minus_x], (0.0, 0.25, 0.5, 1.0, 1.5)),
        "same_direction": ([x, twice_x], (0.25, 1.5)), "same": ([x, x], (0.25,)), "zero_base": ([zero, x], (0.0, 0.25, 0.5, 1.0, 1.5)),
        "zero_other": ([x, zero], (0.25, 1.0)), "both_zero": ([zero, zero], (0.5,)),
    }
    if kind != "f16":  # too small for F16
        tiny = [golden.input(f"tiny/{i}", torch.tensor(v) * 1e-9) for i, v in enumerate(((1.0, 2.0, -1.0), (1.0, 1.0, 0.5)))]
        geometries["tiny"] = (tiny, (0.25, 1.0))
    for name, (pair, steps) in geometries.items():
        for t in steps:
            golden.case(f"{name}_{t}", pair, base=0, parameters={"t": t})
    golden.case("base_is_second_0.25", geometries["wide_angle"][0], base=1, parameters={"t": 0.25})
    golden.save()


def passthrough(kind):
    golden = Golden("passthrough", "scale", kind)
    for name, shape in SHAPES.items():
        golden.case(name, [golden.draw(f"{name}/0", shape)])
        golden.case(f"{name}_scaled", [f"{name}/0"], each=[{"scale": 0.7}])
    smallest, normal, largest = EDGES[kind]
    edges = golden.input("edges/0", torch.tensor([0.0, -0.0, smallest, -smallest, normal, -normal, largest, -largest], dtype=torch.float64))
    golden.case("edges", [edges])
    for scale in (0.0, 1.0, 0.5, -0.3):
        golden.case(f"edges_scaled_{scale}", [edges], each=[{"scale": scale}])
    golden.save()


def mixed():
    """No `dtype`: the inputs of a tensor are promoted to a common type, which is also that of the result."""
    for method, base, parameters, each in (("linear", None, None, weights(0.3, 0.9)), ("slerp", 0, {"t": 0.3}, None)):
        golden = Golden(method, "types", "mixed")
        for left, right in (("f32", "bf16"), ("bf16", "f32"), ("f16", "bf16"), ("f16", "f32"), ("bf16", "f64"), ("f64", "f32")):
            name = f"{left}_{right}"
            pair = [golden.draw(f"{name}/{i}", (4, 6), DTYPES[kind]) for i, kind in enumerate((left, right))]
            golden.case(name, pair, base=base, parameters=parameters, each=each)
        golden.save()


def values():
    for kind in DTYPES:
        linear(kind)
        slerp(kind)
        passthrough(kind)
    mixed()


def planned(text):
    """Every output tensor of a recipe with its inputs and parameters, as mergekit plans it."""
    config = MergeConfiguration.model_validate(yaml.safe_load(text))
    options = MergeOptions(write_model_card=False, quiet=True)
    architecture = get_architecture_info(config, options)
    LoaderCache().setup(options=options)
    reference = config.base_model or config.referenced_models()[0]
    out_config = reference.config()
    if config.slices:
        out_config.num_hidden_layers = sum(s.sources[0].layer_range[1] - s.sources[0].layer_range[0] for s in config.slices)
    planner = MergePlanner(config, architecture, options=options, out_model_config=out_config)
    planner._plan()
    for weight, task in planner._tensors:
        names = {model: w.name for model, w in task.gather_tensors.weight_info.items()}
        yield {
            "name": weight.name,
            "base": task.base_model,
            "shared": dict(task.parameters),
            "inputs": [(model, names[model], dict(task.input_parameters[model])) for model in task.model_order],
        }


def folder(model):
    return model.model.path


def samples(tensor):
    """16 elements spread over the flattened tensor: element i * (n - 1) / 15, rounded down."""
    flat, count = tensor.flatten(), tensor.numel()
    return [flat[i * (count - 1) // 15].item() for i in range(16)]


def shortest(value):
    """The shortest decimal that an f32 reads back from."""
    return json.loads(str(torch.tensor(value, dtype=torch.float32).numpy()[()]))


def merged(text, dtype):
    """Runs a recipe with another `dtype`, and returns its tensors."""
    recipe = yaml.safe_load(text) | {"dtype": dtype}
    with tempfile.TemporaryDirectory() as out:
        run_merge(MergeConfiguration.model_validate(recipe), out, MergeOptions(write_model_card=False, copy_tokenizer=False, quiet=True))
        with safe_open(os.path.join(out, "model.safetensors"), framework="pt") as file:
            return {name: file.get_tensor(name).clone() for name in file.keys()}


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
    for name in ("01-slerp-v", "02-slerp-full-v", "03-linear"):
        recipe = f"examples/{name}.yml"
        with open(recipe) as file:
            text = file.read()
        exact, rounded = merged(text, "float32"), merged(text, "bfloat16")
        check_same_code(text, exact, torch.float32)
        check_same_code(text, rounded, torch.bfloat16)
        lines = []
        for key in sorted(exact):
            digest = {"shape": list(exact[key].shape), "abs_sum": exact[key].double().abs().sum().item(),
                      "f32": [shortest(v) for v in samples(exact[key])], "bf16": [shortest(v) for v in samples(rounded[key])]}
            lines.append(f"{json.dumps(key)}:{compact(digest)}")
        head = {"recipe": recipe, "versions": VERSIONS, "positions": "element i * (n - 1) / 15, rounded down, of the flattened tensor, for i in 0..16"}
        path = os.path.join(HERE, f"tiny_qwen2__{name.split('-', 1)[1].replace('-', '_')}.json")
        write_lines(path, head, "tensors", lines, "{}")
        size = os.path.getsize(path)
        assert size <= MODEL_SIZE_LIMIT, f"{path} has {size} bytes"
        print(f"{os.path.basename(path)}: {len(lines)} tensors, {size} bytes")


def write_lines(path, head, key, lines, brackets):
    """JSON with one line for each entry of `key`, so that a difference between versions can be read."""
    with open(path, "w") as file:
        file.write("{" + "".join(f"{json.dumps(k)}:{json.dumps(v)},\n" for k, v in head.items()))
        file.write(f"{json.dumps(key)}:{brackets[0]}\n" + ",\n".join(lines) + f"\n{brackets[1]}}}\n")


def parameters():
    kept = (".input_layernorm.weight", ".mlp.down_proj.weight", ".self_attn.k_proj.bias", ".self_attn.o_proj.weight")
    lines = []
    for name, text in RECIPES.items():
        rows = []
        for entry in planned(text):
            if ".layers." in entry["name"] and not entry["name"].endswith(kept):
                continue
            row = dict(sorted(entry["shared"].items()))
            for key in sorted({key for _, _, p in entry["inputs"] for key in p}):
                row[key] = [p.get(key) for _, _, p in entry["inputs"]]
            row["inputs"] = [f"{os.path.basename(folder(model))}:{tensor}" for model, tensor, _ in entry["inputs"]]
            if all(tensor == entry["name"] for _, tensor, _ in entry["inputs"]):
                row["inputs"] = [os.path.basename(folder(model)) for model, _, _ in entry["inputs"]]
            rows.append(f"{json.dumps(entry['name'])}:{compact(row)}")
        lines.append(f'{{"name":{json.dumps(name)},"recipe":{json.dumps(text)},"tensors":{{\n' + ",\n".join(rows) + "}}")
    path = os.path.join(HERE, "parameters.json")
    write_lines(path, {"versions": VERSIONS}, "recipes", lines, "[]")
    print(f"{os.path.basename(path)}: {len(lines)} recipes, {os.path.getsize(path)} bytes")


def main():
    os.chdir(ROOT)
    assert VERSIONS["mergekit"] == "0.1.5", VERSIONS
    torch.set_num_threads(1)
    for part in sys.argv[1:] or ["values", "models", "parameters"]:
        {"values": values, "models": models, "parameters": parameters}[part]()


if __name__ == "__main__":
    main()
