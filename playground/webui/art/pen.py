"""Smooth shapes in a box of 100 by 100 units. Knows no motif."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from playground.webui.art.colour import Colour

Point = tuple[float, float]
Fill = Colour | tuple[int, int, int, int]
_FINER = 3  # drawn that much larger, then shrunk: Pillow's shapes have no smooth edges of their own
_CURVE_STEPS = 8


class Pen:
    """Draws on a transparent square; the units run from (0, 0) at the top left to (100, 100)."""

    def __init__(self, size: int) -> None:
        self.size = max(size, 4)
        self._unit = self.size * _FINER / 100
        self._image = Image.new("RGBA", (self.size * _FINER,) * 2)
        self._draw = ImageDraw.Draw(self._image)

    def image(self) -> Image.Image:
        """What was drawn, at its real size."""
        return self._image.reduce(_FINER)

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._unit, y * self._unit) for x, y in points]

    def oval(self, x: float, y: float, wide: float, high: float, fill: Fill) -> None:
        """An ellipse around its centre, with its two radii."""
        self._draw.ellipse(self._at([(x - wide, y - high), (x + wide, y + high)]), fill=fill)

    def dot(self, x: float, y: float, radius: float, fill: Fill) -> None:
        """A circle."""
        self.oval(x, y, radius, radius, fill)

    def shape(self, points: Sequence[Point], fill: Fill) -> None:
        """A polygon."""
        if len(fill) == 3:
            self._draw.polygon(self._at(points), fill=fill)
            return
        # Drawing on a transparent picture replaces; what shines through has to be laid over it.
        layer = Image.new("RGBA", self._image.size)
        ImageDraw.Draw(layer).polygon(self._at(points), fill=fill)
        self._image.alpha_composite(layer)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Fill, *, round_: float = 0) -> None:
        """A rectangle, with round corners if asked."""
        corners = self._at([(left, top), (right, bottom)])
        self._draw.rounded_rectangle(corners, round_ * self._unit, fill=fill)

    def blob(self, points: Sequence[Point], fill: Fill) -> None:
        """A closed smooth curve through the points."""
        self.shape(_smooth(points, closed=True), fill)

    def line(self, points: Sequence[Point], width: float, fill: Fill) -> None:
        """A smooth open curve through the points with round ends."""
        curve = _smooth(points, closed=False)
        self._draw.line(self._at(curve), fill=fill, width=max(round(width * self._unit), 1), joint="curve")
        for end in (curve[0], curve[-1]):
            self.dot(*end, width / 2, fill)


def _smooth(points: Sequence[Point], *, closed: bool) -> list[Point]:
    """Catmull-Rom: a curve that goes through every point."""
    count = len(points)
    last = count if closed else count - 1
    curve: list[Point] = []
    for index in range(last):
        before, here, there, after = (_neighbour(points, index + step, closed=closed) for step in (-1, 0, 1, 2))
        for step in range(_CURVE_STEPS):
            share = step / _CURVE_STEPS
            curve.append(
                (_on(before[0], here[0], there[0], after[0], share), _on(before[1], here[1], there[1], after[1], share))
            )
    if not closed:
        curve.append(points[-1])
    return curve


def _neighbour(points: Sequence[Point], index: int, *, closed: bool) -> Point:
    return points[index % len(points)] if closed else points[min(max(index, 0), len(points) - 1)]


def _on(before: float, here: float, there: float, after: float, share: float) -> float:
    bend = 2 * before - 5 * here + 4 * there - after
    twist = 3 * (here - there) + after - before
    return here + 0.5 * share * (there - before + share * (bend + share * twist))
