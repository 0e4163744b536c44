"""End to end: the real bot process between a local Discord and local webuis, over real sockets, with a real database."""
