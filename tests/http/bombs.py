"""Images that are small as files and large, or broken, as images."""

from __future__ import annotations

import base64
import struct
import zlib


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(side: int, *, data: bytes | None = None, more: bytes = b"") -> bytes:
    """Return a black and white PNG; ``data`` takes the place of its pixels, ``more`` are further chunks."""
    if data is None:
        row, packer = bytes(1 + (side + 7) // 8), zlib.compressobj(9)
        data = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gif(side: int) -> bytes:
    """Return a GIF of one frame, whose pixels are missing."""
    frame = struct.pack("<BHHHHB", 0x2C, 0, 0, side, side, 0)
    return b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6) + frame + b"\x02\x02\x4c\x01\x00\x3b"


def bmp(side: int) -> bytes:
    """Return a BMP whose pixels are missing."""
    info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 1, 0, 0, 0, 0, 2, 2)
    return b"BM" + struct.pack("<IHHI", 62, 0, 0, 62) + info + bytes(8)


def encoded(content: bytes) -> str:
    """Return content as a body holds it."""
    return base64.b64encode(content).decode()
