"""A report in a browser: it loads alone, plays, divides, zooms, and does without its script."""

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from browser import Browser, browser
from films import make_film, texture
from jobs.progress import Silent
from jobs.report import report
from jobs.stylize import Job, stylize
from painters import Washes
from pipeline.recipe import Recipe

pytestmark = pytest.mark.browser

_END, _RIGHT, _PLUS = "\ue010", "\ue014", "+"
_READY = "document.getElementById('video').readyState >= 2"
_COLOR = """
    const canvas = document.getElementById('canvas');
    const at = canvas.getContext('2d');
    const mean = (from, to) => {
      const [a, b] = [Math.round(from * canvas.width), Math.round(to * canvas.width)];
      const found = at.getImageData(a, 0, b - a, canvas.height).data;
      let sum = 0;
      for (let i = 0; i < found.length; i += 4) sum += found[i] - found[i + 2];
      return sum / (found.length / 4);
    };
    return [mean(0.05, 0.2), mean(0.8, 0.95)];
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a film of two seconds."""
    folder = tmp_path_factory.mktemp("shop")
    film = make_film(folder / "film.mp4", texture(50, (160, 96)))
    job = Job(film, folder / "painted.mp4", Recipe(style="made"))
    stylize(job, progress=Silent(), hire=Washes)
    return report(job.target, target=folder / "page.html", progress=Silent()).target


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    with browser() as found:
        yield found


@pytest.fixture
def shown(chromium: Browser, page: Path) -> Browser:
    """The page, just loaded, in a window of a desktop."""
    chromium.resize(1280, 900)
    chromium.prefer("light")
    chromium.open(page)
    chromium.until(_READY)
    return chromium


def test_a_page_asks_for_itself_alone_and_does_not_complain(shown: Browser, page: Path) -> None:
    shown.run("document.getElementById('play').click()")
    shown.until("document.getElementById('video').currentTime > 0.1")
    assert shown.complaints() == []
    assert shown.requests() == [page.as_uri()]


def test_what_the_page_does_not_hold_is_forbidden(shown: Browser) -> None:
    shown.run("const i = new Image(); i.src = 'film.png'; document.body.append(i); return 0")
    shown.until("window.performance.now() > 0")
    assert any("Content Security Policy" in line for line in shown.complaints())


def test_the_film_plays(shown: Browser) -> None:
    assert shown.run("return document.getElementById('video').duration") == pytest.approx(
        2, abs=0.1
    )
    shown.run("document.getElementById('play').click()")
    shown.until("document.getElementById('video').currentTime > 0.3")
    assert "Frame" in shown.run("return document.getElementById('now').textContent")
    shown.run("document.getElementById('play').click()")
    shown.until("document.getElementById('video').paused")


def test_the_divider_shows_more_or_less_of_the_film(shown: Browser) -> None:
    shown.run("const d = document.getElementById('divider'); d.value = 0;"
              "d.dispatchEvent(new Event('input'))")  # fmt: skip
    painting = shown.run(_COLOR)
    shown.run("const d = document.getElementById('divider'); d.value = 100;"
              "d.dispatchEvent(new Event('input'))")  # fmt: skip
    film = shown.run(_COLOR)
    shown.run("const d = document.getElementById('divider'); d.value = 50;"
              "d.dispatchEvent(new Event('input'))")  # fmt: skip
    both = shown.run(_COLOR)
    assert abs(film[0] - painting[0]) > 5
    assert np.allclose(both, [film[0], painting[1]], atol=0.5)


def test_the_divider_follows_the_mouse_and_the_keyboard(shown: Browser) -> None:
    shown.run("document.getElementById('stage').scrollIntoView({block: 'start'})")
    box = shown.run("const b = document.getElementById('stage').getBoundingClientRect();"
                    "return [b.left, b.top, b.width, b.height]")  # fmt: skip
    middle = box[1] + box[3] / 2
    shown.drag((box[0] + box[2] / 2, middle), (box[0] + box[2] / 4, middle))
    value = "return Number(document.getElementById('divider').value)"
    assert shown.run(value) == pytest.approx(25, abs=1)
    shown.run("document.getElementById('divider').focus()")
    for _ in range(4):
        shown.key(_RIGHT)
    assert shown.run(value) == pytest.approx(27, abs=1)
    left = shown.run("return document.getElementById('line').style.left")
    assert float(left.rstrip("%")) == shown.run(value)


