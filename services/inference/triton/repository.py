"""The model repository a Triton loads from: one folder per digest, rendered here, removed here.

    <model>-<digest>/config.pbtxt
    <model>-<digest>/1/serve.py        the shim of the backend
    <model>-<digest>/weights/...       the checkpoint, every file verified by SHA-256

A folder appears whole or not at all (rendered beside, then renamed). Loading is the client's.
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.inference.triton.protocol import CHUNK_FRAMES, EVENT, MEL, MEL_BANDS, REQUEST

SHIM = Path(__file__).parent / "backend" / "serve.py"
WEIGHTS = "weights"

_MODEL_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_CONFIG = """\
name: "{name}"
backend: "python"
max_batch_size: 0
default_model_filename: "serve.py"
model_transaction_policy {{ decoupled: true }}
input [
  {{ name: "{request}" data_type: TYPE_STRING dims: [ 1 ] }},
  {{ name: "{mel}" data_type: TYPE_FP32 dims: [ -1, {bands} ] optional: true }},
  {{ name: "{chunk_frames}" data_type: TYPE_INT32 dims: [ -1 ] optional: true }}
]
output [ {{ name: "{event}" data_type: TYPE_STRING dims: [ 1 ] }} ]
instance_group [ {{ count: 1 kind: {kind} }} ]
parameters {{ key: "digest" value {{ string_value: "{digest}" }} }}
parameters {{ key: "engine" value {{ string_value: "{engine}" }} }}
"""


def triton_name(model: str, digest: str) -> str:
    """Triton's name for a digest of a model, `<model>-<digest>`.

    The whole digest: two checkpoints made to agree in its first digits would be served for one another.
    """
    if not _MODEL_ID.fullmatch(model):
        raise ValueError(f"model id {model!r} is no DNS label: lower-case letters, digits and hyphens")
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"digest {digest!r} is not 'sha256:' and 64 hexadecimal digits")
    return f"{model}-{digest.removeprefix('sha256:')}"


def config_text(name: str, *, digest: str, engine: str = "torch", gpu: bool = False) -> str:
    """The model configuration Triton reads."""
    return _CONFIG.format(
        name=name,
        digest=digest,
        engine=engine,
        kind="KIND_GPU" if gpu else "KIND_CPU",
        request=REQUEST,
        mel=MEL,
        bands=MEL_BANDS,
        chunk_frames=CHUNK_FRAMES,
        event=EVENT,
    )


@dataclass(frozen=True)
class ModelRepository:
    """The folder one Triton reads its models from."""

    root: Path
    engine: str = "torch"
    gpu: bool = False

    def names(self) -> frozenset[str]:
        """Names of the models rendered here."""
        if not self.root.is_dir():
            return frozenset()
        return frozenset(path.parent.name for path in self.root.glob("*/config.pbtxt"))

    def render(self, model: str, *, digest: str, fetch: Callable[[Path], None]) -> str:
        """Renders one digest and returns its Triton name; `fetch` fills the weights folder, verified."""
        name = triton_name(model, digest)
        target = self.root / name
        if (target / "config.pbtxt").exists():
            return name
        staging = self.root / f".{name}.partial"
        shutil.rmtree(staging, ignore_errors=True)
        (staging / "1").mkdir(parents=True)
        fetch(staging / WEIGHTS)
        shutil.copyfile(SHIM, staging / "1" / SHIM.name)
        config = config_text(name, digest=digest, engine=self.engine, gpu=self.gpu)
        (staging / "config.pbtxt").write_text(config)
        shutil.rmtree(target, ignore_errors=True)
        staging.rename(target)
        return name

    def remove(self, name: str) -> None:
        """Removes a rendered model; one that is not there is fine."""
        if "/" in name or name.startswith("."):
            raise ValueError(f"{name!r} is no name of a rendered model")
        shutil.rmtree(self.root / name, ignore_errors=True)
