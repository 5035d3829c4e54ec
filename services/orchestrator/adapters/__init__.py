"""Adapters of the orchestrator's ports: tables, the compiled template, and what executes a run."""
