"""The MGRD loop: question selection, self-distillation, filters, difficulty, the stages of a run."""
