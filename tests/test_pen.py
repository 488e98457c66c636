"""A drawing becomes a picture: strokes and picture files, in one style, and what is no drawing is said in words."""

from __future__ import annotations

import io
import itertools
import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage
from torch import Tensor

from taskembed_edu.tasks.pen import REACH, SIDE, _otsu, distance_fields, from_picture, from_strokes, ink
from taskembed_edu.tasks.thinning import thinned

# A hook: down, to the right, and a dot.
HOOK = [np.array([[0.0, 0.0], [0.0, 8.0], [5.0, 8.0]]), np.array([[4.0, 1.0]])]


def plainly_thinned(shape: list[list[bool]]) -> list[list[bool]]:
    """Zhang and Suen's paper, pixel by pixel."""
    height, width = len(shape), len(shape[0])
    shape = [[*row] for row in shape]

    def at(i: int, j: int) -> int:
        return int(0 <= i < height and 0 <= j < width and shape[i][j])

    changed = True
    while changed:
        changed = False
        for second in (False, True):
            gone = []
            for i in range(height):
                for j in range(width):
                    if not shape[i][j]:
                        continue
                    p2, p3, p4, p5 = at(i - 1, j), at(i - 1, j + 1), at(i, j + 1), at(i + 1, j + 1)
                    p6, p7, p8, p9 = at(i + 1, j), at(i + 1, j - 1), at(i, j - 1), at(i - 1, j - 1)
                    around = [p2, p3, p4, p5, p6, p7, p8, p9, p2]
                    changes = sum(a == 0 and b == 1 for a, b in itertools.pairwise(around))
                    c, d = (p2 * p4 * p8, p2 * p6 * p8) if second else (p2 * p4 * p6, p4 * p6 * p8)
                    if 2 <= sum(around[:8]) <= 6 and changes == 1 and c == 0 and d == 0:
                        gone.append((i, j))
            for i, j in gone:
                shape[i][j] = False
            changed = changed or bool(gone)
    return shape


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=9, max_size=9), min_size=7, max_size=7))
def test_thinning_is_zhang_and_suens(shape: list[list[bool]]) -> None:
    drawn = np.array(shape)
    filled = ndimage.binary_dilation(drawn) if drawn.sum() < 12 else drawn  # few pixels: a blot for each
    expected = torch.tensor(plainly_thinned(filled.tolist()))
    found = thinned(torch.from_numpy(filled[None]))
    if expected.any() or not filled.any():
        assert torch.equal(found[0], expected)
    else:
        assert found[0].sum() == 1  # one pixel of a shape that would vanish


def test_shapes_are_thinned_as_if_each_were_alone() -> None:
    shapes = torch.rand(20, 15, 11, generator=torch.Generator().manual_seed(0)) > 0.3
    before = shapes.clone()
    together = thinned(shapes)
    assert torch.equal(together, torch.cat([thinned(shape[None]) for shape in shapes]))
    assert torch.equal(shapes, before)
    assert not (together & ~shapes).any()


def test_worked_shapes() -> None:
    bar = torch.ones(1, 3, 9, dtype=torch.bool)
    assert thinned(bar)[0].nonzero().tolist() == [[1, column] for column in range(1, 7)]
    assert thinned(torch.ones(1, 2, 2, dtype=torch.bool)).sum() == 1
    assert not thinned(torch.zeros(3, 5, 5, dtype=torch.bool)).any()
    assert thinned(torch.zeros(0, 5, 5, dtype=torch.bool)).shape == (0, 5, 5)


def test_distances_are_scipys() -> None:
    inked = torch.rand(6, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) > 0.97
    for picture in inked:
        points = picture.nonzero().flip(1).double() + 0.5
        expected = np.minimum(ndimage.distance_transform_edt(~picture.numpy()), 7.9)
        assert np.allclose(distance_fields(points[None])[0], expected)


