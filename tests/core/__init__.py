"""Tests of what is not Discord."""
