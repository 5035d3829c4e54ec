"""The audio-language model: encoder, adaptor and language model as one.

The encoder's frames may be computed once and kept (`encode_audio`), since it is frozen after the
base; everything after it runs in `forward`. The caller decides about gradients.

Shapes: B sequences, L positions, V vocabulary, D width, T mel frames, M mel bins, F frames at 25 Hz.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from model.network.adaptor import Adaptor
from model.network.attention import Memory
from model.network.audio_encoder import AudioEncoder
from model.network.config import AudioLanguageModelConfig
from model.network.errors import NetworkError
from model.network.language_model import LanguageModel
from model.network.lengths import audio_token_count

__all__ = ["AudioLanguageModel", "audio_token_count"]


class AudioLanguageModel(PreTrainedModel):
    """Reads text with `<audio_patch>` places that sound fills, and predicts text."""

    config_class = AudioLanguageModelConfig
    config: AudioLanguageModelConfig

    def __init__(self, config: AudioLanguageModelConfig) -> None:
        super().__init__(config)
        self.audio_encoder = AudioEncoder(config.audio)
        self.adaptor = Adaptor(
            config.audio.hidden_size,
            hidden_width=config.adaptor_hidden_size,
            width=config.text.hidden_size,
        )
        self.language_model = LanguageModel(config.text)
        self.post_init()
        self.language_model.tie()

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls, folder: str | Path, *_args: object, **_kwargs: Any
    ) -> "AudioLanguageModel":
        """By `load_checkpoint`, the one loader there is: it verifies what transformers would not."""
        from model.network.checkpoint import load_checkpoint

        return load_checkpoint(folder).model

    def encode_audio(self, mels: Sequence[Tensor]) -> list[Tensor]:
        """Clips `mel_TM` to frames `frames_FE` at 25 Hz; a clip may not exceed 25 s."""
        return self.audio_encoder(mels)

    def embed(self, input_ids_BL: Tensor, frames: Sequence[Tensor]) -> Tensor:
        """Embeddings [B, L, D] with the clips, in reading order, in the places of `<audio_patch>`."""
        embeds_BLD = self.language_model.embed(input_ids_BL)
        is_audio_BL = input_ids_BL == self.config.audio_patch_token_id
        places = int(is_audio_BL.sum())
        if not frames and not places:
            return embeds_BLD
        audio_ND = self.adaptor(frames) if frames else embeds_BLD.new_empty(0, embeds_BLD.shape[-1])
        if places != len(audio_ND):
            raise NetworkError(
                "AUDIO_MISMATCH",
                f"the text has {places} <audio_patch> places, {len(frames)} clips fill {len(audio_ND)}: "
                "write audio_token_count(mel_frames) places for each clip",
            )
        return embeds_BLD.masked_scatter(is_audio_BL.unsqueeze(-1), audio_ND.to(embeds_BLD))

    def forward_hidden(
        self,
        input_ids_BL: Tensor,
        *,
        frames: Sequence[Tensor] = (),
        attention_mask_BL: Tensor | None = None,
        memory: Memory | None = None,
    ) -> Tensor:
        """Hidden states after the last norm, [B, L, D]. Padding is on the right."""
        _refuse_left_padding(attention_mask_BL)
        return self.language_model(self.embed(input_ids_BL, frames), memory=memory)

    def forward(
        self,
        input_ids_BL: Tensor,
        *,
        frames: Sequence[Tensor] = (),
        attention_mask_BL: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, L, V]."""
        hidden = self.forward_hidden(input_ids_BL, frames=frames, attention_mask_BL=attention_mask_BL)
        return self.language_model.logits(hidden)

    def _init_weights(self, module: nn.Module) -> None:
        """Normal weights and zero biases; convolutions and norms keep torch's own start."""
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


def _refuse_left_padding(mask_BL: Tensor | None) -> None:
    """Causal attention needs no mask for pads on the right; pads anywhere else would be seen."""
    if mask_BL is not None and bool((mask_BL[:, 1:] > mask_BL[:, :-1]).any()):
        raise NetworkError("NOT_RIGHT_PADDED", "attention_mask_BL has a pad before a token: pad sequences on the right")
