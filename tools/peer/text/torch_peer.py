#!/usr/bin/env python3
"""transformers on a CPU: torch_peer.py FOLDER PROMPT DECODE THREADS float32|bfloat16

Prints a line when the first token is there, then one with tokens per second.
"""
import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM


def main():
    folder, dtype = sys.argv[1], getattr(torch, sys.argv[5])
    prompt, decode, threads = map(int, sys.argv[2:5])
    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    tokens = torch.tensor([[(i * 7919 + 13) % 150_000 for i in range(prompt)]])
    with torch.inference_mode():
        start = time.perf_counter()
        out = model(tokens, use_cache=True, logits_to_keep=1)
        following = out.logits[:, -1:].argmax(-1)
        prompt_seconds = time.perf_counter() - start
        print("first", int(following), flush=True)
        start = time.perf_counter()
        for _ in range(decode):
            out = model(following, past_key_values=out.past_key_values, use_cache=True)
            following = out.logits[:, -1:].argmax(-1)
        seconds = time.perf_counter() - start
    print(json.dumps({"prompt": prompt / prompt_seconds, "decode": decode / seconds, "last": int(following)}))


if __name__ == "__main__":
    main()
