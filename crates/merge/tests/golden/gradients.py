"""Writes gradients.json: what mergekit makes of parameter settings.

Run with the Python of an environment that has mergekit: `python gradients.py`.
"settings" are [setting as YAML, type of the parameter, [[tensor name, u, value], …]]; "texts" are
[text, as float, as int, as bool]. Numbers are Python's repr; null means that nothing matches, "refused" that the value does not suit the type.
"""

import importlib.metadata
import json
import pathlib

import yaml
from mergekit.config import ParameterSetting, evaluate_setting
from pydantic import TypeAdapter, ValidationError

TYPES = {"number": float, "integer": int, "flag": bool, "text": str}
NAME = "model.layers.3.self_attn.q_proj.weight"
DEPTHS = [0.0, 0.1, 0.25, 1 / 3, 0.5, 7 / 23, 22 / 23, 0.99, 1.0]

SETTINGS = [
    ("[0, 0.25, 0.5, 0.25, 0]", "number", [NAME], [i / 23 for i in range(24)]),
    ("[0.1, 0.7, 0.2]", "number", [NAME], DEPTHS),
    ("[1e-5, 1.0e-3]", "number", [NAME], DEPTHS),
    ("[-1.5, 2]", "number", [NAME], DEPTHS),
    ("[0.3]", "number", [NAME], DEPTHS),
    ("0.3", "number", [NAME], [0.0, 1.0]),
    ("1e-5", "number", [NAME], [0.5]),
    ("yes", "number", [NAME], [0.5]),
    ("[true, false]", "number", [NAME], DEPTHS),
    ("[true, 0.5]", "number", [NAME], DEPTHS),
    ("fast", "number", [NAME], [0.5]),
    ("[true, false, true]", "flag", [NAME], DEPTHS),
    ("[1, 0]", "flag", [NAME], DEPTHS),
    ("['on', 'off', 'no']", "flag", [NAME], DEPTHS),
    ("0.5", "flag", [NAME], [0.5]),
    ("[1, 10]", "integer", [NAME], [0.0, 1 / 3, 0.5, 1.0]),
    ("1000.0", "integer", [NAME], [0.5]),
    ("[a, b, c]", "text", [NAME], DEPTHS),
    ("3", "text", [NAME], [0.5]),
    (
        "[{filter: self_attn, value: [0, 1]}, {filter: mlp, value: 0.25}, {value: 0.75}]",
        "number",
        [NAME, "model.layers.3.mlp.up_proj.weight", "model.layers.3.MLP", "model.norm.weight"],
        [0.0, 0.5, 1.0],
    ),
    ("[{filter: mlp, value: 1}]", "number", [NAME, "a.mlp"], [0.0]),
    ("[{filter: '*', value: 1}, {filter: mlp, value: 2}]", "number", [NAME, "a.mlp"], [0.0]),
    ("[{filter: q_proj, value: 1}, {filter: self_attn, value: 2}]", "number", [NAME], [0.0]),
    ("[{filter: '', value: 1}, {value: 2}]", "number", [NAME], [0.0]),
]

TEXTS = """
0 1 2 -1 0.5 1.0 1e-5 1e3 .5 -.5 5. 1_000 1__0 _1 1_ 0x10 1,5 inf nan Infinity true True TRUE t T yes Yes y on ON off n no N f
False 00 01 +1 1.5e2 12abc
""".split() + [" 1", "1 ", " true", "true ", "", "\t2\n"]


def validated(type_, value):
    try:
        return plain(TypeAdapter(type_).validate_python(value))
    except ValidationError:
        return "refused"


def plain(value):
    return repr(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def results(text, type_, names, depths):
    setting = TypeAdapter(ParameterSetting).validate_python(yaml.safe_load(text))
    validate = TypeAdapter(TYPES[type_]).validate_python
    for name in names:
        for u in depths:
            try:
                value = plain(evaluate_setting(name, setting, u, validate=validate))
            except ValidationError:
                value = "refused"
            yield [name, repr(u), value]


def main():
    settings = [[s[0], s[1], list(results(*s))] for s in SETTINGS]
    texts = [[text, *(validated(type_, text) for type_ in (float, int, bool))] for text in TEXTS]
    versions = {p: importlib.metadata.version(p) for p in ("mergekit", "pydantic", "pyyaml")}
    out = {"versions": versions, "settings": settings, "texts": texts}
    pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(out, indent=None, separators=(",", ":")).replace('],["', '],\n["') + "\n")


if __name__ == "__main__":
    main()
