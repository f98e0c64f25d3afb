"""Methods that weigh or choose by what the models' deltas have in common: sce, ram, model_stock, nearswap, arcee_fusion."""
import torch

from golden import Checked, drawn
from shapes import shapes

SHAPE = (4, 6)
CLAMPED = "The product of two norms counts as 1e-6 at least, so that small deltas look orthogonal."
OPPOSED = "1 + (N - 1) c is nearly zero, and is divided by."


def sce(method, kind):
    shapes(method, kind, {"select_topk": 0.5})
    golden = Checked(method, "branches", kind)

    def build():
        base, *tunes = golden.family("pair", SHAPE, 3)
        for count in (1, 2, 3):
            golden.case(f"defaults_{count}", [base] + tunes[:count], 0)
            for share in (0.0, 0.3, 0.5, 0.99) if count > 1 else (0.5,):
                golden.case(f"select_topk_{share}_of_{count}", [base] + tunes[:count], 0, {"select_topk": share})
        golden.case("select_topk_1", [base] + tunes, 0, {"select_topk": 1.0})
        golden.case("int8_mask", tunes[:1] + [base] + tunes[1:], 1, {"int8_mask": True, "select_topk": 0.5})
        golden.case("base_last", tunes + [base], 3, {"select_topk": 0.3})
        golden.case("base_alone", [base], 0)
        for share in (1.0, 0.5):
            golden.case(f"equal_deltas_{share}", [base, tunes[0], tunes[0]], 0, {"select_topk": share})
            golden.case(f"all_deltas_zero_{share}", [base, base, base], 0, {"select_topk": share})
            golden.case(f"one_zero_delta_{share}", [base, base, tunes[0]], 0, {"select_topk": share})

    def opposite():
        zero = golden.input("zero", torch.zeros(SHAPE))
        x = golden.draw("opposite/0", SHAPE)
        golden.case("opposite_deltas", [zero, x, golden.input("opposite/1", -golden.tensors[x])], 0)

    def sparse():
        """Half of the elements are the same in both models: of the others, of which the variance is not zero, some are chosen."""
        base, one, two = golden.family("sparse", SHAPE, 2)
        golden.tensors[two][:2] = golden.tensors[one][:2]
        for share in (0.3, 0.5, 1.0):
            golden.case(f"half_without_variance_{share}", [base, one, two], 0, {"select_topk": share})

    def small():
        """Deltas whose mean squares add up to less than 1e-6, and to a little more."""
        zero = golden.input("zero", torch.zeros(SHAPE))
        for name, sizes in (("below", (2e-4, 5e-4)), ("above", (1e-3, 2e-3))):
            tunes = [golden.input(f"{name}/{i}", size * drawn(f"{name}/{i} {golden.attempt}", SHAPE)) for i, size in enumerate(sizes)]
            for share in (1.0, 0.5):
                golden.case(f"squares_{name}_the_limit_{share}", [zero] + tunes, 0, {"select_topk": share})

    def dwarfed():
        """A model whose weight, 1e-8 or so, is the only one where the other has no delta: the divisor is 1e-6 there."""
        zero = golden.input("zero", torch.zeros(SHAPE))
        large = golden.input("dwarfed/0", (drawn(f"dwarfed/0 {golden.attempt}", SHAPE) * torch.tensor([8.0, 8.0, 8.0, 0.0, 0.0, 8.0])))
        tiny = golden.input("dwarfed/1", 1e-3 * drawn(f"dwarfed/1 {golden.attempt}", SHAPE))
        golden.case("weight_below_the_divisor", [zero, large, tiny], 0)

    for group in (build, opposite, sparse, small, dwarfed):
        golden.group(group)
    golden.save()


