"""Who may call what. Rules about single resources (approver is not author, protected alias) are the use cases'."""

from services.kit.auth import ANYONE, Policy

SERVICE = "mgrd.registry.v1.RegistryService"

_MAKERS = frozenset({"author", "step", "operator"})
_MOVERS = frozenset({"author", "approver", "operator", "step"})
_RELEASE_OWNERS = frozenset({"approver", "operator"})
_KEEPERS = frozenset({"author", "operator"})
_OPERATORS = frozenset({"operator"})

_BY_RPC = {
    "CreateModel": _MAKERS,
    "GetModel": ANYONE,
    "ListModels": ANYONE,
    "CreateUpload": _MAKERS,
    "UploadPart": _MAKERS,
    "CompleteUpload": _MAKERS,
    "GetUpload": _MAKERS,
    "CreateVersion": _MAKERS,
    "GetVersion": ANYONE,
    "ListVersions": ANYONE,
    "ArchiveVersion": _KEEPERS,
    "DeleteVersion": _KEEPERS,
    "CreateEvaluation": _MAKERS | {"agent"},
    "ListEvaluations": ANYONE,
    "CreateApproval": frozenset({"approver"}),
    "SetGate": _OPERATORS,
    "Promote": _MOVERS,
    "Rollback": _RELEASE_OWNERS,
    "GetAlias": ANYONE,
    "ListAliases": ANYONE,
    "ListPromotions": ANYONE,
    "ListAuditRecords": frozenset({"reader", "author", "approver", "operator"}),
    "CollectGarbage": _OPERATORS,
}

POLICY: Policy = {f"/{SERVICE}/{rpc}": roles for rpc, roles in _BY_RPC.items()}
