"""Words of any script in plain Latin letters, letter by letter, by anyascii (ISC).

Accents, tones and apostrophes are dropped, and Hebrew, Arabic and Persian have only the vowels that they write. Three
vowels that anyascii does not write are added: the `a` that an Indian consonant carries unless a sign says otherwise,
the alef of Arabic script, and the `yo` of Cyrillic. The better known unidecode is not used: its licence is the GPL.
Both read Japanese and Cantonese characters as Mandarin.
"""

from __future__ import annotations

import re
import unicodedata

from taskembed_edu.base.checks import problem

# The Unicode blocks of India's scripts, from Devanagari to Malayalam, have the same layout: consonants from 15 to 39,
# and from 3C to 57 the signs that replace the vowel after a consonant or remove it.
_BLOCKS = range(0x0900, 0x0D80, 0x80)
_CONSONANTS, _NUKTA, _SIGNS = (
    "".join(f"{chr(block + low)}-{chr(block + high)}" for block in _BLOCKS)
    for low, high in ((0x15, 0x39), (0x3C, 0x3C), (0x3C, 0x57))
)
_BARE_CONSONANT = re.compile(f"[{_CONSONANTS}][{_NUKTA}]?(?![{_SIGNS}])")
_LETTERS = str.maketrans({"\u0627": "a", "\u0622": "a", "\u0623": "a", "\u0451": "yo"})  # three alefs, Cyrillic yo


def transliterate(word: str) -> str:
    """A word in plain lower-case letters, spaces and hyphens.

    >>> transliterate("fünfzig"), transliterate("п'ять"), transliterate("ಎರಡು")
    ('funfzig', 'pyat', 'eradu')
    """
    from anyascii import anyascii

    if not isinstance(word, str):
        raise TypeError(problem("word", word, "a word, in any script"))

    composed = unicodedata.normalize("NFC", word)
    latin = anyascii(_BARE_CONSONANT.sub(r"\g<0>a", composed).translate(_LETTERS)).lower()
    return " ".join(re.sub("[^a-z -]", "", latin).split())
