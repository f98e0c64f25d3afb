#!/usr/bin/env python3
"""Shows that two TIES merges differ only where the method leaves a choice.

usage: explain_ties.py RECIPE OURS PEER [--rtol 1e-5]

For a recipe with a base, the same density for every tensor of a model and `dtype: float32`. An element differs when ours and
the peer's are more than --rtol of the tensor's largest magnitude apart. It is explained where, in some model, the magnitude of its task vector is
that of the trimming threshold (equal magnitudes: ours keeps the first, the peer any), or where the weighted sum whose sign is
elected is zero within the rounding of f32. Prints the counts; exit code 1 if an element remains. Run it with the peer's Python, in the
folder where the recipe's paths start.
"""
import argparse
import sys

import torch
import yaml

from compare import opened

NEAR = 1e-6


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("ours")
    parser.add_argument("peer")
    parser.add_argument("--rtol", type=float, default=1e-5)
    return parser.parse_args()


def threshold(magnitudes, density):
    """The smallest magnitude that stays."""
    count = max(1, int(density * magnitudes.numel()))
    if count >= magnitudes.numel():
        return -1.0
    return magnitudes.kthvalue(magnitudes.numel() - count + 1).values.item()


def explained(base, models, weights, densities, places):
    """For each place: whether a magnitude is at its threshold, and whether the elected sum is zero."""
    tied = torch.zeros(places.numel(), dtype=torch.bool)
    total = torch.zeros(places.numel(), dtype=torch.float64)
    size = torch.zeros(places.numel(), dtype=torch.float64)
    for model, weight, density in zip(models, weights, densities):
        delta = (model - base).flatten()
        limit = threshold(delta.abs(), density)
        at = delta[places]
        tied |= (at.abs() - limit).abs() <= NEAR * limit
        term = torch.where(at.abs() >= limit, at, 0.0).double() * weight
        total += term
        size += term.abs()
    return tied, total.abs() <= NEAR * size


def main():
    options = arguments()
    with open(options.recipe) as file:
        recipe = yaml.safe_load(file)
    base = opened(recipe["base_model"])
    entries = [entry for entry in recipe["models"] if entry["model"] != recipe["base_model"]]
    shared = recipe.get("parameters") or {}
    value = lambda entry, name, default: (entry.get("parameters") or {}).get(name, shared.get(name, default))
    weights = [value(entry, "weight", None) for entry in entries]
    densities = [value(entry, "density", 1.0) for entry in entries]
    inputs = [opened(entry["model"]) for entry in entries]
    ours, peer = opened(options.ours), opened(options.peer)
    counts = {"elements": 0, "differ": 0, "at a threshold": 0, "zero sum": 0, "unexplained": 0}
    for name in sorted(ours):
        a, b = ours[name].get_tensor(name), peer[name].get_tensor(name)
        counts["elements"] += a.numel()
        places = ((a - b).abs() > options.rtol * b.abs().max()).flatten().nonzero().flatten()
        if places.numel() == 0:
            continue
        start = base[name].get_tensor(name).float()
        tied, zero = explained(start, [i[name].get_tensor(name).float() for i in inputs], weights, densities, places)
        rest = int((~tied & ~zero).sum())
        counts["differ"] += places.numel()
        counts["at a threshold"] += int(tied.sum())
        counts["zero sum"] += int((zero & ~tied).sum())
        counts["unexplained"] += rest
        if rest:
            print(f"{name}: {rest} of {places.numel()} that differ are unexplained")
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["unexplained"] else 0


if __name__ == "__main__":
    sys.exit(main())
