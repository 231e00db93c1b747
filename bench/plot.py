"""Draws the ratios of a run as horizontal bars on a logarithmic scale: an SVG, by hand.

A library would bring some 100 MB for one picture (docs/dependencies.md). The picture has a ground
of its own, so that it can be read on a light page and on a dark one.
"""

import math
from collections.abc import Mapping
from html import escape

Ratios = Mapping[str, Mapping[str, float]]
"""By quantity and server: how many times as much Penstock does."""

WIDTH = 860
LABEL_WIDTH = 200
VALUE_WIDTH = 70
BAR_HEIGHT = 15
BAR_GAP = 5
GROUP_GAP = 18
HEAD_HEIGHT = 66
GROUP_TITLE_HEIGHT = 20
FOOT_HEIGHT = 16
COLOURS = ("#1f6f8b", "#4c9fb8", "#b5651d", "#d99a5b", "#5b7f3a", "#8f6bb0")
STYLE = (
    "text{font-family:system-ui,sans-serif;font-size:12px;fill:#222}"
    ".head{font-size:15px;font-weight:600}.group{font-weight:600}.faint{fill:#666}"
)


def svg(ratios: Ratios, quantity_titles: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """Return the picture; the two mappings name quantities and servers."""
    servers = list(dict.fromkeys(server for each in ratios.values() for server in each))
    colours = {server: COLOURS[at % len(COLOURS)] for at, server in enumerate(servers)}
    axis = Axis(ratios)
    parts: list[str] = []
    top = HEAD_HEIGHT
    for quantity, each in ratios.items():
        parts.append(_text(16, top + 13, quantity_titles.get(quantity, quantity), "group"))
        top += GROUP_TITLE_HEIGHT
        for server, ratio in each.items():
            parts += _bar(axis, top, titles.get(server, server), ratio, colours[server])
            top += BAR_HEIGHT + BAR_GAP
        top += GROUP_GAP - BAR_GAP
    height = top + FOOT_HEIGHT
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>Penstock by each peer</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#fdfdfb"/>',
        _text(16, 26, "How many times as much Penstock does as each peer", "head"),
    ]
    return "\n".join([*head, *axis.lines(top - GROUP_GAP + BAR_GAP), *parts, "</svg>"]) + "\n"


class Axis:
    """A logarithmic scale that holds all ratios, and 1."""

    def __init__(self, ratios: Ratios) -> None:
        values = [value for each in ratios.values() for value in each.values()] or [1.0]
        self._low = min(0.0, math.floor(math.log10(min(values))))
        self._high = max(1.0, math.ceil(math.log10(max(values))))

    def x(self, value: float) -> float:
        """Return where a value is, in the picture."""
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return LABEL_WIDTH + share * (WIDTH - LABEL_WIDTH - VALUE_WIDTH)

    def lines(self, bottom: float) -> list[str]:
        """Return the lines of the powers of ten, and their names."""
        parts = []
        for power in range(int(self._low), int(self._high) + 1):
            value = 10.0**power
            x, colour = self.x(value), "#555" if power == 0 else "#ddd"
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{HEAD_HEIGHT - 8}" y2="{bottom:.1f}" '
                f'stroke="{colour}"/>'
            )
            parts.append(_text(x, HEAD_HEIGHT - 14, f"{value:,g}×", "faint", "middle"))
        return parts


def _bar(axis: Axis, top: float, title: str, ratio: float, colour: str) -> list[str]:
    start, end = sorted((axis.x(1.0), axis.x(ratio)))
    baseline = top + BAR_HEIGHT - 3
    size = f'width="{max(end - start, 1):.1f}" height="{BAR_HEIGHT}"'
    return [
        _text(LABEL_WIDTH - 10, baseline, title, "", "end"),
        f'<rect x="{start:.1f}" y="{top}" {size} fill="{colour}"/>',
        _text(end + 6, baseline, shown(ratio)),
    ]


def shown(ratio: float) -> str:
    """Return a ratio with two digits that count, or as many as it has before the point."""
    return f"{ratio:,.0f}×" if ratio >= 10 else f"{ratio:.1f}×" if ratio >= 1 else f"{ratio:.2f}×"


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
    )
