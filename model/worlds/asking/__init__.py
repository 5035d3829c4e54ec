"""The questions of the world, one module per domain of sound (and one for text)."""
