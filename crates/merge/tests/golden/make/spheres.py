"""Methods on the sphere: nuslerp, multislerp, karcher."""
import torch

from golden import Checked, drawn, weights
from shapes import shapes

SHAPE = (4, 6)
NOISE_AT_PI = ("The cosine of opposite vectors is not quite -1 in f32, so that an arc is taken where none is defined, instead of the "
               "straight line.")

COSINE_NEAR_PI = "The angle is the arc cosine of a rounded cosine near -1, and the coefficients are large there."
NO_MEAN = "Opposite vectors have no mean: the first one's direction is kept by the formula, and turned about by noise in the peer."


def vectors(golden, *rows, name):
    return [golden.input(f"{name}/{i}", torch.tensor(row, dtype=torch.float64)) for i, row in enumerate(rows)]


def independent(golden, name, count):
    return [golden.draw(f"{name}/{i}", SHAPE) for i in range(count)]


def angles(golden, flat):
    """Pairs of vectors at special angles, merged at three shares."""
    along, across, none = [2.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.5, 3.0], [0.0, 0.0, 0.0, 0.0]
    x, y, zero = vectors(golden, along, across, none, name="axis")
    twice, minus = vectors(golden, [4.0, -2.0, 0.0, 0.0], [-5.0, 2.5, 0.0, 0.0], name="multiple")
    near = vectors(golden, [2.0, -1.0, 0.0078125, 0.0], [-2.5, 1.25, 0.25, 0.0], name="near")
    pairs = {"orthogonal": (x, y), "same": (x, x), "same_direction": (x, twice), "opposite": (x, minus), "nearly_same": (x, near[0]),
             "nearly_opposite": (x, near[1]), "first_zero": (zero, x), "second_zero": (x, zero), "both_zero": (zero, zero)}
    for name, pair in pairs.items():
        for share in (0.25, 0.5) if name != "both_zero" else (0.25,):
            golden.case(f"{name}_{share}", list(pair), None, {"nuslerp_flatten": flat}, weights(1 - share, share),
                        deviates={"opposite": NOISE_AT_PI, "nearly_opposite": COSINE_NEAR_PI}.get(name))
    for share in (0.25, 0.5):
        for length in (1.0, 2.5):
            x = golden.input("long", drawn("long", SHAPE))
            minus = golden.input(f"long_minus_{length}", -length * golden.tensors[x].double())
            golden.case(f"long_opposite_{length}_{share}", [x, minus], None, None, weights(1 - share, share), deviates=NOISE_AT_PI)


def nuslerp(method, kind):
    for name, parameters in (("shapes", {}), ("rows", {"nuslerp_flatten": False}), ("columns", {"nuslerp_flatten": False, "nuslerp_row_wise": True})):
        shapes(method, kind, parameters, weights(0.6, 0.9), without_base=True, part=name)
    shapes(method, kind, {"nuslerp_flatten": False}, weights(0.6, 0.9), part="rows_with_base")
    golden = Checked(method, "branches", kind)

    def shares():
        pair = independent(golden, "pair", 2)
        base, *tunes = golden.family("tuned", SHAPE, 2)
        for values in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.3, 0.9), (0.75, -0.75), (1.5, -0.5), (-0.5, -1.5), (0.0, 0.0)):
            label = "_".join(map(str, values))
            golden.case(f"weights_{label}", pair, None, None, weights(*values))
            golden.case(f"base_weights_{label}", tunes[:1] + [base] + tunes[1:], 1, None, weights(*values))
        for flatten in (True, False):
            for row_wise in (True, False):
                flags = {"nuslerp_flatten": flatten, "nuslerp_row_wise": row_wise}
                golden.case(f"flatten_{flatten}_row_wise_{row_wise}".lower(), pair, None, flags, weights(0.3, 0.9))
                golden.case(f"base_flatten_{flatten}_row_wise_{row_wise}".lower(), [base] + tunes, 0, flags, weights(0.3, 0.9))

    golden.group(shares)
    golden.save()
    golden = Checked(method, "angles", kind)
    angles(golden, True)
    tiny(golden)
    rows(golden)
    golden.save()


def tiny(golden):
    """Vectors shorter than the 1e-7 that the peer divides by at least."""
    if golden.kind != "f16":
        pair = vectors(golden, [1e-9, 2e-9, -1e-9], [1e-9, -1e-9, 5e-10], name="tiny")
        golden.case("tiny", pair, None, None, weights(0.5, 0.5),
                    deviates="Vectors are divided by their norm or by 1e-7, the larger, so that short ones look orthogonal.")


