#!/usr/bin/env python3
"""Writes the golden files in the folder above: what mergekit 0.1.5 computes.

usage, from anywhere:  ~/.cache/peer-mergekit/bin/python crates/merge/tests/golden/make [values|models|parameters|deviations|METHOD ...]

Run it with the peer's Python (see tools/peer/setup). Nothing random but seeded by the name of what is drawn, so a case can be
added without a change of the others. README.md beside this folder describes the files.

values      <method>__<part>__<dtype>.safetensors   inputs and merged tensors, small, method by method (a METHOD: of that one)
models      tiny_qwen2__<recipe>.json               samples of whole merges of fixtures/tiny-qwen2
parameters  parameters.json                         the parameters that each tensor gets under gradients, filters and slices
deviations  nothing: prints where the peer leaves its formulas on large tensors and extreme values (only when asked for)

After values a table of the peer's own error is printed, against formulas in f64.
"""
import os
import sys

from versions import ROOT, VERSIONS

import torch

import averages
import deviations
import errors
import models
import parameters
import spheres
import stocks
import task_vectors

KINDS = ("f32", "f16", "bf16")
CHECKED = {**task_vectors.METHODS, **spheres.METHODS, **stocks.METHODS}


def values(only=None):
    for method, write in averages.METHODS.items():
        for kind in (*KINDS, "f64"):
            if only in (None, method):
                write(kind)
    if only in (None, *averages.METHODS):
        averages.mixed()
    for method, write in CHECKED.items():
        for kind in KINDS:
            if only in (None, method):
                write(method, kind)


def main():
    os.chdir(ROOT)
    assert VERSIONS["mergekit"] == "0.1.5", VERSIONS
    torch.set_num_threads(1)
    parts = {"values": values, "models": models.models, "parameters": parameters.parameters, "deviations": deviations.deviations}
    for name in sys.argv[1:] or ("values", "models", "parameters"):
        if name in parts:
            parts[name]()
        else:
            assert name in {**averages.METHODS, **CHECKED}, f"no method {name}"
            values(name)
    if errors.ROWS:
        errors.report()


if __name__ == "__main__":
    main()
