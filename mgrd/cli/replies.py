"""A streamed reply gathered into one value."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mgrd.clients.inference import AnswerDelta, Answerer, Completion, ReasoningDelta, ReplyEvent
from mgrd.clients.sound import Evidence


@dataclass(frozen=True)
class Reply:
    """A whole reply."""

    answerer: Answerer | None
    reasoning: str
    answer: str
    evidence: tuple[Evidence, ...]
    completion: Completion | None


def collect(events: Iterable[ReplyEvent], *, on_event: Callable[[ReplyEvent], object] | None = None) -> Reply:
    """The reply that the events make up; `on_event` sees each as it comes."""
    seen = []
    for event in events:
        seen.append(event)
        if on_event is not None:
            on_event(event)
    answerers = [event for event in seen if isinstance(event, Answerer)]
    completions = [event for event in seen if isinstance(event, Completion)]
    return Reply(
        answerer=answerers[0] if answerers else None,
        reasoning="".join(event.text for event in seen if isinstance(event, ReasoningDelta)),
        answer="".join(event.text for event in seen if isinstance(event, AnswerDelta)),
        evidence=tuple(event for event in seen if isinstance(event, Evidence)),
        completion=completions[-1] if completions else None,
    )
