"""Mapa Social da Saúde: loaders, publication, dictionary and site."""

import os

__version__ = "0.1.0"

# The first line of every entry (commands, dbt's plugin, the simulator's server, benches): what any
# of them writes may hold a person, and DuckDB makes its log and spill files long after it was
# opened. What others shall read is opened one by one, in `mapa.publish.store`.
os.umask(0o077)
