"""The languages of `LanguageNames`, and the place of each in the tree of languages (`language_families.csv`).

Codes are CLDR's. Family, branch and glottocode follow Glottolog 5.1 (Hammarström, Forkel, Haspelmath and Bank 2024,
CC BY 4.0), as in `languages.py`: `tests/glottolog_5_1.csv` has the rows that they were taken from. A branch is a
well-known group below the family; where there is none it is Glottolog's first group, and of a language alone its name.

Left out are Japanese and Cantonese, because anyascii reads their characters as Mandarin, and what Glottolog calls
artificial: Esperanto, Interlingua, Interlingue, Toki Pona and the written standard N'Ko.
"""

from __future__ import annotations

import csv
from pathlib import Path

from taskembed_edu.tasks.languages import Language

with open(Path(__file__).with_suffix(".csv"), encoding="utf-8", newline="") as _file:
    LANGUAGES: tuple[Language, ...] = tuple(Language(**row) for row in csv.DictReader(_file))

CODES: tuple[str, ...] = tuple(language.code for language in LANGUAGES)

# What stands above a language, from the largest group to the smallest, and the names of all such groups.
GROUPS: dict[str, tuple[str, ...]] = {
    level: tuple(sorted({getattr(language, level) for language in LANGUAGES})) for level in ("family", "branch")
}
