"""Domains and their parts."""

from pinnsine.domain.axis import Axis as Axis
from pinnsine.domain.ball import Ball as Ball
from pinnsine.domain.ball import Disk as Disk
from pinnsine.domain.ball import Ring as Ring
from pinnsine.domain.box import Box as Box
from pinnsine.domain.box import Face as Face
from pinnsine.domain.box import Faces as Faces
from pinnsine.domain.csg import Combination as Combination
from pinnsine.domain.domain import Domain as Domain
from pinnsine.domain.ellipse import Ellipse as Ellipse
from pinnsine.domain.extrusion import Extrusion as Extrusion
from pinnsine.domain.interval import Interval as Interval
from pinnsine.domain.interval import Parameter as Parameter
from pinnsine.domain.interval import Rectangle as Rectangle
from pinnsine.domain.interval import Time as Time
from pinnsine.domain.part import Part as Part
from pinnsine.domain.polygon import Polygon as Polygon
from pinnsine.domain.polygon import Triangle as Triangle
from pinnsine.domain.product import Product as Product
from pinnsine.domain.region import Region as Region
from pinnsine.domain.revolution import Cone as Cone
from pinnsine.domain.revolution import Cylinder as Cylinder
from pinnsine.domain.revolution import Revolution as Revolution
from pinnsine.domain.revolution import Torus as Torus
from pinnsine.domain.shape import Shape as Shape
