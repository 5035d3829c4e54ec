"""The registry's rules as pure values and functions: no I/O, no database, no gRPC."""
