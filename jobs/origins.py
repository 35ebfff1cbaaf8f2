"""A kept picture to what it was made of, written into the picture's own file.

A name does not say what is in a file: another photograph of the same name, another length of clip
or another version of a painter would be taken for what was kept. So whoever writes a picture that
is kept writes its *origin* beside the pixels, in a text chunk of the PNG under ``KEYWORD`` (PNG
specification, section 11.3.3.2), and whoever reads it compares. A picture without one is unknown.
"""

import struct
import zlib
from hashlib import sha256
from pathlib import Path

KEYWORD = "made-of"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def digest(*parts: bytes | str | int) -> str:
    """Give the sha256, in hex, of what a picture is made of, each part by itself."""
    whole = sha256()
    for part in parts:
        whole.update(sha256(part if isinstance(part, bytes) else str(part).encode()).digest())
    return whole.hexdigest()


def file_digest(path: Path) -> str:
    """Give the sha256, in hex, of a file's content."""
    with path.open("rb") as file:
        whole = sha256()
        while block := file.read(1 << 20):
            whole.update(block)
    return whole.hexdigest()


def stamped(png: bytes, origin: str) -> bytes:
    """Put an origin, in Latin-1, into a PNG, right after its header."""
    content = b"tEXt" + KEYWORD.encode() + b"\0" + origin.encode("latin-1")
    chunk = struct.pack(">I", len(content) - 4) + content
    chunk += struct.pack(">I", zlib.crc32(content))
    header = len(_SIGNATURE) + 25
    return png[:header] + chunk + png[header:]


def origin_of(path: Path) -> str:
    """Read a PNG's origin; empty where there is none, or no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            return ""
        while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
            content = file.read(int.from_bytes(head[:4], "big") + 4)[:-4]
            keyword, _, text = content.partition(b"\0")
            if head[4:] == b"tEXt" and keyword == KEYWORD.encode():
                return text.decode("latin-1")
    return ""