def test_every_frame_can_be_reached_by_itself(shown: Browser) -> None:
    for frame in (7, 31):
        shown.run(f"const s = document.getElementById('seek'); s.value = {frame};"
                  "s.dispatchEvent(new Event('input'))")  # fmt: skip
        shown.until(f"document.getElementById('now').textContent.startsWith('Frame {frame} ')")
    shown.run("document.getElementById('on').click()")
    shown.until("document.getElementById('now').textContent.startsWith('Frame 32 ')")


def test_the_chart_is_read_and_zoomed_with_keys_and_mouse(shown: Browser) -> None:
    shown.run("document.getElementById('plot').focus()")
    shown.key(_END)
    said = "return document.getElementById('plot').getAttribute('aria-valuetext')"
    assert shown.run(said).startswith("Frame 49 · 00:00:01.960")
    whole = shown.run("return document.getElementById('p-loss').getAttribute('d')")
    shown.key(_PLUS)
    zoomed = shown.run("return document.getElementById('p-loss').getAttribute('d')")
    assert zoomed != whole
    shown.run("document.getElementById('all').click()")
    drawn = shown.run("return document.getElementById('p-loss').getAttribute('d')")
    assert drawn == whole


def test_what_python_draws_is_what_the_script_draws(shown: Browser, page: Path) -> None:
    for name in ("p-loss", "p-budget", "p-floor", "p-keys", "p-cuts"):
        drawn = shown.run(f"return document.getElementById('{name}').getAttribute('d')")
        text = page.read_text("utf-8")
        made = re.search(rf'id="{name}"[^>]* d="([^"]*)"', text)
        assert made
        ours, theirs = (re.findall(r"-?\d*\.?\d+", line) for line in (made[1], drawn))
        assert len(ours) == len(theirs)
        assert np.allclose(np.array(ours, float), np.array(theirs, float), atol=0.35), name


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_a_page_is_no_wider_than_its_window(width: int, shown: Browser) -> None:
    shown.resize(width, 800)
    assert shown.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_by_day_and_night(scheme: str, shown: Browser) -> None:
    shown.prefer(scheme)
    pairs = shown.run("""
        const found = [];
        for (const node of document.querySelectorAll('h1, p, dt, dd, th, td, button, figcaption')) {
          if (!node.offsetParent) continue;
          let behind = node;
          while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)')
            behind = behind.parentElement;
          found.push([getComputedStyle(node).color, getComputedStyle(behind).backgroundColor]);
        }
        return found;
    """)
    assert pairs
    assert min(_contrast(*pair) for pair in pairs) >= 4.5


def test_without_a_script_all_but_the_divider_is_there(
    shown: Browser, page: Path, tmp_path: Path
) -> None:
    shown.tell("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        shown.open(page)
        shown.screenshot(tmp_path / "page.png", whole=True)
    finally:
        shown.tell("Emulation.setScriptExecutionDisabled", {"value": False})
    seen = cv2.imread(str(tmp_path / "page.png"))
    assert seen is not None
    assert seen.shape[0] > 2000
    assert "js" not in shown.run("return document.documentElement.className")
    controls = "return getComputedStyle(document.querySelector('.controls')).display"
    assert shown.run(controls) == "none"
    assert shown.run("return document.getElementById('video').controls") is True


def _contrast(ink: str, ground: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    light = sorted(_luminance(color) + 0.05 for color in (ink, ground))
    return light[1] / light[0]


def _luminance(color: str) -> float:
    codes = np.array([float(code) for code in re.findall(r"[\d.]+", color)[:3]]) / 255
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
