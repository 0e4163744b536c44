"""Tests of the stand-ins themselves, so that they can be believed."""
