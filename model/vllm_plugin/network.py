"""The model class vLLM runs: encoder and adaptor are the network's own, the language model is vLLM's Qwen2."""

# mypy: disable-error-code="misc,operator"
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn
from vllm.config import VllmConfig
from vllm.model_executor.models.interfaces import SupportsMultiModal, SupportsPP
from vllm.model_executor.models.utils import AutoWeightsLoader, init_vllm_registered_model, maybe_prefix
from vllm.multimodal import MULTIMODAL_REGISTRY

from model.network.adaptor import Adaptor
from model.network.audio_encoder import AudioEncoder
from model.vllm_plugin.processing import MEL, DummyInputs, Info, Processor


@MULTIMODAL_REGISTRY.register_processor(Processor, info=Info, dummy_inputs=DummyInputs)
class VllmAudioLanguageModel(nn.Module, SupportsMultiModal, SupportsPP):
    """AudioLanguageModel, with the keys of its checkpoints."""

    @classmethod
    def get_placeholder_str(cls, modality: str, i: int) -> str | None:  # noqa: ARG003 - vLLM's signature
        """How a text names a place for sound."""
        return "<audio_patch>" if modality == "audio" else None

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__()
        config = vllm_config.model_config.hf_config
        self.config = config
        with self._mark_tower_model(vllm_config, "audio"):
            self.audio_encoder = AudioEncoder(config.audio)
            self.adaptor = Adaptor(
                config.audio.hidden_size,
                hidden_width=config.adaptor_hidden_size,
                width=config.text.hidden_size,
            )
        with self._mark_language_model(vllm_config):
            self.language_model = init_vllm_registered_model(
                vllm_config=vllm_config,
                hf_config=config.text,
                prefix=maybe_prefix(prefix, "language_model"),
                architectures=["Qwen2ForCausalLM"],
            )
        self.make_empty_intermediate_tensors = self.language_model.make_empty_intermediate_tensors

    def embed_multimodal(self, **kwargs: Any) -> list[Tensor]:
        """Each clip's audio tokens [P, D]."""
        return [self.adaptor([frames]) for frames in self.audio_encoder(list(kwargs.get(MEL, ())))]

    def forward(
        self,
        input_ids: Tensor | None,
        positions: Tensor,
        intermediate_tensors: Any = None,
        inputs_embeds: Tensor | None = None,
        **_kwargs: object,
    ) -> Any:
        """Hidden states after the last norm."""
        return self.language_model.model(input_ids, positions, intermediate_tensors, inputs_embeds=inputs_embeds)

    def compute_logits(self, hidden_states: Tensor) -> Tensor | None:
        """Logits of the whole vocabulary."""
        logits: Tensor | None = self.language_model.compute_logits(hidden_states)
        return logits

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> set[str]:
        """From the checkpoint's keys."""
        loaded: set[str] = AutoWeightsLoader(self).load_weights(weights)
        return loaded
