"""The peer's own error: its values against the formulas in f64, case by case, and a table of them."""
import math

import torch

# What an f32 evaluation may be off, as a share of the largest magnitude of the result. Rounding to 16 bits comes on top.
BOUND = 1e-6
DIGITS = {"f16": (11, -24), "bf16": (8, -133), "f32": (24, -149)}  # significant bits, exponent of the smallest number

ROWS, NATIVE, TIES = [], [], []
REASONS = {}  # whether cases for which there is a reason to deviate do


def count():
    return tuple(map(len, (ROWS, NATIVE, TIES)))


def shorten(counts):
    for rows, length in zip((ROWS, NATIVE, TIES), counts):
        del rows[length:]


def unit(kind, values):
    """The distance of neighbouring numbers of a type at these values."""
    bits, smallest = DIGITS[kind]
    exponent = torch.frexp(values.abs().double())[1] - bits
    return torch.ldexp(torch.ones_like(values, dtype=torch.float64), exponent.clamp(min=smallest))


def measured(golden, name, merged, expected, compared, deviates):
    """Records the error of one case; true if it is beyond rounding, for which there must be a reason."""
    assert merged.isfinite().all(), f"{golden.method} {name}: {merged}"
    expected = torch.from_numpy(expected)
    off, magnitude = (merged.double() - expected).abs(), expected.abs().max().item() if expected.numel() else 0.0
    if compared is not None:
        tied = off[torch.from_numpy(~compared)]
        TIES.append((golden.method, golden.kind, name, (tied > 1e-2 * magnitude).sum().item(), tied.numel()))
        off = off[torch.from_numpy(compared)]
        expected = expected[torch.from_numpy(compared)]
    half = 0.5 * unit(golden.kind, expected) if golden.kind != "f32" else 0.0
    most = (off - half).clamp(min=0).max().item() if off.numel() else 0.0
    error = most / magnitude if magnitude else (math.inf if most else 0.0)
    beyond = error > BOUND
    assert not beyond or deviates, f"{golden.method} {golden.part} {golden.kind} {name}: off by {error:.3g} of the magnitude"
    if deviates:
        REASONS.setdefault((golden.method, deviates), []).append(beyond)
    ROWS.append((golden.method, golden.kind, name, error, deviates if beyond else None))
    return beyond


def measured_natively(golden, name, merged, expected):
    """Records what the peer makes of the case with the 16-bit type as its `dtype`."""
    expected = torch.from_numpy(expected)
    if not expected.numel():
        return
    magnitude = expected.abs().max()
    off = (merged.double() - expected).abs()
    share = off.max() / magnitude if magnitude else off.max()
    NATIVE.append((golden.method, golden.kind, share.item(), name,
                   (off > unit(golden.kind, expected)).sum().item(), off.numel()))


def report():
    idle = [reason for reason, found in REASONS.items() if not any(found)]
    assert not idle, f"no case deviates for {idle}"
    print("\nThe peer's error against the formula in f64, as a share of the tensor's largest magnitude (16-bit: beyond the half unit\n"
          "of correct rounding); native: with the 16-bit type as `dtype`, largest error, and elements more than one unit off\n")
    print("| method | f32 | bf16 | f16 | bf16 native | f16 native |\n|---|---|---|---|---|---|")
    for method in dict.fromkeys(row[0] for row in ROWS):
        cells = [method]
        for kind in ("f32", "bf16", "f16"):
            found = [row for row in ROWS if row[:2] == (method, kind) and not row[4]]
            cells.append(f"{max(row[3] for row in found):.1e} of {len(found)}" if found else "–")
        for kind in ("bf16", "f16"):
            found = [row for row in NATIVE if row[:2] == (method, kind)]
            worst, elements = max(found, key=lambda row: row[2]), sum(row[5] for row in found)
            cells.append(f"{worst[2]:.1e} ({worst[3]}), {sum(row[4] for row in found) / elements:.1%}")
        print("| " + " | ".join(cells) + " |")
    print("\nBeyond rounding:\n")
    for method, kind, name, error, reason in ROWS:
        if reason:
            print(f"- {method} {kind} {name}: {error:.2g} of the magnitude. {reason}")
    print("\nTies at a threshold (other choices than the lowest index, of the elements of that magnitude):\n")
    for method, kind, name, others, tied in TIES:
        print(f"- {method} {kind} {name}: {others} of {tied}")
