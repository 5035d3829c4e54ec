"""The real Triton hosting the real engine: load, stream, refuse, cancel, die, come back."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.inference.agent.prober import ClipProver, clip_frames
from services.inference.triton import errors
from services.inference.triton.client import TritonClient
from services.inference.triton.errors import TritonError
from services.inference.triton.protocol import Ask, Event, MelFrames
from tests.support.tritons import RunningTriton, fake_digest, running_triton, tiny_checkpoint, wait_until

QUESTION = Ask(
    "does the pitch rise ?", choices=("rise", "fall"), max_new_tokens=60, max_think_tokens=30, temperature=1, seed=1
)
SLOTS = 2


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTriton]:
    folder = tmp_path_factory.mktemp("triton")
    with running_triton(folder, variables={"MGRD_BACKEND_MAX_ROWS": str(SLOTS)}) as running:
        yield running


@pytest.fixture(scope="module")
def client(triton: RunningTriton) -> Iterator[TritonClient]:
    client = triton.client()
    yield client
    client.close()


@pytest.fixture(scope="module")
def model(triton: RunningTriton, client: TritonClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    checkpoint = tiny_checkpoint(tmp_path_factory.mktemp("weights") / "checkpoint")
    name = render(triton, checkpoint, name="good")
    client.load(name, timeout_s=240)
    return name


def render(triton: RunningTriton, checkpoint: Path, *, name: str) -> str:
    digest = fake_digest(name)
    return triton.repository.render("nano", digest=digest, fetch=lambda to: shutil.copytree(checkpoint, to))


def text_of(events: list[Event], phase: str) -> str:
    return "".join(piece.text for event in events for piece in event.pieces if piece.phase == phase)


def test_a_reply_streams_reasoning_then_answer_then_the_end(client: TritonClient, model: str) -> None:
    events = list(client.ask(model, ask=QUESTION, mel=clip_frames(), timeout_s=30))
    phases = [piece.phase for event in events for piece in event.pieces]
    assert phases == sorted(phases, reverse=True)
    first = sum(piece.tokens for piece in events[0].pieces)
    assert first < 30, "the first words come before the reasoning is over; how many at a time is the machine's affair"
    end = events[-1].end
    assert end is not None
    assert end.reasoning_tokens == 30
    assert end.finish_reason in ("stop", "length")
    assert text_of(events, "reasoning")


def test_the_sound_reaches_the_model(client: TritonClient, model: str) -> None:
    def reply(mel: MelFrames) -> str:
        return text_of(list(client.ask(model, ask=QUESTION, mel=mel, timeout_s=30)), "reasoning")

    heard, silent = reply(clip_frames()), reply(MelFrames())
    assert heard == reply(clip_frames()), "a seed repeats itself"
    assert heard != silent
    two = MelFrames(clip_frames().values * 2, clip_frames().chunk_frames * 2)
    assert reply(two) != heard


def test_without_thinking_there_is_an_answer_alone(client: TritonClient, model: str) -> None:
    ask = Ask("does the pitch rise ?", think=False, max_new_tokens=8)
    events = list(client.ask(model, ask=ask, mel=clip_frames(), timeout_s=30))
    assert not text_of(events, "reasoning")
    assert events[-1].end is not None
    assert events[-1].end.reasoning_tokens == 0


def test_a_seed_draws_the_same_reply_again(client: TritonClient, model: str) -> None:
    def reply(seed: int) -> str:
        ask = Ask("does it rise ?", max_new_tokens=30, max_think_tokens=20, temperature=1.0, seed=seed)
        return text_of(list(client.ask(model, ask=ask, mel=clip_frames(), timeout_s=30)), "reasoning")

    assert reply(3) == reply(3) != reply(4)


@pytest.mark.parametrize(
    ("ask", "mel"),
    [
        (Ask("word " * 5000), MelFrames()),
        (QUESTION, MelFrames(b"\xff\xff\xff\x7f" * 128, (1,))),
        (QUESTION, MelFrames(bytes(512 * 9000), (9000,))),
    ],
    ids=["too long", "NaN", "a chunk of 90 s"],
)
def test_a_request_it_cannot_serve_is_refused_and_harms_nobody(
    client: TritonClient, model: str, ask: Ask, mel: MelFrames
) -> None:
    with pytest.raises(TritonError) as refused:
        list(client.ask(model, ask=ask, mel=mel, timeout_s=30))
    assert refused.value.reason == errors.REJECTED
    ClipProver(client).probe(model, timeout_s=30)


def test_a_model_that_is_not_loaded_is_named_so(client: TritonClient) -> None:
    with pytest.raises(TritonError) as unknown:
        list(client.ask("nano-000000000000", ask=QUESTION, mel=clip_frames(), timeout_s=10))
    assert unknown.value.reason == errors.NOT_LOADED


def test_loading_needs_the_admin_key(triton: RunningTriton, model: str) -> None:
    stranger = triton.client(admin=False)
    for call in (lambda: stranger.unload(model), lambda: stranger.load(model, timeout_s=5), stranger.loaded):
        with pytest.raises(TritonError) as refused:
            call()
        assert refused.value.reason == "ADMIN_KEY_WRONG"
    assert list(stranger.ask(model, ask=QUESTION, mel=clip_frames(), timeout_s=30))[-1].end is not None


def test_cancelling_frees_the_slot_within_a_moment(client: TritonClient, model: str) -> None:
    long = Ask("tell me", max_new_tokens=4000, max_think_tokens=3990, temperature=1.0)
    running = [client.ask(model, ask=long, mel=clip_frames(), timeout_s=240) for _ in range(SLOTS)]
    for reply in running:
        next(reply)
    started_s = time.monotonic()
    running[0].cancel()
    ask = Ask("?", think=False, max_new_tokens=1)
    assert list(client.ask(model, ask=ask, mel=MelFrames(), timeout_s=60))[-1].end is not None
    freed_after_s = time.monotonic() - started_s
    assert next(running[1]).end is None, "the other reply still runs: only the cancelled slot was free"
    running[1].cancel()
    assert freed_after_s < 1.0, f"the slot was free after {freed_after_s:.2f} s; the whole reply takes many seconds"


def test_a_version_that_cannot_load_leaves_the_other_serving(
    triton: RunningTriton, client: TritonClient, model: str, tmp_path: Path
) -> None:
    broken = tiny_checkpoint(tmp_path / "broken", seed=5)
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    name = render(triton, broken, name="broken")
    with pytest.raises(TritonError) as failed:
        client.load(name, timeout_s=240)
    assert failed.value.reason == errors.LOAD_FAILED
    assert "Traceback" not in str(failed.value)
    assert client.loaded() == {model}
    ClipProver(client).probe(model, timeout_s=30)


def test_a_checkpoint_of_another_front_end_is_not_proved(client: TritonClient, model: str) -> None:
    with pytest.raises(TritonError) as refused:
        ClipProver(client).prove(model, front_end_version="logmel-8k/0", timeout_s=30)
    assert refused.value.reason == "FRONT_END_MISMATCH"


def test_a_killed_stub_is_noticed_by_a_real_inference_alone_and_recovers(
    triton: RunningTriton, client: TritonClient, model: str
) -> None:
    (stub,) = triton.stubs()
    os.kill(stub, signal.SIGKILL)
    with pytest.raises(TritonError) as dead:
        ClipProver(client).probe(model, timeout_s=30)
    assert dead.value.reason == errors.STUB_DEAD
    assert client.loaded() == {model}, "Triton itself still believes in it"
    client.unload(model)
    client.load(model, timeout_s=240)
    wait_until(lambda: client.loaded() == {model}, timeout_s=5, what="the reloaded model")
    ClipProver(client).prove(model, front_end_version=front_end(), timeout_s=30)


def front_end() -> str:
    from model.acoustics.frontend import FRONT_END_VERSION

    return FRONT_END_VERSION
