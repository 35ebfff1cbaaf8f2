"""The clock: times are read exactly, ticks are rounded once, timecode counts frames."""

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.errors import BadRequest
from pipeline.media.clock import frame_at, later_timecode, parse_frames, parse_time, rescale
from pipeline.media.index import even_rate

NTSC = Fraction(30000, 1001)


@dataclass(frozen=True)
class Stub:
    """Three frames."""

    pts: NDArray[np.int64]
    time_base: Fraction


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12", "12"), (" 12.5 s", "25/2"), ("1:30", "90"), ("1:00:00.04", "90001/25"), (".5", "1/2")],
)
def test_times_are_read_exactly(text: str, seconds: str) -> None:
    assert parse_time(text) == Fraction(seconds)


@pytest.mark.parametrize("text", ["", "noon", "-1", "1:2:3:4", "12f", "1e3"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="is no time"):
        parse_time(text)


def test_a_range_of_frames_includes_both_ends() -> None:
    assert parse_frames("100-250") == (100, 251)
    assert parse_frames("7") == (7, 8)


@pytest.mark.parametrize("text", ["", "a-b", "5-", "1-2-3", "9-3"])
def test_what_is_no_range_of_frames_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_frames(text)


@given(
    pts=st.integers(-(10**12), 10**12),
    rate=st.sampled_from([Fraction(24), Fraction(24000, 1001), Fraction(25), NTSC]),
)
def test_a_tick_survives_a_finer_time_base(pts: int, rate: Fraction) -> None:
    fine = Fraction(1, 90000)
    assert rescale(rescale(pts, 1 / rate, fine), fine, 1 / rate) == pts


@given(pts=st.integers(-(10**9), 10**9), den=st.integers(1, 10**6))
def test_rescaling_is_never_off_by_more_than_half_a_tick(pts: int, den: int) -> None:
    there = rescale(pts, Fraction(1, 1000), Fraction(1, den))
    assert abs(Fraction(there, den) - Fraction(pts, 1000)) <= Fraction(1, 2 * den)


def test_a_frame_is_on_screen_until_the_next_one_comes() -> None:
    film = Stub(np.array([800, 810, 840]), Fraction(1, 100))
    seconds = ["-1", "0", "99/1000", "1/10", "39/100", "2/5", "99"]
    assert [frame_at(film, Fraction(s)) for s in seconds] == [0, 0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("timecode", "frames", "rate", "later"),
    [
        ("01:00:00:00", 25, Fraction(25), "01:00:01:00"),
        ("23:59:59:24", 1, Fraction(25), "00:00:00:00"),
        ("00:00:59;29", 1, NTSC, "00:01:00;02"),
        ("00:09:59;29", 1, NTSC, "00:10:00;00"),
        ("23:59:59;29", 1, NTSC, "00:00:00;00"),
        ("00:00:00;00", 17982, NTSC, "00:10:00;00"),
        ("00:00:59;59", 1, Fraction(60000, 1001), "00:01:00;04"),
        ("10:00:00:00", 24 * 3600, Fraction(24000, 1001), "11:00:00:00"),
    ],
)
def test_timecode_counts_frames(timecode: str, frames: int, rate: Fraction, later: str) -> None:
    assert later_timecode(timecode, frames, rate=rate) == later


@given(a=st.integers(0, 3 * 10**6), b=st.integers(0, 3 * 10**6))
def test_timecode_can_be_advanced_in_steps(a: int, b: int) -> None:
    once = later_timecode("00:00:00;00", a + b, rate=NTSC)
    assert later_timecode(later_timecode("00:00:00;00", a, rate=NTSC), b, rate=NTSC) == once


def test_what_is_no_timecode_is_refused() -> None:
    with pytest.raises(ValueError, match="HH:MM:SS:FF"):
        later_timecode("noon", 1, rate=NTSC)


TWO_HOURS = 172_627
FILM = Fraction(24000, 1001)


@dataclass(frozen=True)
class Unsaid:
    """A stream whose container says no rate."""

    average_rate: Fraction | None = None
    guessed_rate: Fraction | None = None
    base_rate: Fraction | None = None


@pytest.mark.parametrize(
    "base", [Fraction(1, 24000), Fraction(1001, 24000), Fraction(1, 90000), Fraction(1, 1000)]
)
def test_2398_two_hours_no_drift(base: Fraction) -> None:
    step = 1 / FILM / base
    number = np.arange(TWO_HOURS)
    pts = (2 * number * step.numerator + step.denominator) // (2 * step.denominator)
    rate, variable = even_rate(cast(av.VideoStream, Unsaid()), pts, base)
    assert (rate, variable) == (FILM, False)
    last = (TWO_HOURS - 1) / FILM
    assert last == Fraction(28799771, 4000)
    assert abs(int(pts[-1]) * base - last) <= base / 2
    for frame in (*range(0, TWO_HOURS, 997), *range(TWO_HOURS - 200, TWO_HOURS)):
        assert rescale(1001 * frame, Fraction(1, 24000), base) == pts[frame]
        assert rescale(frame, 1 / FILM, Fraction(1, 24000)) == 1001 * frame


def test_timecode_of_two_hours_is_that_of_the_clock() -> None:
    assert later_timecode("01:00:00:00", TWO_HOURS - 1, rate=FILM) == "02:59:52:18"
    assert later_timecode("01:00:00;00", 2 * 107_892, rate=NTSC) == "03:00:00;00"
