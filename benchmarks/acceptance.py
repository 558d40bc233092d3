"""The acceptance table, measured and written: `pinnsine bench --write`, from a checkout that need not be installed.

python benchmarks/acceptance.py [NAME ...] [--seed 0 --seed 1] [--jobs 2] [--threads 1] [--again]
"""

import sys

from pinnsine.cli import main

if __name__ == "__main__":
    main(["bench", "--write", *sys.argv[1:]])
