"""Languages as tasks: how does this one spell the numbers from 0 to 99?

num2words spells the numbers (LGPL: imported, never copied), and `number_slips.py` corrects 24 of them;
`transliteration.py` says how they become plain letters. Sounds that differ only by a dot become the same letter: 7 and
60 are one word in Bengali.
"""

from __future__ import annotations

import functools
import math
import sys
import warnings
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from taskembed_edu.base.checks import check_choice, check_whole, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily, TruthKind
from taskembed_edu.tasks.languages import BY_CODE, LANGUAGES
from taskembed_edu.tasks.number_slips import corrected
from taskembed_edu.tasks.sketch import TaskFit, TaskSketch
from taskembed_edu.tasks.slices import deal
from taskembed_edu.tasks.transliteration import transliterate as transliterate

N_NUMBERS = 100

# The default `ignore_index` of torch's cross_entropy: it marks the places after a word's end.
IGNORE = -100

# A full stop: it ends a word, and no number word contains one.
END = "."
ALPHABET: tuple[str, ...] = (*" -abcdefghijklmnopqrstuvwxyz", END)

# A card beside the map shows these numbers: a small one, a teen, and tens with and without a unit.
_SHOWN = (7, 16, 21, 40, 58, 93)


class NumberWord(NamedTuple):
    """A number and its word in one language: in the language's own script, and in the letters of ALPHABET."""

    number: int
    original: str
    latin: str


