"""The walls of the house (DESIGN §1), and the rules that hold for every RPC and every module."""

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from services.kit.auth import ROLES, Policy

ROOT = Path(__file__).parents[2]
TREES = ("mgrd", "model", "services", "pipelines")
SERVICES = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")} - {"kit"}
TORCH = {"torch", "transformers", "deepspeed"}
# Every service whose RPCs exist, by the proto package's last part; each has the module and name of its policy.
POLICIES = {
    "features": "services.features.servicer:POLICY",
    "training": "services.orchestrator.policy:POLICY",
    "registry": "services.registry.policy:POLICY",
    "inference": "services.inference.gateway.servicer:POLICY",
}
READING = re.compile(r"^(Get|List|Watch|Extract|Describe|Verify|Reason)")
# Repeating these is harmless by nature: the same part of the same upload is the same bytes.
NATURALLY_IDEMPOTENT = {"UploadPart", "CompleteUpload"}


@cache
def _modules() -> list[Path]:
    found = [path for tree in TREES for path in (ROOT / tree).rglob("*.py")]
    return [path for path in found if "_pb2" not in path.name]


def _none(wrong: list[str]) -> None:
    assert not wrong, "\n" + "\n".join(wrong)


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _imports(path: Path, *, lazy: bool) -> Iterator[tuple[str, int]]:
    """Every module imported in the file, with its line: those within functions, or those without.

    `if TYPE_CHECKING` blocks are no arrows.
    """
    tree = _tree(path)
    unseen = {id(node) for block in ast.walk(tree) if _is_type_checking(block) for node in ast.walk(block)}
    inner = {id(node) for block in ast.walk(tree) if isinstance(block, ast.FunctionDef) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in unseen or (id(node) in inner) is not lazy:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _forbidden(importer: str, imported: str, *, lazy: bool = False) -> str:
    """Why `importer` may not import `imported`; empty where it may. Optional extras may be imported lazily."""
    top, target = importer.split(".", 1)[0], imported.split(".")
    service = importer.split(".")[1] if top == "services" and importer.count(".") else ""
    if top in ("mgrd", "model") and target[0] in {"mgrd", "model", "services", "pipelines"} - {top}:
        return f"{top} knows nothing of {target[0]}"
    if top == "services" and imported.startswith(tuple(f"services.{name}." for name in SERVICES - {service})):
        return "no service imports another"
    if top == "services" and target[0] == "pipelines" and service != "orchestrator":
        return "the orchestrator alone knows the pipelines it runs"
    if top == "pipelines" and target[0] == "services":
        return "nothing imports services but its own process"
    if top == "mgrd" and not lazy and target[0] in TORCH | {"sqlalchemy", "kafka", "numpy"}:
        return "what users install is light"
    if importer.startswith("model.acoustics") and target[0] in TORCH:
        return "sound is numpy and scipy"
    if re.fullmatch(r"services\.\w+\.domain", importer) and target[0] in {"sqlalchemy", "grpc", "kafka", "pydantic"}:
        return "a domain is states and rules, standard library only"
    return ""


def test_every_import_follows_the_arrows() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {imported}: {reason}"
        for path in _modules()
        for lazy in (False, True)
        for imported, line in _imports(path, lazy=lazy)
        if (reason := _forbidden(_name(path), imported, lazy=lazy))
    ]
    _none(wrong)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("model.network.config", "mgrd.store"),
        ("mgrd.cli.main", "model.acoustics"),
        ("mgrd.cli.main", "torch.nn"),
        ("services.registry.usecases", "services.features.usecases"),
        ("pipelines.components", "services.kit.errors"),
        ("services.registry.usecases", "pipelines.plan"),
        ("services.registry.domain", "sqlalchemy.orm"),
        ("model.acoustics.frontend", "torch"),
    ],
)
def test_the_rule_sees_a_forbidden_arrow(importer: str, imported: str) -> None:
    assert _forbidden(importer, imported)


def test_every_module_says_what_it_is() -> None:
    silent = [str(path.relative_to(ROOT)) for path in _modules() if not ast.get_docstring(_tree(path))]
    _none(silent)


def test_no_module_is_longer_than_400_lines_and_no_function_longer_than_60() -> None:
    wrong = []
    for path in _modules():
        if len(path.read_text().splitlines()) > 400:
            wrong.append(f"{path.relative_to(ROOT)} is too long")
        wrong += [
            f"{path.relative_to(ROOT)}:{node.lineno} {node.name} is too long"
            for node in ast.walk(_tree(path))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and _body_lines(node) > 60
            and "migrations" not in path.parts  # a list of columns is data
        ]
    _none(wrong)


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of what it does itself: without signature, docstring, and the functions within it."""
    done = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
    nested = [node for node in done if isinstance(node, ast.FunctionDef)]
    return _lines(done) - sum(_lines([node]) for node in nested)


def _lines(nodes: list[ast.stmt]) -> int:
    return (nodes[-1].end_lineno or 0) - nodes[0].lineno + 1


def test_every_function_says_what_it_returns() -> None:
    untyped = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in _modules()
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is None
    ]
    _none(untyped)


def test_nothing_is_left_undone_or_swallowed() -> None:
    wrong = []
    for path in _modules():
        text = path.read_text()
        wrong += [f"{path.relative_to(ROOT)}: {word}" for word in ("TODO", "FIXME", "XXX") if word in text]
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} except: pass")
            if isinstance(node, ast.Name) and node.id == "NotImplementedError":
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} NotImplementedError")
    _none(wrong)


def _methods(area: str) -> Iterator[tuple[str, str, object]]:
    """Full method name, method name and request descriptor of each RPC of an area."""
    file = importlib.import_module(f"mgrd.{area}.v1.{area}_pb2").DESCRIPTOR
    for service in file.services_by_name.values():
        for method in service.methods:
            yield f"/{service.full_name}/{method.name}", method.name, method.input_type


def _policy(area: str) -> Policy:
    module, _, name = POLICIES[area].partition(":")
    return getattr(importlib.import_module(module), name)


def test_every_proto_package_with_rpcs_has_a_policy() -> None:
    with_rpcs = {
        path.parent.parent.name for path in (ROOT / "protos").rglob("*.proto") if "\n  rpc " in path.read_text()
    }
    assert with_rpcs == set(POLICIES)


@pytest.mark.parametrize("area", POLICIES)
def test_every_rpc_has_a_policy_entry_of_known_roles_and_no_entry_is_idle(area: str) -> None:
    policy = _policy(area)
    assert set(policy) == {full_name for full_name, _, _ in _methods(area)}
    for method, roles in policy.items():
        assert roles, method
        assert roles <= ROLES, method


@pytest.mark.parametrize("area", POLICIES)
def test_every_rpc_that_changes_state_has_a_request_id(area: str) -> None:
    lacking = [
        method
        for _, method, request in _methods(area)
        if not READING.match(method)
        and method not in NATURALLY_IDEMPOTENT
        and "request_id" not in request.fields_by_name
    ]
    assert lacking == []


def test_importing_a_service_reads_and_writes_nothing() -> None:
    """No module body opens files, connects or starts threads: calls at import time are few and known."""
    risky = {"open", "connect", "create_engine", "Popen", "run", "start", "urlopen", "insecure_channel"}
    wrong = []
    for path in _modules():
        for node in _tree(path).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If | ast.AsyncFunctionDef):
                continue
            wrong += [
                f"{path.relative_to(ROOT)}:{call.lineno} calls {_called(call)} at import"
                for call in ast.walk(node)
                if isinstance(call, ast.Call) and _called(call) in risky
            ]
    _none(wrong)


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
