"""A segment's file to what it decodes to: nobody hears of a segment that was not read back."""

import hashlib
from pathlib import Path

import av

from pipeline.errors import VerificationFailed
from pipeline.media.clock import rescale
from pipeline.media.container import Film
from pipeline.media.samples import planes_of


def pixels_of(path: Path, film: Film, start: int, stop: int) -> str:
    """Decode a segment; compare the number of frames and every PTS; digest the samples.

    Args:
        path: the segment's file.
        film: whose frames ``[start, stop)`` it holds.
        start: its first frame.
        stop: the frame after its last.

    Returns:
        The sha256 of the decoded samples, hex.

    Raises:
        VerificationFailed: If the file does not hold these frames.
    """
    digest = hashlib.sha256()
    index = start
    try:
        with av.open(str(path), "r") as container:
            stream = container.streams.video[0]
            base = stream.time_base or film.time_base
            stream.codec_context.thread_count = 1
            for index, picture in enumerate(container.decode(stream), start):
                if index == start and not picture.key_frame:
                    raise VerificationFailed(f"{path.name} does not start with a sync frame")
                ticks = int(film.pts[index] - film.pts[start]) if index < stop else -1
                if picture.is_corrupt or picture.pts != rescale(ticks, film.time_base, base):
                    raise VerificationFailed(f"{path.name}: frame {index} is at PTS {picture.pts}")
                planes = planes_of(picture)
                for plane in (planes.luma, planes.blue, planes.red, planes.alpha):
                    if plane is not None:
                        digest.update(plane.data)
    except (av.FFmpegError, OSError) as error:
        raise VerificationFailed(f"{path.name} cannot be read back: {error.strerror}") from error
    if index + 1 != stop:
        raise VerificationFailed(f"{path.name} holds {index + 1 - start} of {stop - start} frames")
    return digest.hexdigest()