def test_distances_of_some_points_only() -> None:
    points = torch.tensor([[[14.0, 14.0], [3.0, 3.0]], [[3.0, 3.0], [20.0, 9.0]]])
    some = distance_fields(points, torch.tensor([[True, False], [True, True]]))
    assert torch.allclose(some[0], distance_fields(points[:1, :1])[0])
    assert some[0, 14, 14] == pytest.approx(math.sqrt(0.5))


@pytest.mark.parametrize("width", [1.0, 2.5, 3.0, 4.0])
def test_the_pen(width: float) -> None:
    distance = torch.linspace(0, 6, 25)
    expected = [min(1.0, max(0.0, width / 2 + 0.5 - d)) for d in distance.tolist()]
    assert torch.allclose(ink(distance, width), torch.tensor(expected))


# ---- strokes ---------------------------------------------------------------------------------------------------------


def box_of(picture: Tensor) -> tuple[float, ...]:
    """Left, top, right and bottom of what is inked at least by half."""
    rows, columns = (picture[0] >= 0.5).nonzero().unbind(1)
    return tuple(float(number) for number in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))


def test_a_line_is_drawn_where_it_says() -> None:
    picture = from_strokes([[(0, 0), (500, 0)]], pen=2)
    assert picture.shape == (1, SIDE, SIDE)
    assert picture.dtype == torch.float32
    assert box_of(picture) == (5 - 1, 13, 23 + 1, 15)
    assert torch.equal(picture, picture.flip(2))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=2, max_size=12),
    st.sampled_from([1 / 64, 1.0, 512.0]),
    st.integers(-1000, 1000),
)
def test_size_and_place_make_no_difference(stroke: list[tuple[int, int]], scale: float, shift: int) -> None:
    points = np.array(stroke, dtype=float)
    if len(set(stroke)) == 1:
        return
    one, other = from_strokes([points]), from_strokes([points * scale + shift * scale])
    assert torch.equal(one, other)
    assert 0 <= float(one.min()) <= float(one.max()) == 1
    left, top, right, bottom = box_of(one)
    assert max(right - left, bottom - top) == pytest.approx(REACH + 3, abs=1.1)


def test_y_points_down_and_a_dot_belongs_to_a_drawing() -> None:
    picture = from_strokes(HOOK)[0]
    assert picture[22, 9] == 1  # the hook's corner: on the left, at the bottom
    assert picture[22, 20] < picture[7, 17] == 1  # the dot: on the right, near the top
    assert torch.equal(from_strokes([stroke.tolist() for stroke in HOOK])[0], picture)
    assert torch.equal(from_strokes([torch.tensor(stroke) for stroke in HOOK])[0], picture)
    assert torch.equal(from_strokes([*HOOK, np.zeros((0, 2))])[0], picture)


def test_a_line_of_many_points_is_the_line() -> None:
    two = from_strokes([[(0, 0), (10, 4)]])
    many = from_strokes([np.linspace((0, 0), (10, 4), 50_000)])
    assert torch.allclose(two, many, atol=0.1)


