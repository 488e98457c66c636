"""Where num2words 0.5.14 misspells a number, and what is right.

The numbers of all languages were compared with a second source, the spelling rules of CLDR as ICU 72 applies them, and
by hand where these have no rules (Bengali, Kannada, Telugu, Tajik, Tetum, Chechen). Most differences are two good ways
to write a number: Turkish with spaces or without, Welsh in tens or in twenties, Portuguese of Portugal or of Brazil,
Serbian in Latin letters or in Cyrillic. In four languages CLDR is wrong and num2words right (Icelandic 7, Azerbaijani
60, Slovenian 20 and Belarusian 60). These are left, and only what is below is corrected.
"""

from __future__ import annotations

from typing import NamedTuple


class Slip(NamedTuple):
    """In the words for these numbers of this language, `wrong` should be `right`, according to `source`."""

    code: str
    numbers: tuple[int, ...]
    wrong: str
    right: str
    source: str


_CLDR = "CLDR 42, spellout-cardinal"
_WIKIBOOKS = "Wikibooks, Bengali/Numbers"

SLIPS: tuple[Slip, ...] = (
    Slip("sv", tuple(range(40, 50)), "förtio", "fyrtio", f"{_CLDR}; Svenska Akademiens ordlista, fyrtio"),
    Slip("da", tuple(range(60, 70)), "treds", "tres", _CLDR),
    Slip("bn", (35,), "পঁইত্রিশ", "পঁয়ত্রিশ", _WIKIBOOKS),
    Slip("bn", (37,), "সাতত্রিশ", "সাঁইত্রিশ", _WIKIBOOKS),
    Slip("bn", (44,), "চৌচল্লিশ", "চুয়াল্লিশ", _WIKIBOOKS),
    Slip("bn", (66,), "ছিষট্টি", "ছেষট্টি", _WIKIBOOKS),
)


def corrected(word: str, number: int, code: str) -> str:
    """The word for a number as it should be spelt; most are right already.

    >>> corrected("förtiotvå", 42, "sv"), corrected("halvtreds", 50, "da")
    ('fyrtiotvå', 'halvtreds')
    """
    for slip in SLIPS:
        if slip.code == code and number in slip.numbers:
            word = word.replace(slip.wrong, slip.right)
    return word.strip()
