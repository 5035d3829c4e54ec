"""What runs inside Triton's python stub: the engine behind a decoupled model."""
