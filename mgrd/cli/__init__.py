"""The `mgrd` command: one module per group of subcommands, `main` wires them, `output` decides how results look."""
