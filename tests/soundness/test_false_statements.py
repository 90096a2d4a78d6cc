"""Every false statement by every strategy (specification, section 7): satisfied everywhere but where it is false.

Each strategy is run on the truth as well: what is rejected is the falsehood, not the way the forger works.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.cases import Case, scenario_case
from tests.support.contract_judge import ACCEPTED, REJECTED, ContractJudge
from tests.support.falsehoods import FALSEHOODS
from tests.support.forgery import Forger, Forgery, PrivateSide, Strategy, TruncatingForger, forge
from tests.support.setups import TINY, known_setup, oversized_key, tiny_key
from verifier.ceremony import ceremony_setup
from verifier.curve import group
from verifier.errors import UnsupportedShapeError
from verifier.shape import SMALL
from verifier.statement import verifying_key
from verifier.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable

STRATEGIES: Final = [strategy for strategy in Strategy if strategy is not Strategy.RAISE_DEGREE]


def _name(value: object) -> str:
    return getattr(value, "__name__", str(value)).replace("_", " ")


falsehoods = pytest.mark.parametrize("falsehood", FALSEHOODS, ids=_name)
strategies = pytest.mark.parametrize("strategy", STRATEGIES, ids=_name)
backends = pytest.mark.parametrize("backend", ["arkworks", "py_ecc"])


@functools.cache
def tiny_case() -> Case:
    """Five rows, so two chunks."""
    return scenario_case(shape=TINY, setup=known_setup(), rows=5)


@functools.cache
def small_case() -> Case:
    """The same under the ceremony's setup."""
    return scenario_case(shape=SMALL, setup=ceremony_setup(), rows=5)


@functools.cache
def tiny_forgery(falsehood: Callable[[Case], PrivateSide] | None, strategy: Strategy) -> Forgery:
    """A forgery under the tiny key; of the truth when there is no falsehood."""
    side = falsehood(tiny_case()) if falsehood else None
    return forge(tiny_case(), side=side, strategy=strategy, key=tiny_key())


@backends
@strategies
@falsehoods
def test_false_statement_is_rejected(
    falsehood: Callable[[Case], PrivateSide], strategy: Strategy, backend: str
) -> None:
    forgery = tiny_forgery(falsehood, strategy)
    assert verify(tiny_key(), forgery.statement, forgery.proof, group(backend)) is False


@backends
@strategies
def test_the_same_forger_is_accepted_when_it_tells_the_truth(strategy: Strategy, backend: str) -> None:
    forgery = tiny_forgery(None, strategy)
    assert forgery.proof == tiny_case().prove().proof
    assert verify(tiny_key(), forgery.statement, forgery.proof, group(backend)) is True


@falsehoods
def test_contract_rejects_false_statements(falsehood: Callable[[Case], PrivateSide], tiny_judge: ContractJudge) -> None:
    forgeries = [tiny_forgery(falsehood, strategy) for strategy in STRATEGIES]
    verdicts = [tiny_judge.verdict(forgery.statement, forgery.proof) for forgery in forgeries]
    assert verdicts == [REJECTED] * len(STRATEGIES)


@falsehoods
def test_contract_of_the_ceremony_rejects_false_statements(
    falsehood: Callable[[Case], PrivateSide], small_judge: ContractJudge
) -> None:
    case, key = small_case(), small_judge.key
    for strategy in STRATEGIES:
        forgery = forge(case, side=falsehood(case), strategy=strategy, key=key)
        assert small_judge.verdict(forgery.statement, forgery.proof) == REJECTED, strategy
        assert verify(key, forgery.statement, forgery.proof) is False, strategy


def test_contracts_accept_the_same_forgers_when_they_tell_the_truth(
    tiny_judge: ContractJudge, small_judge: ContractJudge
) -> None:
    for strategy in STRATEGIES:
        truth = tiny_forgery(None, strategy)
        assert tiny_judge.verdict(truth.statement, truth.proof) == ACCEPTED
    truth = forge(small_case(), key=small_judge.key)
    assert small_judge.verdict(truth.statement, truth.proof) == ACCEPTED


@falsehoods
def test_higher_degree_does_not_fit_the_setup(falsehood: Callable[[Case], PrivateSide]) -> None:
    """With exactly D powers nobody can commit to an h of degree D."""
    with pytest.raises(OverflowError, match="65 coefficients do not fit 64 powers"):
        forge(tiny_case(), side=falsehood(tiny_case()), strategy=Strategy.RAISE_DEGREE, key=tiny_key())


@falsehoods
def test_higher_degree_cut_to_the_setup_is_rejected(falsehood: Callable[[Case], PrivateSide]) -> None:
    side = falsehood(tiny_case())
    forgery = forge(tiny_case(), side=side, strategy=Strategy.RAISE_DEGREE, key=tiny_key(), forger=TruncatingForger)
    assert verify(tiny_key(), forgery.statement, forgery.proof) is False


@falsehoods
def test_higher_degree_is_accepted_where_one_more_power_is_public(
    falsehood: Callable[[Case], PrivateSide],
) -> None:
    """Why D must be the number of powers that exist in public: one more, and every falsehood passes."""
    key, setup = oversized_key(), known_setup(TINY.powers + 1)
    side = falsehood(tiny_case())
    forgery = forge(tiny_case(), side=side, strategy=Strategy.RAISE_DEGREE, key=key, setup=setup, forger=Forger)
    assert verify(key, forgery.statement, forgery.proof) is True


def test_contract_on_the_degree_forgery(tiny_judge: ContractJudge) -> None:
    """The cut forgery is rejected; the whole one shows that the contract too rests on the number of powers."""
    side, strategy = FALSEHOODS[0](tiny_case()), Strategy.RAISE_DEGREE
    cut = forge(tiny_case(), side=side, strategy=strategy, key=tiny_key(), forger=TruncatingForger)
    assert tiny_judge.verdict(cut.statement, cut.proof) == REJECTED
    whole = forge(tiny_case(), side=side, strategy=strategy, key=oversized_key(), setup=known_setup(TINY.powers + 1))
    assert tiny_judge.verdict(whole.statement, whole.proof) == ACCEPTED


def test_a_setup_with_more_powers_than_the_shape_is_refused() -> None:
    """What keeps the accepted forgery above out of reach."""
    with pytest.raises(UnsupportedShapeError, match="exactly D = 64 powers"):
        verifying_key(TINY, known_setup(TINY.powers + 1))
