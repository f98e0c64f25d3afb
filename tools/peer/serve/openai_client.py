#!/usr/bin/env python3
"""Tries `weightsmith serve` with OpenAI's own Python client (openai 3.57.0): models, completions, chats, streams, errors.

usage: ~/.cache/peer-serve/bin/python openai_client.py        (see setup; WEIGHTSMITH is the binary)
"""
import openai

from server import FIXTURES, ROOT, check, serving

KEY = "a key for this run"
QUESTION = [{"role": "user", "content": "Where does Anna live?"}]
ANSWER = "Anna lives in Rome."


def models(client):
    listed = client.models.list().data
    check("models.list", [one.id for one in listed] == ["instruct", "01-slerp-v"], [one.id for one in listed])
    one = client.models.retrieve("01-slerp-v")
    check("models.retrieve: cold, with extra fields", (one.state, one.is_merge, one.concurrency_units) == ("cold", True, 1))


def completions(client):
    answer = client.completions.create(model="instruct", prompt="Anna lives", max_tokens=6, logprobs=2, echo=True)
    choice = answer.choices[0]
    check("completions.create, echo", choice.text.startswith("Anna lives"), repr(choice.text))
    check("completions.create, logprobs", choice.logprobs.token_logprobs[0] is None and len(choice.logprobs.tokens) == len(choice.logprobs.top_logprobs))
    tokens = client.completions.create(model="instruct", prompt=[[20, 30, 40], [50, 60]], max_tokens=2, n=2)
    check("completions.create, token prompts and n", [one.index for one in tokens.choices] == [0, 1, 2, 3])
    stopped = client.completions.create(model="instruct", prompt="Anna lives", max_tokens=30, stop=[" in"])
    check("completions.create, stop", stopped.choices[0].finish_reason == "stop" and " in" not in stopped.choices[0].text, repr(stopped.choices[0].text))
    parts = client.completions.create(model="instruct", prompt="Anna lives", max_tokens=6, stream=True)
    text = "".join(part.choices[0].text for part in parts)
    check("completions.create, stream", "Anna lives" + text == choice.text, repr(text))


def chats(client):
    for model in ("instruct", "01-slerp-v"):
        answer = client.chat.completions.create(model=model, messages=QUESTION, temperature=0)
        check(f"chat.completions.create, {model}", answer.choices[0].message.content == ANSWER, answer.usage.total_tokens)
    answer = client.chat.completions.create(model="instruct", messages=QUESTION, logprobs=True, top_logprobs=2, n=2, max_completion_tokens=4)
    content = answer.choices[1].logprobs.content
    check("chat.completions.create, logprobs and n", len(content) == 4 and len(content[0].top_logprobs) == 2, content[0].token)
    parts = list(client.chat.completions.create(model="instruct", messages=QUESTION, stream=True, stream_options={"include_usage": True}))
    text = "".join(part.choices[0].delta.content or "" for part in parts if part.choices)
    check("chat.completions.create, stream", text == ANSWER and parts[0].choices[0].delta.role == "assistant", repr(text))
    usage = parts[-1].usage
    check("chat.completions.create, usage", usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage.total_tokens)
    with client.chat.completions.stream(model="instruct", messages=QUESTION) as stream:
        final = stream.get_final_completion()
    check("chat.completions.stream", final.choices[0].message.content == ANSWER and final.choices[0].finish_reason == "stop")


def errors(client, url):
    def refused(name, kind, call, status, code):
        try:
            call()
        except kind as error:
            check(name, (error.status_code, error.code) == (status, code), error.body["message"])
        else:
            check(name, False, "nothing was raised")

    chat = client.chat.completions.create
    refused("unknown model", openai.NotFoundError, lambda: chat(model="gpt-4", messages=QUESTION), 404, "model_not_found")
    refused("no messages", openai.BadRequestError, lambda: chat(model="instruct", messages=[]), 400, "invalid_value")
    refused("tools", openai.BadRequestError, lambda: chat(model="instruct", messages=QUESTION, tools=[{"type": "function", "function": {"name": "f"}}]), 400, "unsupported_parameter")
    refused("too long", openai.BadRequestError, lambda: chat(model="instruct", messages=QUESTION, max_tokens=10**6), 400, "context_length_exceeded")
    stranger = openai.OpenAI(base_url=url + "/v1", api_key="wrong", max_retries=0)
    refused("wrong key", openai.AuthenticationError, lambda: stranger.models.list(), 401, "invalid_api_key")


def main():
    with serving(f"{FIXTURES}/instruct", f"{ROOT}/examples/01-slerp-v.yml", "--api-key", KEY) as server:
        client = openai.OpenAI(base_url=server.url + "/v1", api_key=KEY, max_retries=0)
        models(client)
        completions(client)
        chats(client)
        errors(client, server.url)


main()
