"""The sizes of the network: one configuration class, three presets, one code path.

`nano` is ours; `step_audio_2_mini` (7b) and `step_audio_r1` (32b) are the released shapes. Which
tokens mean what is the tokenizer's matter; only the id that audio replaces is needed here.
"""

from typing import Any, ClassVar, cast

from transformers import PreTrainedConfig, Qwen2Config

_RELEASED_AUDIO_PATCH_ID = 151_690
_RELEASED_VOCAB_SIZE = 158_720


class AudioEncoderConfig(PreTrainedConfig):
    """Whisper's encoder followed by a stride-2 average pool."""

    model_type = "mgrd_audio_encoder"

    num_mel_bins: int = 128
    hidden_size: int = 128
    num_hidden_layers: int = 3
    num_attention_heads: int = 4


class AudioLanguageModelConfig(PreTrainedConfig):
    """Encoder, adaptor and language model of one audio-language model."""

    model_type = "mgrd_audio_lm"
    sub_configs: ClassVar[dict[str, type[PreTrainedConfig]]] = {
        "audio_config": AudioEncoderConfig,
        "text_config": Qwen2Config,
    }

    audio_config: dict[str, Any] | PreTrainedConfig | None = None
    text_config: dict[str, Any] | PreTrainedConfig | None = None
    adaptor_hidden_size: int = 256
    audio_patch_token_id: int = 5
    initializer_range: float = 0.02
    front_end_version: str | None = None
    """The log-mel settings the weights were trained on; written with every checkpoint."""

    @property
    def audio(self) -> AudioEncoderConfig:
        """The encoder's part."""
        return cast(AudioEncoderConfig, self.audio_config)

    @property
    def text(self) -> Qwen2Config:
        """The language model's part."""
        return cast(Qwen2Config, self.text_config)

    def __post_init__(self, **kwargs: Any) -> None:
        if not isinstance(self.audio_config, AudioEncoderConfig):
            self.audio_config = AudioEncoderConfig(**(self.audio_config or {}))
        if not isinstance(self.text_config, Qwen2Config):
            self.text_config = Qwen2Config(**(self.text_config or {}))
        super().__post_init__(**kwargs)


def nano(*, vocab_size: int, audio_patch_token_id: int = 5) -> AudioLanguageModelConfig:
    """About two million parameters: learns on two cores in minutes, head sizes 32 and 40."""
    return AudioLanguageModelConfig(
        audio_config={"hidden_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4},
        text_config=_text_config(
            vocab_size=vocab_size,
            hidden_size=160,
            intermediate_size=448,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=4096,
            tie_word_embeddings=True,
            rms_norm_eps=1e-6,
            rope_theta=10_000.0,
        ),
        adaptor_hidden_size=256,
        audio_patch_token_id=audio_patch_token_id,
        initializer_range=0.05,
    )


def step_audio_2_mini() -> AudioLanguageModelConfig:
    """The released 7b sibling: Qwen2.5-7B below Whisper-large's encoder."""
    return _released(
        hidden_size=3584,
        intermediate_size=18_944,
        num_hidden_layers=28,
        num_attention_heads=28,
        num_key_value_heads=4,
        rms_norm_eps=1e-6,
    )


def step_audio_r1() -> AudioLanguageModelConfig:
    """The paper's model: Qwen2.5-32B below Whisper-large's encoder."""
    return _released(
        hidden_size=5120,
        intermediate_size=27_648,
        num_hidden_layers=64,
        num_attention_heads=40,
        num_key_value_heads=8,
        rms_norm_eps=1e-5,
    )


def _released(**text: Any) -> AudioLanguageModelConfig:
    return AudioLanguageModelConfig(
        audio_config={"hidden_size": 1280, "num_hidden_layers": 32, "num_attention_heads": 20},
        text_config=_text_config(
            vocab_size=_RELEASED_VOCAB_SIZE,
            max_position_embeddings=16_384,
            tie_word_embeddings=False,
            rope_theta=1_000_000.0,
            **text,
        ),
        adaptor_hidden_size=2048,
        audio_patch_token_id=_RELEASED_AUDIO_PATCH_ID,
    )


def _text_config(*, rope_theta: float, **sizes: Any) -> dict[str, Any]:
    return {**sizes, "rope_parameters": {"rope_type": "default", "rope_theta": rope_theta}}
