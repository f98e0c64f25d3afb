#!/usr/bin/env python3
"""Writes checkpoints of Qwen2.5-0.5B's shapes with random weights: a base and three "fine-tunes" of it.

usage: make_qwen.py OUT [--layers 24] [--hidden 896] [--vocab 151936] [--only base,instruct] [--seed 0] [--dtype bfloat16]

OUT/base, OUT/instruct, OUT/code and OUT/math are written (988 MB each at the default shapes), or those that --only names.
A fine-tune differs from the base by 1 %, 10 % or 100 % of the base's spread, tensor by tensor, so that every branch of a
merge method is met. A model's weights depend on the seed and its name alone, not on --only.
58 layers make a model of just over twice the size (2.00 GB); 48 layers, 1.7 times (1.70 GB), as the embedding stays the same.
Needs torch and safetensors: run it with the peer's Python.
"""
import argparse
import json
import os

import torch
from safetensors.torch import save_file

FINE_TUNES = ("instruct", "code", "math")
SPREAD = 0.02
CHANGES = (0.01, 0.1, 1.0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--hidden", type=int, default=896)
    parser.add_argument("--intermediate", type=int, default=4864)
    parser.add_argument("--kv", type=int, default=128)
    parser.add_argument("--vocab", type=int, default=151936)
    parser.add_argument("--only", default=",".join(("base", *FINE_TUNES)), help="comma-separated models to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", default="bfloat16")
    options = parser.parse_args()
    options.only = options.only.split(",")
    unknown = set(options.only) - {"base", *FINE_TUNES}
    if unknown:
        parser.error(f"--only names {', '.join(sorted(unknown))}; there are base, {', '.join(FINE_TUNES)}")
    return options


def shapes(o):
    """Name to shape, in the order of the published checkpoint."""
    found = {"model.embed_tokens.weight": (o.vocab, o.hidden)}
    for layer in range(o.layers):
        prefix = f"model.layers.{layer}."
        found[prefix + "input_layernorm.weight"] = (o.hidden,)
        found[prefix + "mlp.down_proj.weight"] = (o.hidden, o.intermediate)
        found[prefix + "mlp.gate_proj.weight"] = (o.intermediate, o.hidden)
        found[prefix + "mlp.up_proj.weight"] = (o.intermediate, o.hidden)
        found[prefix + "post_attention_layernorm.weight"] = (o.hidden,)
        for name, rows in (("k", o.kv), ("q", o.hidden), ("v", o.kv)):
            found[prefix + f"self_attn.{name}_proj.bias"] = (rows,)
            found[prefix + f"self_attn.{name}_proj.weight"] = (rows, o.hidden)
        found[prefix + "self_attn.o_proj.weight"] = (o.hidden, o.hidden)
    found["model.norm.weight"] = (o.hidden,)
    return found


def config(o):
    return {
        "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643, "eos_token_id": 151643,
        "hidden_act": "silu", "hidden_size": o.hidden, "initializer_range": 0.02, "intermediate_size": o.intermediate,
        "max_position_embeddings": 131072, "max_window_layers": o.layers, "model_type": "qwen2",
        "num_attention_heads": o.hidden // 64, "num_hidden_layers": o.layers, "num_key_value_heads": o.kv // 64,
        "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "sliding_window": 131072, "tie_word_embeddings": True,
        "torch_dtype": o.dtype, "transformers_version": "4.40.1", "use_cache": True, "use_mrope": False,
        "use_sliding_window": False, "vocab_size": o.vocab,
    }


def write(o, name, tensors, **changes):
    folder = os.path.join(o.out, name)
    os.makedirs(folder, exist_ok=True)
    dtype = getattr(torch, o.dtype)
    save_file({key: tensor.to(dtype) for key, tensor in tensors.items()}, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config(o) | changes, file, indent=2)


def main():
    o = arguments()
    draw = torch.Generator().manual_seed(o.seed)
    base = {name: torch.randn(shape, generator=draw).mul_(SPREAD).add_(1.0 if "norm" in name else 0.0) for name, shape in shapes(o).items()}
    if "base" in o.only:
        write(o, "base", base)
    for position, name in enumerate(FINE_TUNES, start=1):
        if name not in o.only:
            continue
        draw = torch.Generator().manual_seed(o.seed + 1_000_003 * position)
        dtype = getattr(torch, o.dtype)
        tuned = {key: torch.randn(tensor.shape, generator=draw).mul_(SPREAD * CHANGES[i % 3]).add_(tensor).to(dtype)
                 for i, (key, tensor) in enumerate(base.items())}
        write(o, name, tuned, eos_token_id=151645)


if __name__ == "__main__":
    main()
