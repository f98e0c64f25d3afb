"""How far SLERP results of two programs are from the formula, calculated in float64.

usage: oracle_slerp.py BASE OTHER OURS PEER --t 0,0.25,0.5,0.25,0

BASE and OTHER are the checkpoints that were merged, with t = 0 at BASE; OURS and PEER are the results, in one type. Per program: the
share of elements that are not the formula's value rounded to that type, the largest distance from the formula relative to the
tensor's largest magnitude, and the tensor where it is. Needs torch and safetensors.
"""
import argparse
import glob
import os
import re

import torch
from safetensors import safe_open

a = argparse.ArgumentParser()
for name in ("base", "other", "ours", "peer"):
    a.add_argument(name)
a.add_argument("--t", required=True)
o = a.parse_args()
anchors = [float(x) for x in o.t.split(",")]


class Checkpoint:
    def __init__(self, path):
        self.files = {}
        for f in sorted(glob.glob(os.path.join(path, "*.safetensors"))):
            handle = safe_open(f, framework="pt")
            self.files |= {k: handle for k in handle.keys()}

    def __getitem__(self, name):
        return self.files[name].get_tensor(name)


def gradient(name, layers):
    layer = re.search(r"\.layers\.(\d+)\.", name)
    u = int(layer[1]) / (layers - 1) if layer else 0.0
    s = u * (len(anchors) - 1)
    i = min(int(s), len(anchors) - 2) if len(anchors) > 1 else 0
    return anchors[i] if len(anchors) == 1 else (1 - (s - i)) * anchors[i] + (s - i) * anchors[i + 1]


def slerp(x, y, t):
    x, y = x.double(), y.double()
    d = float((x * y).sum() / (x.norm() * y.norm()))
    d = max(-1.0, min(1.0, d))
    if abs(d) > 0.9995:
        return (1 - t) * x + t * y
    angle = torch.tensor(d, dtype=torch.float64).acos()
    return (((1 - t) * angle).sin() * x + (t * angle).sin() * y) / angle.sin()


base, other = Checkpoint(o.base), Checkpoint(o.other)
names = sorted(base.files)
layers = 1 + max(int(m[1]) for m in (re.search(r"\.layers\.(\d+)\.", n) for n in names) if m)
results = {"ours": Checkpoint(o.ours), "peer": Checkpoint(o.peer)}
wrong = {k: 0 for k in results}
worst = {k: (0.0, "") for k in results}
elements = 0
for name in names:
    exact = slerp(base[name], other[name], gradient(name, layers))
    elements += exact.numel()
    for who, result in results.items():
        found = result[name]
        rounded = exact.to(found.dtype)
        wrong[who] += int((found != rounded).sum())
        far = float((found.double() - exact).abs().max() / exact.abs().max())
        worst[who] = max(worst[who], (far, name))
for who in results:
    print(f"{who}: {wrong[who] / elements:.4%} of {elements} elements are not the rounded value; farthest {worst[who][0]:.3g} of the largest magnitude in {worst[who][1]}")
