"""The tests; their folders mirror the tree of what they test."""
