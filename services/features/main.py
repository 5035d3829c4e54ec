"""The features process: `python -m services.features.main`. Keeps no state."""

import grpc

from mgrd.features.v1 import features_pb2_grpc
from services.features.adapters.pool import WorkerPool
from services.features.servicer import POLICY, FeaturesServicer
from services.features.settings import FeaturesSettings
from services.kit.server import serve


def main() -> None:
    settings = FeaturesSettings.from_environment()
    pool = WorkerPool(settings)
    servicer = FeaturesServicer(pool, max_audio_bytes=settings.features_max_audio_bytes)

    def register(server: grpc.Server) -> None:
        pool.start()
        features_pb2_grpc.add_FeaturesServiceServicer_to_server(servicer, server)

    try:
        serve(name="features", settings=settings, register=register, policy=POLICY, checks={"workers": pool.check})
    finally:
        pool.close()


if __name__ == "__main__":
    main()
