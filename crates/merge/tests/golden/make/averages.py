"""linear, slerp and passthrough: in these the peer merges in the file's own type."""
import torch

from golden import DTYPES, SHAPES, Golden, drawn, weights

# The smallest subnormal and normal number and about the largest number of each type; beyond F32's range nothing is merged in f32.
EDGES = {"f32": (1e-45, 1.1754944e-38, 3e38), "f16": (6e-8, 6.104e-5, 65504.0), "bf16": (1e-40, 1.1754944e-38, 3e38),
         "f64": (5e-324, 2.2250738585072014e-308, 1e308)}


def linear(kind):
    golden = Golden("linear", "shapes", kind)
    for name, shape in SHAPES.items():
        golden.case(name, [golden.draw(f"{name}/{i}", shape) for i in range(2)], each=weights(0.3, 0.9))
    golden.save()
    golden = Golden("linear", "weights", kind)
    three = [golden.draw(f"three/{i}", (5, 3)) for i in range(3)]
    smallest, normal, largest = EDGES[kind]
    edges = [golden.input("edges/0", torch.tensor([0.0, -0.0, smallest, -normal, largest / 2, -largest], dtype=torch.float64)),
             golden.input("edges/1", torch.tensor([-0.0, -0.0, normal, normal, largest / 4, -largest / 2], dtype=torch.float64))]
    for name, inputs, values in (
        ("single", three[:1], (0.7,)), ("equal", three[:2], (0.5, 0.5)), ("unequal", three[:2], (0.25, 2.0)),
        ("third", three, (0.2, 0.3, 0.5)), ("negative", three, (1.0, -0.4, 0.3)), ("zero_weight", three, (0.6, 0.0, 0.1)),
        ("one_left", three, (0.0, 1.0, 0.0)), ("edges", edges, (0.5, 0.5)),
    ):
        for normalize in (True, False):
            golden.case(f"{name}_{'normalized' if normalize else 'sum'}", inputs, parameters={"normalize": normalize}, each=weights(*values))
    golden.save()


def angled(golden, name, cosine):
    """A pair of 24-element vectors at the given angle, as far as the type can hold it."""
    a, b = (drawn(f"{name}/{i}", (4, 6), torch.float64) for i in range(2))
    b -= (a * b).sum() / (a * a).sum() * a
    b *= (a.norm() / b.norm()).item()
    pair = [golden.input(f"{name}/0", a), golden.input(f"{name}/1", 0.8 * (cosine * a + (1 - cosine * cosine) ** 0.5 * b))]
    x, y = (golden.tensors[i].double() for i in pair)
    actual = ((x * y).sum() / (x.norm() * y.norm())).item()
    assert abs(cosine) == 1 or (abs(actual) > 0.9995) == (abs(cosine) > 0.9995), f"{name} in {golden.kind}: {actual}"
    return pair


def slerp(kind):
    golden = Golden("slerp", "shapes", kind)
    for position, (name, shape) in enumerate(SHAPES.items()):
        golden.case(name, [golden.draw(f"{name}/{i}", shape) for i in range(2)], base=position % 2, parameters={"t": 0.3})
    golden.save()
    golden = Golden("slerp", "angles", kind)
    geometries = {
        "wide_angle": (angled(golden, "wide_angle", -0.4), (0.0, 0.25, 0.5, 1.0, 1.5, -0.5)),
        "below_threshold": (angled(golden, "below_threshold", 0.9992), (0.25, 0.5, 1.5)),
        "above_threshold": (angled(golden, "above_threshold", 0.9998), (0.0, 0.25, 0.5, 1.0, 1.5)),
        "nearly_opposite": (angled(golden, "nearly_opposite", -0.9992), (0.25, 0.5)),
    }
    zero = golden.input("zero", torch.zeros(4))
    x, y = (golden.input(n, torch.tensor(v)) for n, v in (("x_axis", (2.0, -1.0, 0.0, 0.0)), ("y_axis", (0.0, 0.0, 0.5, 3.0))))
    minus_x, twice_x = golden.input("minus_x_axis", -golden.tensors[x]), golden.input("twice_x_axis", 2 * golden.tensors[x])
    geometries |= {
        "orthogonal": ([x, y], (0.0, 0.25, 0.5, 1.0, 1.5)), "opposite": ([x, minus_x], (0.0, 0.25, 0.5, 1.0, 1.5)),
        "same_direction": ([x, twice_x], (0.25, 1.5)), "same": ([x, x], (0.25,)), "zero_base": ([zero, x], (0.0, 0.25, 0.5, 1.0, 1.5)),
        "zero_other": ([x, zero], (0.25, 1.0)), "both_zero": ([zero, zero], (0.5,)),
    }
    if kind != "f16":  # too small for F16
        tiny = [golden.input(f"tiny/{i}", torch.tensor(v) * 1e-9) for i, v in enumerate(((1.0, 2.0, -1.0), (1.0, 1.0, 0.5)))]
        geometries["tiny"] = (tiny, (0.25, 1.0))
    for name, (pair, steps) in geometries.items():
        for t in steps:
            golden.case(f"{name}_{t}", pair, base=0, parameters={"t": t})
    golden.case("base_is_second_0.25", geometries["wide_angle"][0], base=1, parameters={"t": 0.25})
    golden.save()


def passthrough(kind):
    golden = Golden("passthrough", "scale", kind)
    for name, shape in SHAPES.items():
        golden.case(name, [golden.draw(f"{name}/0", shape)])
        golden.case(f"{name}_scaled", [f"{name}/0"], each=[{"scale": 0.7}])
    smallest, normal, largest = EDGES[kind]
    edges = golden.input("edges/0", torch.tensor([0.0, -0.0, smallest, -smallest, normal, -normal, largest, -largest], dtype=torch.float64))
    golden.case("edges", [edges])
    for scale in (0.0, 1.0, 0.5, -0.3):
        golden.case(f"edges_scaled_{scale}", [edges], each=[{"scale": scale}])
    golden.save()


def mixed():
    """No `dtype`: the inputs of a tensor are promoted to a common type, which is also that of the result."""
    for method, base, parameters, each in (("linear", None, None, weights(0.3, 0.9)), ("slerp", 0, {"t": 0.3}, None)):
        golden = Golden(method, "types", "mixed")
        for left, right in (("f32", "bf16"), ("bf16", "f32"), ("f16", "bf16"), ("f16", "f32"), ("bf16", "f64"), ("f64", "f32")):
            name = f"{left}_{right}"
            pair = [golden.draw(f"{name}/{i}", (4, 6), DTYPES[kind]) for i, kind in enumerate((left, right))]
            golden.case(name, pair, base=base, parameters=parameters, each=each)
        golden.save()


METHODS = {"linear": linear, "slerp": slerp, "passthrough": passthrough}
