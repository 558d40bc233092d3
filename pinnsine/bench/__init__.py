"""The acceptance table: every shipped problem solved within a stated time, with its error against its own reference."""

from pinnsine.bench.rows import ROWS as ROWS
from pinnsine.bench.rows import Row as Row
