"""How well a checkpoint answers: accuracy with and without thinking, controls, claims against measurements."""
