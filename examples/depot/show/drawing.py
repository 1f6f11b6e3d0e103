"""Draws pictures of every kind that people send: formats, modes, turned, animated, transparent."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

EXTENSIONS = {
    "PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp", "BMP": "bmp", "TIFF": "tif",
}  # fmt: skip
TURNED = 0x0112
"""The EXIF tag that says which way up a picture is."""


@dataclass(frozen=True)
class Kind:
    """A format in one of its modes."""

    format: str
    mode: str = "RGB"
    save: Mapping[str, Any] = field(default_factory=dict[str, Any])
    frames: int = 1
    photo: bool = False
    """Soft colours instead of flat shapes; may be large."""

    @property
    def extension(self) -> str:
        """Return the usual end of a file's name."""
        return EXTENSIONS[self.format]

    @property
    def content_type(self) -> str:
        """Return the type that an honest client declares."""
        return Image.MIME[self.format]


def _turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[TURNED] = orientation
    return exif.tobytes()


KINDS = {
    "photo": Kind("JPEG", photo=True),
    "rgb": Kind("PNG"),
    "palette": Kind("GIF", "P"),
    "lossy": Kind("WEBP", photo=True, save={"method": 0}),
    "bitmap": Kind("BMP"),
    "packed": Kind("TIFF", save={"compression": "tiff_lzw"}),
    "alpha": Kind("PNG", "RGBA"),
    "cmyk": Kind("JPEG", "CMYK", photo=True),
    "animated": Kind("GIF", "P", frames=4),
    "moving": Kind("WEBP", frames=3, save={"method": 0}),
    "sideways": Kind("JPEG", photo=True, save={"exif": _turned(6)}),
    "depth16": Kind("PNG", "I;16"),
    "grey": Kind("JPEG", "L", photo=True),
    "indexed": Kind("PNG", "P"),
    "see-through": Kind("GIF", "P", save={"transparency": 0}),
    "scan": Kind("TIFF", "CMYK", save={"compression": "tiff_lzw"}),
    "mirrored": Kind("JPEG", photo=True, save={"exif": _turned(5)}),
    "fax": Kind("TIFF", "1", save={"compression": "group4"}),
    "progressive": Kind("JPEG", photo=True, save={"progressive": True}),
    "grey-alpha": Kind("PNG", "LA"),
    "icon": Kind("BMP", "P"),
    "x-ray": Kind("TIFF", "I;16"),
    "glass": Kind("WEBP", "RGBA", save={"method": 0}),
    "stencil": Kind("PNG", "1"),
    "holes": Kind("PNG", "P", save={"transparency": 0}),
    "pages": Kind("TIFF", frames=2),
}
SIMPLE = ["photo", "rgb", "bitmap", "grey", "alpha"]
"""Formats in which half a file is sure to be noticed."""


def draw(kind: Kind, width: int, height: int, rng: random.Random) -> bytes:
    """Return a picture as the bytes of its file."""
    frames = [
        _soft(width, height, kind.mode, rng) if kind.photo else _flat(width, height, kind.mode, rng)
        for _ in range(kind.frames)
    ]
    more: dict[str, Any] = {"save_all": True, "append_images": frames[1:]} if frames[1:] else {}
    file = BytesIO()
    frames[0].save(file, kind.format, **kind.save, **more)
    return file.getvalue()


def draw_bomb() -> bytes:
    """Return a few kilobytes that unpack to a hundred million pixels."""
    file = BytesIO()
    Image.new("1", (10_000, 10_000)).save(file, "PNG")
    return file.getvalue()


def _soft(width: int, height: int, mode: str, rng: random.Random) -> Image.Image:
    """Return a few blots of colour that flow into one another."""
    blots = Image.frombytes(mode, (5, 5), rng.randbytes(25 * len(mode)))
    return blots.resize((width, height), Image.Resampling.BILINEAR)


def _flat(width: int, height: int, mode: str, rng: random.Random) -> Image.Image:
    """Return discs and bars, as in a poster."""
    picture = Image.new(mode, (width, height), _colour(mode, rng))
    if mode == "P":
        picture.putpalette(rng.randbytes(3 * 16))
    pen = ImageDraw.Draw(picture)
    for _ in range(8):
        x, y = rng.randrange(width), rng.randrange(height)
        box = (x, y, x + rng.randrange(1 + width // 2), y + rng.randrange(1 + height // 2))
        shape = rng.choice((pen.ellipse, pen.rectangle))
        shape(box, fill=_colour(mode, rng))
    return picture


def _colour(mode: str, rng: random.Random) -> int | tuple[int, ...]:
    match mode:
        case "1":
            return rng.randrange(2)
        case "P":
            return rng.randrange(16)
        case "I;16":
            return rng.randrange(65_536)
        case _:
            return tuple(rng.randbytes(len(mode)))
