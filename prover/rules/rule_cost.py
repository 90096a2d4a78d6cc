"""What a rule costs: rows, columns, chunks, blobs, and gas to publish it and to check one proof under it.

The gas of a check is that of its multiplication of points, which EIP-2537 prices by their number k = 5 + 4B + B·(G + 1)
(B books, G chunks a book and the mask), and a remainder that is linear in B and B·(G + 1): calldata, hashing, field
arithmetic, the clearing house. The gas of a publication, signed by one publisher, is linear in chunks, in books, whose
masks are kept, and in the bytes of the marks. Coefficients are fitted to whole transactions on a local chain
(docs/gas.md); a test compares them with real ones.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.errors import RuleBuildError
from prover.rules.slots import COLUMNS_PER_SLOT
from verifier.chain.blob_transactions import BLOB_GAS
from verifier.chain.rule_publishing import blob_windows
from verifier.chain.transaction_sender import TRANSACTION_GAS_LIMIT
from verifier.rules.rule_audit import LEGS

if TYPE_CHECKING:
    from prover.rules.built_rule import BuiltRule
    from verifier.rules.margin_rule import RuleMatrix

MAXIMUM_CHUNKS: Final = 216
"""Chunks of both rules of an epoch (twin: contracts/RuleRegistry.sol)."""

POINT_GAS: Final = 12_000
"""EIP-2537: one multiplication in G1."""

POINT_DISCOUNTS: Final = (
    *(1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665, 661, 658, 654),
    *(651, 648, 645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615, 613, 611, 609, 608, 606, 604),
    *(603, 601, 599, 598, 596, 595, 593, 592, 591, 589, 588, 586, 585, 584, 582, 581, 580, 579, 577, 576, 575, 574),
    *(573, 572, 570, 569, 568, 567, 566, 565, 564, 563, 562, 561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 551),
    *(550, 549, 548, 547, 547, 546, 545, 544, 543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532),
    *(532, 531, 530, 529, 528, 528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519),
)
"""EIP-2537: thousandths of a multiplication's price when k points are multiplied at once, for k = 1, 2, … 128."""

POINTS_OF_A_PROOF: Final = 5
POINTS_OF_A_BOOK: Final = 4

CHECK_GAS: Final = 117_220
CHECK_GAS_OF_A_BOOK: Final = 13_390
CHECK_GAS_OF_A_CHUNK: Final = 308

STAGE_GAS: Final = 58_990
STAGE_GAS_AGAIN: Final = 41_860
STAGE_GAS_OF_A_CHUNK: Final = 733
STAGE_FLOOR: Final = 31_870
STAGE_FLOOR_OF_A_CHUNK: Final = 1_280
"""EIP-7623: calldata costs at least 40 gas a byte beside the 21,000."""

FINALISE_GAS: Final = 155_700
FINALISE_GAS_STAGED: Final = 150_500
FINALISE_GAS_OF_A_BOOK: Final = 27_480
FINALISE_GAS_OF_A_CHUNK: Final = 26_200
FINALISE_GAS_OF_AN_EQUAL_CHUNK: Final = 450
MARK_GAS_OF_A_ZERO: Final = 12.83
MARK_GAS_OF_ANOTHER_BYTE: Final = 24.83


@dataclass(frozen=True, slots=True)
class RuleCost:
    """What both kinds of margin cost together, unless a field says otherwise.

    Attributes:
        rows: of each kind.
        books: B.
        leg_columns: columns of listed instruments, in all books.
        auxiliary_columns: of the rule.
        headroom_columns: of the rule.
        free_columns: that are left.
        chunks: commitments on the chain.
        distinct_chunks: of them; equal ones are prepared and published once.
        blobs: that are published; a run of chunks may carry one that is known already.
        transactions: that carry them.
        check_gas: of one margin check of the dearer kind, a whole transaction.
        publication_gas: of all transactions, beside the blobs.
        blob_gas: of all blobs.
    """

    rows: int
    books: int
    leg_columns: int
    auxiliary_columns: int
    headroom_columns: int
    free_columns: int
    chunks: int
    distinct_chunks: int
    blobs: int
    transactions: int
    check_gas: int
    publication_gas: int
    blob_gas: int


