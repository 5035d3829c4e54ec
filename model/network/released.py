"""The key names of the released Step-Audio 2 and R1 checkpoints, beside ours.

    theirs                                    ours
    encoder.conv1.weight, encoder.blocks.…    audio_encoder.conv1.weight, audio_encoder.blocks.…
    encoder.positional_embedding.weight       (fixed sinusoids, computed)
    adapter.conv.weight, adapter.linear1.…    adaptor.conv.weight, adaptor.linear1.…
    model.layers.…, lm_head.weight            language_model.model.layers.…, language_model.lm_head.weight

Names only: reading sharded files of tens of gigabytes is the serving engine's matter.
"""

_OURS_TO_RELEASED = (
    ("audio_encoder.", "encoder."),
    ("adaptor.", "adapter."),
    ("language_model.", ""),
)
_COMPUTED_HERE = frozenset({"encoder.positional_embedding.weight"})


def released_key(ours: str) -> str:
    """Our key as the released checkpoint spells it."""
    for prefix, released in _OURS_TO_RELEASED:
        if ours.startswith(prefix):
            return released + ours.removeprefix(prefix)
    raise ValueError(f"{ours!r} is not a key of AudioLanguageModel: take keys from its state_dict()")


def our_key(released: str) -> str | None:
    """A released key as ours; None for what is computed here instead of loaded."""
    if released in _COMPUTED_HERE:
        return None
    for prefix, theirs in _OURS_TO_RELEASED:
        if theirs and released.startswith(theirs):
            return prefix + released.removeprefix(theirs)
    return "language_model." + released
