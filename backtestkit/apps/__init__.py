"""Floor 9: what people start from a shell or a browser. Thin: arguments in, text out, no trading logic."""
