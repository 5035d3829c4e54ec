"""The network: configuration, audio encoder, adaptor, language model, tokenizer, template, checkpoints.

Sound enters as log-mel frames and leaves the model as text. Each file is one part of that way:

    config.py          the sizes, from nano to 32b
    audio_encoder.py   log-mel at 100 Hz -> frames at 25 Hz (frozen once the base is trained)
    adaptor.py         frames at 25 Hz -> embeddings at 12.5 Hz in the language model's width
    language_model.py  Qwen2, by key and by number
    audio_lm.py        the three together
    tokenizer.py, template.py, checkpoint.py, released.py

Nothing here decodes sound (model/acoustics), samples text (model/engine) or learns (model/learning).
"""
