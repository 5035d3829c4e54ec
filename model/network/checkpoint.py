"""Checkpoint folders: safetensors and JSON, written whole or not at all, verified before they are used.

    config.json  model.safetensors  tokenizer.json  tokenizer_config.json  chat_template.jinja

Loading refuses pickles, foreign architectures, missing, surplus or misshapen tensors, numbers that
are not finite, and a tokenizer that does not fit. Integrity against tampering is the registry's
matter (digests), resuming a training run the trainer's.
"""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from model.network.audio_lm import AudioLanguageModel
from model.network.config import AudioLanguageModelConfig
from model.network.errors import CheckpointError
from model.network.template import AUDIO_PATCH

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
_TIED_HEAD = "language_model.lm_head.weight"
_PICKLE_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"})

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """A checkpoint in memory; the model is in evaluation mode."""

    model: AudioLanguageModel
    tokenizer: PreTrainedTokenizerFast
    front_end_version: str
    config: AudioLanguageModelConfig


def save_checkpoint(
    folder: str | Path, model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast, *, front_end_version: str
) -> Path:
    """Write the folder, replacing one that is there; a reader never sees half of it."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(draft, model, tokenizer, front_end_version=front_end_version)
        _swap_in(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    log.info("checkpoint written", extra={"folder": str(folder)})
    return folder


def load_checkpoint(
    folder: str | Path,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    front_end_version: str | None = None,
) -> Loaded:
    """Read and verify a folder; `front_end_version` is the one the caller's features have, if it has any."""
    folder = Path(folder)
    _refuse_pickles(folder)
    config = read_config(folder)
    _check_front_end(config, wanted=front_end_version)
    with torch.device("meta"):
        model = AudioLanguageModel(config)
    weights = _verified_weights(folder / WEIGHTS_FILE, expected=model.state_dict(), tied=model.language_model.tied)
    model.load_state_dict({key: tensor.to(device, dtype) for key, tensor in weights.items()}, strict=True, assign=True)
    model.language_model.tie()
    tokenizer = read_tokenizer(folder, config)
    return Loaded(model.eval(), tokenizer, str(config.front_end_version), config)


def weights_of(model: AudioLanguageModel) -> dict[str, Tensor]:
    """The tensors a checkpoint holds: every key once, each its own contiguous memory on the CPU."""
    tied = model.language_model.tied
    state = {key: tensor for key, tensor in model.state_dict().items() if not (tied and key == _TIED_HEAD)}
    return {key: tensor.detach().to("cpu", copy=True).contiguous() for key, tensor in state.items()}


def _write(
    draft: Path, model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast, *, front_end_version: str
) -> None:
    weights = weights_of(model)
    _check_finite(weights)
    save_file(weights, draft / WEIGHTS_FILE, metadata={"format": "pt"})
    config = AudioLanguageModelConfig.from_dict(
        {**model.config.to_dict(), "front_end_version": front_end_version, "architectures": [type(model).__name__]}
    )
    config.save_pretrained(draft)
    tokenizer.save_pretrained(draft)
    for file in draft.iterdir():
        _flush(file)
    draft.chmod(0o755)


def _swap_in(draft: Path, folder: Path) -> None:
    """Between the two renames there is no folder rather than a mixed one."""
    old = draft.with_name(draft.name + "-old")
    if folder.exists():
        folder.replace(old)
    draft.replace(folder)
    _flush(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_pickles(folder: Path) -> None:
    if not folder.is_dir():
        raise CheckpointError("NO_CHECKPOINT", f"{folder} is not a folder: give the folder of a saved checkpoint")
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in _PICKLE_SUFFIXES:
            raise CheckpointError(
                "PICKLE", f"{file.name} may run code when loaded: save weights as safetensors and remove the file"
            )


def read_config(folder: Path) -> AudioLanguageModelConfig:
    try:
        fields = json.loads((folder / CONFIG_FILE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError("BAD_CONFIG", f"{folder / CONFIG_FILE} cannot be read as JSON: {error}") from error
    kind = fields.get("model_type") if isinstance(fields, dict) else None
    if kind != AudioLanguageModelConfig.model_type:
        raise CheckpointError(
            "FOREIGN_MODEL", f"model_type is {kind!r}; only {AudioLanguageModelConfig.model_type!r} can be loaded here"
        )
    try:
        return AudioLanguageModelConfig.from_dict(fields)
    except (TypeError, ValueError) as error:
        raise CheckpointError("BAD_CONFIG", f"{folder / CONFIG_FILE} has a field that does not fit: {error}") from error


def _check_front_end(config: AudioLanguageModelConfig, *, wanted: str | None) -> None:
    have = config.front_end_version
    if not have:
        raise CheckpointError("NO_FRONT_END", "config.json has no front_end_version: save it with save_checkpoint")
    if wanted is not None and wanted != have:
        raise CheckpointError(
            "FRONT_END_MISMATCH", f"the checkpoint hears through {have!r}, the features are {wanted!r}: use the same"
        )


def _verified_weights(path: Path, *, expected: Mapping[str, Tensor], tied: bool) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            keys = set(file.keys())
            _check_keys(keys, expected=set(expected) - ({_TIED_HEAD} if tied else set()))
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in keys}
            _check_shapes(shapes, expected=expected)
            weights = {key: file.get_tensor(key) for key in keys}
    except (OSError, SafetensorError) as error:
        raise CheckpointError("BAD_WEIGHTS", f"{path} cannot be read as safetensors: {error}") from error
    _check_finite(weights)
    return weights


def _check_keys(keys: set[str], *, expected: set[str]) -> None:
    missing, surplus = sorted(expected - keys), sorted(keys - expected)
    if missing or surplus:
        raise CheckpointError(
            "WRONG_KEYS",
            f"{len(missing)} tensors are missing (first: {missing[:3]}) and {len(surplus)} are unknown "
            f"(first: {surplus[:3]}): the weights belong to another configuration",
        )


def _check_shapes(shapes: Mapping[str, tuple[int, ...]], *, expected: Mapping[str, Tensor]) -> None:
    for key, shape in shapes.items():
        wanted = tuple(expected[key].shape)
        if shape != wanted:
            raise CheckpointError("WRONG_SHAPE", f"{key} has shape {shape}, the configuration wants {wanted}")


def _check_finite(weights: Mapping[str, Tensor]) -> None:
    for key, tensor in weights.items():
        if not tensor.is_floating_point():
            raise CheckpointError("WRONG_DTYPE", f"{key} is {tensor.dtype}; weights are floating point")
        if not bool(torch.isfinite(tensor).all()):
            raise CheckpointError("NOT_FINITE", f"{key} has NaN or infinite values: training diverged, go back a step")


def read_tokenizer(folder: Path, config: AudioLanguageModelConfig) -> PreTrainedTokenizerFast:
    if not (folder / "tokenizer.json").is_file():
        raise CheckpointError("BAD_TOKENIZER", f"{folder} has no tokenizer.json: save it with save_checkpoint")
    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:  # the Rust parser raises bare Exception
        raise CheckpointError("BAD_TOKENIZER", f"{folder / 'tokenizer.json'} cannot be read: {error}") from error
    patch_id = tokenizer.added_tokens_encoder.get(AUDIO_PATCH)
    if patch_id != config.audio_patch_token_id or len(tokenizer) > config.text.vocab_size:
        raise CheckpointError(
            "BAD_TOKENIZER",
            f"the tokenizer has {len(tokenizer)} tokens with {AUDIO_PATCH} = {patch_id}; the model has "
            f"{config.text.vocab_size} with {config.audio_patch_token_id}: they belong to different models",
        )
    return tokenizer
