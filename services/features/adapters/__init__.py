"""How the service reaches the sound code: worker processes with limits."""
