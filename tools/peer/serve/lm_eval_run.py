#!/usr/bin/env python3
"""Runs lm-evaluation-harness (0.4.13) against `weightsmith serve` and compares it with `weightsmith eval` on the same data.

usage: ~/.cache/peer-serve/bin/python lm_eval_run.py [--limit N]        (see setup; WEIGHTSMITH is the binary)

The data are the held-out questions of fixtures/tiny-qwen2: answered freely (exact match), through chats and through completions
of the rendered template, and as multiple choice among the right answer and three answers of other questions. Each share must
agree to 1e-3. The server's tokenizer is used (`tokenizer_backend=remote`), so nothing is downloaded.
"""
import argparse
import json
import logging
import os
import random
import subprocess
import sys
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
os.environ.setdefault("OPENAI_API_KEY", "none")

import lm_eval
from lm_eval.tasks import TaskManager

from server import FIXTURES, binary, check, serving

CHOICE = """
task: tiny_choice
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{data}"}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{answer}}}}"
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
  - {{metric: acc_norm, aggregation: mean, higher_is_better: true}}
"""

EXACT = """
task: tiny_{name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{data}"}}}}
test_split: test
output_type: generate_until
doc_to_text: "{text}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["<|im_end|>"], max_gen_toks: 64, do_sample: false, temperature: 0}}
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true}}
"""

QUESTION = "{{messages[0].content}}"
# lm-evaluation-harness sends no template's text where the tokenizer is the server's, so the task writes it out
RENDERED = (
    "<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n"
    f"<|im_start|>user\\n{QUESTION}<|im_end|>\\n<|im_start|>assistant\\n"
)


def data(folder, limit):
    """Questions with free answers, and the same as multiple choice."""
    with open(f"{FIXTURES}/data/instruct.heldout.jsonl") as lines:
        questions = [json.loads(line) for line in lines][:limit]
    exact, choice = f"{folder}/exact.jsonl", f"{folder}/choice.jsonl"
    draw = random.Random(1)
    answers = sorted({one["answer"] for one in questions})
    with open(exact, "w") as out:
        out.writelines(json.dumps(one) + "\n" for one in questions)
    with open(choice, "w") as out:
        for one in questions:
            choices = draw.sample([other for other in answers if other != one["answer"]], 3) + [one["answer"]]
            draw.shuffle(choices)
            entry = {"question": one["messages"][0]["content"], "choices": choices, "answer": choices.index(one["answer"])}
            out.write(json.dumps(entry) + "\n")
    return exact, choice


def own(model, files):
    """What `weightsmith eval` finds."""
    command = [binary(), "eval", "--json", model, "--data", *files]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return report["tasks"]


def theirs(kind, url, task, manager, chat, batch):
    """What lm-evaluation-harness finds."""
    route = "/v1/chat/completions" if kind == "local-chat-completions" else "/v1/completions"
    arguments = {"model": "instruct", "base_url": url + route, "num_concurrent": 4, "max_retries": 1, "timeout": 600}
    if kind == "local-completions":
        arguments["tokenizer_backend"] = "remote"
    results = lm_eval.simple_evaluate(
        model=kind, model_args=arguments, tasks=[task], task_manager=manager, batch_size=batch,
        apply_chat_template=chat, bootstrap_iters=0,
    )
    return results["results"][task]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, default=200)
    limit = parser.parse_args().limit
    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        exact, choice = data(folder, limit)
        tasks = {
            "choice": CHOICE.format(data=choice),
            "exact": EXACT.format(name="exact", data=exact, text=QUESTION),
            "rendered": EXACT.format(name="rendered", data=exact, text=RENDERED),
        }
        for name, text in tasks.items():
            with open(f"{folder}/{name}.yaml", "w") as out:
                out.write(text)
        manager = TaskManager(include_path=folder, include_defaults=False)
        model = f"{FIXTURES}/instruct"
        ours = own(model, [exact, choice])
        print(json.dumps(ours), file=sys.stderr)
        ours_exact = next(one for one in ours if "acc" not in json.dumps(one))
        ours_choice = next(one for one in ours if "acc" in json.dumps(one))
        with serving(model) as server:
            runs = [
                ("choice, 1 prompt a request", "local-completions", "tiny_choice", False, 1),
                ("choice, 8 prompts a request", "local-completions", "tiny_choice", False, 8),
                ("answers, completions", "local-completions", "tiny_rendered", False, 4),
                ("answers, chats", "local-chat-completions", "tiny_exact", True, 1),
            ]
            for name, kind, task, chat, batch in runs:
                found = theirs(kind, server.url, task, manager, chat, batch)
                if task == "tiny_choice":
                    pairs = [("acc", ours_choice), ("acc_norm", ours_choice)]
                else:
                    pairs = [("exact_match", ours_exact)]
                for metric, mine in pairs:
                    value = found[f"{metric},none"]
                    expected = figure(mine, metric)
                    check(f"{name}: {metric}", abs(value - expected) <= 1e-3, f"{value:.4f}, weightsmith eval {expected:.4f}")


def figure(task, metric):
    """A share from the report of `weightsmith eval`, wherever in it it is."""
    if metric == "exact_match":
        return task["right"] / task["questions"]
    return task[metric]


main()
