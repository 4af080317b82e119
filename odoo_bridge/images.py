"""Images that are too large, or broken: Odoo decodes what a client sends, and expects it to be well.

A file of half a megabyte can be an image of 60,000 x 60,000 pixels. Pillow looks at the size before it decodes, and
refuses twice ``MAX_IMAGE_PIXELS``; Odoo's own limit is looked at later, and not for attachments.
"""

from __future__ import annotations

import warnings
from types import TracebackType

from odoo.tools import image
from PIL import Image

#: What Pillow's code raises where somebody uses it wrongly, whatever the image.
_DEFECTS = (AttributeError, ImportError, MemoryError, NameError, NotImplementedError, TypeError)
#: Odoo's own limit.
MOST_PIXELS = int(image.IMAGE_MAX_RESOLUTION)


def bound() -> None:
    """Let Pillow open no image above Odoo's own limit, in this process, whoever asks it to."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # of those above half of the limit


def is_refused(error: BaseException) -> bool:
    """True if Pillow has raised it, by whichever exception: each of its decoders has its own for what is broken."""
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return True
    if isinstance(error, _DEFECTS):
        return False
    return _innermost(error.__traceback__).startswith("PIL.")


def _innermost(traceback: TracebackType | None) -> str:
    """Return the name of the module whose code raised."""
    if traceback is None:
        return ""
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return str(traceback.tb_frame.f_globals.get("__name__", ""))
