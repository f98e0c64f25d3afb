"""The task-arithmetic family: a sparsifier, a consensus, a mix."""
import torch

from golden import Checked, drawn, weights
from shapes import shapes

SHAPE = (4, 6)
WEIGHTS_IN_F32 = "Weights are rounded to f32 before they are added up, and their sum is nearly zero."


def settings(method):
    """What makes the sparsifier of a method do something."""
    if method.startswith("della"):
        return {"density": 0.5, "epsilon": 0.2}
    return {"density": 0.5} if method != "task_arithmetic" else {}


def mixes(golden, some):
    """Number of fine-tunes, normalize, lambda and the base's place, with the sparsifier's settings `some`."""
    def build():
        base, *tunes = golden.family("mix", SHAPE, 3)
        for count, values in ((1, (1.0,)), (2, (1.0, 1.0)), (3, (0.3, 0.5, 0.9))):
            golden.case(f"defaults_{count}", [base] + tunes[:count], 0, None, weights(*values))
            for normalize in (True, False):
                word = "normalized" if normalize else "sum"
                golden.case(f"{word}_{count}", [base] + tunes[:count], 0, {"normalize": normalize}, weights(*values, **some))
        for scale in (0.0, 0.5, 2.0):
            golden.case(f"lambda_{scale}", [base] + tunes[:2], 0, {"lambda": scale}, weights(0.6, 0.9, **some))
        golden.case("int8_mask", tunes[:1] + [base] + tunes[1:], 1, {"int8_mask": True}, weights(0.6, 0.9, 1.0, **some))
        golden.case("base_last", tunes[:2] + [base], 2, None, weights(0.6, 0.9, **some))
        golden.case("base_alone", [base], 0)

    golden.group(build)


def weightings(golden, some):
    """Weights of all signs."""
    def build():
        base, *tunes = golden.family("weights", SHAPE, 3)
        for name, values in (
            ("zero_weight", (0.6, 0.0, 0.9)), ("all_weights_zero", (0.0, 0.0)), ("negative", (1.0, -0.4, 0.3)), ("one_negative", (-0.5,)),
            ("sum_zero", (0.75, -0.75)),
        ):
            for normalize in (True, False):
                golden.case(f"{name}_{'normalized' if normalize else 'sum'}", [base] + tunes[:len(values)], 0, {"normalize": normalize},
                            weights(*values, **some))
        golden.case("nearly_zero_normalized", [base] + tunes[:2], 0, {"normalize": True}, weights(1.0, -0.9999, **some),
                    deviates=WEIGHTS_IN_F32)

    golden.group(build)


def degenerate(golden, some, ranked=False):
    """Deltas that are equal, opposite, zero, tiny, or columns of one element."""
    if not ranked:
        def equal():
            base, tune = golden.family("equal", SHAPE, 1)
            golden.case("equal_deltas", [base, tune, tune], 0, None, weights(0.6, 0.9, **some))
            golden.case("one_zero_delta", [base, base, tune], 0, None, weights(0.6, 0.9, **some))
            golden.case("all_deltas_zero", [base, base, base], 0, None, weights(0.6, 0.9, **some))

        golden.group(equal)
    zero = golden.input("zero", torch.zeros(SHAPE))

    def opposite():
        x = golden.draw("opposite/0", SHAPE)
        minus = golden.input("opposite/1", -golden.tensors[x])
        golden.case("opposite_deltas", [zero, x, minus], 0, None, weights(0.7, 0.7, **{**some, "density": 1.0}))

    golden.group(opposite)

    def column():
        base, *tunes = golden.family("column", (6, 1), 2)
        each = weights(0.6, 0.9, **some)
        if ranked:
            golden.refused("column_sparse", [base] + tunes, 0, None, each)
        else:
            golden.case("column_sparse", [base] + tunes, 0, None, each)
        golden.case("column_dense", [base] + tunes, 0, None, weights(0.6, 0.9))

    golden.group(column)


