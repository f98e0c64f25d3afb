"""A golden file: named inputs, and cases that merge some of them."""
import json
import os
import zlib

from versions import HERE, VERSIONS, compact

import torch
from mergekit.merge_methods import merge_tensors
from safetensors.torch import save_file

import errors
from lots import Lots
from oracle import formula, keep_probability, Choices

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64}
SIZE_LIMIT = 16 * 1024
SHAPES = {"line": (7,), "tall": (5, 3), "wide": (3, 5), "one": (1,), "cube": (2, 3, 2), "empty": (0, 4), "larger": (9, 11)}
ATTEMPTS = 5000


class Doubtful(Exception):
    """An input on which a choice is a tie or nearly one, in a case that is not about ties."""


def seed(name):
    return zlib.crc32(name.encode())


def drawn(name, shape, dtype=torch.float64):
    """Normally distributed numbers, seeded by the name alone."""
    draw = torch.Generator().manual_seed(seed(name))
    return torch.randn(shape, generator=draw, dtype=torch.float64).to(dtype)


class Golden:
    """One golden file. The peer merges in the file's own type."""

    def __init__(self, method, part, kind):
        self.method, self.part, self.kind, self.dtype = method, part, kind, DTYPES.get(kind)
        self.tensors, self.cases, self.extra = {}, [], {}

    def input(self, name, tensor):
        self.tensors[name] = tensor if self.dtype is None else tensor.to(self.dtype)
        return name

    def draw(self, name, shape, dtype=torch.float64):
        return self.input(name, drawn(name, shape, dtype))

    def case(self, name, inputs, base=None, parameters=None, each=None):
        tensors = [self.tensors[i] for i in inputs]
        per_input = {key: [values[key] for values in each] for key in (each[0] if each else {})}
        merged = merge_tensors(tensors, self.method, parameters={**(parameters or {}), **per_input}, base_index=base, dtype=self.dtype)
        assert self.dtype is None or merged.dtype == self.dtype
        self.tensors[f"{name}/expected"] = merged.contiguous().clone()
        self.cases.append({"name": name, "inputs": inputs, "base": base, "parameters": parameters or {},
                           "input_parameters": each or [{} for _ in inputs]})

    def save(self):
        path = os.path.join(HERE, f"{self.method}__{self.part}__{self.kind}.safetensors")
        metadata = {"method": self.method, "dtype": self.kind, "versions": compact(VERSIONS), "cases": compact(self.cases), **self.extra}
        save_file(self.tensors, path, metadata=metadata)
        rewrite_header(path)
        size = os.path.getsize(path)
        assert size <= SIZE_LIMIT, f"{path} has {size} bytes"
        print(f"{os.path.basename(path)}: {len(self.cases)} cases, {len(self.tensors)} tensors, {size} bytes")


