"""What the files are made with, and where they go."""
import json
import os
import platform

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from importlib.metadata import version

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.abspath(os.path.join(HERE, "../../../.."))
VERSIONS = {"mergekit": version("mergekit"), "torch": torch.__version__.split("+")[0], "python": platform.python_version()}


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def write_lines(path, head, key, lines, brackets):
    """JSON with one line for each entry of `key`, so that a difference between versions can be read."""
    with open(path, "w") as file:
        file.write("{" + "".join(f"{json.dumps(k)}:{json.dumps(v)},\n" for k, v in head.items()))
        file.write(f"{json.dumps(key)}:{brackets[0]}\n" + ",\n".join(lines) + f"\n{brackets[1]}}}\n")
