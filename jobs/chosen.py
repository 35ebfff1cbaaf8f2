"""A recipe's style to its code, and the code into the work folder, where a job finds it again.

An image is encoded when a job begins. A job that goes on without the image, or a chunk that is made
again, uses the code that was kept; an image that has changed since makes another code, and so
another job.
"""

import contextlib

from actors.files import reading
from jobs.ledger import CODE, WorkFolder
from pipeline.errors import BadRequest, UnknownStyle
from pipeline.paint.choice import Choice, choose
from pipeline.paint.code_file import CodeFile, packed, read_code_file
from pipeline.paint.styles import Caption, StyleCode


def chosen(style: str, work: WorkFolder) -> Choice:
    """Find the code of a style, or the one that this job has kept if its files are gone.

    Raises:
        BadRequest: As ``choose`` does.
        MissingWeights: As ``choose`` does.
    """
    try:
        return choose(style)
    except UnknownStyle:
        with contextlib.suppress(BadRequest):
            if work.asked().recipe.style == style:
                with reading(work.path / CODE) as path:
                    code = read_code_file(path).code
                return Choice(code, (f"{style}: a file is gone; its code was kept and is used",))
        raise


def keep(code: StyleCode, work: WorkFolder) -> None:
    """Leave a job's code in its work folder."""
    caption = Caption(code.name, code.name, "", "", painting="")
    work.put(CODE, packed(CodeFile(code, caption)), replace=True)


def kept(style: str, work: WorkFolder) -> StyleCode:
    """The code of a job that has been begun.

    Raises:
        BadRequest: If the job kept none and none can be found.
    """
    if (work.path / CODE).is_file():
        with reading(work.path / CODE) as path:
            return read_code_file(path).code
    return choose(style).code
