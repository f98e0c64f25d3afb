"""Writes yaml_scalars.json: what PyYAML's SafeLoader takes plain scalars for.

Run with the Python of an environment that has PyYAML: `python yaml_scalars.py`.
A case is [text, type, value]; numbers are Python's repr, so that they can be read back to the last bit. What PyYAML
refuses (`0x_`, `=`) has the type "refused".
"""

import datetime
import json
import pathlib

import yaml

WORDS = """
~ null Null NULL nULL nil none None
true True TRUE tRUE yes Yes YES yEs on On ON oN y Y t T
false False FALSE fALSE no No NO nO off Off OFF oFF n N f F
= <<a a<< merge x.y .5.5 1.2.3 -- -a +a . .. ... .e5 e5 inf Inf nan NaN -inf
""".split()

NUMBERS = """
0 00 000 1 7 8 9 10 007 010 0777 0o777 0O7 08 09 0_7 0_ 0__1 1_ 1__0 _1 1_000 1_000_000 +1 -1 --1 +-1 + - -0 +0 -010 +010
0b0 0b101 0b1_0 0b 0b2 0B1 -0b11 0b_ 0b_1 0x0 0xff 0xFF 0xF_F 0x 0xg 0X1 -0x1f +0x1f 0x_ 0x_1
123456789012345678901234567890 9007199254740993 -9007199254740993 18446744073709551616
1:30 1:3 1:60 1:059 12:30:45 0:30 01:30 1:30:60 -1:30 +1:30 1_0:30 1:30_ 1:: 1: :30 190:20:30
1:30.5 0:30.5 -1:30.5 1:30. 1:30.5_0 1:60.5 1:30.5.5 00:01.5 1:3.5 1:30:15.25
1.0 1. .5 -.5 +.5 0.5 -0.5 +0.5 00.5 01.5 1.5_0 1_0.5 1_.5 1._5 ._5 .5_ 1.0.0 1,5 1.5f
1e5 1E5 1e-5 1e+5 -1e-5 1.0e5 1.0e+5 1.0e-5 1.0E-5 1.e-5 1.e5 .5e-3 .5e3 .5e+3 -.5e-3 1.5e- 1.5e+ 1.5e 1.5e-_1 1.5e-1_0
1_0.5e-1 5.e+0 0.1 0.2 0.3 0.7071067811865476 1.7976931348623157e+308 1.0e+309 -1.0e+400 4.9e-324 2.5e-324 0.1e-400
.inf .Inf .INF -.inf +.inf -.Inf .iNF inf. .nan .NaN .NAN .Nan -.nan +.nan
2020-01-01 2020-1-1 2020-01-01T10:00:00Z 20-01-01 1-2 16-32
""".split()


def case(text):
    try:
        value = yaml.safe_load(f"- {text}\n")[0]
    except (yaml.YAMLError, ValueError):
        return [text, "refused", None]
    if value is None:
        return [text, "null", None]
    if isinstance(value, bool):
        return [text, "bool", value]
    if isinstance(value, (int, float)):
        return [text, type(value).__name__, repr(value)]
    if isinstance(value, (str, datetime.date)):
        return [text, "text", None]
    return [text, "refused", None]  # a collection: no scalar at all


def main():
    cases = [case(text) for text in dict.fromkeys(WORDS + NUMBERS)]
    cases = [c for c in cases if c[0] not in ("-", "1:", "1::")]  # these are no scalars
    lines = ",\n".join(json.dumps(c) for c in cases)
    out = f'{{"pyyaml": "{yaml.__version__}", "cases": [\n{lines}\n]}}\n'
    pathlib.Path(__file__).with_suffix(".json").write_text(out)


if __name__ == "__main__":
    main()
