"""dbt as a child of `mapa`: it ends when its parent does, however that ends.

The parent holds the other end of standard input; when it is gone, killed or not, the end of the
input comes, and a dbt that went on alone would hold the warehouse against everybody.
"""

from __future__ import annotations

import os
import sys
import threading

ORPHANED = 143
"""Exit code of one whose parent is gone: that of a polite kill."""


def main() -> None:
    """Run dbt on the arguments of the command line."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from dbt.cli.main import cli  # noqa: PLC0415 - seconds, during which the parent may end

    cli()


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    # Not sys.exit: another thread may be in the middle of a query, and the lock goes with us.
    os._exit(ORPHANED)


if __name__ == "__main__":
    main()
