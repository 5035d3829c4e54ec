"""Our network as an out-of-tree model of stock vLLM; `register` is its entry point (`vllm.general_plugins`).

vLLM runs the language model with its own kernels, and encoder and adaptor as they are. A clip reaches it as the log-mel
frames of our front end, laid flat: what is served hears what was trained. Weights are read from the checkpoint folder
as it is registered. Nothing here is imported unless vLLM is there; its environment is its own.
"""

ARCHITECTURE = "AudioLanguageModel"


def register() -> None:
    """Makes configuration and model known to this process; may be called again."""
    from transformers import AutoConfig
    from vllm import ModelRegistry

    from model.network.config import AudioLanguageModelConfig

    AutoConfig.register(AudioLanguageModelConfig.model_type, AudioLanguageModelConfig, exist_ok=True)
    if ARCHITECTURE not in ModelRegistry.get_supported_archs():
        ModelRegistry.register_model(ARCHITECTURE, "model.vllm_plugin.network:VllmAudioLanguageModel")
