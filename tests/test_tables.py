"""A frame that two chunks share has one row, and it is the one that tells more."""

from dataclasses import replace

from pipeline.judge.tables import Row, merged

_OPENING = Row(frame=8, pts=80, key=True)
_LOOKED_AT = replace(_OPENING, loss=0.002, content=0.001, budget=0.003, coverage=0.9)
_HARDLY_SEEN = replace(_OPENING, coverage=0.1)


def test_what_was_judged_counts_in_any_order() -> None:
    assert merged([_OPENING, _LOOKED_AT], start=0, stop=9) == [_LOOKED_AT]
    assert merged([_LOOKED_AT, _OPENING], start=0, stop=9) == [_LOOKED_AT]


def test_a_frame_of_which_too_little_could_be_judged_is_no_opening_of_a_shot() -> None:
    assert merged([_HARDLY_SEEN, _OPENING], start=0, stop=9) == [_HARDLY_SEEN]
    assert merged([_OPENING, _HARDLY_SEEN], start=0, stop=9) == [_HARDLY_SEEN]


def test_rows_outside_are_left_out_and_the_rest_come_in_order() -> None:
    rows = [replace(_LOOKED_AT, frame=frame) for frame in (9, 3, 8, 2)]
    assert [row.frame for row in merged(rows, start=3, stop=9)] == [3, 8]
