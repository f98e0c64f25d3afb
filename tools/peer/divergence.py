#!/usr/bin/env python3
"""How far our logits are from transformers': the mean Kullback-Leibler divergence per token, KL(transformers || ours).

usage: divergence.py MODEL TEXT [--tokens 400] [--logits target/dist/examples/logits] [--threads 2]

The first so many tokens of the text go through transformers in bfloat16 and float32, and through Weightsmith with its cache in
bf16 (the default) and in f32 (`--exact`). Each pair is compared over the whole vocabulary, in f64. The divergence of
transformers' bfloat16 from its own float32 tells what rounding costs there, and so what to expect of anyone else.

Build the example first: cargo build --profile dist -p weightsmith-infer --example logits
Needs torch, numpy and transformers: run it with the peer's Python (tools/peer/setup).
"""
import argparse
import os
import pathlib
import subprocess
import tempfile

import numpy
import torch
import transformers


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=400)
    parser.add_argument("--logits", default="target/dist/examples/logits")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


@torch.no_grad()
def theirs(folder, tokens, dtype):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()
    return model(torch.tensor([tokens]), use_cache=False).logits[0].double().log_softmax(-1)


def ours(o, tokens, exact):
    environment = {name: value for name, value in os.environ.items() if name != "EXACT"} | {"THREADS": str(o.threads)}
    if exact:
        environment["EXACT"] = "1"
    with tempfile.TemporaryDirectory() as work:
        out = pathlib.Path(work) / "logits"
        subprocess.run([o.logits, o.model, out], input=" ".join(map(str, tokens)), text=True, check=True, env=environment)
        values = numpy.fromfile(out, dtype="<f4").reshape(len(tokens), -1)
    return torch.from_numpy(values).double().log_softmax(-1)


def show(name, p, q):
    each = (p.exp() * (p - q)).nan_to_num(0.0).sum(-1)
    same = (p.argmax(-1) == q.argmax(-1)).double().mean()
    print(f"| {name} | {each.mean():.2e} | {each.max():.2e} | {100 * same:.1f} % |")


def main():
    o = arguments()
    torch.set_num_threads(o.threads)
    words = transformers.AutoTokenizer.from_pretrained(o.model)
    tokens = words(o.text.read_text(encoding="utf-8"), verbose=False).input_ids[:o.tokens]
    bf16, f32 = (theirs(o.model, tokens, dtype) for dtype in (torch.bfloat16, torch.float32))
    default, exact = ours(o, tokens, False), ours(o, tokens, True)
    print(f"{o.model}, {len(tokens)} tokens of {o.text.name}, transformers {transformers.__version__}, torch {torch.__version__}")
    print("| P, Q | mean KL(P, Q) | largest | same top token |\n|---|---|---|---|")
    show("transformers bf16, ours", bf16, default)
    show("transformers bf16, ours exact", bf16, exact)
    show("transformers f32, ours", f32, default)
    show("transformers f32, ours exact", f32, exact)
    show("transformers f32, transformers bf16", f32, bf16)


if __name__ == "__main__":
    main()
