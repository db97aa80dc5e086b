"""Where two conventions or two operators differ, exactly."""

from symconv.compare.differences import (
    Difference as Difference,
    where_conventions_differ as where_conventions_differ,
)
from symconv.compare.operators import same_operator as same_operator
