"""Trusted setups: the pinned file, its structure, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.setups import TAU, TINY, known_setup
from verifier import ceremony
from verifier.ceremony import (
    CEREMONY_DIGEST,
    TrustedSetup,
    ceremony_path,
    ceremony_setup,
    check_setup,
    insecure_setup,
)
from verifier.commitment_basis import basis_bytes, blinding_point, slot_point
from verifier.curve import POINT_BYTES, group
from verifier.domain import interpolate_on_domain
from verifier.errors import MalformedInputError, SetupError
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from pathlib import Path


def test_the_ceremony_has_4096_powers_that_follow_from_each_other() -> None:
    setup = ceremony_setup()
    assert setup.powers == 4096
    assert not setup.insecure
    check_setup(setup)


def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    changed = tmp_path / "trusted_setup.txt"
    changed.write_bytes(ceremony_path().read_bytes()[:-1] + b"0")
    monkeypatch.setattr(ceremony, "ceremony_path", lambda: changed)
    with pytest.raises(SetupError, match=f"expected {CEREMONY_DIGEST}: reinstall eth-account"):
        ceremony_setup.__wrapped__()


def test_a_missing_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceremony, "CEREMONY_FILE", "nowhere.txt")
    with pytest.raises(SetupError, match="install the locked packages"):
        ceremony_path()


def test_test_setups_say_so() -> None:
    setup = known_setup()
    assert setup.insecure
    assert setup.name.startswith("insecure")
    check_setup(setup)
    check_setup(setup, group("py_ecc"))


@pytest.mark.parametrize("spoiled", [1, 30, 63])
def test_a_spoiled_power_is_found(spoiled: int) -> None:
    setup = known_setup()
    other = insecure_setup(TAU + 1, TINY.powers)
    start, end = spoiled * POINT_BYTES, (spoiled + 1) * POINT_BYTES
    mixed = setup.g1_powers[:start] + other.g1_powers[start:end] + setup.g1_powers[end:]
    with pytest.raises(SetupError, match="does not follow from the one before"):
        check_setup(replace(setup, g1_powers=mixed))


def test_another_first_power_is_found() -> None:
    """Every power shifted by one follows from the one before all the same."""
    longer = known_setup(TINY.powers + 1)
    with pytest.raises(SetupError, match="first power is not the generator"):
        check_setup(replace(longer, g1_powers=longer.g1_powers[POINT_BYTES:]))


def test_another_power_in_g2_is_found() -> None:
    with pytest.raises(SetupError, match="does not follow"):
        check_setup(replace(known_setup(), tau_g2=insecure_setup(TAU + 1, 2).tau_g2))


def test_points_outside_the_group_are_found() -> None:
    setup = known_setup()
    with pytest.raises(MalformedInputError, match="point 0x"):
        check_setup(replace(setup, g1_powers=setup.g1_powers[:-1] + bytes([setup.g1_powers[-1] ^ 1])))


@pytest.mark.parametrize(("powers", "tau"), [(95, 192), (0, 192), (96, 191)])
def test_bytes_that_are_no_points_are_refused(powers: int, tau: int) -> None:
    with pytest.raises(SetupError, match="are not whole points"):
        TrustedSetup("insecure-lengths", bytes(powers), bytes(tau))


@pytest.mark.parametrize(("size", "offset"), [(4, 0), (32, 0), (16, 16)])
def test_lagrange_bases_commit_to_lagrange_polynomials(size: int, offset: int) -> None:
    backend, data = group(), basis_bytes(known_setup(), size, offset)
    for place in (0, 1, size - 1):
        coefficients = interpolate_on_domain([int(index == place) for index in range(size)])
        value = sum(c * pow(TAU, power + offset, MODULUS) for power, c in enumerate(coefficients)) % MODULUS
        expected = backend.encode(backend.combine([backend.generator], [value]))
        assert data[place * POINT_BYTES : (place + 1) * POINT_BYTES] == expected
        assert offset or slot_point(known_setup(), size, place) == expected


def test_blinding_point() -> None:
    backend = group()
    value = (pow(TAU, 4, MODULUS) - 1) % MODULUS
    assert blinding_point(known_setup(), 4) == backend.encode(backend.combine([backend.generator], [value]))
