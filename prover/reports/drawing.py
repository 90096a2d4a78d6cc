"""What all pictures share: style, colours and how they go out, as PNG on white or as SVG that takes the page's colours.

Colours are Okabe and Ito's, told apart by colour-blind readers. Text and lines are drawn in :data:`INK`, which SVG
output replaces by the colour of the text around the picture, so that one page serves light and dark screens.
"""

from __future__ import annotations

import io
import re
import textwrap
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter

from prover.reports.wording import MILLION, MILLIONS_FROM, money

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.typing import RcKeyType
    from numpy.typing import NDArray

INK: Final = "#0a0b0c"
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
ORANGE: Final = "#E69F00"
GREEN: Final = "#009E73"
PURPLE: Final = "#CC79A7"
SKY: Final = "#56B4E9"
GREY: Final = "#8A8D91"

PNG_DOTS_PER_INCH: Final = 144
WIDTH: Final = 9.0
"""Of every picture, inches."""
LABEL_WIDTH: Final = 44
"""Characters in a line of a bar's label."""

MOST_DECIMALS: Final = 8
"""Of a number on an axis."""
MOST_EXACT: Final = 10.0**-MOST_DECIMALS

_STYLE: Final[dict[RcKeyType, Any]] = {
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "legend.frameon": False,
    "font.size": 10,
    "svg.fonttype": "none",
    "text.parse_math": False,
}


@contextmanager
def canvas(height: float) -> Iterator[Figure]:
    """An empty picture in the common style; the height is in inches."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


class Thousands(Formatter):
    """Numbers on an axis, thousands apart, with as many decimals as tell them apart; from ten million in millions."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """The texts of all numbers on the axis."""
        numbers = np.asarray(values, dtype=np.float64)
        if np.abs(numbers).max(initial=0.0) < MILLIONS_FROM:
            return [money(value, _decimals(numbers)) for value in numbers]
        decimals = _decimals(numbers / MILLION)
        return [f"{money(value / MILLION, decimals)} M" if value else "0" for value in numbers]

    def __call__(self, value: float, _place: int | None = None) -> str:
        """The text of one number by itself."""
        return self.format_ticks([value])[0]


def _decimals(numbers: NDArray[np.float64]) -> int:
    """The fewest decimals that show all numbers as they are, to a thousandth of their greatest difference."""
    tolerance = float(np.ptp(numbers)) * 1e-3 or MOST_EXACT
    exact = (places for places in range(MOST_DECIMALS) if np.abs(numbers - numbers.round(places)).max() <= tolerance)
    return next(exact, MOST_DECIMALS)


def wrapped(label: str) -> str:
    """A label on as many lines as it needs."""
    return textwrap.fill(label, LABEL_WIDTH, break_long_words=False)


def png_bytes(figure: Figure) -> bytes:
    """A picture on white, without anything about where and when it was made."""
    content = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(content, format="png", dpi=PNG_DOTS_PER_INCH, facecolor="white", metadata={"Software": None})
    return content.getvalue()


def svg_text(figure: Figure, name: str, description: str) -> str:
    """A picture to stand inside an HTML page.

    Args:
        figure: the picture.
        name: unique on the page; keeps the picture's inner identifiers apart from others'.
        description: read out to who can't see it.
    """
    content = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure.savefig(content, format="svg", metadata=nothing)
    text = content.getvalue()
    body = text[text.index("<svg") :].rstrip()
    box = re.search(r'viewBox="([^"]*)"', body)
    opening = f'<svg viewBox="{box[1] if box else ""}" role="img" aria-label="{escape(description)}">'
    body = opening + body[body.index(">") + 1 :]
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r'(url\(#|href="#)', rf"\1{name}-", body)
    return body.replace(INK, "currentColor")
