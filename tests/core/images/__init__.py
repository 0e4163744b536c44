"""Tests of pictures as bytes and files."""