def check_gas(books: int, chunks_per_book: int) -> int:
    """Gas of one margin check through the clearing house, of an account that has traded before.

    Args:
        books: that the account has opened.
        chunks_per_book: of the rule, without the mask.
    """
    chunks = books * (chunks_per_book + 1)
    points = POINTS_OF_A_PROOF + POINTS_OF_A_BOOK * books + chunks
    discount = POINT_DISCOUNTS[min(points, len(POINT_DISCOUNTS)) - 1]
    multiplication = points * POINT_GAS * discount // 1000
    return multiplication + CHECK_GAS + CHECK_GAS_OF_A_BOOK * books + CHECK_GAS_OF_A_CHUNK * chunks


def publication_gas(*, books: int, chunks: int, equal_chunks: int, transactions: int, marks: bytes) -> int:
    """Gas of staging and finalising an epoch, beside its blobs.

    Args:
        books: B.
        chunks: of both rules.
        equal_chunks: of them, those that no transaction carries.
        transactions: that carry blobs.
        marks: of the instruments.
    """
    zeros = marks.count(0)
    final = FINALISE_GAS if transactions == 1 else FINALISE_GAS_STAGED
    final += FINALISE_GAS_OF_A_CHUNK * chunks + FINALISE_GAS_OF_AN_EQUAL_CHUNK * equal_chunks
    final += FINALISE_GAS_OF_A_BOOK * books
    final += round(MARK_GAS_OF_A_ZERO * zeros + MARK_GAS_OF_ANOTHER_BYTE * (len(marks) - zeros))
    floor = STAGE_FLOOR + STAGE_FLOOR_OF_A_CHUNK * chunks
    stages = [STAGE_GAS] + [STAGE_GAS_AGAIN] * (transactions - 2) if transactions > 1 else []
    return final + sum(max(floor, base + STAGE_GAS_OF_A_CHUNK * chunks) for base in stages)


def rule_cost(initial: BuiltRule, maintenance: BuiltRule) -> RuleCost:
    """What a rule costs; nothing is committed or sent.

    Raises:
        RuleBuildError: it does not fit the registry or a transaction.
    """
    matrix = initial.matrix
    hashes = [digest for rule in (initial, maintenance) for digest in _chunk_digests(rule.matrix)]
    windows = blob_windows(hashes)
    blobs = sum(len(window) for window in windows)
    headrooms = sum(len(row.headroom.columns) for row in initial.rows if row.headroom is not None)
    auxiliaries = len(initial.layout.auxiliaries)
    free = matrix.books * matrix.shape.columns // COLUMNS_PER_SLOT * (COLUMNS_PER_SLOT - LEGS) - 1
    cost = RuleCost(
        rows=matrix.rows,
        books=matrix.books,
        leg_columns=LEGS * int(np.count_nonzero(initial.universe.live)),
        auxiliary_columns=auxiliaries,
        headroom_columns=headrooms,
        free_columns=free - auxiliaries - headrooms,
        chunks=len(hashes),
        distinct_chunks=len(set(hashes)),
        blobs=blobs,
        transactions=len(windows),
        check_gas=max(check_gas(rule.matrix.books, rule.matrix.chunks_per_book) for rule in (initial, maintenance)),
        publication_gas=publication_gas(
            books=matrix.books,
            chunks=len(hashes),
            equal_chunks=len(hashes) - blobs,
            transactions=len(windows),
            marks=initial.marks,
        ),
        blob_gas=BLOB_GAS * blobs,
    )
    require_affordable(cost)
    return cost


def require_affordable(cost: RuleCost) -> None:
    """Refuse what neither the registry nor a transaction can hold.

    Raises:
        RuleBuildError: names the figure, its limit and the remedy.
    """
    if cost.chunks > MAXIMUM_CHUNKS:
        raise RuleBuildError(
            f"{cost.rows} rows over {cost.books} books make {cost.chunks} chunks of both kinds, the registry takes "
            f"{MAXIMUM_CHUNKS}: use fewer scenarios or fewer books"
        )
    if cost.check_gas > TRANSACTION_GAS_LIMIT:
        raise RuleBuildError(
            f"a check would take {cost.check_gas:,} gas, a transaction has {TRANSACTION_GAS_LIMIT:,}: "
            "use fewer scenarios or fewer books"
        )


def _chunk_digests(matrix: RuleMatrix) -> list[bytes]:
    """What tells chunks apart, book by book."""
    return [
        hashlib.sha256(matrix.chunk_rows(book, chunk).tobytes()).digest()
        for book in range(matrix.books)
        for chunk in range(matrix.chunks_per_book)
    ]
