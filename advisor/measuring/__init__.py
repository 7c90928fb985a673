"""Timing networks: runtimes, sessions, the store of own figures, kits for boards."""
