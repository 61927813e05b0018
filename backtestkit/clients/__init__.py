"""Floor 4: the pure machines of the signal half. No I/O, no `async`, no wall clock: time and prices go in, effects come out."""
