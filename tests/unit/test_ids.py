"""Ids in and out: one canonical form, and nothing else is an id."""

import itertools

import pytest
from hashids import Hashids
from hypothesis import given
from hypothesis import strategies as st

from app.definitions.ids import MAX_ID, HashedIds, Ids, InvalidId, PlainIds, Reference


@given(st.integers(1, MAX_ID))
def test_an_id_comes_back_as_it_went_out(record_id: int) -> None:
    for codec in (HashedIds("salt", "a"), PlainIds("a")):
        assert codec.decode(codec.encode(record_id)) == record_id


@given(st.integers(1, MAX_ID) | st.integers(1, 3000), st.text(max_size=60))
def test_an_id_is_the_one_that_the_library_makes(record_id: int, salt: str) -> None:
    codec = HashedIds(salt, "a")
    library = Hashids(salt=f"{salt}:a", min_length=5)
    (number,) = library.decode(codec.encode(record_id))
    assert number // 997 == record_id
    assert codec.encode(record_id) == library.encode(number)
    assert codec.encode_all([record_id]) == [codec.encode(record_id)]


@given(st.text(max_size=12) | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.integers()))
def test_whatever_decodes_encodes_to_the_same(value: object) -> None:
    codec = HashedIds("salt", "a")
    try:
        record_id = codec.decode(value)
    except InvalidId:
        return
    assert codec.encode(record_id) == value


@pytest.mark.parametrize(
    "value", ["0", "01", "-1", "+1", " 1", "1 ", "1.0", "²", "", 0, -1, 1.0, True, None, MAX_ID + 1]
)
def test_what_is_not_a_canonical_number_is_no_plain_id(value: object) -> None:
    with pytest.raises(InvalidId):
        PlainIds("a").decode(value)


def test_ids_of_another_model_and_made_up_ones_are_told_from_our_own() -> None:
    mine, theirs = HashedIds("salt", "mine"), HashedIds("salt", "theirs")
    texts = [theirs.encode(n) for n in range(1, 3000)]
    texts += ["".join(letters) for letters in itertools.islice(itertools.product("8blEPNnRZn", repeat=5), 3000)]
    accepted = []
    for text in texts:
        try:
            accepted.append(mine.decode(text))
        except InvalidId:
            continue
    assert accepted == []


def test_models_and_databases_have_ids_of_their_own() -> None:
    partner = Ids("salt").of("res.partner").encode(7)
    assert partner != Ids("salt").of("res.users").encode(7)
    assert partner != Ids("other salt").of("res.partner").encode(7)
    assert Ids(None).of("res.partner").encode(7) == 7


def test_a_reference_is_an_id_of_its_own_model_in_every_form() -> None:
    reference = Reference("a", 7, "@{p.id}")
    for salt in (None, "salt"):
        ids = Ids(salt)
        assert ids.of("a").decode(reference) == 7
        with pytest.raises(InvalidId):
            ids.of("b").decode(reference)
    assert repr(reference) == "@{p.id}"
