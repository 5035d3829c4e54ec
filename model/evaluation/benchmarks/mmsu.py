"""MMSU (Wang et al. 2025): 5,000 questions about spoken language in 47 tasks; two to four choices by letter.

Its parser takes the first character if it is A, B, C or D ("Cannot say" is C), else the last but one ("… is B."),
else it leaves the row out. An empty reply, or "None", keeps the letter of the row before; at the first row, where
there is none, the script stops with an error and we leave the row out.
"""

from collections.abc import Sequence

from model.evaluation.benchmarks.choices import is_named, lettered
from model.evaluation.benchmarks.items import Benchmark, Item, Outcome, Record, labels

_LETTERS = "ABCD"
_KEYS = ("choice_a", "choice_b", "choice_c", "choice_d")
_PROMPT = "{question}\nChoices:\n{choices}\nReply with the letter of the right choice and nothing else."


def parse_all(items: Sequence[Item], answers: Sequence[str | None]) -> list[Outcome]:
    """The published parser over all rows in order."""
    outcomes, letter = [], ""
    for item, answer in zip(items, answers, strict=True):
        if answer is None:
            outcomes.append(Outcome.SKIPPED)
            continue
        text = answer.strip().replace("\n", "")
        if text not in ("", "None"):
            found = _letter(text)
            letter = found or letter
            outcomes.append(_outcome(item, found))
        else:
            outcomes.append(_outcome(item, letter))
    return outcomes


def _letter(text: str) -> str:
    if text[0] in _LETTERS:
        return text[0]
    return text[-2] if len(text) > 1 and text[-2] in _LETTERS else ""


def _outcome(item: Item, letter: str) -> Outcome:
    if not letter:
        return Outcome.SKIPPED
    return Outcome.CORRECT if item.record.get(_KEYS[_LETTERS.index(letter)], "") == item.reference else Outcome.WRONG


def _prompt(item: Item) -> str:
    return _PROMPT.format(question=item.question, choices=lettered(item.choices))


def _read(record: Record, _file: str) -> Item:
    return Item(
        id=str(record["id"]),
        question=record["question"],
        references=(record["answer_gt"],),
        audio=record["audio_path"],
        choices=tuple(choice for key in _KEYS if (choice := record.get(key))),
        labels=labels(record, "category", "sub-category", "task_name"),
        record=record,
    )


def _with_answer(record: Record, answer: str, _reasoning: str) -> Record:
    return {**record, "response": answer}


def _recorded(record: Record) -> str | None:
    return record.get("response")


MMSU = Benchmark(
    name="mmsu",
    title="MMSU",
    files=("mmsu.jsonl", "mmsu.json"),
    read=_read,
    prompt=_prompt,
    prompt_version="letters-1",
    official=parse_all,
    strict=is_named,
    record_answer=_with_answer,
    recorded=_recorded,
)
