"""`mapa bench`: measurements that anyone can repeat; claims of speed are ratios from one run."""

from __future__ import annotations

import click

from mapa_city.bench import encryption, faults, identity, load, mutants, nights, offer, queue


@click.group()
def bench() -> None:
    """Measure what the house costs and what it withstands.

    Each measurement makes its own synthetic data in a temporary folder and touches nothing else.
    """


bench.add_command(encryption.main, "encryption")
bench.add_command(faults.main, "faults")
bench.add_command(identity.main, "identity")
bench.add_command(load.main, "load")
bench.add_command(mutants.main, "mutants")
bench.add_command(nights.main, "nights")
bench.add_command(offer.main, "offer")
bench.add_command(queue.main, "queue")
