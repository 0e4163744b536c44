"""Tests of the demo: its parts, and the whole of it as a process."""
