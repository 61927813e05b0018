"""Floor 2: the data types, and the protocols through which rooms of one floor meet. No behaviour beyond themselves."""
