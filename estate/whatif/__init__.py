"""Many scenarios at once: what the team can change, and what it would cost.

:func:`run_batch` is ``estate whatif``.  ``patches`` reads a what-if file, ``reuse`` answers one scenario quickly, ``store``
keeps every answer, ``engine`` spreads the work over Dask, ``morning`` works out what the reader gets.
"""

from estate.whatif.locks import locks_from

__all__ = ["locks_from"]
