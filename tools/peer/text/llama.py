#!/usr/bin/env python3
"""llama.cpp through llama-cpp-python's low-level functions: llama.py FILE.gguf PROMPT DECODE THREADS [BATCH]

Prints a line when the first token is there, then one with tokens per second. With BATCH, so many sequences are decoded at once.
"""
import ctypes
import json
import sys
import time

import llama_cpp
import numpy


def main():
    path, prompt, decode, threads = sys.argv[1], *map(int, sys.argv[2:5])
    batch = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    silent = llama_cpp.llama_log_callback(lambda *_: None)  # held as long as it may be called
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx = (prompt + decode + 8) * batch
    settings.n_batch = max(512, prompt)
    settings.n_ubatch = 512
    settings.n_seq_max = batch
    settings.n_threads = settings.n_threads_batch = threads
    context = llama_cpp.llama_init_from_model(model, settings)
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    room = llama_cpp.llama_batch_init(max(prompt, batch), 0, batch)

    def run(tokens):
        """(token, position, sequence, wanted) of a step; the likeliest next tokens."""
        room.n_tokens = len(tokens)
        wanted = []
        for index, (token, position, sequence, want) in enumerate(tokens):
            room.token[index], room.pos[index] = token, position
            room.n_seq_id[index], room.seq_id[index][0] = 1, sequence
            room.logits[index] = want
            if want:
                wanted.append(index)
        if llama_cpp.llama_decode(context, room):
            sys.exit("llama_decode failed")
        best = []
        for index in wanted:
            logits = numpy.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, index), shape=(vocabulary,))
            best.append(int(logits.argmax()))
        return best

    tokens = [(i * 7919 + 13) % 150_000 for i in range(prompt)]
    start = time.perf_counter()
    (first,) = run([(token, i, 0, i == prompt - 1) for i, token in enumerate(tokens)])
    prompt_seconds = time.perf_counter() - start
    print("first", first, flush=True)
    following = [first]
    for sequence in range(1, batch):
        following += run([(token, i, sequence, i == prompt - 1) for i, token in enumerate(tokens)])
    start = time.perf_counter()
    for index in range(decode):
        following = run([(token, prompt + index, sequence, True) for sequence, token in enumerate(following)])
    seconds = time.perf_counter() - start
    print(json.dumps({"prompt": prompt / prompt_seconds, "decode": batch * decode / seconds, "last": following[0]}))


if __name__ == "__main__":
    main()
