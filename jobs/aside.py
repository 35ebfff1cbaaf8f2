"""What takes long and decides nothing, on a thread beside the loop: opening a film, naming one."""

import ctypes
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Aside(Generic[T]):
    """Something that is being done."""

    def __init__(self, do: Callable[[], T]) -> None:
        """Begin."""
        self._do = do
        self._value: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether there is a result, or an error."""
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait for it, so long at most."""
        self._thread.join(seconds)

    def result(self) -> T:
        """What it gave; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._value[0]

    def end(self) -> None:
        """End it in the middle."""
        interrupt(self._thread)

    def _run(self) -> None:
        try:
            self._value.append(self._do())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is heard
            self._error = error


def interrupt(thread: threading.Thread) -> None:
    """End a thread that runs: a process must not end while one is in C++.

    The number of one that has ended may be another's by now.
    """
    if thread.is_alive() and thread.ident is not None:
        number, error = ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, error)
        thread.join()