def rows(golden):
    """Rows of which each is another special case, and columns of one element, which are all parallel."""
    a = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [1.0, 2.0, 2.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    b = torch.tensor([[0.5, 1.0, -2.0], [1.0, 2.0, 0.0], [1.0, 2.0, 3.0], [-1.0, -2.0, -2.0], [0.0, 1.0, 0.0]], dtype=torch.float64)
    pair = [golden.input("rows/0", a), golden.input("rows/1", b)]
    columns = [golden.input(f"columns/{i}", t.t().contiguous()) for i, t in enumerate((a, b))]
    singles = [golden.input(f"singles/{i}", t[:, :1].contiguous()) for i, t in enumerate((a, b))]
    for share in (0.25, 0.5):
        golden.case(f"rows_{share}", pair, None, {"nuslerp_flatten": False}, weights(1 - share, share))
        golden.case(f"columns_{share}", columns, None, {"nuslerp_flatten": False, "nuslerp_row_wise": True}, weights(1 - share, share))
        golden.case(f"singles_{share}", singles, None, {"nuslerp_flatten": False}, weights(1 - share, share))


def multislerp(method, kind):
    shapes(method, kind, None, weights(0.3, 0.5, 0.9), count=3, without_base=True, refused=("empty",))
    shapes(method, kind, None, weights(0.6, 0.9), part="shapes_with_base")
    golden = Checked(method, "branches", kind)

    def build():
        points = independent(golden, "points", 4)
        base, *tunes = golden.family("tuned", SHAPE, 3)
        for count, values in ((1, (0.7,)), (2, (0.5, 0.5)), (3, (0.2, 0.3, 0.9)), (4, (1.0, 1.0, 1.0, 1.0)), (3, (1.0, -0.4, 0.6)),
                              (3, (0.6, 0.0, 0.9)), (2, (1.0, 0.0)), (2, (-0.4, -0.8))):
            label = "_".join(map(str, values))
            for normalize in (True, False):
                flags = {} if normalize else {"normalize_weights": False}
                golden.case(f"{'normalized' if normalize else 'plain'}_{label}", points[:count], None, flags, weights(*values))
                if count <= 3 and not (count == 1 and not normalize):
                    golden.case(f"base_{'normalized' if normalize else 'plain'}_{label}", [base] + tunes[:count], 0, flags, weights(*values))
        for eps in (1e-3, 0.0):
            golden.case(f"eps_{eps}", points[:3], None, {"eps": eps}, weights(0.2, 0.3, 0.9))
        golden.case("base_last", tunes + [base], 3, None, weights(0.2, 0.3, 0.9))
        golden.refused("weights_sum_zero", points[:2], None, None, weights(0.75, -0.75))

    golden.group(build)
    golden.save()
    golden = Checked(method, "angles", kind)

    def special():
        x = golden.draw("x", SHAPE)
        minus, twice = golden.input("minus_x", -golden.tensors[x]), golden.input("twice_x", 2 * golden.tensors[x])
        zero = golden.input("zero", torch.zeros(SHAPE))
        y = golden.draw("y", SHAPE)
        golden.case("same", [x, x, x], None, None, weights(0.2, 0.3, 0.9))
        golden.case("same_direction", [x, twice], None, None, weights(0.3, 0.9))
        golden.case("opposite", [x, minus], None, None, weights(0.3, 0.9))
        golden.case("mean_zero_of_two", [x, minus], None, None, weights(0.5, 0.5))
        golden.case("mean_zero_of_two_with_base", [zero, x, minus], 0, None, weights(0.5, 0.5))
        golden.case("mean_zero_of_two_plain", [x, minus], None, {"normalize_weights": False}, weights(0.5, 0.5))
        golden.case("mean_below_eps", [x, y], None, {"eps": 10.0}, weights(0.5, 0.5))
        golden.refused("mean_zero_of_three", [x, minus, zero], None, None, weights(0.5, 0.5, 0.5))
        golden.case("one_zero", [x, zero, y], None, None, weights(0.2, 0.3, 0.9))
        golden.case("equal_deltas", [zero, x, x], 0, None, weights(0.6, 0.9))
        golden.case("all_deltas_zero", [x, x, x], 0, None, weights(0.6, 0.9))
        golden.case("all_zero", [zero, zero], None, None, weights(0.6, 0.9))

    golden.group(special)
    golden.save()


def karcher(method, kind):
    shapes(method, kind, count=3, without_base=True)
    golden = Checked(method, "branches", kind)

    def build():
        points = independent(golden, "points", 4)
        for count in (1, 2, 3, 4):
            golden.case(f"count_{count}", points[:count])
        for steps in (0, 1, 2, 100):
            golden.case(f"max_iter_{steps}", points[:3], None, {"max_iter": steps})
        for tol in (0.3, 1e-2, 1e-9):
            golden.case(f"tol_{tol}", points[:3], None, {"tol": tol})
        golden.case("base_is_an_input", points[:3], 1)
        zero, tiny = golden.input("zero", torch.zeros(SHAPE)), golden.input("tiny", 1e-6 * golden.tensors[points[3]].double())
        small, large = golden.input("small", golden.tensors[points[1]] / 64), golden.input("large", golden.tensors[points[2]] * 16)
        minus, twice = golden.input("minus", -golden.tensors[points[0]]), golden.input("twice", golden.tensors[points[0]] * 2)
        golden.case("one_zero", [points[0], zero, points[1]])
        golden.case("first_zero", [zero, points[0]])
        golden.case("all_zero", [zero, zero])
        golden.case("one_below_tol", [points[0], tiny, points[1]])
        golden.case("all_below_tol", [tiny, tiny])
        golden.case("all_norms_below_a_large_tol", points[:2], None, {"tol": 100.0})
        golden.case("unequal_norms", [points[0], small, large])
        golden.case("same", [points[0]] * 3)
        golden.case("same_direction", [points[0], twice])
        golden.case("opposite", [points[0], minus], deviates=NO_MEAN)
        golden.case("opposite_and_another", [points[0], minus, points[1]])

    golden.group(build)
    golden.save()

    golden = Checked(method, "tuned", kind)

    def tuned():
        base, *tunes = golden.family("tuned", (6, 8), 3, change=0.03)
        golden.case("near_each_other", tunes)
        golden.case("near_each_other_one_step", tunes, None, {"max_iter": 1})

    golden.group(tuned)
    golden.save()


METHODS = {"nuslerp": nuslerp, "multislerp": multislerp, "karcher": karcher}