@pytest.mark.parametrize(
    "strokes, said",
    [
        (None, r"strokes: got a NoneType, expected strokes in a list"),
        ("abc", r"strokes: got a str, expected strokes in a list"),
        (5, r"strokes: got a int"),
        ([], r"strokes: got an empty drawing.*Draw a line first"),
        ([[], []], r"strokes: got an empty drawing"),
        ([[(3, 4)]], r"strokes: got a single dot, expected a drawing\. A dot has no shape"),
        ([[(3, 4), (3, 4)], [(3, 4)]], r"strokes: got a single dot"),
        ([(1, 2), (3, 4)], r"stroke: got a tensor of shape \(2,\).*One stroke is a list of one: \[points\]"),
        ([[(1, 2, 3)]], r"stroke: got a tensor of shape \(1, 3\)"),
        ([[(1, math.nan), (2, 3)]], r"stroke: got 1 NaN or infinite of 4 entries"),
        ([[(1, math.inf), (2, 3)]], r"stroke: got 1 NaN or infinite"),
        ([[(-1.7e308, 0), (1.7e308, 3)]], r"strokes: got endless lines"),
        ([[(0, 0), (1e-320, 0)]], r"strokes: got a single dot"),
        ([[(10**400, 0), (0, 0)]], r"stroke: got a list, expected points"),
        ([torch.zeros(3, 2, device="meta")], r"stroke: got a Tensor, expected points"),
        ([None], r"stroke: got"),
        ([["a", "b"]], r"stroke: got a list, expected points \(n, 2\)"),
        ([[(1, 2), (3,)]], r"stroke: got a list"),
        ([torch.zeros(3, 2, requires_grad=True)], r"strokes: got a single dot"),
        ([np.zeros((60_000, 2)), np.ones((60_000, 2))], r"strokes: got 120,000 points, expected at most 100,000"),
    ],
)
def test_what_is_no_drawing_is_said(strokes: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        from_strokes(strokes)


def test_a_scribble_of_all_points_is_as_dark_as_its_paper() -> None:
    """It took a minute and a gigabyte: each of its 99,999 lines crosses the whole paper."""
    places = torch.arange(100_000.0)
    scribble = torch.stack((places % 2, places / len(places)), dim=1)
    picture = from_strokes([scribble])
    assert bool((picture[0, 6:22, 6:22] == 1).all())
    assert torch.equal(picture, from_strokes([scribble[::9]]))


@pytest.mark.parametrize("pen", [0, -1, 11, math.nan, None, "3"])
def test_a_pen_has_a_width(pen: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"pen: got .* expected a number"):
        from_strokes(HOOK, pen=pen)
    with pytest.raises((TypeError, ValueError), match=r"pen: got .* expected a number"):
        from_picture(b"", pen=pen)


# ---- picture files ---------------------------------------------------------------------------------------------------


def a_hook(ground: int = 240, line: int = 30, scale: int = 20, mode: str = "L") -> Image.Image:
    """HOOK on paper of 12 x 12 units."""
    image = Image.new("L", (12 * scale, 12 * scale), ground)
    draw = ImageDraw.Draw(image)
    draw.line([((x + 3) * scale, (y + 2) * scale) for x, y in HOOK[0].tolist()], fill=line, width=scale)
    x, y = (HOOK[1][0] + (3, 2)) * scale
    draw.ellipse((x - scale / 2, y - scale / 2, x + scale / 2, y + scale / 2), fill=line)
    return image.convert(mode)


def as_bytes(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def photographed(image: Image.Image) -> Image.Image:
    """Lit from one side, and noisy."""
    grey = np.asarray(image, dtype=float)
    light = np.linspace(0.55, 1.0, grey.shape[1])[None, :]
    noise = np.random.default_rng(0).normal(0, 6, grey.shape)
    return Image.fromarray((grey * light + noise).clip(0, 255).astype(np.uint8))


def with_dust(image: Image.Image) -> Image.Image:
    image.putpixel((2, 2), 0)
    return image


def transparent(line: int) -> Image.Image:
    """Only the line is there."""
    image = Image.new("LA", (240, 240), (line, 0))
    image.putalpha(a_hook(0, 255))
    return image


def turned(image: Image.Image) -> bytes:
    """As a telephone writes it: the pixels on their side, and a note of it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return as_bytes(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)


PICTURES: dict[str, Callable[[], bytes]] = {
    "dark on light": lambda: as_bytes(a_hook()),
    "light on dark": lambda: as_bytes(a_hook(10, 200)),
    "colour": lambda: as_bytes(a_hook(mode="RGB"), "BMP"),
    "two colours": lambda: as_bytes(a_hook(255, 0, mode="1"), "TIFF"),
    "sixteen bits": lambda: as_bytes(Image.fromarray(np.asarray(a_hook(), dtype=np.uint16) * 257)),
    "palette": lambda: as_bytes(a_hook(mode="P"), "GIF"),
    "a photograph": lambda: as_bytes(photographed(a_hook()), "JPEG"),
    "large": lambda: as_bytes(a_hook(scale=150), "JPEG"),
    "an icon": lambda: as_bytes(a_hook(scale=3)),
    "dust": lambda: as_bytes(with_dust(a_hook())),
    "transparent, dark": lambda: as_bytes(transparent(0)),
    "transparent, light": lambda: as_bytes(transparent(255)),
    "on its side": lambda: turned(a_hook()),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_file_is_drawn_like_its_strokes(name: str, tmp_path: Path) -> None:
    content = PICTURES[name]()
    found = from_picture(content)
    expected = from_strokes(HOOK)
    shared = torch.minimum(found, expected).sum() / torch.maximum(found, expected).sum()
    assert shared > 0.55, f"{name}: {shared:.2f} of the ink is shared"
    assert ndimage.label(found[0] > 0.5)[1] == 2  # the hook and its dot
    path = tmp_path / "drawing"
    path.write_bytes(content)
    assert torch.equal(from_picture(path), found)
    assert torch.equal(from_picture(str(path)), found)


def test_the_threshold_is_the_best_of_all() -> None:
    """Of all 255 cuts, by plain means: the one between two groups that are as far apart as can be."""
    rng = np.random.default_rng(0)
    values = np.concatenate((rng.normal(0.1, 0.05, 900), rng.normal(0.7, 0.1, 100))).clip(0, 1)
    _, edges = np.histogram(values, bins=256)

    def apart(cut: float) -> float:
        low, high = values[values < cut], values[values >= cut]
        return len(low) * len(high) * (low.mean() - high.mean()) ** 2 if len(low) and len(high) else 0.0

    assert apart(_otsu(values)) > 0.999 * max(apart(cut) for cut in edges[1:-1])
    assert 0.2 < _otsu(values) < 0.6


def huge_header(width: int, height: int) -> bytes:
    """The beginning of a PNG that says how large it is, and has no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")


@pytest.mark.parametrize(
    "source, said",
    [
        (None, r"source: got a NoneType, expected the path of a picture file, or its bytes"),
        (5, r"source: got a int"),
        (b"", r"source: got bytes, expected a picture file \(PNG, .*cannot be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", r"source: got bytes, expected a picture file"),
        ("nowhere.png", r"source: got 'nowhere.png', expected a picture file.*No such file"),
        (".", r"source: got '\.', expected a picture file"),
        (__file__, r"source: got .*, expected a picture file"),
        (as_bytes(a_hook())[:300], r"source: got bytes, expected a picture file"),
        (huge_header(10_000, 5_000), r"source: got a picture of 10,000 x 5,000 pixels, expected.*less than 50,000,000"),
        (huge_header(10_000, 10_000), r"source: got a picture of more than 50,000,000 pixels"),
        (huge_header(60_000, 60_000), r"source: got a picture of more than 50,000,000 pixels"),
        (as_bytes(Image.new("L", (50, 40), 200)), r"source: got an empty picture.*No ink stands out"),
        (as_bytes(Image.new("LA", (50, 40), (200, 0))), r"source: got an empty picture"),
        (as_bytes(Image.new("L", (1, 1), 9)), r"source: got an empty picture"),
    ],
)
def test_what_is_no_picture_of_a_drawing_is_said(source: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        from_picture(source)


def test_a_picture_of_a_dot_is_said() -> None:
    image = Image.new("L", (100, 100), 255)
    ImageDraw.Draw(image).ellipse((40, 40, 60, 60), fill=0)
    with pytest.raises(ValueError, match="a single dot"):
        from_picture(as_bytes(image))
    image = Image.new("L", (30, 30), 255)
    image.putpixel((14, 14), 0)
    with pytest.raises(ValueError, match="a single dot"):
        from_picture(as_bytes(image))