@dataclass(frozen=True)
class NumberWords(TaskFamily):
    r"""Languages that spell numbers: x is a number from 0 to 99, y its word, letter by letter.

    All tasks of a batch spell the same numbers, drawn without repetition: a parallel corpus, in which two languages can
    be compared word by word. Truth: (family, branch, language), indices into the lists of `category_names`. True
    geometry: how far up the tree of languages the common ancestor of two languages is,

        d = 0 the same language, 1 the same branch, 2 the same family, 3 else

    which is Euclidean between one-hot vectors: language * sqrt(1/2), branch * sqrt(3/2), family * sqrt(5/2). Two
    languages of one family and different branches differ in language and branch, so d^2 = 2 * 1/2 + 2 * 3/2 = 4.
    Spanish is 1 from Portuguese, 2 from German and 3 from Finnish.

    `part` lists the codes (`languages.py`) of the languages to sample from; empty: all. A language that cannot be spelt
    is named in a warning and excluded.

    Shapes: x (n_tasks, n_shot, 2), tens and units; y (n_tasks, n_shot, length), indices into `alphabet`, then END,
    then IGNORE as padding. Both int64. Errors: more tasks than languages; more than 100 samples.

    >>> tasks = NumberWords(part=("es", "fi")).sample(2, n_shot=5, rng=torch.Generator().manual_seed(0))
    >>> tasks.support_x.shape, sorted(tasks.names)
    (torch.Size([2, 5, 2]), ['Finnish', 'Spanish'])
    >>> words("es")[7].latin, words("ru")[7]
    ('siete', NumberWord(number=7, original='семь', latin='sem'))
    """

    part: tuple[str, ...] = ()

    name: ClassVar[str] = "number_words"
    label: ClassVar[str] = "Languages: number words"
    menu_label: ClassVar[str] = "Languages"
    kind: ClassVar[str] = "tokens"
    classification: ClassVar[bool] = False
    default_shot: ClassVar[int] = 50
    label_points: ClassVar[bool] = True
    alphabet: ClassVar[tuple[str, ...]] = ALPHABET

    def __post_init__(self) -> None:
        if not isinstance(self.part, (tuple, list)) or not all(isinstance(code, str) for code in self.part):
            raise TypeError(problem("part", repr(self.part), "codes in a tuple", "One is a tuple of one: ('fi',)."))
        for code, cause in self._left_out().items():
            warnings.warn(f"number words: {code!r} is left out, {cause}", UserWarning, stacklevel=3)
        if not self.codes:
            raise ValueError(problem("part", repr(self.part), "at least one language that can be spelt"))

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the languages that tasks are sampled from."""
        left_out = self._left_out()
        return tuple(code for code in self._asked() if code not in left_out)

    @property
    def length(self) -> int:
        """The length of y: the longest word of all languages, and END."""
        return _corpus().ids.shape[2]

    @property
    def truth_names(self) -> tuple[str, ...]:
        return ("family", "branch", "language")

    @property
    def truth_kinds(self) -> tuple[TruthKind, ...]:
        return ("category", "category", "category")

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (2,)

    @property
    def n_distinct(self) -> int:
        return len(self.codes)

    @property
    def group(self) -> str:
        return "branch"

    def category_names(self, column: str) -> tuple[str, ...]:
        return _CATEGORIES.get(column, ())

    def draw_truth(self, n_tasks: int, rng: torch.Generator) -> Tensor:
        codes = self.codes
        if n_tasks > len(codes):
            cause = "A task is a language, and none comes twice."
            raise ValueError(problem("n_tasks", n_tasks, f"at most {len(codes)}: so many languages there are", cause))
        order = torch.randperm(len(codes), generator=rng)[:n_tasks].tolist()
        return torch.tensor([_truth(codes[i]) for i in order])

    def draw_samples(self, truth: Tensor, n_shot: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        if n_shot > N_NUMBERS:
            cause = "Support and query sets together take n_shot + n_query numbers, and share none."
            raise ValueError(problem("n_shot", n_shot, f"at most {N_NUMBERS} numbers, from 0 to 99", cause))
        numbers = torch.randperm(N_NUMBERS, generator=rng)[:n_shot]
        x = torch.stack((numbers // 10, numbers % 10), dim=1).expand(len(truth), -1, -1)
        return x.contiguous(), _corpus().ids[truth[:, 2].long()][:, numbers]

    @short_errors
    def few_shot(self, n_examples: int = 10, n_tasks: int | None = None, *, rng: torch.Generator) -> TaskBatch:
        """A few numbers of each language to learn from, and all its other numbers to be judged by.

        `n_tasks` languages (None: all of this part). Errors: ValueError for no example, or so many that no number is
        left; for more tasks than languages. Worked number: of 10 examples, 90 numbers judge.

        >>> tasks = NumberWords(part=("es", "fi")).few_shot(10, rng=torch.Generator().manual_seed(0))
        >>> tasks.support_x.shape[1], tasks.query_x.shape[1]
        (10, 90)
        """
        cause = f"There are {N_NUMBERS} numbers, and those that are no examples judge."
        check_whole("n_examples", n_examples, 1, N_NUMBERS - 1, cause)
        n_tasks = self.n_distinct if n_tasks is None else n_tasks
        return self.sample(n_tasks, n_examples, rng=rng, n_query=N_NUMBERS - n_examples)

    def coordinates(self, truth: Tensor) -> Tensor:
        columns = zip(_CATEGORIES.values(), truth.long().unbind(1), (5 / 2, 3 / 2, 1 / 2), strict=True)
        one_hot = [F.one_hot(codes, len(names)).to(truth.dtype) * math.sqrt(w) for names, codes, w in columns]
        return torch.cat(one_hot, dim=1)

    def task_name(self, truth: Tensor) -> str:
        return LANGUAGES[int(truth[2])].name

    def sketch(self, batch: TaskBatch) -> TaskSketch:
        """Six numbers in each language, in its own script and transliterated, and which of them the support set has."""
        self._check_mine(batch)
        spelt = [words(LANGUAGES[int(language)].code) for language in batch.truth[:, 2].tolist()]
        rows = (tuple((str(n), of[n].original, of[n].latin) for n in _SHOWN) for of in spelt)
        numbers = 10 * batch.support_x[..., 0] + batch.support_x[..., 1]
        if batch.support_mask is not None:
            numbers = numbers.masked_fill(~batch.support_mask, -1)
        given = [set(of_task) for of_task in numbers.tolist()]
        shown = tuple(tuple(n in known for n in _SHOWN) for known in given)
        return TaskSketch("words", words=tuple(rows), shown=shown)

    def probe(self, batch: TaskBatch) -> Tensor:
        """The six numbers of the sketch."""
        shown = torch.tensor(_SHOWN, device=batch.support_x.device)
        return torch.stack((shown // 10, shown % 10), dim=1).expand(len(batch), -1, -1)

    def fit(self, outputs: Tensor) -> TaskFit:
        """The words in the outputs (n_tasks, n_numbers, length, letters): the most likely letter at each place."""
        letters = outputs.argmax(-1).cpu()
        return TaskFit(words=tuple(tuple(decode(word) for word in of_task) for of_task in letters))

    def split(self, rng: torch.Generator) -> Split:
        """Whole languages are held out: about 60, 20 and 20 %."""
        self._check_split(rng)
        codes = self.codes
        return Split(*map(self.with_part, deal([codes[i] for i in torch.randperm(len(codes), generator=rng).tolist()])))

    def _asked(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.part)) or tuple(BY_CODE)

    def _left_out(self) -> dict[str, str]:
        unknown = {code: "no language of the table has this code" for code in self._asked() if code not in BY_CODE}
        return unknown | {code: why for code, why in _corpus().unspelt.items() if code in self._asked()}


def encode(word: str, length: int | None = None) -> Tensor:
    """The word's letters as indices into ALPHABET, then END, then IGNORE up to `length` (None: no padding).

    >>> encode("uno", length=6)
    tensor([  22,   15,   16,   28, -100, -100])
    """
    ids = torch.tensor([ALPHABET.index(letter) for letter in word + END])
    return ids if length is None else F.pad(ids, (0, length - len(ids)), value=IGNORE)


def decode(ids: Tensor) -> str:
    """The word that these indices into ALPHABET spell, up to END or to the first IGNORE."""
    letters = "".join(END if i == IGNORE else ALPHABET[i] for i in ids.tolist())
    return sys.intern(letters.split(END)[0])  # frames keep thousands of words, most of them many times


def spell(number: int, code: str) -> str:
    """The number in the language's own script, as num2words writes it, less its slips."""
    from num2words import num2words  # slow: it imports all its languages

    return corrected(num2words(number, lang=code), number, code)