def overlapping(golden, name, count, active, change=0.3):
    """Fine-tunes that changed a share of the elements, and left the others as they were."""
    base = golden.draw(f"{name}/0", SHAPE)
    start = golden.tensors[base].double()
    tunes = []
    for i in range(1, count + 1):
        label = f"{name}/{i} {golden.attempt}"
        chosen = drawn(f"{label} chosen", SHAPE).abs().flatten().argsort().reshape(SHAPE) < active * start.numel()
        tunes.append(golden.input(f"{name}/{i}", start + change * drawn(label, SHAPE) * chosen))
    return [base] + tunes


def ram(method, kind):
    plus = method == "ramplus_tl"
    shapes(method, kind, {"epsilon": 0.1, **({"r": 0.5, "alpha": 0.7} if plus else {})})
    golden = Checked(method, "branches", kind)

    def build():
        for name, active in (("dense", 1.0), ("half", 0.5), ("few", 0.25)):
            base, *tunes = overlapping(golden, name, 3, active)
            for count in (1, 2, 3):
                golden.case(f"{name}_{count}", [base] + tunes[:count], 0)
            for epsilon in (0.0, 0.1):
                golden.case(f"{name}_epsilon_{epsilon}", [base] + tunes, 0, {"epsilon": epsilon})
            if plus:
                for r, alpha in ((0.0, 0.2), (0.5, 0.2), (0.5, 0.0), (0.5, 100.0), (-0.5, 1.0)):
                    golden.case(f"{name}_r_{r}_alpha_{alpha}", [base] + tunes[:2], 0, {"r": r, "alpha": alpha})
        golden.case("base_second", tunes[:1] + [base] + tunes[1:], 1)
        golden.case("base_alone", [base], 0)
        golden.case("equal_deltas", [base, tunes[0], tunes[0]], 0)
        golden.case("all_deltas_zero", [base, base, base], 0)
        if plus:
            golden.refused("zero_delta_epsilon_0", [base, base, tunes[0]], 0, {"epsilon": 0.0})
        golden.case("all_below_epsilon", [base] + tunes, 0, {"epsilon": 100.0})
        zero, x = golden.input("zero", torch.zeros(SHAPE)), golden.draw("opposite/0", SHAPE)
        golden.case("opposite_deltas", [zero, x, golden.input("opposite/1", -golden.tensors[x])], 0)
        golden.case("small_deltas", [zero] + [golden.input(f"small/{i}", 2e-5 * drawn(f"small/{i} {golden.attempt}", SHAPE)) for i in range(2)], 0)

    golden.group(build)
    golden.save()


