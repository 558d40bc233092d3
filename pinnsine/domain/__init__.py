"""Domains and their parts."""

from pinnsine.domain.box import Axis as Axis
from pinnsine.domain.box import Box as Box
from pinnsine.domain.box import Face as Face
from pinnsine.domain.box import Faces as Faces
from pinnsine.domain.interval import Interval as Interval
from pinnsine.domain.interval import Parameter as Parameter
from pinnsine.domain.interval import Rectangle as Rectangle
from pinnsine.domain.interval import Time as Time
from pinnsine.domain.region import Region as Region
