"""Raptor: the API of a paper-first trading platform."""
