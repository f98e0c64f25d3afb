"""The formulas of the merge methods in f64 (of the spherical ones in the longest float there is), to measure the peer by.

Written from the methods' definitions, not from the peer's code. Selections are made on deltas rounded to f32, of equal magnitudes
the one with the lowest index first. What f32 arithmetic could choose otherwise is put on record in `Choices`.
"""
import numpy as np

NEAR = 1e-5  # relative distance within which rounding in f32 may turn a choice


class Choices:
    """The elements whose value hangs on a choice that is a tie or nearly one."""

    def __init__(self, shape):
        self.doubtful = np.zeros(shape, dtype=bool)
        self.ties = False
        self.zero_sums = 0

    def tied(self, mask):
        """Elements of equal, or nearly equal, magnitude on both sides of a threshold."""
        self.doubtful |= mask.reshape(self.doubtful.shape)
        self.ties |= bool(mask.any())

    def compared(self, values, limit):
        """A comparison of `values` with `limit`, element by element."""
        self.doubtful |= ((np.abs(values - limit) <= NEAR * abs(limit)) & (values != 0)).reshape(self.doubtful.shape)

    def decided(self, value, limit, near=0.02):
        """One comparison on which the whole tensor hangs."""
        if abs(float(value) - limit) <= near * limit:
            self.doubtful |= True

    def sign_sum(self, terms):
        """The sign of a sum: in doubt where terms cancel almost; where they cancel exactly, in any arithmetic, it is a plus."""
        total, size = terms.sum(axis=0), np.abs(terms).sum(axis=0)
        exact = (total == 0) & (size > 0) & (np.count_nonzero(terms, axis=0) == 2)
        self.zero_sums += int(exact.sum())
        self.doubtful |= (np.abs(total) <= NEAR * size) & (size > 0) & ~exact


def rounded(delta):
    return delta.astype(np.float32)


def split(inputs, base):
    """The base and the deltas of the others."""
    return inputs[base], [w - inputs[base] for i, w in enumerate(inputs) if i != base]


# --- sparsifiers: (delta, parameters, choices, mask) -> delta with some elements set to zero

def rescaled(delta, kept, rescale):
    before, after = np.abs(delta).sum(), np.abs(kept).sum()
    return kept * (before / after) if rescale and min(before, after) >= 1e-7 else kept


def window(delta, first, count, choices):
    """Keeps `count` elements from place `first` of the ascending order of magnitudes."""
    size = np.abs(rounded(delta)).ravel()
    ascending = np.lexsort((-np.arange(size.size), size))
    kept = np.zeros(size.size, dtype=bool)
    kept[ascending[first:first + count]] = True
    ordered = size[ascending]
    for border in (first, first + count):
        if 0 < border < size.size and count > 0 and ordered[border] - ordered[border - 1] <= NEAR * ordered[border]:
            choices.tied((np.abs(size - ordered[border]) <= NEAR * ordered[border]) & (size > 0))
    return delta * kept.reshape(delta.shape)


def untrimmed(delta, parameters, choices, rescale, mask):
    return delta


def trimmed(delta, parameters, choices, rescale, mask):
    density, n = parameters.get("density", 1.0), delta.size
    if density >= 1:
        return delta
    if density <= 0 or n == 0:
        return np.zeros_like(delta)
    count = max(1, int(density * n))
    return rescaled(delta, window(delta, n - count, count, choices), rescale)


def without_outliers(delta, parameters, choices, rescale, mask):
    density, n = parameters.get("density", 1.0), delta.size
    if density >= 1:
        return delta
    count, top = int(density * n), int(parameters.get("gamma", 0.01) * n)
    return rescaled(delta, window(delta, max(0, n - count - top), count, choices), rescale)


def dropped(delta, parameters, choices, rescale, mask):
    return delta if parameters.get("density", 1.0) >= 1 else rescaled(delta, delta * mask, rescale)


def dropped_by_rank(delta, parameters, choices, rescale, mask):
    density = parameters.get("density", 1.0)
    if density >= 1:
        return delta
    return np.zeros_like(delta) if density <= 0 else rescaled(delta, delta * mask, rescale)


def keep_probability(delta, density, epsilon, choices):
    """DELLA's probability of each element, by its rank among the magnitudes along axis 1 (a line is one row)."""
    rows = np.abs(rounded(delta)).reshape((1, -1) if delta.ndim < 2 else delta.shape)
    ordered = np.sort(rows, axis=1)
    if (np.diff(ordered, axis=1) <= NEAR * ordered[:, 1:]).any():
        choices.tied(np.ones(delta.shape, dtype=bool))
    rank = np.argsort(np.argsort(rows, axis=1, kind="stable"), axis=1, kind="stable")
    return (density - epsilon + 2 * epsilon * rank / (rows.shape[1] - 1)).reshape(delta.shape)


# --- the task-arithmetic family: sparsifier, sign election, defaults of `normalize` and `rescale`

