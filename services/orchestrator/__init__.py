"""The orchestrator: starts, follows, restarts and stops runs of the MGRD pipeline."""
