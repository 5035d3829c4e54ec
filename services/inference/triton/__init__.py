"""Triton: the model it hosts, the repository it loads from, its command line, a client for it."""
