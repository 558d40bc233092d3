"""``python -m pinnsine``: the command line without an installed script."""

from pinnsine.cli import main

if __name__ == "__main__":
    main()
