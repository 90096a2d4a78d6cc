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
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from prover.reports.wording import money

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.typing import RcKeyType

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


def thousands() -> FuncFormatter:
    """Numbers on axes, thousands apart."""
    return FuncFormatter(lambda value, _place: money(value, 0 if value == round(value) else 2))


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
