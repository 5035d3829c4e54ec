"""A small service on the kit, as a process: GetModel waits while FOLDER/wait is there, health fails with FOLDER/broken.

python -m tests.support.kit_process FOLDER
"""

import sys
import time
from pathlib import Path

import grpc

from mgrd.registry.v1 import registry_pb2 as pb
from mgrd.registry.v1 import registry_pb2_grpc
from services.kit.server import serve
from services.kit.settings import ServiceSettings

FOLDER = Path(sys.argv[1])


class Registry(registry_pb2_grpc.RegistryServiceServicer):
    def GetModel(self, request: pb.GetModelRequest, context: grpc.ServicerContext) -> pb.GetModelResponse:
        (FOLDER / "entered").touch()
        while (FOLDER / "wait").exists():
            time.sleep(0.01)
        return pb.GetModelResponse(model=pb.Model(name=request.name))


def _check() -> None:
    if (FOLDER / "broken").exists():
        raise RuntimeError("the database is away")


if __name__ == "__main__":
    serve(
        name="registry",
        settings=ServiceSettings.from_environment(),
        register=lambda server: registry_pb2_grpc.add_RegistryServiceServicer_to_server(Registry(), server),
        policy={"/mgrd.registry.v1.RegistryService/GetModel": frozenset({"reader"})},
        checks={"database": _check},
    )
