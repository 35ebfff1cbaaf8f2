"""Films, machines, speed, time left and duty as a watcher gets them."""

import json
from dataclasses import replace

import pytest

from jobs.pace import Duty, Outlook, Pace, work
from jobs.standing import FilmStanding, Standing, facts, from_facts


def _film(name: str = "a", **more: object) -> FilmStanding:
    made = FilmStanding(name=name, status="painting", frames=100)
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_standing_comes_back_from_json_as_it_was() -> None:
    films = (_film(done=12.5, left_s=3.0, forecast_cpu_s=9.0), _film("b", status="waiting"))
    standing = Standing(films=films, nodes=3, cores=8, cpu_duty=0.5, left_s=None, time=1e9)
    assert from_facts(json.loads(json.dumps(facts(standing)))) == standing


def test_what_a_later_version_added_is_ignored_and_what_is_no_standing_refused() -> None:
    known = facts(Standing(films=(_film(),)))
    assert from_facts(known | {"colour": "blue"}) == Standing(films=(_film(),))
    strange = known | {"films": [{"name": "a", "status": "asleep"}]}
    broken: list[object] = [{}, [], "x", known | {"kind": "else"}, known | {"films": [{}]}, strange]
    for wrong in broken:
        with pytest.raises(ValueError, match="no reelbrush standing"):
            from_facts(wrong)


def test_speed_is_that_of_the_recent_window_and_what_was_there_before_is_no_speed() -> None:
    pace = Pace(window=10.0)
    pace.note(0.0, 500.0)
    assert pace.speed == 0.0
    for second in range(1, 101):
        pace.note(float(second), 500.0 + (second if second <= 80 else 80 + 4 * (second - 80)))
    assert pace.speed == pytest.approx(4.0)
    assert pace.left(500.0 + 160.0 + 40.0) == pytest.approx(10.0)


def test_nothing_moves_then_no_time_can_be_said_and_losses_make_no_negative_speed() -> None:
    pace = Pace()
    assert pace.left(10.0) is None
    pace.note(0.0, 50.0)
    pace.note(5.0, 40.0)
    assert pace.speed == 0.0
    assert pace.left(100.0) is None
    assert pace.left(40.0) == 0.0


def test_duty_counts_what_was_worked_in_the_window_and_what_is_worked_now() -> None:
    duty = Duty(window=10.0)
    duty.hands(0.0, 2)
    duty.worked(5.0, 4.0)
    assert duty.share(5.0) == pytest.approx(4 / 10)
    assert duty.share(5.0, [3.0]) == pytest.approx(6 / 10)
    # at 12 the window is 2 to 12: of the first step 2 to 5, of the running one 3 to 12
    assert duty.share(12.0, [3.0]) == pytest.approx((3 + 9) / 20)
    assert duty.share(30.0) == 0.0


def test_duty_knows_when_hands_joined_and_left() -> None:
    duty = Duty(window=10.0)
    assert duty.share(0.0) == 0.0
    duty.hands(0.0, 1)
    duty.hands(5.0, 3)
    duty.worked(10.0, 10.0)
    assert duty.share(10.0) == pytest.approx(10 / (5 + 15))
    duty.hands(10.0, 0)
    assert duty.share(30.0) == 0.0


def test_work_of_all_is_weighed_by_what_films_cost_once_all_are_forecast() -> None:
    large = _film("large", done=50.0, forecast_cpu_s=900.0, forecast_gpu_s=100.0)
    small = _film("small", done=100.0, status="done", forecast_cpu_s=10.0)
    gone = _film("gone", status="failed", done=3.0)
    assert work([large, small, gone]) == pytest.approx((510.0, 1010.0))
    assert work([large, replace(small, forecast_cpu_s=None)]) == (150.0, 200.0)


def test_the_outlook_gives_each_film_its_speed_and_time_and_all_of_them_theirs() -> None:
    outlook = Outlook()
    left = None
    films: tuple[FilmStanding, ...] = ()
    for second in range(0, 22, 2):
        going = _film(done=2.0 * second, forecast_cpu_s=200.0)
        waits = _film("b", status="waiting", frames=10, forecast_cpu_s=100.0)
        films, left = outlook.of(float(second), (going, waits))
    assert films[0].speed_fps == pytest.approx(2.0)
    assert films[0].left_s == pytest.approx(60 / 2)
    assert films[1].left_s is None
    # 40 of 100 frames are 80 of 200 seconds' work in 20 s; 220 are left
    assert left == pytest.approx(220 / 4)


def test_the_time_left_for_all_begins_anew_when_the_unit_changes() -> None:
    outlook = Outlook()
    for second in range(5):
        outlook.of(float(second), (_film(done=float(second)), _film("b", status="waiting")))
    planned = (_film(done=5.0, forecast_cpu_s=1e6), _film("b", forecast_cpu_s=1.0))
    assert outlook.of(5.0, planned)[1] is None
