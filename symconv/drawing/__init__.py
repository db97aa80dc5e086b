"""Pictures of operators, layers, networks and separations, drawn from the incidence.

A picture is made of the same triples (o, k, i) as the matrix, so it cannot show anything else.
"""

from symconv.drawing.base import Drawing as Drawing
from symconv.drawing.views import VIEWS as VIEWS, draw as draw