class Checked(Golden):
    """A golden file whose cases are compared with the formula in f64.

    The peer merges in f32 and rounds its result to the file's type (`dtype: float32`, `out_dtype` the file's): in a 16-bit
    `dtype` it would make its choices among deltas and weights of 8 or 11 bits.
    """

    def __init__(self, method, part, kind):
        super().__init__(method, part, kind)
        self.refusals, self.attempt, self.with_probabilities = [], 0, True
        if kind != "f32":
            self.extra["compute"] = "f32"

    def draw(self, name, shape, spread=1.0):
        return self.input(name, spread * drawn(f"{name} {self.attempt}" if self.attempt else name, shape))

    def family(self, name, shape, count, change=0.3, spread=1.0):
        """A base, `name`/0, and `count` fine-tunes of it."""
        base = self.draw(f"{name}/0", shape, spread)
        start = self.tensors[base].double()
        tunes = [change * drawn(f"{name}/{i + 1} {self.attempt}", shape) for i in range(count)]
        return [base] + [self.input(f"{name}/{i + 1}", start + tune) for i, tune in enumerate(tunes)]

    def group(self, build):
        """Inputs and the cases on them, with other inputs where a choice would be in doubt."""
        kept = dict(self.tensors), list(self.cases), list(self.refusals), errors.count()
        for self.attempt in range(ATTEMPTS):
            try:
                return build()
            except Doubtful as doubtful:
                last = doubtful
                self.tensors, self.cases, self.refusals = dict(kept[0]), list(kept[1]), list(kept[2])
                errors.shorten(kept[3])
        raise AssertionError(f"{self.method} {self.part} {self.kind}: no inputs without doubt, the last: {last}")

    def merged(self, inputs, base, parameters, each, lots, dtype=torch.float32):
        per_input = {key: [p[key] for p in each] for key in (each[0] if each else {})}
        with lots:
            return merge_tensors([self.tensors[i] for i in inputs], self.method, parameters={**parameters, **per_input},
                                 base_index=base, dtype=dtype, out_dtype=self.dtype)

    def spread_over_inputs(self, inputs, base, each):
        """The parameters of each input, with none for the base."""
        if not each:
            return [{} for _ in inputs]
        assert len(each) == len(inputs) - (base is not None)
        return each if base is None else each[:base] + [{}] + each[base:]

    def case(self, name, inputs, base=None, parameters=None, each=None, ties=False, deviates=None, information=False):
        """Merges, compares with the formula, and keeps the case.

        ties         a choice of the case, a selected element or a rank, is a tie: the peer's may be another
        deviates     why the peer's value may be another than the formula's; one case of them must be
        information  not to be compared: the value hangs on noise
        """
        parameters, given = parameters or {}, self.spread_over_inputs(inputs, base, each)
        lots, self.ranks_tied = Lots(seed(f"{self.method} {self.part} {name}")), False
        merged = self.merged(inputs, base, parameters, each, lots)
        masks = self.keep_lots(name, lots, inputs, base, given, ties)
        values = [self.tensors[i].double().numpy() for i in inputs]
        expected, choices = formula(self.method, values, base, parameters, given, masks)
        if not ties and choices.doubtful.any():
            raise Doubtful(name)
        assert not ties or choices.ties or self.ranks_tied, f"{self.method} {name}: no tie"
        record = {"name": name, "inputs": inputs, "base": base, "parameters": parameters, "input_parameters": given}
        if ties:
            record["ties"] = True
        if choices.zero_sums:
            record["zero_sums"] = choices.zero_sums
        if information:
            record["information"] = True
        self.tensors[f"{name}/expected"] = merged.contiguous().clone()
        compared = None
        if choices.ties:
            compared = ~choices.doubtful
            self.tensors[f"{name}/tied"] = torch.from_numpy(choices.doubtful)
        if errors.measured(self, name, merged, expected, compared, deviates):
            record["deviates"] = deviates
            self.tensors[f"{name}/formula"] = torch.from_numpy(expected.copy())
        self.cases.append(record)
        native = self.dtype if self.kind != "f32" else None
        if native and not ties and not deviates:
            errors.measured_natively(self, name, self.merged(inputs, base, parameters, each, lots.again(), native), expected)

    def keep_lots(self, name, lots, inputs, base, given, ties):
        """Keeps the drawn masks, by the position of their input, and DELLA's probabilities, which are checked."""
        if not lots.masks:
            return self.no_lots(inputs, base)
        drawers = [i for i, p in enumerate(given) if i != base and lots.draws(self.method, p)]
        assert len(drawers) == len(lots.masks), name
        masks = dict.fromkeys(i for i in range(len(inputs)) if i != base)
        for i, mask, probability in zip(drawers, lots.masks, lots.probabilities):
            shape = self.tensors[inputs[i]].shape
            self.tensors[f"{name}/mask{i}"] = mask.reshape(shape).bool()
            masks[i] = mask.reshape(shape).double().numpy()
            if self.method.startswith("della"):
                if self.with_probabilities:
                    self.tensors[f"{name}/probability{i}"] = probability.reshape(shape).clone()
                self.check_probability(name, inputs[i], inputs[base], given[i], probability.reshape(shape), ties)
        return list(masks.values())

    def no_lots(self, inputs, base):
        return [None for i in range(len(inputs)) if i != base]

    def check_probability(self, name, tune, base, given, probability, ties):
        delta = self.tensors[tune].double().numpy() - self.tensors[base].double().numpy()
        choices = Choices(delta.shape)
        mine = torch.from_numpy(keep_probability(delta, given["density"], given.get("epsilon", 0.15), choices))
        if choices.ties and not ties:
            raise Doubtful(name)
        self.ranks_tied |= choices.ties
        if not choices.ties:
            assert mine.numel() == 0 or (mine - probability.double()).abs().max() < 2e-7, name

    def refused(self, name, inputs, base=None, parameters=None, each=None):
        """Inputs for which the peer has no finite result: keeps its message."""
        lots = Lots(seed(name))
        try:
            merged = self.merged(inputs, base, parameters or {}, each, lots)
        except (ValueError, RuntimeError, IndexError, TypeError) as error:
            message = f"{type(error).__name__}: {str(error).strip().splitlines()[0].split('. ')[0].split('  (')[0]}"
        else:
            assert not merged.isfinite().all(), f"{self.method} {name}: {merged}"
            message = "not finite: " + ", ".join(str(v) for v in merged.flatten()[:3].tolist())
        self.refusals.append({"name": name, "inputs": inputs, "base": base, "parameters": parameters or {},
                              "input_parameters": self.spread_over_inputs(inputs, base, each), "error": message})

    def save(self):
        if self.refusals:
            self.extra["refused"] = compact(self.refusals)
        super().save()


def rewrite_header(path):
    """Sorts the metadata's keys, whose order safetensors leaves to chance, so that the same values give the same file."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        data = file.read()
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = compact(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)
    os.chmod(path, 0o644)


def weights(*values, **others):
    """Per-model parameters: a weight for each, other parameters one for all or, as a tuple, one for each."""
    return [{"weight": value, **{k: v[i] if isinstance(v, tuple) else v for k, v in others.items()}} for i, value in enumerate(values)]
