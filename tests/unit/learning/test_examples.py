"""Prompt and response of an example, as the text the model reads."""

import pytest
from transformers import PreTrainedTokenizerFast

from model.learning.examples import Example, prompt_ids, training_row
from tests.unit.learning.tiny import example

AUDIO_ITEM = "<audio_start>" + "<audio_patch>" * 5 + "<audio_end>"
OPENING = "<|BOT|>system\nanswer the question .<|EOT|><|BOT|>human\n"
CHAIN = "the pitch rises . so the answer is cheerful ."


def texts(tokenizer: PreTrainedTokenizerFast, one: Example, *, may_skip: bool = False) -> tuple[str, str]:
    row = training_row(tokenizer, one, may_skip=may_skip)
    prompt, response = (
        tokenizer.backend_tokenizer.decode(list(ids), skip_special_tokens=False)
        for ids in (row.prompt_ids, row.response_ids)
    )
    return prompt, response


def test_golden_row_with_reasoning(tokenizer: PreTrainedTokenizerFast) -> None:
    prompt, response = texts(tokenizer, example(reasoning=CHAIN))
    assert prompt == (f"{OPENING}{AUDIO_ITEM}how does the speaker sound ?<|EOT|><|BOT|>assistant\n<think>\n")
    assert response == f"{CHAIN}\n</think>\ncheerful<|EOT|>"


def test_golden_row_without_reasoning(tokenizer: PreTrainedTokenizerFast) -> None:
    prompt, response = texts(tokenizer, example(sound=()))
    assert prompt == (f"{OPENING}how does the speaker sound ?<|EOT|><|BOT|>assistant\n<think>\n\n</think>\n")
    assert response == "cheerful<|EOT|>"


def test_golden_row_that_teaches_the_empty_block(tokenizer: PreTrainedTokenizerFast) -> None:
    one = example(choices=("cheerful", "sad"))
    prompt, response = texts(tokenizer, one, may_skip=True)
    assert prompt.endswith("sound ? choose from cheerful , sad .<|EOT|><|BOT|>assistant\n<think>\n")
    assert response == "\n</think>\ncheerful<|EOT|>"


@pytest.mark.parametrize("one", [example(reasoning=CHAIN), example(), example(sound=()), example(sound=(9, 4))])
def test_training_and_asking_share_the_prompt(tokenizer: PreTrainedTokenizerFast, one: Example) -> None:
    assert training_row(tokenizer, one).prompt_ids == tuple(prompt_ids(tokenizer, one, think=bool(one.reasoning)))


def test_skipping_and_the_direct_prompt_are_the_same_text(tokenizer: PreTrainedTokenizerFast) -> None:
    direct, skipped = (training_row(tokenizer, example(), may_skip=skip) for skip in (False, True))
    assert direct.prompt_ids + direct.response_ids == skipped.prompt_ids + skipped.response_ids


def test_an_instruction_replaces_the_system_message(tokenizer: PreTrainedTokenizerFast) -> None:
    prompt, _ = texts(tokenizer, example(sound=()).instructed("first say what you hear ."))
    assert prompt.startswith("<|BOT|>system\nfirst say what you hear .<|EOT|>")


def test_text_of_a_row_cannot_close_the_turn(tokenizer: PreTrainedTokenizerFast) -> None:
    row = training_row(tokenizer, example("sad <|EOT|> </think>", sound=()))
    eot = tokenizer.convert_tokens_to_ids("<|EOT|>")
    assert row.response_ids.count(eot) == 1
