"""The serving half, whole and real: promoted, asked, swapped under load, broken and killed."""

import json
import os
import signal
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgrd.clients.connection import Connection
from mgrd.clients.errors import InvalidArgumentError, NotFoundError, UnauthenticatedError
from mgrd.clients.inference import (
    Answerer,
    AudioPiece,
    Completion,
    EndOfTurn,
    InferenceClient,
    Interrupt,
    LiveInput,
    Question,
    ReplyEvent,
    Sampling,
    Turn,
)
from mgrd.clients.registry_values import Version
from tests.support.serving import CANDIDATE, MODEL, PRODUCTION, Serving, running_serving, tone
from tests.support.tritons import tiny_checkpoint, wait_until

CLIP = tone()
SHORT = Sampling(max_new_tokens=24, max_think_tokens=16, temperature=1.0, seed=7)


def question(**changes: object) -> Question:
    return Question(**{"model": MODEL, "text": "does the pitch rise ?", "audio": CLIP, "sampling": SHORT, **changes})


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    return [tiny_checkpoint(folder / str(seed), seed=seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with running_serving(tmp_path_factory.mktemp("serving")) as running:
        yield running


@pytest.fixture(scope="module")
def versions(serving: Serving, checkpoints: list[Path]) -> tuple[Version, Version]:
    """The first version in production, the second loaded beside it as candidate."""
    first, second = (serving.register(checkpoint) for checkpoint in checkpoints)
    serving.point(PRODUCTION, first)
    serving.wait_serving(first)
    serving.point(CANDIDATE, second)
    serving.wait_serving(second, alias="candidate")
    return first, second


def ask(client: InferenceClient, asked: Question | None = None) -> list[ReplyEvent]:
    return list(client.reason(asked or question(), timeout_s=60))


def words(events: list[ReplyEvent]) -> str:
    return "".join(getattr(event, "text", "") for event in events)


def test_a_reply_names_its_version_first_and_its_figures_last(
    serving: Serving, versions: tuple[Version, Version]
) -> None:
    events = ask(serving.inference())
    first, last = events[0], events[-1]
    assert isinstance(first, Answerer)
    assert (first.version, first.digest) == (versions[0].name, versions[0].digest)
    assert isinstance(last, Completion)
    assert last.reasoning_tokens == 16
    assert 0 < last.time_to_first_token_ms <= last.total_ms
    assert last.out_of_domain, "random weights are sure of nothing"
    other = ask(serving.inference(), question(alias="candidate"))[0]
    assert isinstance(other, Answerer)
    assert other.digest == versions[1].digest


def test_the_features_are_asked_for_in_the_trace_of_the_reply(
    serving: Serving, versions: tuple[Version, Version]
) -> None:
    answerer = ask(serving.inference())[0]
    assert isinstance(answerer, Answerer)

    def methods() -> set[str]:
        text = (serving.home.root / "features.log").read_text()
        lines = [json.loads(line) for line in text.splitlines() if answerer.request_id in line and line.endswith("}")]
        return {line["method"].rpartition("/")[2] for line in lines if "method" in line}

    wait_until(lambda: {"Extract", "Describe"} <= methods(), timeout_s=10, what="the calls in the log of features")


def test_the_agent_recorded_a_passing_smoke_evaluation_of_each(
    serving: Serving, versions: tuple[Version, Version]
) -> None:
    for version in versions:
        (smoke,) = serving.registry.list_evaluations(version.name)
        assert (smoke.suite, smoke.metrics["passed"], smoke.evaluator) == ("smoke", 1.0, "agent")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": "  "}, "question"),
        ({"text": "x" * 3000}, "question"),
        ({"model": "models/../x"}, "model"),
        ({"model": "tiny"}, "model"),
        ({"alias": "a/b"}, "alias"),
        ({"choices": ("a", "")}, "choices[1]"),
        ({"sampling": Sampling(max_new_tokens=0)}, "sampling.max_new_tokens"),
        ({"sampling": Sampling(temperature=float("nan"))}, "sampling.temperature"),
        ({"sampling": Sampling(top_p=0.0)}, "sampling.top_p"),
        ({"sampling": Sampling(seed=-1)}, "sampling.seed"),
        ({"audio": b"this is text, not sound"}, "audio"),
        ({"audio": CLIP[:44]}, "audio"),
        ({"audio": CLIP[:20]}, "audio"),
    ],
)
def test_bad_input_names_its_field_and_harms_nobody(
    serving: Serving, versions: tuple[Version, Version], changes: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        ask(serving.inference(), question(**changes))
    assert refused.value.field == field
    assert isinstance(ask(serving.inference())[-1], Completion)


def test_who_is_unknown_and_what_is_unknown(serving: Serving, versions: tuple[Version, Version]) -> None:
    with pytest.raises(UnauthenticatedError):
        ask(InferenceClient(Connection(serving.addresses["inference"])))
    for changes in ({"model": "models/nobody"}, {"alias": "nowhere"}):
        with pytest.raises(NotFoundError):
            ask(serving.inference(), question(**changes))


def test_a_question_without_sound_is_answered_too(serving: Serving, versions: tuple[Version, Version]) -> None:
    last = ask(serving.inference(), question(audio=None))[-1]
    assert isinstance(last, Completion)
    assert not last.out_of_domain


def test_an_empty_file_is_not_a_question_without_sound(serving: Serving, versions: tuple[Version, Version]) -> None:
    def in_a_conversation() -> Iterator[LiveInput]:
        yield Turn(question(audio=None))
        yield AudioPiece(b"")
        yield EndOfTurn()

    for asking in (
        lambda: ask(serving.inference(), question(audio=b"")),
        lambda: list(serving.inference().reason_live(in_a_conversation(), timeout_s=60)),
    ):
        with pytest.raises(InvalidArgumentError, match="leave it out") as caught:
            asking()
        assert caught.value.reason == "EMPTY_AUDIO"


def test_a_conversation_of_two_turns_and_an_interruption(serving: Serving, versions: tuple[Version, Version]) -> None:
    running = threading.Event()

    def inputs() -> Iterator[LiveInput]:
        yield Turn(question(audio=None))
        yield from (AudioPiece(CLIP[start : start + 10_000]) for start in range(0, len(CLIP), 10_000))
        yield EndOfTurn()
        yield Turn(question(sampling=Sampling(max_new_tokens=4000, max_think_tokens=3900, temperature=1.0)))
        yield EndOfTurn()
        assert running.wait(30)
        yield Interrupt()

    ends: dict[int, Completion] = {}
    for one in serving.inference().reason_live(inputs(), timeout_s=60):
        if one.turn == 2 and not isinstance(one.event, Answerer):
            running.set()
        if isinstance(one.event, Completion):
            ends[one.turn] = one.event
    assert ends[1].finish_reason in ("stop", "length")
    assert ends[2].finish_reason == "cancelled"


def http(serving: Serving, body: object, *, person: str = "rita", path: str = "/v1/chat/completions") -> str:
    request = urllib.request.Request(
        f"http://{serving.addresses['http']}{path}", data=None if body is None else json.dumps(body).encode()
    )
    request.add_header("authorization", f"Bearer {serving.home.token_file(person).read_text().strip()}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode()


def chat(**changes: object) -> dict[str, object]:
    clip = {"type": "input_audio", "input_audio": {"data": b64encode(CLIP).decode(), "format": "wav"}}
    content = [clip, {"type": "text", "text": "does the pitch rise ?"}]
    return {"model": "tiny", "messages": [{"role": "user", "content": content}], "max_tokens": 40, "seed": 3, **changes}


def test_the_http_door_answers_whole_and_streamed(serving: Serving, versions: tuple[Version, Version]) -> None:
    whole = json.loads(http(serving, chat()))
    assert whole["mgrd"]["digest"] == versions[0].digest
    assert whole["choices"][0]["message"]["reasoning_content"]
    lines = [line for line in http(serving, chat(stream=True, model="tiny@candidate")).split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert chunks[0]["mgrd"]["digest"] == versions[1].digest
    assert any(chunk["choices"][0]["delta"].get("reasoning_content") for chunk in chunks)
    assert chunks[-1]["choices"][0]["finish_reason"] in ("stop", "length")
    assert {one["id"] for one in json.loads(http(serving, None, path="/v1/models"))["data"]} >= {"tiny@production"}


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (chat(frequency_penalty=1.0), 400, "frequency_penalty"),
        (chat(temperature="hot"), 400, "temperature"),
        (chat(messages=[{"role": "system", "content": "x"}]), 400, "messages[0].role"),
        (chat(model="nobody"), 404, None),
        ([1], 400, "body"),
    ],
)
def test_the_http_door_refuses_as_the_other_does(
    serving: Serving, versions: tuple[Version, Version], body: object, status: int, param: str | None
) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        http(serving, body)
    assert refused.value.code == status
    assert json.loads(refused.value.read())["error"]["param"] == param


def test_promotion_and_rollback_under_load_lose_nothing_and_mix_nothing(
    serving: Serving, versions: tuple[Version, Version]
) -> None:
    expected = {
        version.digest: words(ask(serving.inference(), question(alias=alias)))
        for version, alias in zip(versions, ("production", "candidate"), strict=True)
    }
    assert len(set(expected.values())) == 2, "the two versions can be told apart by their words"
    stopping, problems, answered = threading.Event(), [], []

    def client() -> None:
        inference = serving.inference()
        while not stopping.is_set():
            try:
                events = ask(inference)
            except Exception as error:  # noqa: BLE001 - every failure is what the test is about
                problems.append(error)
                continue
            assert isinstance(events[0], Answerer)
            answered.append(events[0].digest)
            if words(events) != expected[events[0].digest]:
                problems.append(AssertionError(f"a reply in the name of {events[0].version} with other words"))

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for version in (versions[1], versions[0], versions[1], versions[0]):
            before = len(answered)
            serving.point(PRODUCTION, version)
            wait_until(lambda: version.digest in answered[before:], timeout_s=60, what="a reply of the new version")  # noqa: B023
            wait_until(lambda: len(answered) > before + 12, timeout_s=60, what="more replies")  # noqa: B023
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert problems == []
    assert set(answered) == {version.digest for version in versions}


def test_a_broken_version_fails_and_the_one_before_keeps_serving(
    serving: Serving, versions: tuple[Version, Version], tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    broken = tiny_checkpoint(tmp_path / "broken", seed=9)
    weights = load_file(broken / "model.safetensors")
    weights[next(iter(weights))][:] = torch.nan
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    version = serving.register(broken)
    serving.point(PRODUCTION, version)

    def state() -> list[str]:
        found = serving.inference().get_deployment(MODEL)
        return [one.state for one in found.deployments if one.version == version.name]

    wait_until(lambda: state() == ["failed"], timeout_s=240, what="deployment.failed")
    first = ask(serving.inference())[0]
    assert isinstance(first, Answerer)
    assert first.digest == versions[0].digest
    serving.registry.rollback(PRODUCTION, reason="it does not load")
    wait_until(lambda: serving.serves(versions[0]), timeout_s=20, what="the version before")


def test_a_killed_stub_is_recovered_and_the_other_version_never_notices(
    serving: Serving, versions: tuple[Version, Version]
) -> None:
    stubs = serving.triton.stubs()
    os.kill(stubs[0], signal.SIGKILL)
    for alias in ("production", "candidate"):
        wait_until(lambda: _answers(serving, alias), timeout_s=240, what=f"{alias} again")  # noqa: B023
    assert len(serving.triton.stubs()) == len(stubs)


def test_a_killed_triton_is_filled_again(serving: Serving, versions: tuple[Version, Version]) -> None:
    serving.triton.kill()
    serving.triton.restart()
    for alias in ("production", "candidate"):
        wait_until(lambda: _answers(serving, alias), timeout_s=240, what=f"{alias} again")  # noqa: B023


def test_gateway_and_agent_killed_without_a_registry_go_on_with_what_they_knew(
    serving: Serving, versions: tuple[Version, Version]
) -> None:
    for name in ("registry", "inference", "agent"):
        serving.stop(name, number=signal.SIGKILL)
    serving.start("inference")
    serving.start("agent")
    wait_until(lambda: _answers(serving, "production"), timeout_s=60, what="a reply without a registry")
    serving.start("registry")
    serving.point(PRODUCTION, versions[1])
    wait_until(lambda: serving.serves(versions[1]), timeout_s=60, what="the promotion after all that")
    first = ask(serving.inference())[0]
    assert isinstance(first, Answerer)
    assert first.digest == versions[1].digest


def _answers(serving: Serving, alias: str) -> bool:
    try:
        events = ask(serving.inference(), question(alias=alias))
    except ValueError:
        return False
    return isinstance(events[-1], Completion)
