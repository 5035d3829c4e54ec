"""The inference service: a gateway callers speak to, and an agent beside every Triton."""
