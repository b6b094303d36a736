"""The forms of a page, as a browser without script would send them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

Pairs = tuple[tuple[str, str], ...]

_NOT_SENT = ("submit", "button", "reset", "image")


@dataclass(frozen=True, slots=True)
class Form:
    """`fields`: what would be sent as the page came, in the page's order. `choices`: the fields whose value is picked,
    not typed. `hidden`: those that nobody sees. `secrets`: those that show dots. `buttons`: those with a name, which is
    sent by whoever presses them. `files`: fields for a file each; None for a form that takes none."""

    method: str
    action: str
    fields: Pairs
    choices: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    buttons: Pairs = ()
    files: tuple[str, ...] | None = None

    def filled(self, **typed: str) -> Form:
        """With these values instead, of fields that are there."""
        names = {name for name, _ in self.fields}
        if missing := set(typed) - names:
            raise KeyError(f"the form has no field {', '.join(sorted(missing))}")
        return replace(self, fields=tuple((name, typed.get(name, value)) for name, value in self.fields))

    def filled_first(self, values: Mapping[str, str]) -> Form:
        """With these values, of rows in the first only; what the form does not ask for is left out."""
        left, fields = dict(values), []
        for name, shown in self.fields:
            fields.append((name, left.pop(name, shown)))
        return replace(self, fields=tuple(fields))

    def ticked(self, **boxes: str) -> Form:
        """With these boxes ticked too."""
        return replace(self, fields=(*self.fields, *boxes.items()))

    def has(self, name: str) -> bool:
        return any(each == name for each, _ in self.fields)

    def shown(self, name: str) -> str:
        """The first value of a field."""
        return next(value for each, value in self.fields if each == name)


def forms_of(html: str, path: str) -> list[Form]:
    """All forms of the page at `path`, in its order."""
    parser = _Parser(path)
    parser.feed(html)
    parser.close()
    return parser.found


def form_to(html: str, path: str, action: str = "") -> Form:
    """The form of the page at `path` that is sent to `action`, or to the page itself."""
    return next(each for each in forms_of(html, path) if each.method == "post" and each.action == (action or path))


def text_of(html: str) -> str:
    """What a reader of the page sees, without the values of its fields."""
    parser = _Parser("")
    parser.feed(html)
    parser.close()
    return "".join(parser.text)


@dataclass(slots=True)
class _Open:
    """The form that is being read."""

    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    files: list[str] | None = None

    def closed(self) -> Form:
        files = None if self.files is None else tuple(self.files)
        return Form(
            self.method,
            self.action,
            tuple(self.fields),
            frozenset(self.choices),
            frozenset(self.hidden),
            frozenset(self.secrets),
            tuple(self.buttons),
            files,
        )


class _Parser(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Form] = []
        self.text: list[str] = []
        self._path = path
        self._form: _Open | None = None
        self._area: str | None = None
        self._select, self._chosen, self._option = "", "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = _Open(
                given.get("method", "get").lower(), given.get("action", "").partition("#")[0] or self._path
            )
            if given.get("enctype") == "multipart/form-data":
                self._form.files = []
        elif self._form is not None:
            self._control(self._form, tag, given)

    def _control(self, form: _Open, tag: str, given: dict[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "input":
            self._input(form, name, value, given)
        elif tag == "button" and name:
            form.buttons.append((name, value))
        elif tag == "textarea":
            form.fields.append((name, ""))
            self._area = ""
        elif tag == "select":
            self._select, self._chosen, self._option = name, "", False
        elif tag == "option" and ("selected" in given or not self._option):
            self._chosen, self._option = given.get("value", "\0"), True

    def _input(self, form: _Open, name: str, value: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        if not name or kind in _NOT_SENT:
            return
        if kind == "hidden":
            form.hidden.add(name)
        if kind == "password":
            form.secrets.add(name)
        if kind == "file":
            form.files = [*(form.files or []), name]
        elif kind in ("checkbox", "radio"):
            form.choices.add(name)
            if "checked" in given:
                form.fields.append((name, value))
        else:
            form.fields.append((name, value))

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area += data
        elif self._chosen == "\0":  # an option without a value is its text
            self._chosen = data.strip()
        self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        form = self._form
        if form is None:
            return
        if tag == "form":
            self.found.append(form.closed())
            self._form = None
        elif tag == "textarea" and self._area is not None:
            # A browser drops the first line break of a textarea, and sends the others as CR LF.
            value = self._area.removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")
            form.fields[-1], self._area = (form.fields[-1][0], value), None
        elif tag == "select" and self._option:
            form.fields.append((self._select, self._chosen))
            form.choices.add(self._select)
