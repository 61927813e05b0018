"""What `scripts/generate.py` writes, one module per kind of output."""
