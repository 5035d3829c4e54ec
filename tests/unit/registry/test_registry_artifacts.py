"""What may be in a version, and what may not."""

import io
import json
import pickle
import struct

import pytest

from mgrd.manifest import Manifest, ManifestFile
from services.kit.errors import InvalidArgument
from services.registry.domain.artifacts import check_content, check_names

ZERO = "0" * 64


def manifest(*paths: str) -> Manifest:
    files = tuple(ManifestFile(path, 1, ZERO) for path in paths)
    return Manifest(files=files, front_end_version="fe", architecture="mgrd_audio_lm")


def safetensors(header: object, data: bytes = b"", *, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(dtype="F32", shape=(2,), span=(0, 8)) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(span)}


def check(path: str, content: bytes) -> None:
    check_content(path, stream=io.BytesIO(content), size_bytes=len(content))


def reason_of(act, *arguments) -> str:
    with pytest.raises(InvalidArgument) as caught:
        act(*arguments)
    assert caught.value.field == "manifest.files"
    return caught.value.reason


def test_an_ordinary_checkpoint_passes():
    check_names(manifest("config.json", "model-00001-of-00002.safetensors", "chat_template.jinja", "audio/config.json"))
    check("model.safetensors", safetensors({"__metadata__": {"format": "pt"}, "a": tensor()}, b"8" * 8))
    check("config.json", b'{"model_type": "mgrd_audio_lm"}')
    check("chat_template.jinja", b"")


def test_a_manifest_of_too_many_files_is_refused():
    shards = [f"model-{number}.safetensors" for number in range(1_000)]
    assert reason_of(check_names, manifest("config.json", *shards)) == "TOO_MANY_FILES"
    check_names(manifest("config.json", *shards[1:]))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "optimizer.pt", "data.pkl", "run.py", "weights.npz", "noending"])
def test_other_kinds_of_file_are_refused(name):
    assert reason_of(check_names, manifest("config.json", "m.safetensors", name)) == "FILE_KIND"


@pytest.mark.parametrize("paths", [("config.json",), ("m.safetensors",), ("m.safetensors", "sub/config.json")])
def test_a_version_needs_weights_and_configuration(paths):
    assert reason_of(check_names, manifest(*paths)) == "FILES_INCOMPLETE"


@pytest.mark.parametrize("more", [("Config.json",), ("a.json", "a.json/b.json"), ("A.json", "a.json/b.txt")])
def test_paths_that_would_be_one_file_are_refused(more):
    assert reason_of(check_names, manifest("config.json", "m.safetensors", *more)) == "PATHS_COLLIDE"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_under_a_permitted_name_is_refused(protocol):
    content = pickle.dumps({"a": 1}, protocol=protocol)
    assert reason_of(check, "vocabulary.txt", content) == "PICKLE_REFUSED"
    assert reason_of(check, "tokenizer.model", b"PK\x03\x04 a torch archive") == "PICKLE_REFUSED"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_json_must_be_json(content):
    assert reason_of(check, "config.json", content) == "JSON_INVALID"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "SAFETENSORS_HEADER"),
        (b"1234567", "SAFETENSORS_HEADER"),
        (safetensors({}, length=2**63), "SAFETENSORS_HEADER"),
        (safetensors({}, length=3), "SAFETENSORS_HEADER"),
        (safetensors(b"[]"), "SAFETENSORS_HEADER"),
        (safetensors(b"{nope"), "SAFETENSORS_HEADER"),
        (safetensors(b'{"a": {}, "a": {}}'), "SAFETENSORS_HEADER"),
        (safetensors(pickle.dumps({})), "SAFETENSORS_HEADER"),
        (safetensors({"a": {}}), "SAFETENSORS_TENSOR"),
        (safetensors({"a": tensor(dtype="OBJECT")}, b"8" * 8), "SAFETENSORS_TENSOR"),
        (safetensors({"a": tensor(shape=(-1, -2))}, b"8" * 8), "SAFETENSORS_TENSOR"),
        (safetensors({"a": tensor(shape=(2**62, 2**62), span=(0, 8))}, b"8" * 8), "SAFETENSORS_TENSOR"),
        (safetensors({"a": tensor(shape=(True, 2))}, b"8" * 8), "SAFETENSORS_TENSOR"),
        (safetensors({"a": tensor(span=(8, 0))}, b"8" * 8), "SAFETENSORS_TENSOR"),
        (safetensors({"a": tensor(), "b": tensor(span=(4, 12))}, b"8" * 12), "SAFETENSORS_OVERLAP"),
        (safetensors({"a": tensor(), "b": tensor(span=(12, 20))}, b"8" * 20), "SAFETENSORS_OVERLAP"),
        (safetensors({"a": tensor()}, b"8" * 7), "SAFETENSORS_SIZE"),
        (safetensors({"a": tensor()}, b"8" * 9), "SAFETENSORS_SIZE"),
    ],
)
def test_a_lying_safetensors_header_is_refused(content, reason):
    assert reason_of(check, "m.safetensors", content) == reason


def test_a_tensor_without_elements_takes_no_bytes():
    check("m.safetensors", safetensors({"a": tensor(shape=(0, 4), span=(0, 0)), "b": tensor()}, b"8" * 8))
