"""A synthetic city shaped like the Federal District, with the right answers about itself."""
