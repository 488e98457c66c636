"""How a drawing becomes a picture: strokes of a mouse or a finger, and picture files, in the style of the letters.

A drawing is reduced to the points of its lines, brought to one size, and drawn with a round pen. What a pen draws
depends only on the distance from a pixel to the nearest point of a line.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.checks import check_finite, check_number, problem
from taskembed_edu.tasks.thinning import thinned

if TYPE_CHECKING:
    from PIL import Image

SIDE = 28  # a picture is so many pixels high and wide
REACH = 18.0  # from end to end, the lines of a drawing take so many of them: a pen of 2 to 4 pixels fits in
FARTHEST = 7.9  # distances are kept up to here, in pixels: no pen is wider than twice this
_GRID = 8  # a line is drawn by points, so many to a pixel
SHAPE_SIDE = 48  # a shape is so large, in pixels, when it is thinned

MOST_PIXELS = 50_000_000
MOST_POINTS = 100_000
_SEGMENTS = 4096  # of a line are filled at once: a zigzag of all points would need a gigabyte

# What may be opened: Pillow knows formats that start other programs, too.
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
_SHRUNK = 256  # a photograph is made so small before its ink is looked for
_CONTRAST = 0.12  # ink differs at least so much from its paper, white minus black being 1
_LEAST = 1e-300  # what is no larger is a dot
_SPECK = 0.005  # a blot smaller than this share of the ink is dust


def check_pen(pen: float) -> float:
    """`pen`, if it is a width that can be drawn, in pixels."""
    return check_number("pen", pen, 1, 10, "A pen's width is in pixels, of a picture of 28 x 28.")


def ink(distance: Tensor, pen: float | Tensor) -> Tensor:
    """What a round pen leaves at this distance from its line: 1 inside, 0 outside, and half on the pen's edge.

    Worked number: a pen 3 wide leaves 1 up to distance 1, and 0 from 2 on.
    """
    return (pen / 2 + 0.5 - distance).clamp(0, 1)


def from_strokes(strokes: Sequence[Any], pen: float = 3.0) -> Tensor:
    """The picture (1, 28, 28) of a drawing: each stroke a list of points (n, 2), x to the right and y down.

    Any scale and place: the drawing is brought to the size of the letters. Ink is 1. A stroke of one point is a dot.
    Errors: TypeError and ValueError for what is no drawing: no strokes, a single dot, coordinates that are no numbers.
    Worked number: a line from (0, 0) to (500, 0) is drawn from x = 5 to 23, halfway down.
    """
    check_pen(pen)
    lines = [_stroke(stroke) for stroke in _strokes(strokes)]
    if sum(map(len, lines)) > MOST_POINTS:
        cause = "Is it several drawings?"
        raise ValueError(problem("strokes", f"{sum(map(len, lines)):,} points", f"at most {MOST_POINTS:,}", cause))
    together = torch.cat(lines)
    scaled = normalised(together, "strokes").split([len(line) for line in lines])
    return _drawn(_filled(scaled), pen)


def from_picture(source: str | Path | bytes, pen: float = 3.0) -> Tensor:
    """The picture (1, 28, 28) of a drawing in a file (PNG, JPEG, GIF, BMP, WebP, TIFF) or in a file's bytes.

    Dark ink on light paper, or light on dark: what is at the border is paper. Its lines are thinned and drawn again
    with the pen, so that a photograph or an icon looks like the letters of the family. Ink is 1.
    Errors: TypeError and ValueError for a file that is missing or no picture, for 50 million pixels and more (its
    header is read first), for a picture with nothing on it, and for a single dot.
    """
    check_pen(pen)
    return _drawn(normalised(_line_of(_shape(_grey(source))), "picture"), pen)


def normalised(points: Tensor, argument: str) -> Tensor:
    """Points (n, 2) around the middle of a picture, the longer side of their box REACH. Errors: for a single dot."""
    low, high = points.amin(0), points.amax(0)
    size = (high - low).max()
    if not _LEAST < size < torch.inf:
        is_dot = size <= _LEAST  # or so small that its scale would be no number
        cause = "A dot has no shape: draw a line." if is_dot else "The coordinates are too far apart."
        raise ValueError(problem(argument, "a single dot" if is_dot else "endless lines", "a drawing", cause))
    return SIDE / 2 + (points - low - (high - low) / 2) * (REACH / size)


def distance_fields(points: Tensor, there: Tensor | None = None) -> Tensor:
    """Distance in pixels from each pixel's middle to the nearest point: (n, n_points, 2) -> (n, 28, 28).

    Points are (x, y), in pixels from the upper left corner; `there` (n, n_points) says which of them count.
    Distances end at FARTHEST. Worked number: from the middle of a picture (14, 14) to the pixel beside it, sqrt(1/2).
    """
    middles = torch.arange(SIDE, dtype=points.dtype) + 0.5
    squares = (middles[None, None, :] - points[..., None]).square()  # (n, n_points, 2, 28): along x, and along y
    if there is not None:
        squares = squares.masked_fill(~there[..., None, None], torch.inf)
    nearest = torch.full((len(points), SIDE, SIDE), FARTHEST**2, dtype=points.dtype)
    for some in squares.split(max(1, 4_000_000 // (SIDE * SIDE * len(points))), dim=1):
        nearest = torch.minimum(nearest, (some[:, :, 1, :, None] + some[:, :, 0, None, :]).amin(1))
    return nearest.sqrt()


def _drawn(points: Tensor, pen: float) -> Tensor:
    return ink(distance_fields(points[None]), pen).to(torch.get_default_dtype())


def _strokes(strokes: Any) -> list[Any]:
    """The strokes, if they are some."""
    expected = "strokes in a list, each of them points (n, 2)"
    if isinstance(strokes, (str, bytes)) or not hasattr(strokes, "__iter__"):
        raise TypeError(problem("strokes", f"a {type(strokes).__name__}", expected))
    given = [stroke for stroke in strokes if not hasattr(stroke, "__len__") or len(stroke)]
    if not given:
        raise ValueError(problem("strokes", "an empty drawing", expected, "Draw a line first."))
    return given


def _stroke(stroke: Any) -> Tensor:
    expected = "points (n, 2) of numbers, x and y"
    try:
        given = stroke.detach().cpu().numpy() if isinstance(stroke, Tensor) else stroke
        points = torch.from_numpy(np.array(given, dtype=np.float64))
    except (TypeError, ValueError, OverflowError, NotImplementedError) as error:
        raise TypeError(problem("stroke", f"a {type(stroke).__name__}", expected, f"{error}.".capitalize())) from None
    if points.ndim != 2 or points.shape[1] != 2:
        cause = "One stroke is a list of one: [points]." if points.ndim == 1 else ""
        raise ValueError(problem("stroke", points, expected, cause))
    return check_finite("stroke", points, "A point that is no number cannot be drawn.")


def _filled(lines: Sequence[Tensor]) -> Tensor:
    """The points of these lines, an eighth of a pixel apart at most, none of them twice."""
    inked = torch.zeros(SIDE * _GRID, SIDE * _GRID, dtype=torch.bool)
    for line in lines:
        for some in torch.arange(len(line)).split(_SEGMENTS):
            points = _along(line[some[0] : some[-1] + 2])
            inked[tuple((points * _GRID).round().long().T)] = True
    return inked.nonzero().double() / _GRID


def _along(line: Tensor) -> Tensor:
    step = line.diff(dim=0)
    parts = (step.abs().amax(1) * _GRID).ceil().long().clamp(min=1)
    which = torch.arange(len(parts)).repeat_interleave(parts)
    inside = torch.arange(len(which)) - (parts.cumsum(0) - parts)[which]
    along = line[which] + step[which] * (inside / parts[which])[:, None]
    return torch.cat((along, line[-1:]))


# ---- picture files ---------------------------------------------------------------------------------------------------


def _grey(source: str | Path | bytes) -> NDArray[np.float64]:
    """The picture of this file in shades of grey, 0 to 1, at most 256 pixels wide and high."""
    if not isinstance(source, (str, Path, bytes, bytearray)):
        raise TypeError(problem("source", f"a {type(source).__name__}", "the path of a picture file, or its bytes"))
    is_path = isinstance(source, (str, Path))
    try:
        with Path(source).expanduser().open("rb") if is_path else io.BytesIO(source) as file:  # type: ignore[arg-type]
            small = _small(file)
    except _TooLargeError as error:
        expected = f"a picture of less than {MOST_PIXELS:,} pixels"
        raise ValueError(problem("source", str(error), expected, "Make it smaller first.")) from None
    except Exception as error:  # Pillow's readers have no exception class of their own
        came, expected = repr(str(source)) if is_path else "bytes", f"a picture file ({', '.join(_FORMATS)})"
        raise ValueError(problem("source", came, expected, f"It cannot be read: {error}.")) from None
    shades = np.asarray(small, dtype=np.float64) / 255
    grey, opaque = shades[..., :3] @ (0.299, 0.587, 0.114), shades[..., 3]
    is_light = bool((grey * opaque).sum() > 0.5 * opaque.sum())  # then what is clear is dark paper
    return grey * opaque + (1 - opaque) * (0.0 if is_light else 1.0)


def _small(file: IO[bytes]) -> Image.Image:
    from PIL import ImageOps  # not at the top: only a picture file needs it

    image = _opened(file)
    image.draft("L", (2 * _SHRUNK, 2 * _SHRUNK))  # a photograph need not be unpacked at its full size
    if image.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
        image = image.convert("I").point(lambda shade: shade * (1 / 256)).convert("L")
    small = ImageOps.exif_transpose(image).convert("RGBA")
    small.thumbnail((_SHRUNK, _SHRUNK))
    return small


class _TooLargeError(Exception):
    """A picture with too many pixels; its text says how many."""


def _opened(file: IO[bytes]) -> Image.Image:
    """The picture, of which only the header has been read."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(file, formats=_FORMATS)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise _TooLargeError(f"a picture of more than {MOST_PIXELS:,} pixels") from None
    if image.width * image.height >= MOST_PIXELS:
        raise _TooLargeError(f"a picture of {image.width:,} x {image.height:,} pixels")
    return image


