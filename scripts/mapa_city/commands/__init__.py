"""The commands of `mapa` that need the city: `simulate`, `demo` and `bench`."""
