#!/usr/bin/env python3
"""llama.cpp through llama-cpp-python's low-level functions: llama.py FILE.gguf PROMPT DECODE THREADS

With LLAMA_PLAIN in the environment, without weights that are repacked for the CPU (AMX), which crashed llama-cpp-python 0.3.36 with Q8_0.
Prints a line when the first token is there, then one with tokens per second.
"""
import ctypes
import json
import os
import sys
import time

import llama_cpp
import numpy


def main():
    path, prompt, decode, threads = sys.argv[1], *map(int, sys.argv[2:5])
    silent = llama_cpp.llama_log_callback(lambda *_: None)  # held as long as it may be called
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    of_model = llama_cpp.llama_model_default_params()
    of_model.use_extra_bufts = "LLAMA_PLAIN" not in os.environ
    model = llama_cpp.llama_model_load_from_file(path.encode(), of_model)
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx = prompt + decode + 8
    settings.n_batch = max(512, prompt)
    settings.n_ubatch = 512
    settings.n_threads = settings.n_threads_batch = threads
    context = llama_cpp.llama_init_from_model(model, settings)
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    room = llama_cpp.llama_batch_init(prompt, 0, 1)

    def run(tokens, position):
        """Runs tokens from a position on; the likeliest token after them."""
        room.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            room.token[index], room.pos[index] = token, position + index
            room.n_seq_id[index], room.seq_id[index][0] = 1, 0
            room.logits[index] = index == len(tokens) - 1
        if llama_cpp.llama_decode(context, room):
            sys.exit("llama_decode failed")
        logits = numpy.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, len(tokens) - 1), shape=(vocabulary,))
        return int(logits.argmax())

    tokens = [(i * 7919 + 13) % 150_000 for i in range(prompt)]
    start = time.perf_counter()
    following = run(tokens, 0)
    prompt_seconds = time.perf_counter() - start
    print("first", following, flush=True)
    start = time.perf_counter()
    for index in range(decode):
        following = run([following], prompt + index)
    seconds = time.perf_counter() - start
    print(json.dumps({"prompt": prompt / prompt_seconds, "decode": decode / seconds, "last": following}))


if __name__ == "__main__":
    main()
