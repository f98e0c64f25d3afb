#!/usr/bin/env python3
"""Compares two merged checkpoints, tensor by tensor.

usage: compare.py OURS PEER [--ulps 1] [--rtol 1e-5] [--share 0]

F16 and BF16 elements may lie --ulps units in the last place apart; F32 and F64 elements --rtol of the larger of the element
and a thousandth of the tensor's largest magnitude; every other type, NaN and infinities must be the same. --share is the share
of a tensor's elements that may lie beyond the tolerance (ties in selections). Each tensor that does not agree is named with the
largest difference; one summary line comes last. Exit code 0: names, shapes, dtypes and values agree; 1: they do not.
Needs torch and safetensors: run it with the peer's Python.
"""
import argparse
import glob
import os
import sys

import torch
from safetensors import safe_open

HALVES = (torch.bfloat16, torch.float16)
FLOATS = (torch.float32, torch.float64)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours")
    parser.add_argument("peer")
    parser.add_argument("--ulps", type=int, default=1)
    parser.add_argument("--rtol", type=float, default=1e-5)
    parser.add_argument("--share", type=float, default=0.0)
    return parser.parse_args()


def opened(folder):
    """Tensor name to the open file that holds it."""
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.safetensors"))):
        file = safe_open(path, framework="pt")
        for name in file.keys():
            if name in found:
                sys.exit(f"{folder}: {name} is in two files")
            found[name] = file
    if not found:
        sys.exit(f"{folder}: no tensors")
    return found


def ordered(halves):
    """Maps 16-bit floats to integers in which neighbours differ by one and the two zeros agree."""
    bits = halves.contiguous().view(torch.int16).int()
    return torch.where(bits < 0, -(bits & 0x7FFF), bits)


def beyond(x, y, options):
    """True where an element of `x` and `y`, which share shape and dtype, differ by more than the tolerance."""
    if x.dtype in HALVES:
        differ = (ordered(x) - ordered(y)).abs() > options.ulps
    elif x.dtype in FLOATS:
        y64 = y.double()
        floor = y64[y64.isfinite()].abs().max().item() * 1e-3 if y64.isfinite().any() else 0.0
        differ = (x.double() - y64).abs() > options.rtol * y64.abs().clamp(min=max(floor, 1e-30))
    else:
        return x != y
    special = ~(x.isfinite() & y.isfinite())
    same = (x == y) | (x.isnan() & y.isnan())
    return torch.where(special, ~same, differ)


def main():
    options = arguments()
    ours, peer = opened(options.ours), opened(options.peer)
    bad = equal = total = 0
    for name in sorted(ours.keys() | peer.keys()):
        if name not in ours or name not in peer:
            print(f"{name}: only in {'the peer' if name in peer else 'ours'}")
            bad += 1
            continue
        x, y = ours[name].get_tensor(name), peer[name].get_tensor(name)
        if x.shape != y.shape or x.dtype != y.dtype:
            print(f"{name}: {tuple(x.shape)} {x.dtype} against {tuple(y.shape)} {y.dtype}")
            bad += 1
            continue
        if not x.numel():
            continue
        total += x.numel()
        equal += (x == y).sum().item()
        share = beyond(x, y, options).double().mean().item()
        if share > options.share:
            largest = (x.double() - y.double()).abs().max().item()
            print(f"{name}: {share:.2%} of elements beyond the tolerance, largest difference {largest:.3g}, tensor max {y.double().abs().max().item():.3g}")
            bad += 1
    identical = f"{equal / total:.3%}" if total else "none"
    print(f"{len(ours.keys() | peer.keys())} tensors, {bad} beyond the tolerance, {identical} of elements equal")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
