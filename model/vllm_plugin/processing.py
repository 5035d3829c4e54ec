"""How sound gets into vLLM's prompts: flat log-mel frames in, the places of `<audio_patch>` they fill.

A prompt comes as token ids and has its places already, as in training; here they are only found. Shapes: T mel frames,
M mel bins.
"""

# mypy: disable-error-code="misc"
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import BatchFeature
from vllm.multimodal.inputs import MultiModalFieldConfig
from vllm.multimodal.parse import MultiModalDataParser
from vllm.multimodal.processing import (
    BaseDummyInputsBuilder,
    BaseMultiModalProcessor,
    BaseProcessingInfo,
    PromptReplacement,
)

from model.network.config import AudioLanguageModelConfig
from model.network.lengths import MAX_CHUNK_MEL_FRAMES, audio_token_count

MEL = "mel"
_RATE_HZ = 16_000


class Info(BaseProcessingInfo):
    """What vLLM must know of the model's sound."""

    def get_hf_config(self) -> AudioLanguageModelConfig:
        return self.ctx.get_hf_config(AudioLanguageModelConfig)

    def get_data_parser(self) -> MultiModalDataParser:
        return MultiModalDataParser(target_sr=_RATE_HZ)  # plain arrays pass as they are

    def get_supported_mm_limits(self) -> Mapping[str, int | None]:
        return {"audio": None}

    def get_mm_max_tokens_per_item(self, seq_len: int, mm_counts: Mapping[str, int] | None = None) -> Mapping[str, int]:
        return {"audio": audio_token_count(MAX_CHUNK_MEL_FRAMES)}


class DummyInputs(BaseDummyInputsBuilder[Info]):
    """The longest clips, for vLLM's measure of memory."""

    def get_dummy_text(self, mm_counts: Mapping[str, int]) -> str:
        patches = audio_token_count(MAX_CHUNK_MEL_FRAMES)
        patch = self.info.get_tokenizer().convert_ids_to_tokens(self.info.get_hf_config().audio_patch_token_id)
        return str(patch) * patches * mm_counts.get("audio", 0)

    def get_dummy_mm_data(self, seq_len: int, mm_counts: Mapping[str, int], mm_options: Any) -> dict[str, Any]:
        flat = np.zeros(MAX_CHUNK_MEL_FRAMES * self.info.get_hf_config().audio.num_mel_bins, dtype=np.float32)
        return {"audio": [flat] * mm_counts.get("audio", 0)}


class Processor(BaseMultiModalProcessor[Info]):
    """Lays frames out again, and says which places of the prompt each clip fills."""

    def _call_hf_processor(self, hf_data: Mapping[str, object], hf_kwargs: Mapping[str, object]) -> BatchFeature:
        bins = self.info.get_hf_config().audio.num_mel_bins
        flat: Any = hf_data.get("audio") or hf_data.get("audios") or ()
        found: dict[str, Any] = {MEL: [torch.as_tensor(np.asarray(clip)).view(-1, bins) for clip in flat]}
        if "text" in hf_data:
            tokenizer = self.info.get_tokenizer()
            found["input_ids"] = [tokenizer.encode(hf_data["text"], add_special_tokens=False)]
        return BatchFeature(found)

    def _get_mm_fields_config(
        self, hf_inputs: BatchFeature, hf_processor_mm_kwargs: Mapping[str, object]
    ) -> Mapping[str, MultiModalFieldConfig]:
        return {MEL: MultiModalFieldConfig.batched("audio")}

    def _get_prompt_updates(
        self, mm_items: Any, hf_processor_mm_kwargs: Mapping[str, object], out_mm_kwargs: Any
    ) -> Sequence[PromptReplacement]:
        patch = self.info.get_hf_config().audio_patch_token_id
        clips: Sequence[Tensor] = out_mm_kwargs.get_data().get(MEL, ())

        def places(index: int) -> list[int]:
            return [patch] * audio_token_count(len(clips[index]))

        return [PromptReplacement(modality="audio", target=places, replacement=places)]
