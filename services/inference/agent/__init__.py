"""The agent beside a Triton: makes it hold what the registry's aliases want, proves it, reports it."""
