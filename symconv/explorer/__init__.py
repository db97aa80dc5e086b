"""An explorer: a layer with sliders for every parameter, in a notebook or as a page.

`settings` says what is set, `state` what there is to see; `widgets` and `export` show it.
"""

from symconv.explorer.live import (
    Explorer as Explorer,
    explore as explore,
    explorer_page as explorer_page,
)
from symconv.explorer.settings import Settings as Settings
from symconv.explorer.state import (
    Picture as Picture,
    Refusal as Refusal,
    View as View,
    look as look,
)
