"""The platform's processes: features, orchestrator, registry, inference, and the kit they are built from.

No service imports another; they meet in protos, events and the clients of `mgrd`.
"""
