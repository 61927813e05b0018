"""Floor 3: formulas. Pure functions over floats and arrays, each with its source; the order of operations is part of it."""
