#!/usr/bin/env python3
"""The perplexity of a text by transformers, as `weightsmith eval MODEL --data TEXT --window N --stride N --exact` has it.

usage: perplexity.py MODEL TEXT [--window 512] [--stride 256] [--dtype float32|bfloat16] [--threads 2]

The text is one: tokenised whole, with what the tokenizer puts before any text, then read in windows. What two windows share is
context in the second, so every token but the first counts once. Attention is transformers' plainest, losses add up in f64.
Needs torch and transformers: run it with the peer's Python (tools/peer/setup).
"""
import argparse
import json
import math
import pathlib

import torch
import transformers


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--window", type=int, default=512)
    parser.add_argument("--stride", type=int, default=256)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def windows(length, window, stride):
    """Begin and end of each window, and the first token that counts."""
    begin, counted = 0, 1
    while counted < length:
        end = min(length, begin + window)
        yield begin, end, counted
        begin, counted = begin + stride, end


@torch.no_grad()
def losses(model, tokens, window, stride):
    for begin, end, counted in windows(len(tokens), window, stride):
        logits = model(tokens[None, begin:end], use_cache=False).logits[0, counted - begin - 1:-1]
        yield torch.nn.functional.cross_entropy(logits.double(), tokens[counted:end], reduction="none")


def main():
    o = arguments()
    torch.set_num_threads(o.threads)
    words = transformers.AutoTokenizer.from_pretrained(o.model)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        o.model, dtype=getattr(torch, o.dtype), attn_implementation="eager").eval()
    tokens = torch.tensor(words(o.text.read_text(encoding="utf-8"), verbose=False).input_ids)
    found = torch.cat(list(losses(model, tokens, o.window, o.stride)))
    print(json.dumps({
        "model": o.model, "text": o.text.name, "window": o.window, "stride": o.stride, "dtype": o.dtype,
        "transformers": transformers.__version__, "torch": torch.__version__, "tokens": len(found),
        "mean_loss": found.mean().item(), "perplexity": math.exp(found.mean().item()),
    }))


if __name__ == "__main__":
    main()
