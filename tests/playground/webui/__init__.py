"""Tests of the local webui, over real HTTP."""
