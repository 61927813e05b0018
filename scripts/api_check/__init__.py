"""Compares the package with the inventory of public names: what exists, and whether it is documented and typed."""
