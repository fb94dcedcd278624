"""The connection layer."""
