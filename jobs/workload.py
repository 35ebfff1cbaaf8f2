"""Steps of a film that have ended, and its forecast, to the seconds that the others will take.

GPUs and cores are counted apart. The large steps count, each with the small ones around it:
painting by keys, the others by frames. What one takes is the mean of those that have ended, in
chunks that are not done too; one of which none has ended is taken for its usual share of a chunk.
As long as nothing has ended the forecast says it, or a call that has run for longer than that.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from jobs.board import SHARE, Board, Kind
from jobs.costs import booked
from jobs.ledger import Receipt
from pipeline.plan import Chunk

_AROUND: Mapping[Kind, tuple[Kind, ...]] = {
    "decode": ("decode",),
    "paint": ("paint", "repaint"),
    "fill": ("harmonise", "fetch", "promote", "fill"),
}
_LATEST = 64
"""Chunks that are done and count: what was long ago may have been on other machines."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What was done of a chunk, and what it took."""

    frames: int
    keys: int
    done: Mapping[Kind, float]
    """of each large step, 0 to 1"""
    seconds: Mapping[str, float]
    """by step, as receipts have them"""


@dataclass(frozen=True, slots=True)
class Guess:
    """What is known before any step has ended."""

    frame: float = 0.0
    """seconds that a frame takes by the forecast; 0 if there is none"""
    key: float = 0.0
    """seconds for which each key of a call that runs has been painted, at least"""


def worked(
    board: Board, receipts: dict[int, Receipt], seconds: Mapping[int, Mapping[str, float]]
) -> Iterator[Worked]:
    """Give the chunks of which something is done.

    Args:
        board: what is open.
        receipts: by chunk that is done, the latest last.
        seconds: by chunk that is open, and by step.
    """
    whole = dict.fromkeys(_AROUND, 1.0)
    for place in islice(reversed(receipts), _LATEST):
        one = receipts[place]
        yield Worked(one.stop - one.start, one.keys, whole, one.seconds)
    for place, course in board.open.items():
        chunk, spent = course.chunk, seconds.get(place)
        if spent:
            done = {kind: 1.0 - lacking for kind, lacking in course.lacks().items()}
            yield Worked(chunk.stop - chunk.start, keys(chunk), {**done, "fill": 0.0}, spent)


def left(board: Board, known: Iterable[Worked], *, gpu: bool, guess: Guess) -> float | None:
    """Forecast the seconds that a film's chunks still take.

    Args:
        board: what is left to do.
        known: what was done.
        gpu: whether of GPUs, or of cores.
        guess: for as long as nothing is known.

    Returns:
        None if there is nothing to go by.
    """
    kinds = _kinds(board, gpu=gpu)
    frames, unpainted = _lacking(board, kinds)
    took, size, shares = _took(known, kinds, gpu=gpu)
    if not shares:
        whole = sum(SHARE[kind] for kind in kinds)
        lacking = sum(SHARE[kind] * frames[kind] for kind in kinds) / whole
        return max(guess.frame * lacking, guess.key * unpainted if gpu else 0.0) or None
    usual = sum(took.values()) / shares
    seconds = 0.0
    for kind in kinds:
        if kind in took:
            amount = unpainted if kind == "paint" else frames[kind]
            seconds += amount * took[kind] / size[kind]
        else:
            seconds += frames[kind] * SHARE[kind] * usual
    return seconds


def keys(chunk: Chunk) -> int:
    """Keys that painting a chunk takes."""
    return sum(len(part.keys) for part in chunk.parts)


def _kinds(board: Board, *, gpu: bool) -> tuple[Kind, ...]:
    if gpu:
        return ("paint",)
    return ("decode", "fill") if board.gpus else ("decode", "paint", "fill")


def _lacking(board: Board, kinds: Iterable[Kind]) -> tuple[dict[Kind, float], float]:
    """Frames that lack each step, and keys that are not painted."""
    waiting = [course.chunk for course in board.todo.values()]
    whole = float(sum(chunk.stop - chunk.start for chunk in waiting))
    frames, unpainted = dict.fromkeys(kinds, whole), 0.0
    if "paint" in frames:
        unpainted = float(sum(keys(chunk) for chunk in waiting))
    for course in board.open.values():
        lacks, chunk = course.lacks(), course.chunk
        for kind in frames:
            frames[kind] += lacks[kind] * (chunk.stop - chunk.start)
        unpainted += lacks["paint"] * keys(chunk)
    return frames, unpainted


def _took(
    known: Iterable[Worked], kinds: Iterable[Kind], *, gpu: bool
) -> tuple[dict[Kind, float], dict[Kind, float], float]:
    """Seconds of steps that have ended, how much that was, and in frames of all steps together."""
    took, size, shares = dict[Kind, float](), dict[Kind, float](), 0.0
    names = {kind: [booked(one, gpu=gpu) for one in _AROUND[kind]] for kind in kinds}
    for one in known:
        for kind, several in names.items():
            amount = one.done[kind] * (one.keys if kind == "paint" else one.frames)
            if amount > 0 and any(name in one.seconds for name in several):
                took[kind] = took.get(kind, 0.0) + sum(one.seconds.get(n, 0.0) for n in several)
                size[kind] = size.get(kind, 0.0) + amount
                shares += SHARE[kind] * one.done[kind] * one.frames
    return took, size, shares
