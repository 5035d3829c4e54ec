"""The sound world: labelled scenes of speech, music and events, and questions about them.

Promises: everything but the bank of clips comes from seeds; ground truth is exact by construction;
no torch. Start at `sample_scene`, `render`, `questions`, `caption`, `truth`; `vocabulary` lists
every word of every text. Leaves to others: hearing, learning, judging.
"""

from model.worlds.asking.probes import absent_audio_item
from model.worlds.asking.text import text_item
from model.worlds.bank import RATE_HZ, Bank, BankError
from model.worlds.captions import caption, transcript
from model.worlds.edits import EditError, counterfactual, edits_for
from model.worlds.items import Item, Question
from model.worlds.lexicon import WORLD_VERSION, Split
from model.worlds.questions import questions
from model.worlds.rendering import render
from model.worlds.sampling import sample_scene
from model.worlds.scenes import Event, Melody, Note, Room, Scene, Utterance
from model.worlds.truths import truth
from model.worlds.vocabulary import vocabulary

__all__ = [
    "RATE_HZ",
    "WORLD_VERSION",
    "Bank",
    "BankError",
    "EditError",
    "Event",
    "Item",
    "Melody",
    "Note",
    "Question",
    "Room",
    "Scene",
    "Split",
    "Utterance",
    "absent_audio_item",
    "caption",
    "counterfactual",
    "edits_for",
    "questions",
    "render",
    "sample_scene",
    "text_item",
    "transcript",
    "truth",
    "vocabulary",
]
