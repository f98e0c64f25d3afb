"""Where the peer's values leave its formulas on tensors that are too large for a golden file, or too large or small in value.

Prints a report; writes nothing. A minute and 3 GB.
"""
import numpy as np
import torch
from mergekit.merge_methods import merge_tensors
from mergekit.sparsify import RescaleNorm, della_magprune

from golden import drawn, weights
from lots import Lots
from oracle import formula, keep_probability, Choices

# method, position of the base, parameters, weights of the inputs
SPHERES = (("nuslerp", None, (0.4, 0.6)), ("nuslerp", 0, (0.4, 0.6)), ("multislerp", None, (1.0, 1.0, 1.0)), ("multislerp", 0, (1.0, 1.0, 1.0)),
           ("karcher", None, ()), ("model_stock", 0, ()), ("sce", 0, ()))


def family(shape, spread, change, seed=0):
    """A base and three fine-tunes as bfloat16 holds them, widened."""
    draw = torch.Generator().manual_seed(seed)
    base = (spread * torch.randn(shape, generator=draw)).bfloat16().float()
    return [base] + [(base + spread * change * torch.randn(shape, generator=draw)).bfloat16().float() for _ in range(3)]


def error(method, inputs, base, values, parameters=None):
    """The largest error of a merge in float32, as a share of the largest magnitude."""
    each = weights(*values)
    per_input = {"weight": list(values)} if values else {}
    merged = merge_tensors(inputs, method, parameters={**(parameters or {}), **per_input}, base_index=base, dtype=torch.float32)
    given = ([{}] if base == 0 else []) + each if each else [{} for _ in inputs]
    expected, choices = formula(method, [t.double().numpy() for t in inputs], base, parameters or {}, given)
    off = np.abs(merged.double().numpy() - expected) / (np.abs(expected).max() or 1.0)
    return off[~choices.doubtful].max(initial=0.0)


def chosen(method, base, values, models):
    count = len(values) or 3
    return ([models[0]] if base == 0 else []) + models[1:1 + count]


def sizes():
    print("Norms, dot products and sums in f32, by the number of elements (spread 0.02, deltas of a tenth of it):\n")
    for exponent in (18, 20, 22, 24):
        models = family((1 << exponent - 10, 1024), 0.02, 0.1)
        cells = [f"{name}{'' if base is None else ' with base'} {error(name, chosen(name, base, values, models), base, values):.1e}"
                 for name, base, values in SPHERES]
        print(f"- 2^{exponent}: " + ", ".join(cells))


def magnitudes():
    print("\nVery large and very small values (float32, 24 elements, deltas of a tenth):\n")
    for spread in (1e25, 1e15, 1e-5, 1e-15):
        models = family((4, 6), spread, 0.1)
        cells = []
        for name, base, values in SPHERES:
            try:
                with np.errstate(all="ignore"):
                    most = f"{error(name, chosen(name, base, values, models), base, values):.1e}"
            except ValueError as refusal:
                most = f"refused ({str(refusal).split('.')[0].lower()})"
            except AssertionError as own:
                most = f"refused by the formula ({own})"
            cells.append(f"{name}{'' if base is None else ' with base'} {most}")
        print(f"- {spread:g}: " + ", ".join(cells))


def fusion():
    print("\narcee_fusion, elements taken otherwise than by the formula in f64 (1000 x 1000, above which the peer takes quantiles of a\n"
          "random sample; spread 0.02):\n")
    for change in (0.01, 0.1, 1.0):
        base, other = family((1000, 1000), 0.02, change)[:2]
        merged = merge_tensors([base, other], "arcee_fusion", base_index=0, dtype=torch.float32)
        expected, _ = formula("arcee_fusion", [base.double().numpy(), other.double().numpy()], 0, {}, [{}, {}])
        taken, formula_takes = (merged != base).numpy(), expected != base.double().numpy()
        print(f"- deltas of {change:g}: taken {taken.mean():.2%}, by the formula {formula_takes.mean():.2%}, "
              f"otherwise {(taken != formula_takes).mean():.2%}")


def ranks():
    print("\nDELLA in bfloat16: ranks are held in 8 bits (density 0.5, epsilon 0.2):\n")
    for columns in (128, 896, 4864):
        delta = drawn(f"ranks {columns}", (4, columns)).bfloat16()
        mine = torch.from_numpy(keep_probability(delta.double().numpy(), 0.5, 0.2, Choices(delta.shape)))
        for kind in (torch.bfloat16, torch.float32):
            lots = Lots(0)
            with lots:
                della_magprune(delta.to(kind), 0.5, 0.2, RescaleNorm.l1)
            found = lots.probabilities[0].double()
            off = (found.sort(dim=1).values - mine.sort(dim=1).values).abs().max().item()
            print(f"- rows of {columns} in {str(kind)[6:]}: {found[0].unique().numel()} probabilities, off by up to {off:.1e}")


def scales():
    print("\nDARE's factor of rescaling, against the same sums in f64 (1024 x 1024, density 0.5):\n")
    delta = 0.002 * drawn("scales", (1024, 1024))
    for kind in (torch.float32, torch.bfloat16, torch.float16):
        lots = Lots(0)
        typed = delta.to(kind)
        with lots:
            merged = merge_tensors([torch.zeros_like(typed), typed], "dare_linear", parameters={"weight": [1.0], "density": [0.5]},
                                   base_index=0, dtype=kind)
        kept = lots.masks[0].bool()
        exact = typed.double().abs().sum() / typed.double()[kept].abs().sum()
        used = (merged.double()[kept] / typed.double()[kept]).nanmedian()
        print(f"- {str(kind)[6:]}: {used.item():.6f}, exactly {exact.item():.6f}, {(used / exact - 1).item():+.1e}")


def deviations():
    sizes()
    magnitudes()
    fusion()
    ranks()
    scales()
