"""What runs leave behind and what strategies remember: signals, notifications, states, memories, sessions, dumps, log.

Every adapter is the same thing: for each mode a registry of backends of which one is in use (`adapter`), and switches
that turn it on and off. All but dumps and the log keep their records in a `KeyValueStore`, so a backend of one's own is
one class of five methods for all of them. Nothing here knows kits or runs: `services.connection.adapters` wires it.
"""
