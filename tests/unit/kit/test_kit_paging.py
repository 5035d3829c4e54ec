"""Pages: sizes as AIP-158 has them, and tokens that lead through a list exactly once and into no other."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit import paging
from services.kit.errors import InvalidArgument
from services.kit.paging import MAXIMUM_SIZE, read_page


@given(st.integers(0, 40), st.integers(1, 7))
def test_all_rows_come_once_and_in_order(count: int, size: int) -> None:
    rows, seen, token = list(range(count)), [], ""
    while True:
        page = read_page(size, token, filters=["List", "m"])
        start = 0 if page.after is None else page.after[0] + 1
        kept, token = page.cut(rows[start : start + page.size + 1], key=lambda row: (row,))
        seen += kept
        if not token:
            break
    assert seen == rows


def test_sizes() -> None:
    assert read_page(0, "").size == 50
    assert read_page(10**9, "").size == MAXIMUM_SIZE
    with pytest.raises(InvalidArgument) as refused:
        read_page(-1, "")
    assert refused.value.field == "page_size"


@pytest.mark.parametrize("forge", ["", "x", "ü", "A" * 64, "===", "\0", "bm90IGEgdG9rZW4"])
def test_a_forged_token_is_refused(forge: str) -> None:
    _, token = read_page(1, "").cut([1, 2], key=lambda row: (row,))
    for wrong in ({forge, token + forge, token[:-2] + forge}) - {"", token}:
        with pytest.raises(InvalidArgument) as refused:
            read_page(1, wrong)
        assert refused.value.field == "page_token"


@pytest.mark.parametrize("body", ["[]", "{}", "[[1]]", "[null]", "nope", "[1e400]", "[" * 5000, f"[{2**63}]"])
def test_a_sealed_token_without_a_key_is_refused(body: str) -> None:
    page = read_page(1, "")
    sealed = base64.urlsafe_b64encode(f"{paging._seal(body, page.binding)}{body}".encode()).decode()
    with pytest.raises(InvalidArgument):
        read_page(1, sealed.rstrip("="))


def test_a_token_of_another_list_is_refused() -> None:
    _, token = read_page(1, "", filters=["a"]).cut([1, 2], key=lambda row: (row,))
    with pytest.raises(InvalidArgument, match="these filters"):
        read_page(1, token, filters=["b"])
