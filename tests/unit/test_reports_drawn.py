"""Pictures and the page: rendered for real, then looked at as files."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.image import imread

from prover.reports.charts import (
    draw_bar_panels,
    draw_headrooms,
    draw_heat_map,
    draw_limit_use,
    draw_profit_curve,
    draw_waterfall,
)
from prover.reports.drawing import INK, Thousands, png_bytes, svg_text
from prover.reports.figures import Bar, BarPanel, HeatMap, ProfitCurve, ProfitLine, Waterfall
from prover.reports.html import html_page
from prover.reports.pictures import Picture, report_pictures
from prover.reports.report import make_report
from prover.reports.what_if import add_trade
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import shipped_rule
from tests.support.reported import TWO_COINS, portfolio_on, two_coin_rules
from tests.support.risk_rules import example_market

PNG_HEADER = b"\x89PNG\r\n\x1a\n"
RULES = two_coin_rules("exposure-limits")
PORTFOLIO = portfolio_on(RULES[0], TWO_COINS)
REPORT = make_report(RULES, [PORTFOLIO])
PICTURES = report_pictures(REPORT)
PAGE = html_page(REPORT, add_trade(RULES, PORTFOLIO, PORTFOLIO.negated()))


def parsed(svg: str) -> ET.Element:
    """A picture as it stands in a page, where the prefix of links needs no declaration."""
    return ET.fromstring(svg.replace("xlink:href", "href"))  # noqa: S314 - our own file


def shares_of_ink(picture: bytes) -> float:
    """Part of the pixels that are not white."""
    pixels = imread(io.BytesIO(picture))
    return float((pixels[..., :3] < 1).any(axis=-1).mean())


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_pictures_are_png_with_something_on_them(picture: Picture) -> None:
    content = png_bytes(picture.draw())
    assert content.startswith(PNG_HEADER)
    assert 0.02 < shares_of_ink(content) < 0.98


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_pictures_are_svg_with_text_in_the_pages_colour(picture: Picture) -> None:
    text = svg_text(picture.draw(), picture.name, picture.description)
    root = parsed(text)
    assert root.attrib["aria-label"] == picture.description
    assert "currentColor" in text
    assert INK not in text
    assert any(element.text for element in root.iter() if element.tag.endswith("text"))


def test_equal_pictures_are_equal_files() -> None:
    picture = PICTURES[0]
    assert png_bytes(picture.draw()) == png_bytes(picture.draw())
    assert svg_text(picture.draw(), "x", "y") == svg_text(picture.draw(), "x", "y")


def test_a_dollar_sign_is_no_formula() -> None:
    assert "1$ and 2$" in svg_text(draw_limit_use(BarPanel("limits", "%", (Bar("1$ and 2$", 10.0),))), "x", "y")


def test_every_kind_of_picture_is_there() -> None:
    names = {picture.name for picture in PICTURES}
    assert len(names) == len(PICTURES)
    assert names >= {
        "heat-map-btc",
        "heat-map-all-underlyings",
        "profit-curve-eth",
        "sensitivities-by-expiry",
        "waterfall-initial",
        "headrooms-maintenance",
        "limits-initial",
    }


def test_a_losing_corner_is_red_and_a_winning_one_blue() -> None:
    moves = np.linspace(-0.3, 0.3, 7)
    data = HeatMap("BTC", moves, moves, np.tile(moves * 1000, (7, 1)))
    pixels = imread(io.BytesIO(png_bytes(draw_heat_map(data, "USD"))))
    height, width = pixels.shape[:2]
    left, right = pixels[height // 2, width // 8], pixels[height // 2, 3 * width // 4]
    assert left[0] > left[2] + 0.2
    assert right[2] > right[0] + 0.2


@pytest.mark.parametrize(
    ("requirement", "equity"), [(100.0, 150.0), (100.0, 10_000.0), (100.0, 20.0), (100.0, -50.0), (0.0, 0.0)]
)
def test_waterfalls_of_all_proportions(requirement: float, equity: float) -> None:
    parts = (Bar("loss", 1.2 * requirement), Bar("credit", -0.2 * requirement), Bar("rounding", 0.0))
    figure = draw_waterfall(Waterfall("initial", "a row", parts, requirement, equity), "USD")
    assert png_bytes(figure).startswith(PNG_HEADER)
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[-2] == ("headroom" if equity >= requirement else "shortfall")
    cut = [text.get_text() for text in axes.texts if "→" in text.get_text()]
    assert len(cut) == (2 if equity > 1000 else 0)


def test_bars_of_nothing_and_broken_limits() -> None:
    nothing = BarPanel("vega", "USD", (Bar("BTC", 0.0),))
    assert png_bytes(draw_bar_panels([nothing], "Sensitivities")).startswith(PNG_HEADER)
    figure = draw_limit_use(BarPanel("limits", "%", (Bar("a", 10.0), Bar("b", 90.0), Bar("c", 240.0))))
    assert figure.axes[0].get_xlim()[1] > 240
    assert len({bar.get_facecolor() for bar in figure.axes[0].patches}) == 3
    headrooms = draw_headrooms(BarPanel("rows", "USD", (Bar("a", -5.0), Bar("b", 5.0))))
    assert len({bar.get_facecolor() for bar in headrooms.axes[0].patches}) == 2


def test_words_in_pictures_are_escaped() -> None:
    panel = BarPanel("<b>limits</b>", "%", (Bar("<script>", 10.0),))
    text = svg_text(draw_limit_use(panel), "x", 'a "quoted" <description>')
    assert "<script>" not in text
    assert "<b>" not in text
    assert parsed(text).attrib["aria-label"] == 'a "quoted" <description>'


class _Elements(HTMLParser):
    """Elements of a page with their attributes, and whether they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag


