"""Pictures of two fields each to whole pictures, one a frame.

bwdif looks at the picture before and the one after, so the caller hands in one more at either end
of a range, where the film has one: then a frame comes out the same in whatever range it is made.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
from av.filter import Graph

from pipeline.media.look import Fields


def deinterlaced(pictures: Iterable[av.VideoFrame], *, fields: Fields) -> Iterator[av.VideoFrame]:
    """Make whole pictures of fields, as many as come in and in their order.

    Args:
        pictures: All of one size and format; of "marked" ones those that are not interlaced pass.
        fields: Who says which field is first.
    """
    graph: Graph | None = None
    for number, picture in enumerate(pictures):
        if graph is None:
            graph = _graph(picture, fields)
        picture.pts, picture.time_base = number, Fraction(1, 25)
        graph.push(picture)
        yield from _ready(graph)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)


def _graph(picture: av.VideoFrame, fields: Fields) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=picture.width,
        height=picture.height,
        format=picture.format,
        time_base=Fraction(1, 25),
    )
    which = "deint=interlaced" if fields == "marked" else f"deint=all:parity={fields}"
    whole = graph.add("bwdif", f"mode=send_frame:{which}")
    graph.link_nodes(source, whole, graph.add("buffersink")).configure()
    return graph


def _ready(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            picture = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(picture, av.VideoFrame)
        yield picture
