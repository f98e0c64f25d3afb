#!/usr/bin/env python3
"""Turns a Qwen2 folder (config.json, one model.safetensors in bfloat16) into GGUF files for llama.cpp and candle: bf16.gguf and q8_0.gguf.

usage: make_gguf.py FOLDER OUT

The vocabulary is FOLDER's tokenizer.json (byte-level BPE) if there is one, else a placeholder for comparisons of token ids. Norms and biases are float32, as llama.cpp's own converter
writes them. Needs PyPI's gguf and numpy.
"""
import json
import os
import sys

import gguf
import numpy

BLOCK = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
OUTER = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}


def gguf_name(name):
    if name in OUTER:
        return OUTER[name]
    _, _, layer, rest = name.split(".", 3)
    kind, _, suffix = rest.rpartition(".")
    return f"blk.{layer}.{BLOCK[kind]}.{suffix}"


def tensors(path):
    """Names and bfloat16 bits of a safetensors file."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = numpy.memmap(path, mode="r", offset=file.tell())
    header.pop("__metadata__", None)
    for name, entry in header.items():
        assert entry["dtype"] == "BF16", name
        start, end = entry["data_offsets"]
        yield name, data[start:end].view(numpy.uint16).reshape(entry["shape"])


def widened(bits):
    return (bits.astype(numpy.uint32) << 16).view(numpy.float32)


def add_vocabulary(writer, path, size):
    tokens, kinds, merges = [f"<{index}>" for index in range(size)], [gguf.TokenType.UNUSED] * size, ["< 0"]
    if os.path.exists(path):
        with open(path) as file:
            tokenizer = json.load(file)
        for token, index in tokenizer["model"]["vocab"].items():
            tokens[index], kinds[index] = token, gguf.TokenType.NORMAL
        for added in tokenizer["added_tokens"]:
            tokens[added["id"]], kinds[added["id"]] = added["content"], gguf.TokenType.CONTROL
        merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)


def write(folder, out, kind):
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    writer = gguf.GGUFWriter(out, "qwen2")
    heads = config["num_attention_heads"]
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    add_vocabulary(writer, os.path.join(folder, "tokenizer.json"), config["vocab_size"])
    for name, bits in tensors(os.path.join(folder, "model.safetensors")):
        if bits.ndim == 1:
            writer.add_tensor(gguf_name(name), widened(bits))
        elif kind == gguf.GGMLQuantizationType.BF16:
            writer.add_tensor(gguf_name(name), numpy.ascontiguousarray(bits).view(numpy.uint8), raw_dtype=kind)
        else:
            writer.add_tensor(gguf_name(name), gguf.quants.quantize(widened(bits), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    folder, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    write(folder, os.path.join(out, "bf16.gguf"), gguf.GGMLQuantizationType.BF16)
    write(folder, os.path.join(out, "q8_0.gguf"), gguf.GGMLQuantizationType.Q8_0)


if __name__ == "__main__":
    main()
