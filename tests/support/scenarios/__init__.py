"""Small markets and strategies for tests of the engine: everything in memory, everything seeded."""
