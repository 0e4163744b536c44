"""Benchmarks: one command each, printing ratios and figures of the real bot process. None fails because of time."""
