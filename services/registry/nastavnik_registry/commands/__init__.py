"""What changes the registry: one function per write, its events in the same transaction."""
