"""The network and how it learns: sound, language model, engine, training and evaluation; imports no service."""
