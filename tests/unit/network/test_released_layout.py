"""The presets have the released checkpoints' keys, shapes and sizes; no weights are made."""

import pytest
import torch

from model.network.audio_lm import AudioLanguageModel
from model.network.config import AudioLanguageModelConfig, step_audio_2_mini, step_audio_r1
from model.network.released import our_key, released_key

LAYOUT = {
    "encoder.conv1.weight": (1280, 128, 3),
    "encoder.conv2.weight": (1280, 1280, 3),
    "encoder.blocks.31.attn.key.weight": (1280, 1280),
    "encoder.blocks.31.attn.out.bias": (1280,),
    "encoder.blocks.0.mlp.0.weight": (5120, 1280),
    "encoder.blocks.0.mlp_ln.bias": (1280,),
    "encoder.after_norm.weight": (1280,),
    "adapter.conv.weight": (1280, 1280, 3),
    "adapter.linear1.weight": (2048, 1280),
}
R1 = {
    "adapter.linear2.weight": (5120, 2048),
    "model.embed_tokens.weight": (158_720, 5120),
    "model.layers.63.self_attn.k_proj.weight": (1024, 5120),
    "lm_head.weight": (158_720, 5120),
}
MINI = {
    "adapter.linear2.weight": (3584, 2048),
    "model.layers.27.self_attn.k_proj.bias": (512,),
    "model.layers.27.mlp.gate_proj.weight": (18_944, 3584),
}


@pytest.mark.parametrize(
    ("config", "layout", "billions"),
    [(step_audio_2_mini(), LAYOUT | MINI, (8.0, 9.0)), (step_audio_r1(), LAYOUT | R1, (33.0, 34.0))],
    ids=["7b", "32b"],
)
def test_a_preset_has_the_released_layout(
    config: AudioLanguageModelConfig, layout: dict[str, tuple[int, ...]], billions: tuple[float, float]
) -> None:
    with torch.device("meta"):
        model = AudioLanguageModel(config)
    shapes = {released_key(key): tuple(tensor.shape) for key, tensor in model.state_dict().items()}
    assert {key: shapes.get(key) for key in layout} == layout
    assert "encoder.blocks.0.attn.key.bias" not in shapes
    assert billions[0] < sum(p.numel() for p in model.parameters()) / 1e9 < billions[1]
    assert all(our_key(released_key(key)) == key for key in model.state_dict())


def test_the_released_positions_are_computed_here() -> None:
    assert our_key("encoder.positional_embedding.weight") is None


def test_a_foreign_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"foo\.bar"):
        released_key("foo.bar")
