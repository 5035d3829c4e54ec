"""The nano tokenizer: a token per known word, and no text it cannot give back."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers.decoders import DecodeStream
from transformers import PreTrainedTokenizerFast

from model.network.errors import NetworkError
from model.network.template import encode_plain
from model.network.tokenizer import SPECIAL_TOKENS, build_tokenizer

FRAGMENTS = st.sampled_from(["the", "pitch", " ", "\n", "  ", ".", "é", "世", "12", "'", "<", "\t", "\r\n", "rises"])
TEXTS = st.one_of(st.text(max_size=40), st.lists(FRAGMENTS, max_size=12).map("".join))


@settings(deadline=None)
@given(TEXTS)
@example("\n the pitch\n\n rises ")
@example(" ")
def test_any_text_round_trips(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    assert tokenizer.decode(encode_plain(tokenizer, text)) == text


@settings(deadline=None)
@given(TEXTS)
def test_tokens_stream_to_the_same_text(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    ids, stream = encode_plain(tokenizer, text), DecodeStream(skip_special_tokens=False)
    pieces = [stream.step(tokenizer.backend_tokenizer, token) or "" for token in ids]
    assert text.startswith("".join(pieces))
    assert tokenizer.decode(ids) == text


def test_a_known_word_is_one_token_wherever_it_stands(tokenizer: PreTrainedTokenizerFast) -> None:
    inside, at_start = (encode_plain(tokenizer, text) for text in ("the pitch rises", "rises\nrises"))
    assert len(inside) == 3
    assert at_start == [inside[-1], encode_plain(tokenizer, "\n")[0], inside[-1]]
    assert tokenizer.encode("</think>\nrises", add_special_tokens=False)[-1] == inside[-1]


def test_digits_stand_alone(tokenizer: PreTrainedTokenizerFast) -> None:
    assert len(encode_plain(tokenizer, "120")) == 3


def test_special_tokens_have_their_own_ids(tokenizer: PreTrainedTokenizerFast) -> None:
    for token in SPECIAL_TOKENS:
        assert len(tokenizer.encode(token, add_special_tokens=False)) == 1
        assert len(encode_plain(tokenizer, token)) > 1


def test_saved_and_loaded_it_is_the_same(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    text = "the voice is low .\n\n 12 <|EOT|>"
    ids = encode_plain(tokenizer, text)
    assert (encode_plain(loaded, text), loaded.decode(ids)) == (ids, text)
    assert loaded.chat_template == tokenizer.chat_template


@pytest.mark.parametrize("word", ["two words", "", "don't", "a1"])
def test_more_than_one_piece_is_refused(word: str) -> None:
    with pytest.raises(NetworkError) as caught:
        build_tokenizer([word])
    assert caught.value.reason == "NOT_ONE_PIECE"
