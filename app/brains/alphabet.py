"""Words that people say for letters: "B as in Bravo". The first of each is that of pilots and police (ICAO), and said
alone, too; the others are what comes to mind."""

from __future__ import annotations

from typing import Final

_TABLE = """
a alfa adam apple | b bravo boy bob | c charlie charles cat | d delta david dog | e echo edward easy
f foxtrot frank fox | g golf george | h hotel henry house | i india ida ice | j juliet john jack | k kilo king kate
l lima lincoln larry | m mike mary mother | n november nancy nora | o oscar ocean orange | p papa paul peter
q quebec queen | r romeo robert roger | s sierra sam sugar | t tango tom thomas | u uniform union uncle
v victor violet | w whiskey william water | x x-ray xylophone | y yankee young yellow | z zulu zebra
"""

ALPHABET: Final = tuple(
    (entry.split()[0], tuple(entry.split()[1:])) for entry in _TABLE.replace("\n", "|").split("|") if entry.strip()
)
