"""``python -m estate``: the same as the ``estate`` command."""

from estate.cli import main

if __name__ == "__main__":
    main()
