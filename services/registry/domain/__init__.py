"""The registry's rules as pure values and functions: standard library only, no I/O."""
