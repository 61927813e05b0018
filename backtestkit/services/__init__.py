"""Floor 5: what the container holds: schema, validation, connection, core, logic and report services."""
