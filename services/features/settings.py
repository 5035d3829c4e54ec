"""Settings of the features service: MGRD_FEATURES_<NAME> beside the shared ones."""

import os
from typing import ClassVar

from services.kit.settings import ServiceSettings


class FeaturesSettings(ServiceSettings):
    """Sizes of what is accepted and of the worker processes that decode it."""

    own_prefix: ClassVar[str] = "features"

    features_workers: int = max(1, min(4, os.cpu_count() or 1))
    features_waiting: int = 32
    features_max_audio_bytes: int = 32 * 2**20
    features_max_duration_s: float = 300.0
    features_max_work_s: float = 30.0
    features_worker_memory_bytes: int = 2**30
