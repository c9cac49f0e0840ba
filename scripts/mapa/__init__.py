"""Mapa Social da Saúde: loaders, simulator, publication and panels."""

__version__ = "0.1.0"
