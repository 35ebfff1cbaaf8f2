"""Text to HTML: whatever is no HTML already is escaped, so nothing in a name can become a tag."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape


class Html(str):
    """HTML that may stand in a page as it is."""

    __slots__ = ()


def safe(text: str) -> Html:
    """Escape text, unless it is HTML already; what no page may hold becomes a question mark.

    >>> safe('<b> & "c"')
    '&lt;b&gt; &amp; &quot;c&quot;'
    """
    if isinstance(text, Html):
        return text
    allowed = (c if c in "\t\n" or (c >= " " and c != "\x7f") else "?" for c in text)
    return Html(escape("".join(allowed).encode("utf-8", "replace").decode()))


def element(name: str, *children: str, attributes: Mapping[str, str] | None = None) -> Html:
    """Make an element.

    >>> element("p", "1 < 2", attributes={"class": "note"})
    '<p class="note">1 &lt; 2</p>'
    """
    return Html(f"{_open(name, attributes)}{joined(children)}</{name}>")


def image(content: bytes, kind: str, *, alt: str, size: tuple[int, int]) -> Html:
    """Make an element of a picture that is in the page.

    Args:
        content: A file.
        kind: Its media type.
        alt: What it shows, in words; empty if words beside it say so.
        size: (width, height) in pixels, so that nothing moves while the page is read.
    """
    shape = {"width": str(size[0]), "height": str(size[1])}
    return _open("img", {"src": embedded(content, kind), "alt": alt} | shape)


def table(rows: Iterable[tuple[str, str]]) -> Html:
    """Make a table of names and values."""
    lines = [
        element("tr", element("th", name, attributes={"scope": "row"}), element("td", value))
        for name, value in rows
    ]
    return element("table", element("tbody", *lines))


def joined(parts: Sequence[str]) -> Html:
    """Put parts after each other, each escaped if it is text."""
    return Html("".join(safe(part) for part in parts))


def embedded(content: bytes, kind: str) -> str:
    """Give the address of a file that is in the page."""
    return f"data:{kind};base64,{b64encode(content).decode()}"


def _open(name: str, attributes: Mapping[str, str] | None) -> Html:
    words = "".join(f' {key}="{safe(value)}"' for key, value in (attributes or {}).items())
    return Html(f"<{name}{words}>")
