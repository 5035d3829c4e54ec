"""How many frames and tokens a clip becomes: exact integer arithmetic, no tensors.

The released client counts T - 2 of the T mel frames as sound, because the front end's right padding
of 479 samples adds the rest. Everything else follows from the strides (conv 2, pool 2, conv 2).
"""

MAX_CHUNK_MEL_FRAMES = 2502
"""25 s at 100 frames a second and the front end's padding; longer sound is several audio items."""


def attended_frame_count(mel_frames: int) -> int:
    """Frames at 50 Hz that carry sound: the keys the encoder's attention may see."""
    return max(0, mel_frames - 1) // 2


def encoder_frame_count(mel_frames: int) -> int:
    """Frames at 25 Hz that the encoder returns."""
    return attended_frame_count(mel_frames) // 2


def adaptor_token_count(encoder_frames: int) -> int:
    """Audio tokens at 12.5 Hz that the adaptor makes of encoder frames."""
    return (encoder_frames + 1) // 2


def audio_token_count(mel_frames: int) -> int:
    """`<audio_patch>` tokens of a clip: L = T - 2; enc = ((L + 1) // 2) // 2; (enc - 1) // 2 + 1."""
    return adaptor_token_count(encoder_frame_count(mel_frames))
