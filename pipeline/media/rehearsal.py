"""A film's words to those that a container will not hold, tried before any work is done.

What a muxer keeps of titles, languages and the like depends on its format and is written nowhere.
So a film of one black picture and a moment of silence is written into memory, under the words of
the film and its tracks, and read again. Nothing of the film but its words is read.
"""

import io

import av
import numpy as np

from pipeline.media.container import Film
from pipeline.media.tracks import SPOKEN, carried, copy_words, lost_words, words_of

_PICTURES = {"webm": "libvpx", "mxf": "mpeg2video"}
_SOUNDS = {"webm": "libopus", "mp4": "aac"}
_RATE, _SAMPLES = 48000, 4096
_SIDE = 64


def words_to_lose(film: Film, muxer: str) -> list[str]:
    """Say in one line which words will not survive; an empty list if all of them do."""
    file = io.BytesIO()
    with (
        av.open(str(film.path), "r", metadata_errors="replace") as source,
        av.open(file, "w", format=muxer) as container,
    ):
        copy_words(source, container)
        picture = container.add_stream(_PICTURES.get(muxer, "mpeg4"), 25)
        assert isinstance(picture, av.VideoStream)
        picture.width = picture.height = _SIDE
        picture.pix_fmt = "yuv420p"
        picture.metadata.update(words_of(source.streams[film.stream], muxer=muxer))
        sounds = []
        for track in carried(film, muxer):
            if track.kind in SPOKEN:
                sound = container.add_stream(_SOUNDS.get(muxer, "pcm_s16le"), _RATE)
                assert isinstance(sound, av.AudioStream)
                sound.metadata.update(words_of(source.streams[track.index], muxer=muxer))
                sounds.append(sound)
        container.mux(picture.encode(av.VideoFrame(_SIDE, _SIDE, "yuv420p")))
        container.mux(picture.encode(None))
        for sound in sounds:
            silence = np.zeros((1, 2 * _SAMPLES), np.int16)
            frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="stereo")
            frame.sample_rate = _RATE
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    file.seek(0)
    return lost_words(film, file, muxer)
