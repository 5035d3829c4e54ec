"""Multiple choice: when a reply counts as one of the choices.

Officially (MMAU, and MMAR after it): lower-case word tokens as sets. Right when every token of the answer is
in the reply and the reply has no token that only wrong choices have. Order and repetition are lost, so
"from near to far" passes for "from far to near"; `accepts_wrong_choice` finds such questions.

Strictly: the reply is one choice, word for word, perhaps behind its letter or "the answer is".
"""

import re
from collections.abc import Iterable, Sequence

from model.evaluation.benchmarks.items import Item, Outcome

_PROMPT = "{question}\nChoices:\n{choices}\nReply with the text of the right choice and nothing else."
_WORD = re.compile(r"\b\w+\b")
_LEAD = re.compile(
    r"^\W*(?:so\W+)?(?:the\s+)?(?:correct\s+|final\s+|best\s+)?(?:answer|option|choice)(?:\s+is\b|\s*:)\W*(?=\S)",
    re.IGNORECASE,
)
_LETTER = re.compile(r"^\W*\(?(?P<letter>[A-Z])(?:\s*[).:]\s*|\s+-\s+|\s*$)(?P<rest>.*)$", re.DOTALL)


def official_match(answer: str, prediction: str, choices: Iterable[str]) -> bool:
    """MMAU's match."""
    said, wanted = _tokens(prediction), _tokens(answer)
    if not said:
        return False
    foreign = {token for choice in choices for token in _tokens(choice)} - wanted
    return wanted <= said and not said & foreign


def accepts_wrong_choice(answer: str, choices: Iterable[str]) -> bool:
    """Whether some other choice, given as the reply, passes MMAU's match."""
    found = list(choices)
    return any(choice != answer and official_match(answer, choice, found) for choice in found)


def named_choice(reply: str, choices: Sequence[str]) -> str | None:
    """The one choice a reply consists of; None where it says more, less or something else."""
    text = _LEAD.sub("", reply.strip(), count=1)
    for said in (reply.strip(), text):
        if (choice := _only_like(said, choices)) is not None:
            return choice
    lettered = _LETTER.match(text)
    if lettered is None or (index := ord(lettered["letter"]) - ord("A")) >= len(choices):
        return None
    choice, rest = choices[index], lettered["rest"].strip()
    return choice if not rest or _sequence(rest) == _sequence(choice) else None


def lettered(choices: Sequence[str]) -> str:
    """The choices as they are shown, a line each."""
    return "\n".join(f"{chr(ord('A') + i)}. {choice}" for i, choice in enumerate(choices))


def match_all(items: Sequence[Item], answers: Sequence[str | None]) -> list[Outcome]:
    """MMAU's match for every row that has an answer; rows without are left out."""
    return [_outcome(item, answer) for item, answer in zip(items, answers, strict=True)]


def is_named(item: Item, answer: str) -> bool:
    """Whether the answer is the right choice, word for word."""
    return named_choice(answer, item.choices) == item.reference


def choice_prompt(item: Item) -> str:
    """Question and choices, to be answered in the words of one."""
    return _PROMPT.format(question=item.question, choices=lettered(item.choices))


def _outcome(item: Item, answer: str | None) -> Outcome:
    if answer is None:
        return Outcome.SKIPPED
    right = official_match(item.reference, answer, item.choices)
    return Outcome.CORRECT if right else Outcome.WRONG


def _only_like(text: str, choices: Sequence[str]) -> str | None:
    """The choice with the same words in the same order; where signs alone tell two apart, the very same text."""
    alike = {choice for choice in choices if _sequence(choice) == _sequence(text)}
    if len(alike) > 1:
        alike = {choice for choice in alike if _plain(choice) == _plain(text)}
    return alike.pop() if len(alike) == 1 else None


def _tokens(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _sequence(text: str) -> tuple[str, ...]:
    """The words in order; a text without any is its own only word."""
    return tuple(_WORD.findall(text.casefold())) or (_plain(text),)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .\"'")
