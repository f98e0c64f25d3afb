"""parameters.json: the parameters that each tensor gets under gradients, filters and slices."""
import json
import os

from parameter_recipes import RECIPES
from planned import folder, planned
from versions import HERE, VERSIONS, compact, write_lines


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
