"""Long answers: those that the application ends on purpose, and that no thread waits for.

The application calls ``gatehouse.long`` of the environment, where it is there, with the seconds that its answer may
take; ``gatehouse.is_ending`` returns True once the server wants all answers to end.
"""

from __future__ import annotations

from serving.refusals import Refusal

#: In place of an answer that is cut before its head.
NOT_BEGUN = Refusal(503, "The answer could not be begun. Please try again.", "unavailable")


class Cut(Exception):
    """End of an answer where it is, without its last chunk: no client takes a part for the whole."""
