"""The registry over gRPC, on both databases: what its callers may rely on."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mgrd.clients.errors import (
    AbortedError,
    AlreadyExistsError,
    CallError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from mgrd.clients.registry import RegistryClient
from mgrd.clients.registry_values import Comparison, Evaluation, Gate, Lineage, Requirement, VersionState
from mgrd.events.v1.events_pb2 import AliasMoved, EvaluationRecorded, VersionRegistered
from mgrd.manifest import ManifestFile
from mgrd.registry.v1 import registry_pb2 as pb
from mgrd.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.unit.registry.harness import CANDIDATE, GOOD, MODEL, PRODUCTION, Platform, weights


def reason_of(error: type[CallError], act, *arguments, **options) -> str:
    with pytest.raises(error) as caught:
        act(*arguments, **options)
    return caught.value.reason


# Models


def test_a_new_model_has_the_default_aliases_with_their_gates(platform: Platform) -> None:
    aliases = {alias.name: alias for alias in platform.by("rita").get_model(MODEL).aliases}
    assert set(aliases) == {CANDIDATE, PRODUCTION}
    assert aliases[CANDIDATE].gate == Gate()
    assert aliases[PRODUCTION].gate.approvals == 1
    assert aliases[PRODUCTION].gate.smoke_required
    assert aliases[PRODUCTION].version == ""


def test_models_are_listed_page_by_page(platform: Platform) -> None:
    ids = ["alpha", "beta", "omega"]
    for each in ids:
        platform.by("ana").create_model(each)
    found = [model.name for model in platform.by("rita").list_models(page_size=1)]
    assert found == ["models/alpha", "models/beta", "models/nano", "models/omega"]


def test_a_taken_id_is_already_exists(platform: Platform) -> None:
    assert reason_of(AlreadyExistsError, platform.by("cem").create_model, "nano") == "MODEL_EXISTS"


# Versions


def test_numbers_count_up_and_the_same_content_is_the_same_version(platform: Platform) -> None:
    first, second = platform.version(1), platform.version(2)
    assert (first.name, second.name) == (f"{MODEL}/versions/1", f"{MODEL}/versions/2")
    again = platform.by("ana").create_version(MODEL, manifest=platform.manifest(1), lineage=Lineage(run="runs/b"))
    assert again.name == first.name
    assert again.author == "trainer"
    assert [each.run for each in again.lineage] == ["runs/b"]
    assert platform.version(3).name == f"{MODEL}/versions/3"


def test_lineage_is_many_to_one_and_never_doubled(platform: Platform) -> None:
    for run in ["runs/a", "runs/b", "runs/a"]:
        version = platform.by("trainer").create_version(
            MODEL, manifest=platform.manifest(), lineage=Lineage(run=run, step="reinforce", data_digest="d")
        )
    assert [each.run for each in version.lineage] == ["runs/a", "runs/b"]
    registered = [event for event in platform.events() if isinstance(event, VersionRegistered)]
    assert [(event.version, event.digest, event.run, event.author) for event in registered] == [
        (version.name, version.digest, "runs/a", "trainer")
    ]


def test_a_lineage_longer_than_any_is_refused_with_its_field(platform: Platform) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        platform.by("trainer").create_version(
            MODEL, manifest=platform.manifest(), lineage=Lineage(code_commit="x" * 10_001)
        )
    assert caught.value.field == "lineage.code_commit"


def test_a_version_shows_its_manifest_and_digest(platform: Platform) -> None:
    version = platform.version(7)
    assert platform.by("rita").get_version(version.name) == version
    assert version.manifest == platform.manifest(7)
    assert version.digest == platform.manifest(7).digest


def test_versions_are_listed_newest_first_by_state(platform: Platform) -> None:
    versions = [platform.version(seed) for seed in range(4)]
    ana = platform.by("ana")
    ana.archive_version(versions[1].name)
    ana.archive_version(versions[2].name)
    ana.delete_version(versions[2].name)
    numbers = [each.name.rpartition("/")[2] for each in ana.list_versions(MODEL, page_size=2)]
    assert numbers == ["4", "2", "1"]
    assert [each.state for each in ana.list_versions(MODEL, state=VersionState.DELETED)] == [VersionState.DELETED]


def test_a_deleted_content_registered_again_is_a_new_version(platform: Platform) -> None:
    first = platform.version(1)
    platform.by("ana").archive_version(first.name)
    assert platform.version(1).state is VersionState.ARCHIVED
    platform.by("ana").delete_version(first.name)
    assert platform.version(1).name == f"{MODEL}/versions/2"


def test_a_version_needs_its_files_in_the_store(platform: Platform) -> None:
    missing = platform.manifest(files=(*platform.manifest().files, ManifestFile("more.json", 3, "0" * 64)))
    create = platform.by("trainer").create_version
    assert reason_of(FailedPreconditionError, create, MODEL, manifest=missing) == "ARTIFACTS_MISSING"
    assert list(platform.by("rita").list_versions(MODEL)) == []


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("weights.bin", b"x", "FILE_KIND"),
        ("tokenizer.model", b"\x80\x04K\x01.", "PICKLE_REFUSED"),
        ("more.safetensors", b"\xff" * 16, "SAFETENSORS_HEADER"),
        ("more.json", b"{'a': 1}", "JSON_INVALID"),
    ],
)
def test_a_bad_file_is_refused_with_its_field(platform: Platform, path: str, content: bytes, reason: str) -> None:
    bad = ManifestFile(path, len(content), platform.store.put_bytes(content))
    manifest = platform.manifest(files=(*platform.manifest().files, bad))
    with pytest.raises(InvalidArgumentError, match=path) as caught:
        platform.by("trainer").create_version(MODEL, manifest=manifest)
    assert (caught.value.reason, caught.value.field) == (reason, "manifest.files")


def test_a_wrong_size_is_refused(platform: Platform) -> None:
    config, model = platform.manifest().files
    manifest = platform.manifest(files=(ManifestFile(config.path, config.size_bytes + 1, config.sha256), model))
    create = platform.by("trainer").create_version
    assert reason_of(InvalidArgumentError, create, MODEL, manifest=manifest) == "SIZE_MISMATCH"


HOSTILE_PATHS = ["../config.json", "/etc/passwd.json", "a//b.json", "a\\b.json", "%2e%2e/c.json", "a\n.json"]


def test_paths_that_leave_the_folder_are_refused(platform: Platform) -> None:
    connection = platform.connection("trainer")
    create = RegistryServiceStub(connection.channel).CreateVersion
    for path in HOSTILE_PATHS:
        file = pb.ManifestFile(path=path, size_bytes=1, sha256="0" * 64)
        request = pb.CreateVersionRequest(
            parent=MODEL, manifest=pb.Manifest(format_version=1, files=[file]), request_id=str(uuid.uuid4())
        )
        assert reason_of(InvalidArgumentError, connection.unary, create, request) == "BAD_PATH"


HOSTILE_NAMES = [
    "",
    "nano",
    "models/",
    "models/../x",
    "models/%2e%2e",
    "models/Nano",
    "models/a\u202eb",
    "models/" + "x" * 10_000,
    "models/a'; DROP TABLE models;--",
    "models/nano/versions/1",
    "models/a\nb",
    "models/-",
]


def test_hostile_names_are_invalid(platform: Platform) -> None:
    for name in HOSTILE_NAMES:
        with pytest.raises(InvalidArgumentError) as caught:
            platform.by("rita").get_model(name)
        assert caught.value.field == "name"


def test_version_numbers_are_numbers(platform: Platform) -> None:
    for number in ["0", "01", "-1", "1x", "9" * 12]:
        with pytest.raises(InvalidArgumentError):
            platform.by("rita").get_version(f"{MODEL}/versions/{number}")


def test_what_is_not_there_and_what_may_not_be_seen_sound_the_same(platform: Platform) -> None:
    for act, name in [
        (platform.by("rita").get_model, "models/other"),
        (platform.by("rita").get_version, f"{MODEL}/versions/9"),
        (platform.by("rita").get_alias, f"{MODEL}/aliases/other"),
    ]:
        with pytest.raises(NotFoundError, match="or you may not see it"):
            act(name)


def test_archiving_and_deleting_follow_the_rules(platform: Platform) -> None:
    version, ana = platform.version(), platform.by("ana")
    ana.promote(CANDIDATE, version=version.name)
    assert reason_of(FailedPreconditionError, ana.archive_version, version.name) == "VERSION_IN_USE"
    assert reason_of(FailedPreconditionError, ana.delete_version, version.name) == "ILLEGAL_TRANSITION"
    ana.promote(CANDIDATE, version=platform.version(2).name)
    assert ana.archive_version(version.name).state is VersionState.ARCHIVED
    with pytest.raises(FailedPreconditionError) as caught:
        ana.promote(CANDIDATE, version=version.name)
    assert [each.kind for each in caught.value.violations] == ["VERSION_STATE"]


# Evaluations and approvals


def test_the_evaluator_is_the_caller(platform: Platform) -> None:
    version = platform.version()
    lied = Evaluation(suite="heldout", metrics=GOOD, evaluator="somebody", data_digest="d")
    recorded = platform.by("ana").create_evaluation(version.name, evaluation=lied)
    assert recorded.evaluator == "ana"
    platform.evaluate(version)
    assert [each.evaluator for each in platform.by("rita").list_evaluations(version.name)] == ["trainer", "ana"]
    events = [event for event in platform.events() if isinstance(event, EvaluationRecorded)]
    assert [dict(event.metrics) for event in events] == [GOOD, GOOD]


def test_only_the_serving_agent_gives_a_proof(platform: Platform) -> None:
    version = platform.version()
    act = platform.by("trainer").create_evaluation
    smoke = Evaluation(suite="smoke", metrics={"passed": 1.0})
    assert reason_of(PermissionDeniedError, act, version.name, evaluation=smoke) == "SMOKE_NOT_BY_AGENT"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_metrics_must_be_finite(platform: Platform, value: float) -> None:
    evaluation = Evaluation(suite="heldout", metrics={"accuracy": value})
    act = platform.by("trainer").create_evaluation
    assert reason_of(InvalidArgumentError, act, platform.version().name, evaluation=evaluation) == "NOT_FINITE"


def test_nobody_approves_what_their_run_has_made(platform: Platform) -> None:
    steps = platform.by("trainer")
    version = steps.create_version(MODEL, manifest=platform.manifest(7), lineage=Lineage(run="runs/of-cem"))
    approve = platform.by("cem").create_approval
    assert reason_of(PermissionDeniedError, approve, version.name, alias=PRODUCTION) == "SELF_APPROVAL"
    platform.by("ben").create_approval(version.name, alias=PRODUCTION)


def test_an_approval_is_void_once_a_run_of_the_approver_makes_the_same(platform: Platform) -> None:
    version = platform.version(8)
    platform.by("cem").create_approval(version.name, alias=PRODUCTION)
    steps = platform.by("trainer")
    steps.create_version(MODEL, manifest=platform.manifest(8), lineage=Lineage(run="runs/of-cem"))
    platform.evaluate(version)
    platform.prove(version)
    assert violations(platform, version.name) == ["APPROVALS"]


def test_nobody_approves_what_they_registered(platform: Platform) -> None:
    version = platform.version(1, author="cem")
    approve = platform.by("cem").create_approval
    assert reason_of(PermissionDeniedError, approve, version.name, alias=PRODUCTION) == "SELF_APPROVAL"


def test_an_approver_who_registers_the_same_content_later_does_not_count(platform: Platform) -> None:
    version = platform.ready(1, approver="cem")
    platform.by("cem").create_version(MODEL, manifest=platform.manifest(1))
    assert violations(platform, version.name) == ["APPROVALS"]


def test_approvals_are_people_s(platform: Platform) -> None:
    version = platform.version()
    approve = platform.by("trainer").create_approval
    assert reason_of(PermissionDeniedError, approve, version.name, alias=PRODUCTION) == "ROLE_MISSING"


def test_an_approval_of_another_model_s_alias_is_refused(platform: Platform) -> None:
    platform.by("ana").create_model("other")
    with pytest.raises(InvalidArgumentError) as caught:
        platform.by("ben").create_approval(platform.version().name, alias="models/other/aliases/production")
    assert caught.value.field == "alias"


# Promotions


def violations(platform: Platform, version: str) -> list[str]:
    with pytest.raises(FailedPreconditionError) as caught:
        platform.by("olga").promote(PRODUCTION, version=version, validate_only=True)
    assert caught.value.reason == "GATE_NOT_MET"
    return [each.kind for each in caught.value.violations]


def test_a_dry_run_lists_every_violation_and_changes_nothing(platform: Platform) -> None:
    version = platform.version()
    assert violations(platform, version.name) == ["EVALUATION_MISSING", "EVALUATION_MISSING", "SMOKE", "APPROVALS"]
    platform.evaluate(version)
    platform.prove(version)
    assert violations(platform, version.name) == ["APPROVALS"]
    platform.by("ben").create_approval(version.name, alias=PRODUCTION)
    promised = platform.by("olga").promote(PRODUCTION, version=version.name, validate_only=True)
    assert promised.alias.version == version.name
    assert platform.by("rita").get_alias(PRODUCTION).version == ""
    assert list(platform.by("rita").list_promotions(PRODUCTION)) == []


def test_a_promotion_moves_the_alias_and_leaves_a_trace(platform: Platform) -> None:
    version = platform.ready(1)
    before = platform.by("rita").get_alias(PRODUCTION)
    moved = platform.by("olga").promote(PRODUCTION, version=version.name, reason="better", etag=before.etag)
    assert (moved.alias.version, moved.alias.digest) == (version.name, version.digest)
    assert moved.alias.etag != before.etag
    assert platform.by("rita").get_alias(PRODUCTION) == moved.alias
    promotion = moved.promotion
    assert (promotion.actor, promotion.reason, promotion.approvers) == ("olga", "better", ("ben",))
    assert not promotion.rollback
    assert platform.by("rita").get_version(version.name).aliases == (PRODUCTION,)
    last = platform.events()[-1]
    assert isinstance(last, AliasMoved)
    assert (last.alias, last.version, last.actor) == (PRODUCTION, version.name, "olga")
    record = next(iter(platform.by("rita").list_audit_records(PRODUCTION)))
    assert (record.action, record.actor) == ("alias.moved", "olga")
    assert record.details["approvers"] == "ben"


def test_promoting_what_is_there_changes_nothing(platform: Platform) -> None:
    version, trainer = platform.version(), platform.by("trainer")
    first = trainer.promote(CANDIDATE, version=version.name)
    again = trainer.promote(CANDIDATE, version=version.name)
    assert again == first
    assert len(list(trainer.list_promotions(CANDIDATE))) == 1


def test_a_stale_etag_is_aborted(platform: Platform) -> None:
    etag = platform.by("rita").get_alias(CANDIDATE).etag
    ana = platform.by("ana")
    ana.promote(CANDIDATE, version=platform.version(1).name, etag=etag)
    act = ana.promote
    assert reason_of(AbortedError, act, CANDIDATE, version=platform.version(2).name, etag=etag) == "ETAG_MISMATCH"


def test_a_service_does_not_move_a_protected_alias(platform: Platform) -> None:
    version, act = platform.ready(1), platform.by("trainer").promote
    assert reason_of(PermissionDeniedError, act, PRODUCTION, version=version.name) == "PROTECTED_ALIAS"
    assert (
        reason_of(PermissionDeniedError, act, PRODUCTION, version=version.name, validate_only=True) == "PROTECTED_ALIAS"
    )


def test_a_service_is_told_what_a_version_lacks_before_that_only_people_move_the_alias(platform: Platform) -> None:
    version, act = platform.version(1), platform.by("trainer").promote
    assert reason_of(FailedPreconditionError, act, PRODUCTION, version=version.name) == "GATE_NOT_MET"


def test_a_worse_version_is_held_back_and_a_slightly_worse_one_is_not(platform: Platform) -> None:
    first = platform.ready(1)
    platform.by("olga").promote(PRODUCTION, version=first.name)
    second = platform.ready(2)
    platform.evaluate(second, GOOD | {"accuracy": 0.77})
    assert violations(platform, second.name) == ["THRESHOLD"]
    platform.evaluate(second, GOOD | {"accuracy": 0.79})
    platform.by("olga").promote(PRODUCTION, version=second.name)


def test_rollback_leads_back_step_by_step(platform: Platform) -> None:
    versions = [platform.ready(seed) for seed in (1, 2, 3)]
    olga = platform.by("olga")
    for version in versions:
        olga.promote(PRODUCTION, version=version.name)
    back = olga.rollback(PRODUCTION, reason="alarms")
    assert back.alias.version == versions[1].name
    assert back.promotion.rollback
    assert olga.rollback(PRODUCTION).alias.version == versions[0].name
    assert reason_of(FailedPreconditionError, olga.rollback, PRODUCTION) == "NOTHING_TO_ROLL_BACK_TO"
    history = [(each.version[-1], each.rollback) for each in olga.list_promotions(PRODUCTION, page_size=2)]
    assert history == [("1", True), ("2", True), ("3", False), ("2", False), ("1", False)]
    assert [event.rollback for event in platform.events() if isinstance(event, AliasMoved)][-2:] == [True, True]


def test_a_rollback_makes_the_approvals_of_the_version_it_leaves_void(platform: Platform) -> None:
    versions = [platform.ready(seed) for seed in (1, 2)]
    olga = platform.by("olga")
    for version in versions:
        olga.promote(PRODUCTION, version=version.name)
    olga.rollback(PRODUCTION)
    assert violations(platform, versions[1].name) == ["APPROVALS"]


def test_rollback_is_for_release_owners(platform: Platform) -> None:
    assert reason_of(PermissionDeniedError, platform.by("ana").rollback, PRODUCTION) == "ROLE_MISSING"


def test_a_changed_gate_makes_approvals_void_and_the_etag_stale(platform: Platform) -> None:
    version, olga = platform.ready(1), platform.by("olga")
    before = olga.get_alias(PRODUCTION)
    requirement = Requirement("heldout", "accuracy", Comparison.AT_LEAST, 0.5, evaluators=("trainer",))
    gate = Gate(requirements=(requirement,), approvals=1)
    after = olga.set_gate(PRODUCTION, gate=gate)
    assert after.gate == gate
    assert after.etag != before.etag
    assert violations(platform, version.name) == ["APPROVALS"]
    platform.by("ben").create_approval(version.name, alias=PRODUCTION)
    assert olga.set_gate(PRODUCTION, gate=gate).etag == after.etag
    olga.promote(PRODUCTION, version=version.name)


def test_an_alias_of_one_s_own(platform: Platform) -> None:
    canary = f"{MODEL}/aliases/canary"
    assert reason_of(PermissionDeniedError, platform.by("ana").set_gate, canary, gate=Gate()) == "ROLE_MISSING"
    platform.by("olga").set_gate(canary, gate=Gate())
    version = platform.version()
    platform.by("ana").promote(canary, version=version.name)
    everywhere = [alias.name for alias in platform.by("triton").list_aliases("models/-", page_size=2)]
    assert everywhere == [canary, CANDIDATE, PRODUCTION]


@pytest.mark.parametrize("gate", [Gate(approvals=-1), Gate(approvals=21)])
def test_a_gate_that_cannot_be_meant_is_refused(platform: Platform, gate: Gate) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        platform.by("olga").set_gate(PRODUCTION, gate=gate)
    assert caught.value.field == "gate.approvals"


def test_an_unspecified_comparison_is_refused(platform: Platform) -> None:
    gate = pb.Gate(requirements=[pb.Requirement(suite="heldout", metric="accuracy")])
    request = pb.SetGateRequest(alias=PRODUCTION, gate=gate, request_id=str(uuid.uuid4()))
    connection = platform.connection("olga")
    with pytest.raises(InvalidArgumentError) as caught:
        connection.unary(RegistryServiceStub(connection.channel).SetGate, request)
    assert caught.value.field == "gate.requirements[0].comparison"


def test_the_past_can_be_asked_for(platform: Platform) -> None:
    ana = platform.by("ana")
    before = datetime.now(UTC)
    first = ana.promote(CANDIDATE, version=platform.version(1).name).alias
    second = ana.promote(CANDIDATE, version=platform.version(2).name).alias
    assert ana.get_alias(CANDIDATE, read_time=before).version == ""
    assert ana.get_alias(CANDIDATE, read_time=first.update_time) == first
    assert ana.get_alias(CANDIDATE, read_time=datetime.now(UTC) + timedelta(days=1)) == second
    with pytest.raises(NotFoundError):
        ana.get_alias(CANDIDATE, read_time=before - timedelta(days=1))


# Requests


def test_a_repeated_request_has_one_effect(platform: Platform) -> None:
    version, trainer = platform.version(), platform.by("trainer")
    request_id = str(uuid.uuid4())
    evaluation = Evaluation(suite="heldout", metrics=GOOD)
    first = trainer.create_evaluation(version.name, evaluation=evaluation, request_id=request_id)
    assert trainer.create_evaluation(version.name, evaluation=evaluation, request_id=request_id) == first
    assert len(list(trainer.list_evaluations(version.name))) == 1
    other = Evaluation(suite="other", metrics=GOOD)
    act = trainer.create_evaluation
    assert reason_of(InvalidArgumentError, act, version.name, evaluation=other, request_id=request_id) == (
        "REQUEST_ID_REUSED"
    )


def test_a_request_id_must_be_a_uuid(platform: Platform) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        platform.by("ana").create_model("other", request_id="yesterday")
    assert caught.value.field == "request_id"


def test_a_page_token_of_another_list_is_refused(platform: Platform) -> None:
    for seed in range(2):
        platform.version(seed)
    connection = platform.connection("rita")
    stub = RegistryServiceStub(connection.channel)
    page = connection.unary(stub.ListVersions, pb.ListVersionsRequest(parent=MODEL, page_size=1))
    for token in (page.next_page_token, "x", page.next_page_token[:-4]):
        with pytest.raises(InvalidArgumentError) as caught:
            connection.unary(stub.ListModels, pb.ListModelsRequest(page_token=token))
        assert caught.value.field == "page_token"


def test_without_a_token_nothing_is_answered(platform: Platform) -> None:
    connection = platform.connection("mallory")
    with pytest.raises(UnauthenticatedError):
        RegistryClient(connection).get_model(MODEL)


def test_the_audit_log_answers_by_resource_and_below(platform: Platform) -> None:
    version = platform.version()
    platform.by("ana").create_model("nano-2")
    rita = platform.by("rita")
    assert [each.action for each in rita.list_audit_records(MODEL, page_size=1)] == [
        "version.registered",
        "model.created",
    ]
    assert [each.resource for each in rita.list_audit_records(version.name)] == [version.name]
    assert len(list(rita.list_audit_records())) == 3


# Uploads


def test_an_artifact_arrives_in_parts_and_becomes_a_version(platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(weights(99))
    sha256 = platform.by("ana").upload(path)
    assert platform.store.read_bytes(sha256) == weights(99)
    config = platform.manifest().files[0]
    manifest = platform.manifest(files=(config, ManifestFile("model.safetensors", len(weights(99)), sha256)))
    assert platform.by("ana").create_version(MODEL, manifest=manifest).author == "ana"
