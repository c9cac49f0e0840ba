"""Measurements of the real house: what it withstands and what it costs."""
