"""The gRPC door: InferenceService, translated. Every rule lives behind it."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import grpc

from mgrd.clients.errors import CallError
from mgrd.inference.v1 import inference_pb2 as wire
from mgrd.inference.v1 import inference_pb2_grpc as stubs
from services.inference.domain import State, expected
from services.inference.gateway.directory import DatabaseDirectory
from services.inference.gateway.failures import of_call, of_triton
from services.inference.gateway.live import Conversation
from services.inference.gateway.question import Question, alias_name
from services.inference.gateway.reason import Reasoner
from services.inference.gateway.replies import Cancellation, ReplyEvent
from services.inference.gateway.translate import deployment_of, question_from, response_of
from services.inference.triton.errors import TritonError
from services.kit.auth import ANYONE, Policy
from services.kit.deadlines import remaining_s
from services.kit.paging import read_page
from services.kit.tables import now

SERVICE = "/mgrd.inference.v1.InferenceService"
POLICY: Policy = {
    f"{SERVICE}/{method}": ANYONE for method in ("Reason", "ReasonLive", "GetDeployment", "ListDeployments")
}
LIVE_IDLE_TIMEOUT_S = 300.0

Item = TypeVar("Item")


class InferenceServicer(stubs.InferenceServiceServicer):
    """Answers RPCs from a reasoner and a directory."""

    def __init__(
        self, reasoner: Reasoner, directory: DatabaseDirectory, *, live_idle_timeout_s: float = LIVE_IDLE_TIMEOUT_S
    ) -> None:
        self._reasoner, self._directory = reasoner, directory
        self._live_idle_timeout_s = live_idle_timeout_s

    def register(self, server: grpc.Server) -> None:
        """Adds this service to a server."""
        stubs.add_InferenceServiceServicer_to_server(self, server)

    def Reason(self, request: wire.ReasonRequest, context: grpc.ServicerContext) -> Iterator[wire.ReasonResponse]:
        """One question, its reply as it is written."""
        cancellation = Cancellation()
        context.add_callback(cancellation.pull)
        question = question_from(request)
        yield from translated(lambda: map(response_of, self._answer(question, cancellation)))

    def ReasonLive(
        self, request_iterator: Iterator[wire.ReasonLiveRequest], context: grpc.ServicerContext
    ) -> Iterator[wire.ReasonLiveResponse]:
        """A conversation over one stream."""
        conversation = Conversation(request_iterator, answer=self._answer, idle_timeout_s=self._live_idle_timeout_s)
        context.add_callback(conversation.hang_up)
        yield from translated(conversation.replies)

    def GetDeployment(
        self, request: wire.GetDeploymentRequest, _context: grpc.ServicerContext
    ) -> wire.GetDeploymentResponse:
        """What an alias wants and what every replica holds of it."""
        alias = self._directory.alias(alias_name(request.model, request.alias))
        known = self._directory.snapshot()
        aliases = tuple(known.aliases.values())
        told = [found for found in known.deployments if found.version.model == alias.wanted.model]
        concerned = [*told, *expected(alias, deployments=told, at=now())]
        return wire.GetDeploymentResponse(
            desired_version=alias.wanted.name,
            desired_digest=alias.wanted.digest,
            serving=any(one.version.digest == alias.wanted.digest and one.state is State.READY for one in concerned),
            deployments=[deployment_of(one, aliases=aliases) for one in concerned],
        )

    def ListDeployments(
        self, request: wire.ListDeploymentsRequest, _context: grpc.ServicerContext
    ) -> wire.ListDeploymentsResponse:
        """Every deployment, by replica and version."""
        page = read_page(request.page_size, request.page_token, filters=("ListDeployments",))
        known = self._directory.snapshot()
        after = tuple(page.after or ("", ""))
        rows = [one for one in known.deployments if (one.replica, one.version.name) > after]
        kept, token = page.cut(rows[: page.size + 1], key=lambda one: (one.replica, one.version.name))
        aliases = tuple(known.aliases.values())
        return wire.ListDeploymentsResponse(
            deployments=[deployment_of(one, aliases=aliases) for one in kept], next_page_token=token
        )

    def _answer(self, question: Question, cancellation: Cancellation) -> Iterator[ReplyEvent]:
        return self._reasoner.reason(question, cancellation=cancellation, remaining_s=remaining_s())


def translated(events: Callable[[], Iterator[Item]]) -> Iterator[Item]:
    """The events, with the failures of other parts as this service's errors."""
    try:
        yield from events()
    except TritonError as error:
        raise of_triton(error) from error
    except CallError as error:
        raise of_call(error) from error
