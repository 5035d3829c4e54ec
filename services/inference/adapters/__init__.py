"""Adapters of the inference service: registry, features, content store, database."""
