"""Whose picture comes next, and when: pure, without clock, I/O, rows or Discord."""
