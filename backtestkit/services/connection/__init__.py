"""Clients made and kept: one exchange connection per exchange, one strategy machine per run."""
