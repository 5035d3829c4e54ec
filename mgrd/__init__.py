"""What users of the platform install: stubs, typed clients and the `mgrd` command. No torch."""

__version__ = "0.1.0"
