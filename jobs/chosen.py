"""A recipe's style to its code, and the code into the work folder, where a job finds it again.

An image is encoded when a job begins. A job that goes on without the image, or a chunk that is made
again, uses the code that was kept; an image that has changed since makes another code, and so
another job.
"""

import contextlib

from actors.files import reading
from jobs.ledger import WorkFolder
from pipeline.errors import BadRequest, UnknownStyle
from pipeline.paint.choice import Choice, choose
from pipeline.paint.code_file import CodeFile, packed, read_code_file
from pipeline.paint.styles import Caption, StyleCode
from pipeline.variants import variants


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
            styles = [one.style for one in variants(work.asked().recipe)]
            if style in styles:
                with reading(work.path / _file_of(styles.index(style))) as path:
                    code = read_code_file(path).code
                return Choice(code, (f"{style}: a file is gone; its code was kept and is used",))
        raise


def keep(code: StyleCode, work: WorkFolder, variant: int = 0) -> None:
    """Leave the code of a recipe's variant in the work folder."""
    caption = Caption(code.name, code.name, "", "", painting="")
    work.put(_file_of(variant), packed(CodeFile(code, caption)), replace=True)


def kept(style: str, work: WorkFolder, variant: int = 0) -> StyleCode:
    """The code of a job that has been begun.

    Raises:
        BadRequest: If the job kept none and none can be found.
    """
    if (work.path / _file_of(variant)).is_file():
        with reading(work.path / _file_of(variant)) as path:
            return read_code_file(path).code
    return choose(style).code


def _file_of(variant: int) -> str:
    return f"code-{variant}.style" if variant else "code.style"
