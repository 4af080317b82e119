"""Broken images: whatever Odoo's image processing raises about one is told as the client's mistake."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odoo.tools.image import image_process  # noqa: TID251  what Odoo does to each image that is written
from PIL import Image

from odoo_bridge import images
from odoo_bridge.errors import InvalidValue, Rejected
from odoo_bridge.translation import translate
from tests.extent import extent


def _image(form: str) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((48, 48), 50).convert("RGB").save(file, form)
    return file.getvalue()


_IMAGES = [_image(form) for form in ("PNG", "GIF", "BMP", "JPEG", "ICO", "PPM")]


@settings(deadline=None, max_examples=extent(300, 3_000))
@given(
    st.sampled_from(_IMAGES),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=4),
    st.integers(0, 9),
)
def test_no_broken_image_is_a_defect(content: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    images.bound()
    broken = bytearray(content)
    for place, value in changes:
        broken[place] = value
    if cut > 6:
        del broken[len(broken) * cut // 10 :]
    try:
        image_process(bytes(broken), size=(16, 16), verify_resolution=True)
    except Exception as error:  # noqa: BLE001  which ones is the question
        assert isinstance(translate(error), (InvalidValue, Rejected)), repr(error)  # noqa: PT017  either way is good


@pytest.mark.parametrize("error", [ValueError("x"), OSError("x"), KeyError("x")])
def test_what_others_raise_is_none_of_pillows(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        raise error
    assert translate(caught.value) is None


def test_who_uses_pillow_wrongly_is_told_so_as_of_any_defect() -> None:
    with pytest.raises(AttributeError) as caught:
        Image.open(object())  # type: ignore[arg-type]
    assert translate(caught.value) is None
