"""From the bytes of a picture to those of a smaller one. Nothing in here knows a store or a job."""

from __future__ import annotations

import warnings
from io import BytesIO

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from depot.rejections import Damaged, NotAPicture, TooLarge, TypeDiffers

SIZES = (96, 320, 1024)
"""The thumbnails that there are of each picture: their longest sides."""
MAX_PIXELS = 40_000_000
"""What a picture may unpack to; a small file can hold a very large one."""


def read(data: bytes, content_type: str) -> Image.Image:
    """Return the picture: upright, RGB or RGBA, of several frames the first.

    Raises one of the ``depot.rejections``.
    """
    picture = _open(data)
    actual = picture.get_format_mimetype()
    if actual != content_type:
        raise TypeDiffers(f"declared {content_type}, is {actual}")
    try:
        picture.load()
        return _plain(ImageOps.exif_transpose(picture))
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # each format has its own
        raise Damaged(str(error)) from error


def shrink(picture: Image.Image, size: int) -> Image.Image:
    """Return a copy that fits into a square; a picture that does already is not enlarged."""
    copy = picture.copy()
    copy.thumbnail((size, size), reducing_gap=2.0)
    return copy


def webp(picture: Image.Image) -> bytes:
    """Return the picture as a WebP file: the same picture gives the same bytes."""
    file = BytesIO()
    picture.save(file, "WEBP", quality=80, method=2)
    return file.getvalue()


def _open(data: bytes) -> ImageFile.ImageFile:
    """Read the header, and judge by it: nothing is unpacked yet."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return Image.open(BytesIO(data))
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise TooLarge(f"more than {MAX_PIXELS / 1e6:.0f} million pixels") from None
        except UnidentifiedImageError:
            raise NotAPicture(f"it begins with {data[:8]!r}") from None


def _plain(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits, which converting would clip instead of scaling
        picture = picture.convert("I").point(lambda value: value / 257).convert("L")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
