"""The loops: they ask the user's code, carry out what the machines ask for, and do all the waiting."""
