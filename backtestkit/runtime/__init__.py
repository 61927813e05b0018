"""Floor 1: clock, context, channels, dispatcher, scheduler, ids, durable files, log.

Everything that reaches outside the process in time or chance goes through this room, so that a test can stop time,
cut the power at any write, or replay a session from a seed.
"""
