"""MMAR (Ma et al. 2025): 1,000 clips that ask for several steps of reasoning, also over mixtures; JSON lines.

Its scorer is MMAU's with other groups and the key `answer_prediction`; `thinking_prediction` is read by its rubrics.
"""

from model.evaluation.benchmarks.choices import choice_prompt, is_named, match_all
from model.evaluation.benchmarks.items import Benchmark, Item, Record, labels


def _read(record: Record, _file: str) -> Item:
    return Item(
        id=str(record["id"]),
        question=record["question"],
        references=(record["answer"],),
        audio=record["audio_path"],
        choices=tuple(record["choices"]),
        labels=labels(record, "modality", "category", "sub-category", "language"),
        record=record,
    )


def _with_answer(record: Record, answer: str, reasoning: str) -> Record:
    return {**record, "answer_prediction": answer, "thinking_prediction": reasoning}


def _recorded(record: Record) -> str | None:
    return record.get("answer_prediction")


MMAR = Benchmark(
    name="mmar",
    title="MMAR",
    files=("MMAR-meta.jsonl",),
    read=_read,
    prompt=choice_prompt,
    prompt_version="choices-1",
    official=match_all,
    strict=is_named,
    record_answer=_with_answer,
    recorded=_recorded,
)
