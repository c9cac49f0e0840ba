"""Loaders: from the sources to landing and raw."""