def _shape(grey: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where the ink is: what differs most from the paper, less its dust."""
    from scipy import ndimage

    difference = np.abs(grey - _paper(grey))
    if difference.max() < _CONTRAST:
        raise ValueError(problem("source", "an empty picture", "a drawing on plain paper", "No ink stands out on it."))
    inked = difference > max(_otsu(difference), _CONTRAST / 2)
    blots, _ = ndimage.label(inked, structure=np.ones((3, 3)))
    sizes = np.bincount(blots.ravel())
    sizes[0] = 0
    return (sizes >= _SPECK * sizes.sum())[blots] & inked


def _paper(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """The brightness of the paper: a plane through the border, since a lamp stands on one side."""
    height, width = grey.shape
    y, x = np.mgrid[:height, :width]
    ring = max(1, min(height, width) // 20)
    border = np.minimum.reduce([y, x, height - 1 - y, width - 1 - x]) < ring
    terms = np.stack((np.ones_like(x), x / width, y / height), axis=-1).astype(float)
    # A line that crosses the border is no paper: the half that is farthest from the median is not looked at.
    far = np.abs(grey - np.median(grey[border]))
    kept = border & (far <= np.median(far[border]))
    plane, *_ = np.linalg.lstsq(terms[kept], grey[kept], rcond=None)
    return terms @ plane


def _otsu(values: NDArray[np.float64]) -> float:
    """The threshold that parts values into two groups, each as alike as can be (Otsu 1979, equation 14)."""
    counts, edges = np.histogram(values, bins=256)
    middles = (edges[:-1] + edges[1:]) / 2
    below, sums = counts.cumsum(), (counts * middles).cumsum()
    above = below[-1] - below
    apart = np.where(
        (below > 0) & (above > 0),
        below * above * (sums / below.clip(1) - (sums[-1] - sums) / above.clip(1)) ** 2,
        0.0,
    )
    return float(edges[1:][apart.argmax()])


def _line_of(shape: NDArray[np.bool_]) -> Tensor:
    """The points (n, 2) of the lines of a shape, as x and y."""
    from PIL import Image

    grey = Image.fromarray(shape.astype(np.uint8) * 255)
    return thinned(resized(grey.crop(grey.getbbox()))[None])[0].nonzero().flip(1).double()


def resized(box: Image.Image) -> Tensor:
    """A grey shape, cut out along its own box, with the longer side SHAPE_SIDE, as booleans (height, width)."""
    from PIL import Image

    scale = SHAPE_SIDE / max(box.size)
    width, height = (max(1, round(side * scale)) for side in box.size)
    resample = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return torch.from_numpy(np.asarray(box.resize((width, height), resample)) > 127)
