"""Tests of prompts that hold choices."""