def elements() -> list[tuple[str, dict[str, str | None]]]:
    parser = _Elements()
    parser.feed(PAGE)
    return parser.found


def test_the_page_fetches_nothing_and_runs_nothing() -> None:
    assert {tag for tag, _ in elements()}.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form"})
    for tag, attributes in elements():
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,")), (tag, name)
    assert all(place.startswith("#") for place in re.findall(r"url\(([^)]*)\)", PAGE))
    assert "@import" not in PAGE
    assert "default-src 'none'" in PAGE


def test_the_page_can_be_read_without_seeing_it() -> None:
    found = elements()
    pictures = [attributes for tag, attributes in found if tag == "svg"]
    assert len(pictures) == len(PICTURES)
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in pictures)
    assert [tag for tag, _ in found].count("details") == len(PICTURES)
    assert dict(found)["html"]["lang"] == "en"
    ids = [attributes["id"] for _, attributes in found if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert "prefers-color-scheme: dark" in PAGE


def test_every_picture_has_its_figures_in_a_table() -> None:
    captions = re.findall(r"<caption>(.*?)</caption>", PAGE)
    for picture in PICTURES:
        assert picture.tables
        for table in picture.tables:
            assert table.title.replace("'", "&#39;") in captions


def test_the_page_shows_the_rules_own_figures() -> None:
    for entry in REPORT.kinds:
        assert f"{entry.assessment.requirement:,.2f}" in PAGE
        assert f"{entry.assessment.binding.headroom:,.2f}".lstrip("-") in PAGE
        assert entry.assessment.binding.row.name in PAGE
    assert "What if: initial margin" in PAGE
    assert "What if" not in html_page(REPORT)


def test_of_many_expiries_the_nearest_the_last_and_some_between_are_drawn() -> None:
    moves = np.linspace(-0.3, 0.3, 5)
    lines = tuple(ProfitLine(str(place), moves * place) for place in range(13))
    (drawn, _) = draw_profit_curve(ProfitCurve("BTC", 94000.0, moves, lines), "USD").axes
    legend = drawn.get_legend()
    assert legend is not None
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels[:2] == ["0", "1"]
    assert labels[-1] == "12"
    assert len(labels) == 5


def test_what_decides_is_drawn_where_a_rule_has_auxiliaries() -> None:
    rule = two_coin_rules("span")[0]
    pictures = {picture.name: picture for picture in report_pictures(make_report([rule], [PORTFOLIO]))}
    assert png_bytes(pictures["decisions-initial"].draw()).startswith(PNG_HEADER)
    without = two_coin_rules()[0]
    assert "decisions-initial" not in {one.name for one in report_pictures(make_report([without], [PORTFOLIO]))}


def test_the_page_says_what_fails_and_where_nothing_is_allowed() -> None:
    rules = build_rules(example_market(), shipped_rule("exposure-limits"))
    page = html_page(make_report(rules, [portfolio_on(rules[0], {"USD": "-500000", "BTC-PERPETUAL": "1"})]))
    names = ["net total delta at most +1,000,000", "net total delta at least −1,000,000"]
    assert f"fails: minimum delta; {names[0]}; {names[1]}" in page
    assert f"nothing is allowed: {names[0]}" in page


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ([0, 20000, 40000], ["0", "20,000", "40,000"]),
        ([-7.5, -5, -2.5, 0], ["−7.5", "−5.0", "−2.5", "0.0"]),
        ([0, 0.0025, 0.005], ["0.0000", "0.0025", "0.0050"]),
        ([-5e9, 0, 5e9], ["−5,000 M", "0", "5,000 M"]),
        ([0, 12.5e6, 25e6], ["0", "12.5 M", "25.0 M"]),
        ([7], ["7"]),
    ],
)
def test_numbers_on_an_axis_differ_and_are_as_long_as_they_must_be(numbers: list[float], texts: list[str]) -> None:
    formatter = Thousands()
    assert formatter.format_ticks(numbers) == texts
