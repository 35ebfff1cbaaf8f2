"""Control: what is asked of a batch is heard by the run that is meant, and by no other."""

from pathlib import Path

import pytest

from jobs.control import CONTROL, Control, batch_folder
from pipeline.errors import BadRequest


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def test_what_is_asked_is_wanted_after_a_second(tmp_path: Path) -> None:
    clock = Clock()
    painting, person = Control(tmp_path / "b", clock=clock), Control(tmp_path / "b")
    assert painting.wanted() == "run"
    person.ask("pause")
    assert painting.wanted() == "run"
    clock.now = 1.0
    assert painting.wanted() == "pause"
    person.ask("run")
    clock.now = 2.0
    assert painting.wanted() == "run"


def test_the_file_is_looked_at_once_a_second_at_most(tmp_path: Path) -> None:
    clock = Clock()
    painting = Control(tmp_path, clock=clock)
    painting.ask("pause")
    assert painting.wanted() == "pause"
    (tmp_path / CONTROL).unlink()
    clock.now = 0.9
    assert painting.wanted() == "pause"
    clock.now = 1.0
    assert painting.wanted() == "run"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"wish": "stop"}', "3", "\xff"])
def test_a_broken_file_wants_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / CONTROL).write_bytes(text.encode("latin-1"))
    assert Control(tmp_path).wanted() == "run"


def test_an_attempt_hears_what_is_asked_of_it_and_of_anyone(tmp_path: Path) -> None:
    for named, heard in (("a-2", "cancel"), ("", "cancel"), ("a-1", "run")):
        Control(tmp_path, attempt=named).ask("cancel")
        assert Control(tmp_path, attempt="a-2").wanted() == heard


def test_a_new_run_forgets_what_an_earlier_one_was_asked(tmp_path: Path) -> None:
    for earlier, mine in (("", ""), ("", "a-2"), ("a-1", "a-2"), ("a-1", "")):
        Control(tmp_path, attempt=earlier).ask("cancel")
        begun = Control(tmp_path, attempt=mine)
        begun.begin()
        assert begun.wanted() == "run"
        assert not (tmp_path / CONTROL).exists()


def test_what_is_asked_of_an_attempt_before_it_begins_is_kept(tmp_path: Path) -> None:
    Control(tmp_path, attempt="a-2").ask("pause")
    begun = Control(tmp_path, attempt="a-2")
    begun.begin()
    assert begun.wanted() == "pause"


def test_asking_leaves_nothing_else_behind(tmp_path: Path) -> None:
    Control(tmp_path).ask("pause")
    assert [one.name for one in tmp_path.iterdir()] == [CONTROL]


def test_a_folder_that_cannot_be_written_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadRequest, match=r"cannot write .*control\.json"):
        Control(tmp_path / "file").ask("pause")


def test_a_batch_has_a_folder_beside_its_job_file() -> None:
    assert batch_folder(Path("/srv/night.yaml")) == Path("/srv/night.yaml.batch")
