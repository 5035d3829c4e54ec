"""The Tritons a gateway talks to: a replica's name is the address of its Triton, one client each."""

import threading

from services.inference.triton.client import Reply, TritonClient
from services.inference.triton.protocol import Ask, MelFrames


class TritonPool:
    """Clients by address, made when first needed. They carry no admin key: a gateway loads nothing."""

    def __init__(self) -> None:
        self._clients: dict[str, TritonClient] = {}
        self._lock = threading.Lock()

    def ask(self, replica: str, model: str, *, ask: Ask, mel: MelFrames, timeout_s: float) -> Reply:
        """Asks a model on a replica."""
        with self._lock:
            client = self._clients.setdefault(replica, TritonClient(replica))
        return client.ask(model, ask=ask, mel=mel, timeout_s=timeout_s)

    def close(self) -> None:
        """Closes every client."""
        for client in self._clients.values():
            client.close()