@functools.cache
def words(code: str) -> tuple[NumberWord, ...]:
    """The numbers from 0 to 99 in one language. A ValueError names the first number that cannot be spelt."""
    check_choice("code", code, BY_CODE)
    spelt = []
    for number in range(N_NUMBERS):
        try:
            original = spell(number, code)
        except Exception as error:  # num2words has no exception class of its own, so any exception means this
            raise ValueError(f"num2words cannot spell {number}: {type(error).__name__} {error}".strip()) from error
        if not (latin := transliterate(original)):
            raise ValueError(f"the word for {number}, {original!r}, has no letters")
        spelt.append(NumberWord(number, original, latin))
    return tuple(spelt)


class _Corpus(NamedTuple):
    """All words of all languages, (n_languages, 100, length), and for a language without words the reason."""

    ids: Tensor
    unspelt: dict[str, str]


@functools.cache
def _corpus() -> _Corpus:
    spelt, unspelt = {}, {}
    for code in BY_CODE:
        try:
            spelt[code] = words(code)
        except ValueError as error:
            unspelt[code] = str(error)
    length = 1 + max((len(word.latin) for of in spelt.values() for word in of), default=0)
    nothing = torch.full((N_NUMBERS, length), IGNORE)
    rows = [torch.stack([encode(w.latin, length) for w in spelt[c]]) if c in spelt else nothing for c in BY_CODE]
    return _Corpus(torch.stack(rows), unspelt)


_CATEGORIES: dict[str, tuple[str, ...]] = {
    "family": tuple(sorted({language.family for language in LANGUAGES})),
    "branch": tuple(sorted({language.branch for language in LANGUAGES})),
    "language": tuple(language.name for language in LANGUAGES),
}


def _truth(code: str) -> list[float]:
    language = BY_CODE[code]
    columns = zip(_CATEGORIES.values(), (language.family, language.branch, language.name), strict=True)
    return [float(names.index(name)) for names, name in columns]
