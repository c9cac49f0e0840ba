"""The commands of `mapa`: options, a call of the library, a summary."""
