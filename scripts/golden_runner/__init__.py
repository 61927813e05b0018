"""Runs recorded scenarios through the public interface and compares what happens with what was recorded."""
