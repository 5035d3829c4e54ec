"""Compiles the pipeline into the template that Kubeflow and the local runner both execute.

    python -m pipelines.compile [--image IMAGE] [--stages MODULE] [--out FILE]

Promises the same bytes for the same sources. Leaves pinning images by digest and uploading to publishing.
"""

import argparse
import tempfile
from pathlib import Path

from kfp import compiler

from pipelines.mgrd_pipeline import DEFAULT_IMAGE, build_pipeline
from pipelines.steps.stages import DEFAULT_MODULE

TEMPLATE = Path(__file__).parent / "compiled" / "mgrd.yaml"


def compile_template(*, image: str = DEFAULT_IMAGE, stages: str = DEFAULT_MODULE) -> str:
    """The compiled template as YAML."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mgrd.yaml"
        compiler.Compiler().compile(build_pipeline(image=image, stages=stages), str(path))
        return path.read_text()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--image", default=DEFAULT_IMAGE, help="image of the steps")
    parser.add_argument("--stages", default=DEFAULT_MODULE, help="module of the learning stages")
    parser.add_argument("--out", type=Path, default=TEMPLATE, help="file to write")
    chosen = parser.parse_args()
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(compile_template(image=chosen.image, stages=chosen.stages))


if __name__ == "__main__":
    main()
