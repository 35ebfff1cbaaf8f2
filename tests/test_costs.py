"""What films will take and what they took: nothing is forgotten by a resume, or counted twice."""

import pytest
from test_plan import rows

from films import make_film, texture
from jobs.costs import Cost, Spent, booked, foretold, spent_by
from jobs.ledger import Receipt
from pipeline.forecast import pieces_bytes, predict, predict_times
from pipeline.media.container import Film, read_film
from pipeline.plan import Plan, plan
from pipeline.recipe import Recipe

RECIPE = Recipe(style="x")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    return read_film(make_film(tmp_path_factory.mktemp("costs") / "film.mp4", texture(2)))


@pytest.fixture(scope="module")
def planned(film: Film) -> Plan:
    return plan(rows(400), RECIPE, size=film.size)


def receipt(seconds: dict[str, float], size: int = 1000) -> Receipt:
    return Receipt(
        identity="a", chunk=0, start=0, stop=8, segment="a.mkv", bytes=size, sha256="", pixels="",
        keys=2, promoted=0, tiles=0, seconds=seconds, epoch=1,
    )  # fmt: skip


def test_the_forecast_is_the_one_of_plan_and_a_gpu_takes_the_net_off_the_cores(
    film: Film, planned: Plan
) -> None:
    times, whole = predict_times(planned, film, RECIPE), predict(planned, film, RECIPE)
    alone = foretold(planned, film, RECIPE, wanted=(0, 400), gpu=False, hands=2)
    assert (alone.gpu_s, alone.bytes) == (0.0, whole.disk_bytes)
    assert alone.cpu_s == pytest.approx(times.whole)
    helped = foretold(planned, film, RECIPE, wanted=(0, 400), gpu=True, hands=2)
    assert helped.cpu_s == pytest.approx(times.whole - times.net)
    assert 0 < helped.gpu_s < times.net


def test_a_part_of_a_film_takes_its_share_and_pieces_wait_for_each_hand_and_one_more(
    film: Film, planned: Plan
) -> None:
    whole = foretold(planned, film, RECIPE, wanted=(0, 400), gpu=False, hands=1)
    part = foretold(planned, film, RECIPE, wanted=(100, 200), gpu=False, hands=1)
    assert part.cpu_s == pytest.approx(whole.cpu_s / 4)
    assert part.bytes == pytest.approx(whole.bytes / 4, abs=1)
    pieces = sorted((pieces_bytes(chunk, film) for chunk in planned.chunks), reverse=True)
    assert len(pieces) > 3
    assert whole.in_flight == sum(pieces[:2])
    many = foretold(planned, film, RECIPE, wanted=(0, 400), gpu=False, hands=99)
    assert many.in_flight == sum(pieces)


def test_what_earlier_runs_spent_counts_and_gpus_are_told_from_cores() -> None:
    spent = Spent()
    spent.kept(receipt({"decode": 3.0, booked("paint", gpu=True): 0.5, "fill": 4.0}))
    spent.took(2.0, gpu=False)
    spent.took(0.25, gpu=True)
    spent.committed(receipt({"decode": 2.0, booked("paint", gpu=True): 0.25}, size=500))
    for size in (10, 40, 0):
        spent.on_the_way(size)
    assert spent.cost == Cost(gpu_s=0.75, cpu_s=9.0, bytes=1500, in_flight=40)


def test_without_a_gpu_painting_held_a_core() -> None:
    seconds = {booked("paint", gpu=False): 5.0, "fill": 1.0}
    assert spent_by(seconds, bytes_=7) == Cost(cpu_s=6.0, bytes=7)
    assert spent_by({}) == Cost()
