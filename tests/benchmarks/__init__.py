"""Tests of the benchmarks' arithmetic: what is printed follows from what was measured."""
