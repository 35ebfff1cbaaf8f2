"""Memory shared out before Ray starts: as many workers as fit, or a clear word."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import engine
from jobs.engine import Machines, parse_bytes, running, share_out
from pipeline.errors import BadRequest
from pipeline.forecast import Needs

MIB = 2**20
NEEDS = Needs(base=900 * MIB, worker=1500 * MIB, chunk=100 * MIB)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("6G", 6 * 2**30),
        ("800M", 800 * MIB),
        ("0.5g", 2**29),
        (" 2 GiB ", 2**31),
        ("512KB", 2**19),
        ("1T", 2**40),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, amount: int) -> None:
    assert parse_bytes(text) == amount


@pytest.mark.parametrize("text", ["", "6", "G", "-1G", "6 P", "1,5G", "6G of it", "nan", "1.G"])
def test_other_amounts_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadRequest, match=r"--memory: an amount like 6G") as refused:
        parse_bytes(text)
    assert repr(text) in str(refused.value)


def test_every_core_works_where_there_is_memory_enough() -> None:
    workers, store = share_out(Machines(memory=64 * 2**30), NEEDS, cores=8)
    assert workers == 8
    assert store == 10 * NEEDS.chunk, "two more chunks than workers, and no more"


def test_fewer_cores_are_used_when_memory_is_short() -> None:
    assert share_out(Machines(memory=6 * 2**30), NEEDS, cores=8)[0] == 3


def test_as_many_workers_as_were_asked_for_and_no_more() -> None:
    assert share_out(Machines(workers=2, memory=64 * 2**30), NEEDS, cores=8)[0] == 2


def test_memory_that_does_not_do_for_one_worker_is_refused_with_what_it_takes() -> None:
    with pytest.raises(BadRequest, match=r"about 2500 MiB .* 2499 MiB are allowed"):
        share_out(Machines(memory=2499 * MIB), NEEDS, cores=8)
    assert share_out(Machines(memory=2500 * MIB), NEEDS, cores=8) == (1, NEEDS.chunk)


def test_a_machine_that_is_too_small_is_refused_too() -> None:
    with pytest.raises(BadRequest, match=r"MiB are free$"):
        share_out(Machines(), Needs(base=0, worker=2**60, chunk=0), cores=1)


@given(
    memory=st.integers(0, 10**6),
    base=st.integers(0, 10**5),
    worker=st.integers(1, 10**5),
    chunk=st.integers(1, 10**5),
    cores=st.integers(1, 64),
)
def test_what_is_shared_out_is_there_and_nothing_is_left_idle(
    memory: int, base: int, worker: int, chunk: int, cores: int
) -> None:
    machines, needs = Machines(memory=memory), Needs(base, worker, chunk)
    if memory < base + worker + chunk:
        with pytest.raises(BadRequest):
            share_out(machines, needs, cores=cores)
        return
    workers, store = share_out(machines, needs, cores=cores)
    assert 1 <= workers <= cores
    assert store >= chunk
    assert base + workers * worker + store <= memory
    assert workers == cores or base + (workers + 1) * worker + chunk > memory


# -- one Ray after another in one process ----------------------------------------------------------


def test_a_ray_asks_for_no_token_of_the_ray_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import ray

    private: dict[str, Any] = vars(ray._raylet)
    loader = private["AuthenticationTokenLoader"].instance()
    mode, token = private["get_authentication_mode"], private["AuthenticationMode"].TOKEN
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(engine, "_init", lambda **_: None)
    loader.reset_cache()
    with running(Machines(memory=4 * 2**30), NEEDS, cores=1):
        assert mode() == token
        assert len(loader.get_raw_token()) == 64
    assert mode() != token
    assert not loader.has_token(ignore_auth_mode=True)
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("theirs")
    monkeypatch.setattr(engine, "_resources", dict)
    with running(Machines(address="127.0.0.1:1"), NEEDS, cores=1):
        assert mode() == token
        assert loader.get_raw_token() == "theirs"
