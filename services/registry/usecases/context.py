"""What a use case works with: one transaction, the content store, the time, and the records.

Promises that whatever is not there is NOT_FOUND with one text for "does not exist" and "is not yours", so that a
caller cannot find out which.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mgrd.store.port import ContentStore
from services.kit.auth import Caller
from services.kit.database import UnitOfWork
from services.kit.errors import NotFound
from services.registry.adapters.alias_records import AliasRecords
from services.registry.adapters.artifact_records import GarbageRecords, UploadRecords
from services.registry.adapters.evaluation_records import EvaluationRecords
from services.registry.adapters.model_records import ModelRecords
from services.registry.adapters.promotion_records import ApprovalRecords, PromotionRecords
from services.registry.adapters.version_records import VersionRecords
from services.registry.domain.aliases import Alias, alias_name
from services.registry.domain.versions import Model, Version, version_name


@dataclass(frozen=True)
class Context:
    """One use of the registry by one caller."""

    work: UnitOfWork
    store: ContentStore
    now: datetime

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.work.caller

    @cached_property
    def models(self) -> ModelRecords:
        return ModelRecords(self.work.session)

    @cached_property
    def versions(self) -> VersionRecords:
        return VersionRecords(self.work.session)

    @cached_property
    def evaluations(self) -> EvaluationRecords:
        return EvaluationRecords(self.work.session)

    @cached_property
    def aliases(self) -> AliasRecords:
        return AliasRecords(self.work.session)

    @cached_property
    def promotions(self) -> PromotionRecords:
        return PromotionRecords(self.work.session)

    @cached_property
    def approvals(self) -> ApprovalRecords:
        return ApprovalRecords(self.work.session)

    @cached_property
    def uploads(self) -> UploadRecords:
        return UploadRecords(self.work.session)

    @cached_property
    def garbage(self) -> GarbageRecords:
        return GarbageRecords(self.work.session)

    def model(self, model: str) -> Model:
        """The model; NotFound where there is none."""
        found = self.models.get(model)
        if found is None:
            raise absent(f"models/{model}")
        return found

    def version(self, model: str, number: int) -> Version:
        """The version; NotFound where there is none."""
        found = self.versions.get(model, number)
        if found is None:
            raise absent(version_name(model, number))
        return found

    def alias(self, model: str, alias: str) -> Alias:
        """The alias as it is now; NotFound where there is none."""
        found = self.aliases.get(model, alias)
        if found is None:
            raise absent(alias_name(model, alias))
        return found


def absent(name: str) -> NotFound:
    """The one answer for what does not exist and what the caller may not see."""
    return NotFound(f"{name} does not exist, or you may not see it")
