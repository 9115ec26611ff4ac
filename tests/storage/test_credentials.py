"""Tokens of devices, as people and programs are to copy them."""

from storage.credentials import make_token


def test_no_token_is_taken_for_a_formula_or_an_option() -> None:
    # Of the 64 letters that it may begin with one is a dash: a thousand would hardly miss it.
    tokens = [make_token() for _ in range(1_000)]

    assert [one for one in tokens if one.startswith("-")] == []
    assert {len(one) for one in tokens} == {43}  # 256 bits, six a letter
