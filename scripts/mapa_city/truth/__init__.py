"""The judge of the whole project: the right answers about a city, one module a subject."""
