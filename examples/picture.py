"""Writes a two-dimensional field as a PNG, with nothing but the standard library and NumPy."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy

# Red, green and blue at equal steps from the least to the greatest value (dark blue to yellow).
COLOURS = numpy.array(
    [[13, 8, 80], [84, 2, 163], [156, 23, 158], [205, 71, 120], [237, 121, 83], [252, 200, 60]], float
)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(path: str, field: Any, least_side: int = 400) -> None:
    """Write `field` (rows from bottom to top) in colours from its least to its greatest value."""
    values = numpy.asarray(field, float)[::-1]
    low, high = values.min(), values.max()
    place = (values - low) / ((high - low) or 1.0) * (len(COLOURS) - 1)
    steps = numpy.arange(len(COLOURS))
    pixels = numpy.stack([numpy.interp(place, steps, channel) for channel in COLOURS.T], axis=-1).astype(numpy.uint8)
    times = max(1, -(-least_side // min(values.shape)))
    pixels = pixels.repeat(times, axis=0).repeat(times, axis=1)
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(_chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b""))
