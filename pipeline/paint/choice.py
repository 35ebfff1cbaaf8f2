"""What people write for a style to a style code.

A *member* is a name of the gallery, an image file, or a code file. A style is a member or a *mix*:
``great-wave:0.7,starry-night:0.3``, codes added up by weight, linearly. Several styles in one text
are separated by commas too, so: a text in which every member has a weight is one mix; members that
``+`` joins are one mix, wherever they stand, with weights or without; otherwise commas separate
styles. Nothing here reads an image but through the encoder, or prints what there is to say.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from pipeline.errors import BadRequest, MissingWeights, UnknownStyle
from pipeline.paint.code_file import SUFFIX, CodeFile, read_code_file
from pipeline.paint.hygiene import read_painting
from pipeline.paint.styles import Caption, StyleCode, gallery, load_code, manifest

_WEIGHT = re.compile(r"\d+\.?\d*|\.\d+")


@dataclass(frozen=True, slots=True)
class Choice:
    """A style, and what a person should know of how it came about."""

    code: StyleCode
    notes: tuple[str, ...] = ()
    """each a line"""


def split_styles(text: str) -> list[str]:
    """Separate the styles of a text; each is for ``choose``.

    >>> split_styles("adele, great-wave+trellis"), split_styles("adele:0.5,trellis:0.5")
    (['adele', 'great-wave+trellis'], ['adele:0.5,trellis:0.5'])

    Raises:
        BadRequest: If a text names no style, or some members have a weight and some have none.
    """
    if _is_file(text):
        return [text]
    members = [member.strip() for member in text.split(",") if member.strip()]
    if not members:
        raise BadRequest("--style names no style")
    weighted = [_weighted(member) for member in members if "+" not in member]
    if any(weighted) and "+" not in text:
        if not all(weighted):
            raise BadRequest(f"{text!r}: give every style of a mix a weight")
        return [",".join(members)]
    return members


def choose(text: str) -> Choice:
    """Find the one style that a text stands for.

    Raises:
        UnknownStyle: If there is no such style or file.
        BadRequest: If the text makes no sense, or a file is not what it should be.
        MissingWeights: If there are no codes, or no encoder for an image.
    """
    styles = split_styles(text)
    if len(styles) > 1:
        mixed = "+".join(style.partition(":")[0] for style in styles)
        raise BadRequest(f"{text!r} names {len(styles)} styles; to mix them, write {mixed}")
    style = styles[0]
    if _is_file(style) or not ({*style} & {",", "+"} or _weighted(style)):
        return _member(style)
    return _mix(re.split(r"[,+]", style))


def choose_all(text: str) -> list[Choice]:
    """Find all styles that a text stands for, in its order.

    Raises:
        BadRequest: As ``choose`` does.
        MissingWeights: As ``choose`` does.
    """
    return [choose(style) for style in split_styles(text)]


def encode(path: Path, *, name: str = "") -> tuple[CodeFile, tuple[str, ...]]:
    """Make the code of an image file; gives what there is to say of the image beside it.

    Raises:
        BadRequest: If it is no picture.
        MissingWeights: If there is no encoder, or one of another painter.
    """
    from pipeline.paint.encoder import basis_of_shipped, encode_picture  # torch comes with it

    cleaned = read_painting(path)
    values, digest = encode_picture(cleaned.picture)
    basis = basis_of_shipped()
    if basis != manifest().get("basis"):
        raise MissingWeights("the style encoder was made for another painter than the one here")
    name = name or path.stem
    code = StyleCode(name, tuple(values.tolist()), basis)
    notes = tuple(f"{path.name}: {note}" for note in cleaned.notes)
    return CodeFile(code, Caption(name, name, "", "", painting=""), digest), notes


def mix(codes: Sequence[StyleCode], weights: Sequence[Fraction]) -> StyleCode:
    """Add codes of one basis up, with weights that are brought to a sum of 1.

    Raises:
        BadRequest: If one of them comes with a painter of its own.
        ValueError: If bases differ.
    """
    own = [code.name for code in codes if code.delta is not None]
    if own:
        raise BadRequest(f"{own[0]} was trained for one painting alone and cannot be mixed")
    if len({code.basis for code in codes}) != 1:
        raise ValueError(f"codes of one basis needed, got {[code.basis for code in codes]}")
    shares = [float(weight / sum(weights)) for weight in weights]
    table = np.array([code.values for code in codes], np.float64)
    values = (np.array(shares) @ table).astype(np.float32)
    name = "+".join(f"{code.name}:{share:.3g}" for code, share in zip(codes, shares, strict=True))
    return StyleCode(name, tuple(values.tolist()), codes[0].basis)


def _mix(members: Sequence[str]) -> Choice:
    weighted = [_weighted(member) for member in members]
    if any(weighted) and not all(weighted):
        raise BadRequest(f"{'+'.join(members)!r}: give every style of a mix a weight, or none")
    weights = [Fraction(member.rpartition(":")[2]) for member in members if _weighted(member)]
    if any(weight <= 0 for weight in weights):
        raise BadRequest(f"{','.join(members)!r}: a weight is above 0")
    names = [m.rpartition(":")[0].strip() if weights else m.strip() for m in members]
    for name in names:
        if not name or ":" in name:
            raise BadRequest(
                f"{name!r} cannot be in a mix; write great-wave:0.7,starry-night:0.3 "
                "(files with a comma, a colon or a plus in their name need another)"
            )
    found = [_member(name) for name in names]
    notes = [note for choice in found for note in choice.notes]
    code = mix([choice.code for choice in found], weights or [Fraction(1)] * len(found))
    if weights and sum(weights) != 1:
        notes.append(f"weights sum to {float(sum(weights)):g}, not to 1: taken as {code.name}")
    return Choice(code, tuple(notes))


def _member(name: str) -> Choice:
    path = Path(name).expanduser()
    if name in {caption.name for caption in gallery()}:
        return Choice(load_code(name))
    if not _is_file(path):
        if path.suffix or path.name != name:
            raise UnknownStyle(f"{name} is neither a style nor a file")
        return Choice(load_code(name))
    if path.suffix == SUFFIX:
        return Choice(_same_basis(read_code_file(path).code, path))
    made, notes = encode(path)
    return Choice(made.code, notes)


def _same_basis(code: StyleCode, path: Path) -> StyleCode:
    if code.basis != manifest().get("basis"):
        raise BadRequest(
            f"{path} was made for another painter; make it again: reelbrush styles add PICTURE"
        )
    return code


def _is_file(path: str | Path) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # a text that is too long for a name
        return False


def _weighted(member: str) -> bool:
    """Whether a member ends in a weight."""
    _, colon, weight = member.rpartition(":")
    return bool(colon) and _WEIGHT.fullmatch(weight.strip()) is not None
