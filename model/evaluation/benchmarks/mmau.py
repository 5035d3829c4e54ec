"""MMAU (Sakshi et al. 2024): 10,000 clips of speech, sound and music; multiple choice; one JSON array.

Its scorer skips rows without `model_output`; the test set of 9,000 has no answers and cannot be scored here.
"""

from model.evaluation.benchmarks.choices import choice_prompt, is_named, match_all
from model.evaluation.benchmarks.items import Benchmark, Item, Record, labels


def _read(record: Record, _file: str) -> Item:
    return Item(
        id=str(record["id"]),
        question=record["question"],
        references=(record["answer"],),
        audio=record["audio_id"],
        choices=tuple(record["choices"]),
        labels=labels(record, "task", "difficulty", "category", "sub-category"),
        record=record,
    )


def _with_answer(record: Record, answer: str, _reasoning: str) -> Record:
    return {**record, "model_output": answer}


def _recorded(record: Record) -> str | None:
    # The script reads `model_output`, its README says `model_prediction`.
    return record.get("model_output", record.get("model_prediction"))


MMAU = Benchmark(
    name="mmau",
    title="MMAU",
    files=("mmau-test-mini.json", "mmau-test.json"),
    read=_read,
    prompt=choice_prompt,
    prompt_version="choices-1",
    official=match_all,
    strict=is_named,
    record_answer=_with_answer,
    recorded=_recorded,
    one_array=True,
)