FAMILY = {
    "task_arithmetic": (untrimmed, False, False, False), "ties": (trimmed, True, True, False),
    "dare_linear": (dropped, False, False, True), "dare_ties": (dropped, True, False, True),
    "breadcrumbs": (without_outliers, False, False, False), "breadcrumbs_ties": (without_outliers, True, False, False),
    "della_linear": (dropped_by_rank, False, False, True), "della": (dropped_by_rank, True, True, True),
}


def agreeing(terms, choices):
    """Where a term has the elected sign: that of the sum, a sum of zero being positive."""
    choices.sign_sum(terms)
    return np.sign(terms) == np.where(terms.sum(axis=0) >= 0, 1, -1)


def task_vectors(method, inputs, base, shared, each, choices, masks):
    sparsify, election, normalize, rescale = FAMILY[method]
    normalize, rescale = shared.get("normalize", normalize), shared.get("rescale", rescale)
    start, deltas = split(inputs, base)
    if not deltas:
        return start
    each = [p for i, p in enumerate(each) if i != base]
    terms = np.stack([p["weight"] * sparsify(d, p, choices, rescale, m) for d, p, m in zip(deltas, each, masks or [None] * len(deltas))])
    weights = np.array([p["weight"] for p in each], dtype=float).reshape((-1,) + (1,) * start.ndim)
    if election:
        kept = agreeing(terms, choices)
        mixed, divisor = (terms * kept).sum(axis=0), (weights * kept).sum(axis=0)
        divisor = np.where(divisor == 0, 1, divisor)
    else:
        mixed, divisor = terms.sum(axis=0), weights.sum(axis=0)
        divisor = np.where(np.abs(divisor) < 1e-8, 1, divisor)
    return start + shared.get("lambda", 1.0) * (mixed / divisor if normalize else mixed)


# --- other task-vector methods

def sce(inputs, base, shared, each, choices):
    start, deltas = split(inputs, base)
    if not deltas:
        return start
    deltas, share = np.stack(deltas), shared.get("select_topk", 1.0)
    if share < 1:
        variance = deltas.var(axis=0)
        variance[(rounded(deltas) == rounded(deltas)[0]).all(axis=0)] = 0
        count = int(np.count_nonzero(variance) * share)
        deltas = deltas * (window(variance, variance.size - count, count, choices) != 0)
    squares = (deltas ** 2).reshape(len(deltas), -1).mean(axis=1) if start.size else np.ones(len(deltas))
    choices.decided(squares.sum(), 1e-6)
    weights = np.full(len(deltas), 1 / len(deltas)) if squares.sum() < 1e-6 else squares / squares.sum()
    weights = weights.reshape((-1,) + (1,) * start.ndim) * agreeing(deltas, choices)
    return start + (weights * deltas).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-6)


def ram(inputs, base, shared, each, choices, plus=False):
    start, deltas = split(inputs, base)
    if not deltas:
        return start
    deltas, epsilon = np.stack(deltas), shared.get("epsilon", 1e-5)
    for delta in deltas:
        choices.compared(np.abs(delta), epsilon)
    active = np.abs(rounded(deltas)) > epsilon
    owners = active.sum(axis=0)
    result = start + np.where(owners > 1, (deltas * active).sum(axis=0) / np.maximum(owners, 1), 0)
    for delta, mine in zip(deltas, active):
        alone = mine & (owners == 1)
        shared_count, divisor = (mine & (owners > 1)).sum(), max(alone.sum(), epsilon)
        ratio = shared_count / divisor if divisor else (np.inf if shared_count else 0)
        factor = 1 + shared.get("r", 0.1) * min(max(ratio, 0), shared.get("alpha", 0.2)) if plus else 1
        result = result + factor * delta * alone
    return result


def ramplus_tl(inputs, base, shared, each, choices):
    return ram(inputs, base, shared, each, choices, plus=True)


def model_stock(inputs, base, shared, each, choices):
    start, deltas = split(inputs, base)
    shape = start.shape if shared.get("filter_wise", False) and start.ndim > 1 else (1, start.size)
    rows = [d.reshape(shape) for d in deltas]
    cosines = []
    for i, a in enumerate(rows):
        for b in rows[i + 1:]:
            norms = np.sqrt((a * a).sum(axis=-1)) * np.sqrt((b * b).sum(axis=-1))
            cosines.append(np.where(norms > 0, (a * b).sum(axis=-1) / np.where(norms > 0, norms, 1), 0).clip(-1, 1))
    cosine, count = np.mean(cosines, axis=0), len(rows)
    below = 1 + (count - 1) * cosine
    t = np.where(below < 1e-6, 0, count * cosine / np.where(below < 1e-6, 1, below))[..., None]
    return start + (t * np.mean(rows, axis=0)).reshape(start.shape)


def nearswap(inputs, base, shared, each, choices):
    (a,), (b,) = [inputs[base]], [w for i, w in enumerate(inputs) if i != base]
    k = (shared["t"] / np.maximum(np.abs(a - b), 1e-6)).clip(0, 1)
    return k * b + (1 - k) * a


