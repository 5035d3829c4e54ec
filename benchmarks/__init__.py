"""Measurements: each `bench_*.py` measures ours and the alternative in one run and prints JSON lines."""
