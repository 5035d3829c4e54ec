"""Sound through encoder and adaptor: exact token counts, no influence of batch mates, the right places."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.network.audio_lm import AudioLanguageModel
from model.network.config import nano
from model.network.errors import NetworkError
from model.network.lengths import audio_token_count

PATCH = 5


@pytest.fixture(scope="module")
def lm() -> AudioLanguageModel:
    torch.manual_seed(0)
    return AudioLanguageModel(nano(vocab_size=300)).eval()


def mel(frames: int, *, seed: int = 0) -> Tensor:
    return torch.randn(frames, 128, generator=torch.Generator().manual_seed(seed))


@given(st.integers(min_value=0, max_value=100_000))
def test_the_formula_is_the_paper_s(mel_frames: int) -> None:
    length = mel_frames - 2
    encoder_frames = ((length + 1) // 2) // 2
    assert audio_token_count(mel_frames) == max(0, (encoder_frames - 1) // 2 + 1)


def test_twenty_five_seconds_are_313_tokens() -> None:
    assert audio_token_count((25 * 16_000 + 479) // 160) == 313


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=400), min_size=1, max_size=4))
def test_the_network_makes_exactly_as_many_tokens(lm: AudioLanguageModel, lengths: list[int]) -> None:
    with torch.no_grad():
        tokens = lm.adaptor(lm.encode_audio([mel(frames) for frames in lengths]))
    assert len(tokens) == sum(audio_token_count(frames) for frames in lengths)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(min_value=5, max_value=300), min_size=1, max_size=3), st.integers(5, 300))
def test_a_clip_does_not_depend_on_its_batch_mates(lm: AudioLanguageModel, mates: list[int], frames: int) -> None:
    clip = mel(frames, seed=9)
    with torch.no_grad():
        alone = lm.encode_audio([clip])
        together = lm.encode_audio([clip, *(3 * mel(length) for length in mates)])
        torch.testing.assert_close(together[0], alone[0], rtol=1e-4, atol=2e-5)
        tokens = lm.adaptor(together)[: audio_token_count(frames)]
        torch.testing.assert_close(tokens, lm.adaptor(alone), rtol=1e-4, atol=2e-5)


def test_audio_fills_its_places_in_reading_order(lm: AudioLanguageModel) -> None:
    frames = lm.encode_audio([mel(40, seed=1), mel(56, seed=2), mel(24, seed=3)])
    ids = torch.full((2, 14), 100)
    ids[0, 1:6], ids[0, 7:14], ids[1, 2:5] = PATCH, PATCH, PATCH
    with torch.no_grad():
        embeds, clips = lm.embed(ids, frames), [lm.adaptor([clip]) for clip in frames]
    torch.testing.assert_close(embeds[0, 1:6], clips[0])
    torch.testing.assert_close(embeds[0, 7:14], clips[1])
    torch.testing.assert_close(embeds[1, 2:5], clips[2])
    torch.testing.assert_close(embeds[1, 0], lm.language_model.embed(torch.tensor(100)))


@pytest.mark.parametrize("clips", [[], [40, 40]])
def test_a_wrong_number_of_places_is_refused(lm: AudioLanguageModel, clips: list[int]) -> None:
    frames = lm.encode_audio([mel(length) for length in clips])
    with pytest.raises(NetworkError, match="audio_token_count") as caught:
        lm.embed(torch.full((1, 5), PATCH), frames)
    assert caught.value.reason == "AUDIO_MISMATCH"


def test_a_clip_beyond_25_s_is_refused(lm: AudioLanguageModel) -> None:
    with pytest.raises(NetworkError, match="chunks") as caught:
        lm.encode_audio([mel(2503)])
    assert caught.value.reason == "CLIP_TOO_LONG"


def test_a_mask_that_is_not_right_padded_is_refused(lm: AudioLanguageModel) -> None:
    with pytest.raises(NetworkError) as caught:
        lm(torch.zeros(1, 3, dtype=torch.long), attention_mask_BL=torch.tensor([[0, 1, 1]]))
    assert caught.value.reason == "NOT_RIGHT_PADDED"


def test_the_answer_can_depend_on_the_sound_and_gradients_reach_it(lm: AudioLanguageModel) -> None:
    ids = torch.full((1, 8), 100)
    ids[0, 1:6] = PATCH
    clip = mel(40).requires_grad_()
    lm(ids, frames=lm.encode_audio([clip]))[0, -1].max().backward()
    assert clip.grad is not None
    assert float(clip.grad.abs().sum()) > 0


def test_nano_is_small_enough_to_train_on_two_cores() -> None:
    parameters = sum(p.numel() for p in AudioLanguageModel(nano(vocab_size=1000)).parameters())
    assert 2_000_000 <= parameters <= 2_600_000


def test_it_learns_under_bfloat16_autocast(lm: AudioLanguageModel) -> None:
    ids = torch.full((2, 8), 100)
    ids[:, 1:6] = PATCH
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = lm(ids, frames=lm.encode_audio([mel(40), mel(38)]))
    torch.testing.assert_close(logits.float(), lm(ids, frames=lm.encode_audio([mel(40), mel(38)])), rtol=0.1, atol=0.1)
    logits.float().logsumexp(-1).sum().backward()
    assert lm.audio_encoder.conv1.weight.grad is not None
    lm.zero_grad()