def arcee_fusion(inputs, base, shared, each, choices):
    def softmax(w):
        e = np.exp(w - w.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True) + 1e-8

    (a,), (b,) = [inputs[base]], [w for i, w in enumerate(inputs) if i != base]
    p, q = softmax(b), softmax(a)
    importance = np.abs(b - a) * (p * np.log(p / q)).sum(axis=-1, keepdims=True)
    ordered = np.sort(importance, axis=None)
    low, median, high = (ordered[int(share * (ordered.size - 1))] for share in (0.25, 0.5, 0.75))
    threshold = median + 1.5 * (high - low)
    choices.doubtful |= (np.abs(importance - threshold) <= 1e-3 * threshold) & (threshold > 0)
    return np.where(importance >= threshold, b, a)


# --- spherical methods

def long(arrays):
    return [np.asarray(a, dtype=np.longdouble) for a in arrays]


def norm(vector, axis=None, keep=False):
    return np.sqrt((vector * vector).sum(axis=axis, keepdims=keep))


def unit(vector, axis=None):
    length = norm(vector, axis, keep=True)
    return np.where(length > 0, vector / np.where(length > 0, length, 1), 0)


def angle(a, b, axis=None):
    """The angle of two unit vectors, exact also near 0 and pi; a right one where either is zero."""
    return 2 * np.arctan2(norm(a - b, axis, True), norm(a + b, axis, True))


def arc(t, a, b, axis=None):
    theta = angle(unit(a, axis), unit(b, axis), axis)
    if axis is None or a.ndim == 0:
        theta = theta.reshape((1,) * a.ndim)
    some = (norm(a, axis, True) > 0) & (norm(b, axis, True) > 0)
    theta = np.where(some.reshape(theta.shape), theta, np.pi / np.longdouble(2))
    sine = np.sin(theta)
    straight = sine ** 2 <= 1e-16
    safe = np.where(straight, 1, sine)
    return np.where(straight, (1 - t) * a + t * b, (np.sin((1 - t) * theta) * a + np.sin(t * theta) * b) / safe)


def nuslerp(inputs, base, shared, each, choices):
    inputs = long(inputs)
    start = inputs[base] if base is not None else np.zeros_like(inputs[0])
    a, b = (w - start for i, w in enumerate(inputs) if i != base)
    first, second = (p["weight"] for i, p in enumerate(each) if i != base)
    t = 0.5 if abs(first + second) < 1e-6 else second / (first + second)
    axis = None if shared.get("nuslerp_flatten", True) else 0 if shared.get("nuslerp_row_wise", False) else -1
    return start + arc(t, a, b, axis)


def multislerp(inputs, base, shared, each, choices):
    inputs = long(inputs)
    start = inputs[base] if base is not None else np.zeros_like(inputs[0])
    points = [w - start for i, w in enumerate(inputs) if i != base]
    if len(points) == 1:
        return start + points[0]
    weights = np.array([p["weight"] for i, p in enumerate(each) if i != base], dtype=np.longdouble)
    weights = weights / weights.sum() if shared.get("normalize_weights", True) else weights
    eps = shared.get("eps", 1e-8)
    units = [p / (norm(p) + eps) for p in points]
    mean = sum(w * u for w, u in zip(weights, units))
    if norm(mean) < eps:
        assert len(points) == 2, "the mean is zero"
        return start + weights[0] * points[0] + weights[1] * points[1]
    mean = mean / norm(mean)
    tangent = sum(w * (u - (u * mean).sum() * mean) for w, u in zip(weights, units))
    length = norm(tangent) + eps
    result = mean * np.cos(length) + tangent * (np.sin(length) / length)
    return start + result * sum(w * norm(p) for w, p in zip(weights, points))


def karcher(inputs, base, shared, each, choices):
    inputs, tol = long(inputs), shared.get("tol", 1e-5)
    if len(inputs) == 1:
        return inputs[0]
    units = [unit(w) for w in inputs if norm(w) > tol]
    if not units:
        return np.zeros_like(inputs[0])
    start = sum(units) / len(units)
    u = units[0] if norm(start) < tol else unit(start)
    for _ in range(shared.get("max_iter", 10)):
        tangent = np.zeros_like(u)
        for other in units:
            theta = angle(u, other).reshape(())
            if theta >= tol and np.sin(theta) != 0:
                tangent = tangent + theta / np.sin(theta) * (other - (u * other).sum() * u) / len(units)
        length = norm(tangent)
        if length >= 1e-7:  # below that the peer's f32 has only noise
            choices.decided(length, tol)
        if length < tol:
            break
        u = unit(np.cos(length) * u + np.sin(length) * tangent / length)
    return u * (sum(norm(w) for w in inputs) / len(inputs))


def formula(method, inputs, base, shared, each, masks=None):
    """The method's value for f64 inputs, and the choices made on the way."""
    choices = Choices(inputs[0].shape)
    if method in FAMILY:
        value = task_vectors(method, inputs, base, shared, each, choices, masks)
    else:
        value = globals()[method](inputs, base, shared, each, choices)
    return np.asarray(value, dtype=np.float64), choices