def task_arithmetic(method, kind):
    shapes(method, kind, each=weights(0.6, 0.9))
    golden = Checked(method, "branches", kind)
    mixes(golden, {})
    weightings(golden, {})
    degenerate(golden, {})

    def ignored():
        base, *tunes = golden.family("ignored", SHAPE, 2)
        golden.case("density_is_ignored", [base] + tunes, 0, None, weights(0.6, 0.9, density=0.3))
        golden.case("rescale_is_ignored", [base] + tunes, 0, {"rescale": True}, weights(0.6, 0.9, density=0.3))
        tenths = ("tenths_sum_zero_normalized", [base] + tunes + tunes[:1], 0, {"normalize": True}, weights(0.3, 0.4, -0.7))
        if kind == "f16":  # 6e4 and more
            golden.refused(*tenths)
        else:
            golden.case(*tenths, deviates="0.3 + 0.4 - 0.7 is 6e-8 in f32, which is divided by, as it is not below 1e-8.")

    golden.group(ignored)
    golden.save()


def densities(golden, gammas=(None,), shape=SHAPE, rescale=False):
    for number, (name, values) in enumerate({"0": (0.0, 0.0), "0.3": (0.3, 0.3), "0.5": (0.5, 0.5), "1": (1.0, 1.0), "0.3_1": (0.3, 1.0),
                                             "0_0.5": (0.0, 0.5)}.items()):
        for gamma in gammas:
            def build():
                base, *tunes = golden.family("density", shape, 2) if golden.attempt == 0 else golden.family(f"density_{name}_{gamma}", shape, 2)
                more = {} if gamma is None else {"gamma": gamma}
                label = f"density_{name}" + ("" if gamma is None else f"_gamma_{gamma}")
                golden.case(label, [base] + tunes, 0, None, weights(0.6, 0.9, density=values, **more))
                if rescale and gamma is None:
                    for flag in (True, False):
                        golden.case(f"{label}_{'rescaled' if flag else 'unscaled'}", [base] + tunes, 0, {"rescale": flag},
                                    weights(0.6, 0.9, density=values))

            golden.group(build)


def stepped(golden, shape=SHAPE):
    """A zero base and deltas of few magnitudes, each of them many times."""
    base = golden.input("steps/0", torch.zeros(shape))
    return [base] + [golden.input(f"steps/{i}", (drawn(f"steps/{i}", shape) * 2).round().clamp(-3, 3) / 4) for i in (1, 2)]


def at_threshold(golden, **more):
    base, *tunes = stepped(golden)
    for normalize in (True, False):
        golden.case(f"steps_{'normalized' if normalize else 'sum'}_ties_at_threshold", [base] + tunes, 0, {"normalize": normalize},
                    weights(0.6, 0.9, density=0.4, **more), ties=True)


def ties(method, kind):
    shapes(method, kind, each=weights(0.6, 0.9, density=0.5))
    golden = Checked(method, "mixes", kind)
    mixes(golden, settings(method))
    weightings(golden, settings(method))
    golden.save()
    golden = Checked(method, "densities", kind)
    densities(golden, rescale=True)
    degenerate(golden, settings(method))

    def counts():
        base, *tunes = golden.family("hundred", (10, 10), 2)
        for density in (0.001, 0.29, 0.999):  # one is always kept; 0.29 * 100 is a little below 29
            golden.case(f"hundred_{density}", [base] + tunes, 0, None, weights(0.6, 0.9, density=density))

    golden.group(counts)
    at_threshold(golden)
    golden.save()


def breadcrumbs(method, kind):
    shapes(method, kind, each=weights(0.6, 0.9, density=0.5, gamma=0.2))
    golden = Checked(method, "mixes", kind)
    mixes(golden, {**settings(method), "gamma": 0.1})
    weightings(golden, {**settings(method), "gamma": 0.1})
    degenerate(golden, {**settings(method), "gamma": 0.1})
    golden.save()
    golden = Checked(method, "windows", kind)
    densities(golden, gammas=(0.0, 0.01, 0.2))

    def defaults():
        base, *tunes = golden.family("defaults", SHAPE, 2)
        golden.case("gamma_by_default", [base] + tunes, 0, None, weights(0.6, 0.9, density=0.5))
        golden.case("rescaled", [base] + tunes, 0, {"rescale": True}, weights(0.6, 0.9, density=(0.5, 0.3), gamma=(0.1, 0.2)))
        golden.case("gamma_beyond_the_rest", [base] + tunes, 0, None, weights(0.6, 0.9, density=0.8, gamma=(0.5, 0.2)))

    def hundred():
        base, *tunes = golden.family("hundred", (10, 10), 1)
        for density, gamma in ((0.3, 0.01), (0.29, 0.07), (0.9, 0.2), (0.5, 0.2)):
            golden.case(f"hundred_{density}_gamma_{gamma}", [base] + tunes, 0, None, weights(0.6, density=density, gamma=gamma))

    golden.group(defaults)
    golden.group(hundred)
    at_threshold(golden, gamma=0.2)
    golden.save()


