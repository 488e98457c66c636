"""The languages of `NumberWords`, and the place of each in the tree of languages.

Family, branch and glottocode follow Glottolog (glottolog.org; Hammarström, Forkel, Haspelmath and Bank), where the
`source` of each row points; every row was compared with the table of Glottolog 4.0 (`tests/glottolog_4_0.csv`). A
branch is a well-known group below the family, about as deep as Romance or Slavic; a language with no relative in the
table is alone in its branch. Two names are ours: "Baltic" is Glottolog's Eastern Baltic, and a language that is a
branch of its own (Hungarian, Korean) gives the branch its name.

One row per language, no regional variants. Three languages that num2words can spell are excluded: Japanese, because
anyascii reads its characters as Mandarin; Thai, because it writes some vowels before the consonants that they follow in
speech, so transliteration letter by letter puts them in the wrong order; and Esperanto, because a constructed language
has no place in a tree of descent.
"""

from __future__ import annotations

from typing import NamedTuple


class Language(NamedTuple):
    """One row: num2words' code, names, and the codes of ISO 639-3 and Glottolog.

    >>> BY_CODE["es"].branch, BY_CODE["es"].source
    ('Romance', 'https://glottolog.org/resource/languoid/id/stan1288')
    """

    code: str
    name: str
    family: str
    branch: str
    iso: str
    glottocode: str

    @property
    def source(self) -> str:
        """The page that gives family and branch."""
        return f"https://glottolog.org/resource/languoid/id/{self.glottocode}"


LANGUAGES: tuple[Language, ...] = (
    Language("am", "Amharic", "Afro-Asiatic", "Semitic", "amh", "amha1245"),
    Language("ar", "Arabic", "Afro-Asiatic", "Semitic", "arb", "stan1318"),
    Language("he", "Hebrew", "Afro-Asiatic", "Semitic", "heb", "hebr1245"),
    Language("vi", "Vietnamese", "Austroasiatic", "Vietic", "vie", "viet1252"),
    Language("id", "Indonesian", "Austronesian", "Malayo-Polynesian", "ind", "indo1316"),
    Language("tet", "Tetum", "Austronesian", "Malayo-Polynesian", "tet", "tetu1245"),
    Language("kn", "Kannada", "Dravidian", "South Dravidian", "kan", "nucl1305"),
    Language("te", "Telugu", "Dravidian", "South Dravidian", "tel", "telu1262"),
    Language("lt", "Lithuanian", "Indo-European", "Baltic", "lit", "lith1251"),
    Language("lv", "Latvian", "Indo-European", "Baltic", "lav", "latv1249"),
    Language("cy", "Welsh", "Indo-European", "Celtic", "cym", "wels1247"),
    Language("da", "Danish", "Indo-European", "Germanic", "dan", "dani1285"),
    Language("de", "German", "Indo-European", "Germanic", "deu", "stan1295"),
    Language("en", "English", "Indo-European", "Germanic", "eng", "stan1293"),
    Language("is", "Icelandic", "Indo-European", "Germanic", "isl", "icel1247"),
    Language("nl", "Dutch", "Indo-European", "Germanic", "nld", "dutc1256"),
    Language("no", "Norwegian", "Indo-European", "Germanic", "nor", "norw1258"),
    Language("sv", "Swedish", "Indo-European", "Germanic", "swe", "swed1254"),
    Language("bn", "Bengali", "Indo-European", "Indo-Aryan", "ben", "beng1280"),
    Language("fa", "Persian", "Indo-European", "Iranian", "pes", "west2369"),
    Language("tg", "Tajik", "Indo-European", "Iranian", "tgk", "taji1245"),
    Language("ca", "Catalan", "Indo-European", "Romance", "cat", "stan1289"),
    Language("es", "Spanish", "Indo-European", "Romance", "spa", "stan1288"),
    Language("fr", "French", "Indo-European", "Romance", "fra", "stan1290"),
    Language("it", "Italian", "Indo-European", "Romance", "ita", "ital1282"),
    Language("pt", "Portuguese", "Indo-European", "Romance", "por", "port1283"),
    Language("ro", "Romanian", "Indo-European", "Romance", "ron", "roma1327"),
    Language("be", "Belarusian", "Indo-European", "Slavic", "bel", "bela1254"),
    Language("cs", "Czech", "Indo-European", "Slavic", "ces", "czec1258"),
    Language("pl", "Polish", "Indo-European", "Slavic", "pol", "poli1260"),
    Language("ru", "Russian", "Indo-European", "Slavic", "rus", "russ1263"),
    Language("sk", "Slovak", "Indo-European", "Slavic", "slk", "slov1269"),
    Language("sl", "Slovenian", "Indo-European", "Slavic", "slv", "slov1268"),
    Language("sr", "Serbian", "Indo-European", "Slavic", "srp", "serb1264"),
    Language("uk", "Ukrainian", "Indo-European", "Slavic", "ukr", "ukra1253"),
    Language("ko", "Korean", "Koreanic", "Korean", "kor", "kore1280"),
    Language("ce", "Chechen", "Nakh-Daghestanian", "Nakh", "che", "chec1245"),
    Language("az", "Azerbaijani", "Turkic", "Oghuz", "azj", "nort2697"),
    Language("tr", "Turkish", "Turkic", "Oghuz", "tur", "nucl1301"),
    Language("kz", "Kazakh", "Turkic", "Kipchak", "kaz", "kaza1248"),
    Language("fi", "Finnish", "Uralic", "Finnic", "fin", "finn1318"),
    Language("hu", "Hungarian", "Uralic", "Hungarian", "hun", "hung1274"),
)

BY_CODE: dict[str, Language] = {language.code: language for language in LANGUAGES}
