"""End to end: the real bot process between a local Discord and local webuis, with real sockets and a real database."""
