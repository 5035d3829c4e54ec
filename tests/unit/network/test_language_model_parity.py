"""The language model is Qwen2: same keys, same numbers, both ways."""

import pytest
import torch
from torch import Tensor, nn
from transformers import Qwen2Config, Qwen2ForCausalLM

from model.network.attention import RememberedSequences
from model.network.errors import NetworkError
from model.network.language_model import LanguageModel


def config(**changes: object) -> Qwen2Config:
    sizes = {"hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 6}
    rope = {"rope_type": "default", "rope_theta": 10_000.0}
    return Qwen2Config(**{"vocab_size": 97, **sizes, "num_key_value_heads": 2, "rope_parameters": rope, **changes})


def randomise(module: nn.Module) -> None:
    """Also the biases and norms, which a fresh model has at 0 and 1."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(0.2 * noise + (1.0 if parameter.ndim == 1 else 0.0))


def largest_gap(ours: LanguageModel, theirs: Qwen2ForCausalLM) -> float:
    ids_BL = torch.randint(0, 97, (3, 40), generator=torch.Generator().manual_seed(2))
    logits: Tensor = ours.logits(ours(ours.embed(ids_BL)))
    return float((logits - theirs(ids_BL).logits).detach().abs().max())


@pytest.mark.parametrize("tied", [True, False])
def test_transformers_weights_give_the_same_logits_here(tied: bool) -> None:
    theirs = Qwen2ForCausalLM(config(tie_word_embeddings=tied)).eval()
    randomise(theirs)
    ours = LanguageModel(theirs.config)
    ours.load_state_dict(theirs.state_dict())
    assert largest_gap(ours, theirs) < 1e-5


@pytest.mark.parametrize("tied", [True, False])
def test_our_weights_give_the_same_logits_in_transformers(tied: bool) -> None:
    ours = LanguageModel(config(tie_word_embeddings=tied))
    randomise(ours)
    theirs = Qwen2ForCausalLM(config(tie_word_embeddings=tied)).eval()
    theirs.load_state_dict(ours.state_dict())
    assert largest_gap(ours, theirs) < 1e-5


def test_state_keys_and_shapes_are_those_of_transformers() -> None:
    ours, theirs = LanguageModel(config()).state_dict(), Qwen2ForCausalLM(config()).state_dict()
    assert {key: value.shape for key, value in ours.items()} == {key: value.shape for key, value in theirs.items()}


def test_a_missing_projection_is_named() -> None:
    state = LanguageModel(config()).state_dict()
    del state["model.layers.1.self_attn.k_proj.weight"]
    with pytest.raises(RuntimeError, match=r"layers\.1\.self_attn"):
        LanguageModel(config()).load_state_dict(state)


def test_gradients_equal_those_of_transformers() -> None:
    theirs = Qwen2ForCausalLM(config(tie_word_embeddings=True))
    randomise(theirs)
    ours = LanguageModel(theirs.config)
    ours.load_state_dict(theirs.state_dict())
    ids_BL = torch.randint(0, 97, (2, 20), generator=torch.Generator().manual_seed(3))
    ours.logits(ours(ours.embed(ids_BL))).logsumexp(-1).sum().backward()
    theirs(ids_BL).logits.logsumexp(-1).sum().backward()
    embedding = theirs.model.embed_tokens.weight.grad
    torch.testing.assert_close(ours.model.embed_tokens.weight.grad, embedding, rtol=1e-4, atol=1e-4)


def test_padding_on_the_right_changes_nothing() -> None:
    ours = LanguageModel(config())
    ids_BL = torch.randint(0, 97, (1, 12), generator=torch.Generator().manual_seed(4))
    padded = torch.cat([ids_BL, torch.zeros(1, 5, dtype=torch.long)], dim=1)
    torch.testing.assert_close(ours(ours.embed(padded))[:, :12], ours(ours.embed(ids_BL)))


def test_first_use_under_inference_mode_does_not_spoil_training() -> None:
    ours = LanguageModel(config())
    with torch.inference_mode():
        ours(ours.embed(torch.zeros(1, 3, dtype=torch.long)))
    ours(ours.embed(torch.zeros(1, 3, dtype=torch.long))).sum().backward()
    assert ours.model.layers[0].self_attn.qkv_proj.weight.grad is not None


def test_remembered_keys_and_values_cover_every_layer() -> None:
    ours, memory = LanguageModel(config()), RememberedSequences()
    ours(ours.embed(torch.zeros(2, 7, dtype=torch.long)), memory=memory)
    assert [tuple(keys.shape) for keys in memory.keys_BLGK] == [(2, 7, 2, 8)] * 3
    assert len(memory.values_BLGK) == 3


@pytest.mark.parametrize("change", [{"use_sliding_window": True}, {"hidden_act": "gelu"}, {"attention_dropout": 0.1}])
def test_what_is_not_supported_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(NetworkError, match=next(iter(change))) as caught:
        LanguageModel(config(**change))
    assert caught.value.reason == "UNSUPPORTED_CONFIG"


def test_a_sequence_beyond_the_positions_is_refused() -> None:
    ours = LanguageModel(config(max_position_embeddings=8))
    with pytest.raises(NetworkError) as caught:
        ours(ours.embed(torch.zeros(1, 9, dtype=torch.long)))
    assert caught.value.reason == "SEQUENCE_TOO_LONG"
