"""A campaign's flow as a drawing: where each box stands, and how the lines run. Pure.

One column, so that it can be read on a telephone: triggers, steps in the order in which they were written, the end.
What leads to the next box goes straight down; what leads further runs on the right, what leads back on the left. Lines
to the same box share a lane.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import wrap

from app.outbound.flow import END, AnyStep, CheckStep, Flow
from provisioning.web.flow_words import of_step, of_trigger, ways

WIDTH = 320
"""Of the drawing, in pixels of a narrow telephone."""

_LANE, _EDGE, _GAP, _LINE, _PADDING = 11, 6, 26, 18, 9
_BOX_TEXT, _SIGN = 10, 7.3  # from the box's edge to its text; width of a letter at 13 px in a wide typeface
_NEXT_TRIGGER = "communication ended"


@dataclass(frozen=True, slots=True)
class Box:
    """`kind`: "trigger", "end", or what the step does. `lines`: the first is its name; they fit. `title`: what
    stands there, whole."""

    key: str
    kind: str
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    title: str
    is_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """`path`: as SVG says it. `kind`: "yes", "otherwise" or ""."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Graph:
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Node:
    key: str
    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """Between two boxes, by their places in the column."""

    begin: int
    end: int
    kind: str

    @property
    def is_straight(self) -> bool:
        return self.end == self.begin + 1

    @property
    def side(self) -> str:
        return "right" if self.end > self.begin else "left"

    @property
    def span(self) -> tuple[int, int]:
        return min(self.begin, self.end), max(self.begin, self.end)


def drawn(flow: Flow, wrong: Iterable[str] = ()) -> Graph:
    """`wrong`: ids of steps, and "trigger N", that something is wrong with."""
    nodes = _nodes(flow)
    found = _ways(flow, {node.key: place for place, node in enumerate(nodes)})
    lanes = {side: _lanes([way for way in found if way.side == side and not way.is_straight]) for side in _SIDES}
    left, right = (_EDGE + _LANE * _count(lanes[side]) for side in _SIDES)
    boxes = _placed(nodes, left, WIDTH - left - right, frozenset(wrong))
    lines = tuple(Line(_path(way, boxes, lanes), way.kind) for way in found)
    return Graph(boxes[-1].y + boxes[-1].height + _EDGE, boxes, lines)


_SIDES = ("left", "right")


def _nodes(flow: Flow) -> list[_Node]:
    triggers = [
        _Node(f"trigger {place}", "trigger", ("Begins when", of_trigger(each)))
        for place, each in enumerate(flow.triggers)
    ]
    steps = [_Node(each.id, each.do, (each.id, of_step(each), *_told_ways(each))) for each in flow.steps]
    return [*triggers, *steps, _Node(END, "end", ("The end",))]


def _told_ways(step: AnyStep) -> tuple[str, ...]:
    """Colours alone do not say which line is which."""
    return tuple(f"{when} → {where}" for when, where in ways(step)) if isinstance(step, CheckStep) else ()


def _ways(flow: Flow, places: dict[str, int]) -> list[_Way]:
    """Those that lead to a box; others are problems, which are told in words."""
    told = [(f"trigger {place}", "", each.then) for place, each in enumerate(flow.triggers)]
    told += [(each.id, when, where) for each in flow.steps for when, where in ways(each) if where]
    ended = next((place for place, each in enumerate(flow.triggers) if each.on == _NEXT_TRIGGER), None)
    if ended is not None:
        told += [(each.id, "", f"trigger {ended}") for each in flow.steps if ways(each) == (("", ""),)]
    return [_Way(places[key], places[where], when) for key, when, where in told if where in places]


def _lanes(ways_: list[_Way]) -> dict[int, int]:
    """The lane of each box that is led to: lines to the same one share it, and lines that pass each other do not."""
    spans: dict[int, tuple[int, int]] = {}
    for way in ways_:
        first, last = spans.get(way.end, way.span)
        spans[way.end] = min(first, way.span[0]), max(last, way.span[1])
    lanes: dict[int, int] = {}
    for end, (first, last) in sorted(spans.items(), key=lambda each: each[1][1] - each[1][0]):
        taken = {lanes[other] for other in lanes if spans[other][0] <= last and first <= spans[other][1]}
        lanes[end] = next(lane for lane in range(len(spans)) if lane not in taken)
    return lanes


def _count(lanes: dict[int, int]) -> int:
    return min(max(lanes.values(), default=-1) + 1, _MOST_LANES)


_MOST_LANES = 7
"""On each side; more would leave no room for the boxes, and share the last one."""


def _placed(nodes: list[_Node], x: float, width: float, wrong: frozenset[str]) -> tuple[Box, ...]:
    boxes: list[Box] = []
    y = float(_EDGE)
    signs = int((width - 2 * _BOX_TEXT) / _SIGN)
    for node in nodes:
        lines = tuple(part for line in node.lines for part in _wrapped(line, signs))
        height = 2 * _PADDING + _LINE * len(lines)
        boxes.append(Box(node.key, node.kind, x, y, width, height, lines, ". ".join(node.lines), node.key in wrong))
        y += height + _GAP
    return tuple(boxes)


def _wrapped(line: str, signs: int) -> list[str]:
    """In two lines at most."""
    return wrap(line, signs, max_lines=2, placeholder="…", break_on_hyphens=False)


def _path(way: _Way, boxes: tuple[Box, ...], lanes: dict[str, dict[int, int]]) -> str:
    begin, end = boxes[way.begin], boxes[way.end]
    if way.is_straight:
        return f"M{begin.x + begin.width / 2:g} {begin.y + begin.height:g}V{end.y:g}"
    lane = min(lanes[way.side][way.end], _MOST_LANES - 1)
    out = _LANE * (lane + 1)
    # Otherwise-lines leave lower than yes-lines, and lines that come back to the same box leave below its middle.
    begin_y = begin.y + begin.height * (0.75 if way.kind == "otherwise" or way.begin == way.end else 0.5)
    end_y = end.y + end.height * 0.3
    if way.side == "right":
        return f"M{begin.x + begin.width:g} {begin_y:g}h{out:g}V{end_y:g}h{-out:g}"
    return f"M{begin.x:g} {begin_y:g}h{-out:g}V{end_y:g}h{out:g}"