def dare(method, kind):
    shapes(method, kind, each=weights(0.6, 0.9, density=0.5))
    golden = Checked(method, "mixes", kind)
    mixes(golden, settings(method))
    golden.save()
    golden = Checked(method, "weights", kind)
    weightings(golden, settings(method))
    degenerate(golden, settings(method))
    golden.save()
    golden = Checked(method, "densities", kind)
    densities(golden, rescale=True)
    small_norms(golden)
    golden.save()


def small_norms(golden, **more):
    """Deltas whose magnitudes add up to less, or a little more, than the 1e-7 below which nothing is rescaled."""
    zero = torch.zeros(SHAPE)
    golden.input("zero", zero)
    for name, size in (("below", 2e-9 if golden.kind != "f16" else 0.0), ("above", 5e-8)):
        def build():
            tunes = [golden.input(f"norm_{name}/{i}", zero + size * drawn(f"norm_{name}/{i} {golden.attempt}", SHAPE)) for i in range(2)]
            golden.case(f"norm_{name}_the_limit", ["zero"] + tunes, 0, None, weights(0.6, 0.9, density=0.5, **more))

        if size and (name == "below" or golden.kind != "f16"):
            golden.group(build)


def della(method, kind):
    shapes(method, kind, each=weights(0.6, 0.9, density=0.5, epsilon=0.2), refused=("one",))
    golden = Checked(method, "mixes", kind)
    golden.with_probabilities = False
    mixes(golden, settings(method))
    golden.save()
    golden = Checked(method, "weights", kind)
    golden.with_probabilities = False
    weightings(golden, settings(method))
    degenerate(golden, settings(method), ranked=True)
    small_norms(golden, epsilon=0.2)
    golden.save()
    golden = Checked(method, "ranks", kind)

    def ranks():
        base, *tunes = golden.family("rank", SHAPE, 2)
        for density, epsilon in (((0.3, 0.3), 0.1), ((0.5, 0.5), 0.0), ((0.5, 0.5), 0.49), ((0.3, 0.6), (0.2, 0.1)), ((0.5, 1.0), 0.2),
                                 ((0.0, 0.5), 0.2), ((0.0, 0.0), 0.2), ((1.0, 1.0), 0.2)):
            label = f"density_{density[0]}_{density[1]}_epsilon_{epsilon if isinstance(epsilon, float) else 'of_each'}"
            for rescale in (None, False) if epsilon == 0.1 else (None,):
                golden.case(label + ("_unscaled" if rescale is False else ""), [base] + tunes, 0, None if rescale is None else {"rescale": rescale},
                            weights(0.6, 0.9, density=density, epsilon=epsilon))
        golden.case("epsilon_by_default", [base] + tunes, 0, None, weights(0.6, 0.9, density=0.5))
        for density, epsilon in ((0.5, 0.5), (0.9, 0.15), (0.1, 0.15)):
            golden.refused(f"bounds_{density}_{epsilon}", [base] + tunes, 0, None, weights(0.6, 0.9, density=density, epsilon=epsilon))

    golden.group(ranks)
    at_threshold(golden, epsilon=0.2)
    golden.save()


METHODS = {"task_arithmetic": task_arithmetic, "ties": ties, "dare_linear": dare, "dare_ties": dare, "breadcrumbs": breadcrumbs,
           "breadcrumbs_ties": breadcrumbs, "della_linear": della, "della": della}
