"""Secrets of webhooks: sealed for one webhook, and made anew where they can't be read."""

from __future__ import annotations

import pytest

from app.webhooks.secrets import Secrets, Unreadable

SEALER = Secrets("a key")


def test_a_secret_is_readable_with_the_key_and_for_the_webhook_that_it_was_sealed_for() -> None:
    sealed = SEALER.seal("whsec_x", "one")
    assert SEALER.open(sealed, "one") == "whsec_x"
    for sealer, webhook in ((SEALER, "other"), (Secrets("another key"), "one")):
        with pytest.raises(Unreadable):
            sealer.open(sealed, webhook)


@pytest.mark.parametrize("old", ["", Secrets("another key").seal("whsec_old", "one")], ids=["of a copy", "other key"])
def test_one_that_was_made_anew_as_it_could_not_be_read_signs_alone(old: str) -> None:
    new = SEALER.seal("whsec_new", "one")
    assert SEALER.open_all([new, old], "one") == ["whsec_new"]
    assert SEALER.open_all([new, SEALER.seal("whsec_old", "one")], "one") == ["whsec_new", "whsec_old"]
    with pytest.raises(Unreadable):
        SEALER.open_all([old, new], "one")
