"""Which role may call what."""

from services.kit.auth import Policy

_SERVICE = "/mgrd.training.v1.TrainingService/"
_READERS = frozenset({"reader", "author", "approver", "operator", "step"})
_STARTERS = frozenset({"author", "operator"})

POLICY: Policy = {
    _SERVICE + "CreateRun": _STARTERS,
    _SERVICE + "GetRun": _READERS,
    _SERVICE + "ListRuns": _READERS,
    _SERVICE + "CancelRun": _STARTERS,
    _SERVICE + "ResumeRun": _STARTERS,
    _SERVICE + "ReportStep": frozenset({"step"}),
    _SERVICE + "WatchRun": _READERS,
}