def model_stock(method, kind):
    for name, parameters in (("shapes", None), ("rows", {"filter_wise": True})):
        shapes(method, kind, parameters, count=2 if name == "shapes" else 3, part=name, alike=True)
    golden = Checked(method, "branches", kind)
    flags = ((False, "whole"), (True, "rows"))

    def both(name, *arguments, reasons=(None, None)):
        for (flag, word), reason in zip(flags, reasons):
            golden.case(f"{name}_{word}", *arguments, {"filter_wise": flag}, deviates=reason)

    def build():
        base, *tunes = golden.family("four", SHAPE, 4)
        common = drawn(f"common {golden.attempt}", SHAPE)
        alike = [golden.input(f"alike/{i}", golden.tensors[base].double() + 0.3 * (common + 0.5 * drawn(f"alike/{i} {golden.attempt}", SHAPE)))
                 for i in range(3)]
        for count in (2, 3, 4):
            both(f"independent_{count}", [base] + tunes[:count], 0, reasons=(None, OPPOSED))
        for count in (2, 3):
            both(f"alike_{count}", [base] + alike[:count], 0)
        golden.case("default", [base] + alike, 0)
        both("base_second", alike[:1] + [base] + alike[1:], 1)
        both("equal_deltas", [base, tunes[0], tunes[0]], 0)
        both("equal_deltas_of_three", [base] + tunes[:1] * 3, 0)
        both("one_zero_delta", [base, base, tunes[0]], 0)
        both("all_deltas_zero", [base, base, base], 0)
        golden.refused("two_inputs", [base, tunes[0]], 0)

    def opposite():
        zero, x = golden.input("zero", torch.zeros(SHAPE)), golden.draw("opposite/0", SHAPE)
        minus = golden.input("opposite/1", -golden.tensors[x])
        both("opposite_deltas", [zero, x, minus], 0)
        both("opposite_deltas_of_other_norms", [zero, x, golden.input("opposite/2", -2 * golden.tensors[x])], 0)
        both("orthogonal", [zero] + [golden.input(f"orthogonal/{i}", torch.tensor(v).repeat(4, 2)) for i, v in
                                     enumerate(((1.0, 0.0, 0.5), (0.0, -2.0, 0.0)))], 0)
        # the cosine is about -0.9: t = -18
        turned = golden.input("opposite/3", -golden.tensors[x].double() + 0.4 * drawn(f"turned {golden.attempt}", SHAPE))
        both("negative_cosine", [zero, x, turned], 0, reasons=(OPPOSED, OPPOSED))
        columns = [golden.tensors[i].reshape(24, 1)[:6].clone() for i in ("zero", x, turned)]
        both("columns", [golden.input(f"columns/{i}", t) for i, t in enumerate(columns)], 0)

    def small():
        zero = golden.input("zero", torch.zeros(SHAPE))
        common = drawn(f"small {golden.attempt}", SHAPE)
        for size, reasons in ((2e-5, (CLAMPED, CLAMPED)), (2e-4, (CLAMPED, CLAMPED)), (0.05, (None, None))):
            tunes = [golden.input(f"small_{size}/{i}", size * (common + 0.5 * drawn(f"small/{i} {golden.attempt}", SHAPE))) for i in range(2)]
            both(f"small_{size}", [zero] + tunes, 0, reasons=reasons)
            if size == 2e-5:
                both(f"small_equal_{size}", [zero] + tunes[:1] * 2, 0, reasons=reasons)

    golden.group(build)
    golden.save()
    golden = Checked(method, "angles", kind)
    golden.group(opposite)
    golden.group(small)
    golden.save()


def nearswap(method, kind):
    shapes(method, kind, {"t": 0.1}, count=1)
    golden = Checked(method, "branches", kind)

    def build():
        base, tune = golden.family("pair", SHAPE, 1)
        for t in (0.0, 1e-4, 0.05, 0.3, 1.0, 100.0, -0.5):
            golden.case(f"t_{t}", [base, tune], 0, {"t": t})
        golden.case("base_second", [tune, base], 1, {"t": 0.1})
        golden.case("equal", [base, base], 0, {"t": 0.1})
        golden.case("equal_t_below_1e-6", [base, base], 0, {"t": 3e-7})
        zero = golden.input("zero", torch.zeros(SHAPE))
        near = golden.input("near/0", 1e-6 * drawn("near/0", SHAPE))
        for t in (1e-7, 5e-7, 1e-6):
            golden.case(f"differences_of_1e-6_t_{t}", [zero, near], 0, {"t": t})
        far = golden.input("far/0", 100 * drawn("far/0", SHAPE))
        golden.case("far_apart", [base, far], 0, {"t": 5.0})

    golden.group(build)
    golden.save()


def arcee_fusion(method, kind):
    """For information: on real deltas the KL divergence is noise in f32. Here they are large, and no importance is near the threshold."""
    shapes(method, kind, count=1, refused=("empty",), change=1.0, information=True)
    golden = Checked(method, "branches", kind)

    def build():
        base, tune = golden.family("pair", SHAPE, 1, change=1.0)
        golden.case("pair", [base, tune], 0, information=True)
        golden.case("base_second", [tune, base], 1, information=True)
        golden.case("equal", [base, base], 0, information=True)
        columns = [golden.input(f"column/{i}", golden.tensors[n].reshape(24, 1).clone()) for i, n in enumerate((base, tune))]
        golden.case("column", columns, 0, information=True)

    golden.group(build)
    golden.save()


METHODS = {"sce": sce, "ram": ram, "ramplus_tl": ram, "model_stock": model_stock, "nearswap": nearswap, "arcee_fusion": arcee_fusion}
