"""The end of a segment to an end as good as its beginning.

x264 looks ahead, and spends little on what nothing after it refers to: the last frames of a segment
would be coarse beside the first of the next one, which shows as a pulse where segments meet. So the
last picture is handed over again and again, and what is written of the repeats is thrown away. It
is coded so that it needs none of them.
"""

from collections.abc import Iterator

import av
from av.video.frame import PictureType


def tail(last: av.VideoFrame, *, repeats: int, step: int) -> Iterator[av.VideoFrame]:
    """Give a segment's last picture and its repeats.

    Args:
        last: The picture.
        repeats: How many more of it.
        step: Ticks from one to the next; 0 if there is no picture before it.
    """
    if repeats and step:
        last.pict_type = PictureType.P
    yield last
    for number in range(1, repeats + 1):
        again = av.VideoFrame(last.width, last.height, last.format.name)
        for source, target in zip(last.planes, again.planes, strict=True):
            target.update(bytes(source))
        again.pts, again.time_base = (last.pts or 0) + number * max(1, step), last.time_base
        yield again
