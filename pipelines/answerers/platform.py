"""The platform as the one who answers: a version behind an alias, over gRPC."""

from mgrd.clients.inference import (
    Answerer,
    Completion,
    InferenceClient,
    Question,
    ReasoningDelta,
    Sampling,
)
from mgrd.errors import MgrdError
from model.evaluation.benchmarks import answering
from model.evaluation.benchmarks.errors import AnswerError


class PlatformAnswerer:
    """Asks one alias of one model. A reply by another version than the first is refused: figures are of one model."""

    def __init__(
        self, inference: InferenceClient, *, model: str, alias: str, digest: str, think: bool, sampling: Sampling
    ) -> None:
        """`digest` is the version's that the run is about."""
        self._inference = inference
        self._model, self._alias, self._digest = model, alias, digest
        self._think, self._sampling = think, sampling

    @property
    def identity(self) -> str:
        """Digest and drawing."""
        return f"{self._model}@{self._digest} think={self._think} {self._sampling}"

    def answer(self, question: answering.Question) -> answering.Reply:
        """The whole reply; AnswerError by the call's reason, or OTHER_VERSION."""
        asked = Question(
            model=self._model,
            alias=self._alias,
            text=question.text,
            audio=question.audio or None,
            think=self._think,
            sampling=self._sampling,
            skip_evidence=True,
        )
        try:
            return self._collected(asked)
        except MgrdError as error:
            raise AnswerError(error.reason, str(error)) from error

    def _collected(self, asked: Question) -> answering.Reply:
        reasoning, answer = [], ""
        for event in self._inference.reason(asked):
            match event:
                case Answerer(digest=digest) if digest != self._digest:
                    raise AnswerError("OTHER_VERSION", f"{digest} answered; the alias moved since the run began")
                case ReasoningDelta(text=text):
                    reasoning.append(text)
                case Completion(answer=whole):
                    answer = whole
        return answering.Reply(answer=answer, reasoning="".join(reasoning).strip())


def serving_digest(inference: InferenceClient, *, model: str, alias: str) -> str:
    """The digest behind the alias now."""
    return inference.get_deployment(model, alias=alias).desired_digest
