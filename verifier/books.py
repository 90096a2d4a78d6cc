"""Sets of books as the contracts write them: 32 bits, bit b for book b; what belongs to books is ascending by book."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

BOOKS_BITS: Final = 32


def book_bitmap(books: Iterable[int]) -> int:
    """The bitmap of some books.

    Raises:
        MalformedInputError: a book that does not exist, or one named twice.
    """
    bitmap = 0
    for book in books:
        if not 0 <= book < BOOKS_BITS:
            raise MalformedInputError(f"book {book} does not exist: books are 0 to {BOOKS_BITS - 1}")
        if bitmap >> book & 1:
            raise MalformedInputError(f"book {book} is named twice: name it once")
        bitmap |= 1 << book
    return bitmap


def books_in(bitmap: int) -> tuple[int, ...]:
    """The books of a bitmap, ascending.

    Raises:
        MalformedInputError: it does not have 32 bits.
    """
    if not 0 <= bitmap < 1 << BOOKS_BITS:
        raise MalformedInputError(f"{bitmap} is no set of books: it must be at least 0 and below 2^{BOOKS_BITS}")
    return tuple(book for book in range(BOOKS_BITS) if bitmap >> book & 1)
