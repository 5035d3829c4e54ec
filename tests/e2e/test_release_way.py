"""From a checkpoint to an answer: registered, proved, gated, approved, promoted, asked, rolled back."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mgrd.cli.replies import Reply, collect
from mgrd.clients import Clients, FailedPreconditionError, PermissionDeniedError, connect
from mgrd.clients.inference import Question, Sampling
from mgrd.clients.registry_values import Evaluation, Version
from mgrd.home import Home
from mgrd.store import open_store, store_folder
from model.acoustics.frontend import FRONT_END_VERSION
from tests.support.sounds import tone
from tests.support.tritons import tiny_checkpoint

MODEL = "models/release"
PRODUCTION, CANDIDATE = f"{MODEL}/aliases/production", f"{MODEL}/aliases/candidate"
QUESTION = Question(MODEL, "is it low or high ?", audio=tone(), sampling=Sampling(max_new_tokens=12, temperature=0.0))
LOADED_WITHIN_S = 60.0


def until(condition: Callable[[], bool], *, timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come true"
        time.sleep(0.02)


def register(home: Home, people: dict[str, Clients], folder: Path, *, seed: int, accuracy: float) -> Version:
    """A version as the pipeline registers it: files, lineage, evaluation, candidate."""
    manifest = store_folder(
        open_store(home.store_url),
        tiny_checkpoint(folder / f"checkpoint-{seed}", seed=seed),
        front_end_version=FRONT_END_VERSION,
        architecture="mgrd_audio_lm",
    )
    registry = people["steps"].registry
    version = registry.create_version(MODEL, manifest=manifest)
    metrics = {"accuracy": accuracy, "claims_supported": 0.9}
    registry.create_evaluation(version.name, evaluation=Evaluation("heldout", metrics))
    registry.promote(CANDIDATE, version=version.name)
    return version


def await_serving(people: dict[str, Clients], version: Version, *, alias: str, timeout_s: float) -> None:
    def serving() -> bool:
        found = people["ana"].inference.get_deployment(MODEL, alias=alias)
        return found.serving and found.desired_version == version.name

    until(serving, timeout_s=timeout_s)


def release(people: dict[str, Clients], version: Version) -> None:
    people["ben"].registry.create_approval(version.name, alias=PRODUCTION)
    people["ana"].registry.promote(PRODUCTION, version=version.name, reason="e2e")


def ask(people: dict[str, Clients]) -> Reply:
    return collect(people["ana"].inference.reason(QUESTION))


@pytest.fixture(scope="module")
def versions(home: Home, tmp_path_factory: pytest.TempPathFactory) -> list[Version]:
    """Two versions, registered one after the other; the second is the candidate."""
    folder = tmp_path_factory.mktemp("checkpoints")
    people = {name: connect(home=home, person=name) for name in ("ana", "steps")}
    people["ana"].registry.create_model("release")
    first = register(home, people, folder, seed=1, accuracy=0.5)
    await_serving(people, first, alias="candidate", timeout_s=LOADED_WITHIN_S)
    return [first, register(home, people, folder, seed=2, accuracy=0.6)]


def test_the_gate_lists_everything_and_holds(people: dict[str, Clients], versions: list[Version]) -> None:
    with pytest.raises(FailedPreconditionError) as refused:
        people["ana"].registry.promote(PRODUCTION, version=versions[0].name, validate_only=True)
    assert "approval" in " ".join(one.description for one in refused.value.violations)
    with pytest.raises(PermissionDeniedError):
        people["ana"].registry.create_approval(versions[0].name, alias=PRODUCTION)
    assert people["ana"].registry.get_alias(PRODUCTION).version == ""


def test_a_promoted_version_answers_with_evidence(people: dict[str, Clients], versions: list[Version]) -> None:
    release(people, versions[0])
    await_serving(people, versions[0], alias="production", timeout_s=10.0)
    reply = ask(people)
    assert reply.answerer is not None
    assert (reply.answerer.version, reply.answerer.digest) == (versions[0].name, versions[0].digest)
    assert reply.completion is not None
    assert reply.completion.time_to_first_token_ms > 0


def test_under_load_promotion_and_rollback_lose_and_mix_nothing(
    home: Home, people: dict[str, Clients], versions: list[Version]
) -> None:
    await_serving(people, versions[1], alias="candidate", timeout_s=LOADED_WITHIN_S)
    stopping, replies, failures = threading.Event(), [], []

    def client() -> None:
        with connect(home=home, person="rita") as rita:
            while not stopping.is_set():
                try:
                    replies.append(collect(rita.inference.reason(QUESTION)))
                except Exception as error:  # noqa: BLE001  every kind of failure is the finding
                    failures.append(error)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(replies) >= 4, timeout_s=60.0)
    release(people, versions[1])
    until(lambda: _last_answerer(replies) == versions[1].name, timeout_s=20.0)
    people["olga"].registry.rollback(PRODUCTION, reason="e2e")
    until(lambda: _last_answerer(replies) == versions[0].name, timeout_s=20.0)
    stopping.set()
    for thread in threads:
        thread.join()
    assert failures == []
    texts = {(one.answerer.version, one.reasoning + one.answer) for one in replies}
    assert {version for version, _ in texts} == {one.name for one in versions}
    assert len(texts) == 2, "greedy replies of one version differ: versions were mixed"


def test_history_says_who_what_and_when(people: dict[str, Clients], versions: list[Version]) -> None:
    moves = list(people["ana"].registry.list_promotions(PRODUCTION))
    assert [(one.version, one.actor, one.rollback) for one in moves] == [
        (versions[0].name, "olga", True),
        (versions[1].name, "ana", False),
        (versions[0].name, "ana", False),
    ]
    assert moves[1].approvers == ("ben",)


def _last_answerer(replies: list[Reply]) -> str:
    return replies[-1].answerer.version
