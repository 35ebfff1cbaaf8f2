"""Curves: ends and points are exact, no piece turns back, order is enforced, text comes back."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.curve import Curve, Point, flat, parse_curve
from pipeline.errors import BadRequest

TENTHS = st.integers(0, 10).map(lambda n: Fraction(n, 10))
MOMENTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=8, unique=True).map(sorted)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    by_frame = draw(st.booleans())
    places = [Fraction(n) if by_frame else Fraction(n, 1000) for n in draw(MOMENTS)]
    points = tuple(Point(place, draw(TENTHS)) for place in places)
    return Curve(points, by_frame=by_frame, smooth=draw(st.booleans()))


@dataclass(frozen=True)
class Film:
    """Frames at times of which none is a round one."""

    pts: NDArray[np.int64]
    time_base: Fraction


@settings(deadline=None)
@given(curve=curves())
def test_each_point_has_its_value_and_beyond_the_ends_nothing_changes(curve: Curve) -> None:
    assert [curve.at(p.at) for p in curve.points] == [p.value for p in curve.points]
    first, last = curve.points[0], curve.points[-1]
    assert curve.at(first.at - 5) == first.value
    assert curve.at(last.at + Fraction(1, 3)) == last.value


@settings(deadline=None)
@given(curve=curves(), steps=st.integers(2, 9))
def test_between_two_points_it_goes_one_way_only(curve: Curve, steps: int) -> None:
    for a, b in pairwise(curve.points):
        along = [curve.at(a.at + (b.at - a.at) * i / steps) for i in range(steps + 1)]
        assert along == sorted(along, reverse=b.value < a.value)


@settings(deadline=None)
@given(curve=curves())
def test_what_is_written_is_read_back(curve: Curve) -> None:
    if len(curve.points) > 1:
        assert parse_curve(str(curve)) == curve
    assert str(parse_curve(str(curve))) == str(curve)


@settings(deadline=None)
@given(share=st.fractions(0, 1))
def test_straight_and_smooth_know_their_formulas(share: Fraction) -> None:
    straight, smooth = parse_curve("0s:0,2s:1"), parse_curve("0s:0,2s:1,smooth")
    assert straight.at(2 * share) == share
    assert smooth.at(2 * share) == 3 * share**2 - 2 * share**3
    assert smooth.at(2 * share) + smooth.at(2 - 2 * share) == 1


def test_a_film_is_asked_by_pts_from_its_first_frame_or_by_number() -> None:
    film = Film(np.array([7007, 8008, 12012]), Fraction(1, 30000))
    assert parse_curve("0s:0,1s:1").of_frame(film, 0) == 0
    assert parse_curve("0s:0,1s:1").of_frame(film, 2) == float(Fraction(5005, 30000))
    assert parse_curve("1:0,2:1").of_frame(film, 1) == 0
    assert parse_curve("0:0,4:1").of_frame(film, 2) == 0.5


def test_a_time_has_an_s_or_a_colon_and_a_frame_neither() -> None:
    assert parse_curve("2s:0,1:30:0.5,00:02:00.5:1") == parse_curve("2s:0,90s:.5,120.5s:1,linear")
    assert parse_curve("2:0,90:1").by_frame
    assert parse_curve("0.7") == flat(0.7)
    assert str(parse_curve(" 00:01:12.5 : 0.3 , 80s:1, smooth ")) == "72.5s:0.3,80s:1,smooth"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1.5", "above 1"),
        ("-1", "no value"),
        ("", "no value"),
        ("much", "no value"),
        ("0s:nan", "no value"),
        ("0s:0,48:1", "mixed"),
        ("smooth", "no point"),
        ("0s", "no value"),
        ("0s:0,,1s:1", "no point"),
        ("0s:0,1s", "no point"),
        ("1.5:0.3,2s:1", "neither a time nor a frame"),
        ("noon:1,2s:0", "neither a time nor a frame"),
        ("2s:0,1s:1", "1s:1 does not come after 2s:0"),
        ("4:0,4:1", "does not come after"),
        ("0s:0,smooth,1s:1", "no point"),
    ],
)
def test_what_is_no_curve_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said) as caught:
        parse_curve(text)
    assert "\n" not in str(caught.value)


def test_points_that_are_not_in_order_are_no_curve() -> None:
    with pytest.raises(ValueError, match="one after the other"):
        Curve((Point(Fraction(1), Fraction(0)), Point(Fraction(1), Fraction(1))))
    with pytest.raises(ValueError, match="one after the other"):
        Curve(())
