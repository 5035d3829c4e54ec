"""The images' locks: the pins that were tested, hashed, and nothing an image must not carry."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parents[3] / "requirements"
IMAGES = ("control", "features", "model", "training", "triton")
PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return {found["name"]: found["version"] for found in PIN.finditer((REQUIREMENTS / f"{lock}.lock").read_text())}


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_installs_what_the_tests_ran_with(image: str) -> None:
    tested = pins("all")
    strays = {name: version for name, version in pins(image).items() if tested.get(name) != version}
    assert not strays, f"not as in all.lock; run tools/locks.sh: {strays}"


@pytest.mark.parametrize("image", IMAGES)
def test_every_pin_has_a_hash(image: str) -> None:
    text = (REQUIREMENTS / f"{image}.lock").read_text()
    unhashed = [entry for entry in re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:] if "--hash=sha256:" not in entry]
    assert not unhashed
    assert "://" not in text


@pytest.mark.parametrize(
    ("image", "absent"),
    [("control", {"torch", "scipy", "kfp", "kubernetes", "cryptography"}), ("features", {"torch", "sqlalchemy"})],
)
def test_the_small_images_stay_small(image: str, absent: set[str]) -> None:
    assert not absent & pins(image).keys()


def test_training_and_triton_share_the_layer_of_the_model() -> None:
    layer = pins("model").items()
    assert layer <= pins("training").items()
    assert layer <= pins("triton").items()
