"""``zkmargin vector check``: verdicts, exit codes, and files made to break it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.console import run_command
from tests.support.vector_files import TINY, accepted_fields, write_vector
from verifier.ceremony import ceremony_setup
from verifier.statement import verifying_key
from verifier.vector_file import LARGEST_FILE

if TYPE_CHECKING:
    from collections.abc import Callable

OWN_VECTORS = Path(__file__).resolve().parents[1] / "vectors"
SHARED_VECTORS = [
    folder for folder in (OWN_VECTORS / "accept", OWN_VECTORS.parents[2] / "shared" / "vectors") if folder.is_dir()
]
ORDER_THREE = "0x" + (0).to_bytes(48, "big").hex() + (2).to_bytes(48, "big").hex()
OFF_CURVE = "0x" + (1).to_bytes(48, "big").hex() + (1).to_bytes(48, "big").hex()


def changed(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields.update(changes)


def changed_shape(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields["shape"].update(changes)


def flipped_last_byte(fields: dict[str, Any]) -> None:
    fields["proof"] = f"{fields['proof'][:-2]}{int(fields['proof'][-2:], 16) ^ 1:02x}"


def cut_proof(fields: dict[str, Any]) -> None:
    fields["proof"] = fields["proof"][:-2]


def padded_proof(fields: dict[str, Any]) -> None:
    fields["proof"] += "00"


def swapped_books(fields: dict[str, Any]) -> None:
    fields["portfolio_commitments"].reverse()


def one_point(value: str) -> Callable[[dict[str, Any]], None]:
    def change(fields: dict[str, Any]) -> None:
        fields["portfolio_commitments"][1] = value

    return change


REJECTED: dict[str, Callable[[dict[str, Any]], None]] = {
    "another context": changed(context="0x" + "00" * 32),
    "short context": changed(context="0x" + "00" * 31),
    "flipped byte": flipped_last_byte,
    "cut proof": cut_proof,
    "padded proof": padded_proof,
    "empty proof": changed(proof="0x"),
    "swapped books": swapped_books,
    "off the curve": one_point(OFF_CURVE),
    "outside the subgroup": one_point(ORDER_THREE),
    "not canonical": one_point("0x" + "ff" * 96),
    "long point": one_point("0x" + "00" * 97),
    "no book": changed(books=0, portfolio_commitments=[], matrix_commitments=[]),
    "no chunk": changed(chunks_per_book=0, matrix_commitments=[[], []]),
    "unequal chunks": changed(matrix_commitments=[["0x" + "00" * 96], []]),
    "one book claimed": changed(books=1),
    "zero books claimed": changed(books=0),
    "negative books": changed(books=-2),
    "two chunks claimed": changed(chunks_per_book=2),
    "true books": changed(books=True),
    "books with a fraction": changed(books=2.0),
    "books as text": changed(books="2"),
    "huge books": changed(books=10**39),
    "null proof": changed(proof=None),
    "proof as number": changed(proof=1),
    "proof as list": changed(proof=["0x00"]),
    "odd digits": changed(proof="0x0"),
    "no prefix": changed(context="00" * 32),
    "blanks in digits": changed(context="0x" + "00 " * 32),
    "other digits": changed(context="0x" + "٠" * 64),
    "control characters": changed(context="\x1b[31m\ud800"),
    "commitments as object": changed(portfolio_commitments={}),
    "matrix of points": changed(matrix_commitments=["0x00", "0x00"]),
    "nested lists": changed(matrix_commitments=[[[[[]]]], []]),
    "shape as text": changed(shape="standard"),
    "shape null": changed(shape=None),
    "other R": changed_shape(R=32),
    "R no power of two": changed_shape(R=24),
    "R of one": changed_shape(R=1),
    "R negative": changed_shape(R=-16),
    "R zero": changed_shape(R=0),
    "k as text": changed_shape(k="2"),
    "d beyond the domain": changed_shape(d=6),
    "d zero": changed_shape(d=0),
    "d huge": changed_shape(d=10**30),
    "R huge": changed_shape(R=1 << 100),
    "another D": changed_shape(D=8192),
    "n beyond D": changed_shape(R=4096),
    "columns that wrap around r": changed_shape(k=128, d=11),
    "another vk": changed(vk="0x" + "11" * 32),
    "vk null": changed(vk=None),
    "another table": changed(table_commitment="0x" + "00" * 96),
}

UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"not json",
    "cut JSON": b'{"shape": {"D"',
    "binary": bytes(range(256)),
    "list": b"[]",
    "number": b"1",
    "nothing": b"{}",
    "deep": b"[" * 200_000,
    "half a surrogate": b'"\xed\xa0\x80"',
}


def verdicts(folder: Path, *options: str) -> tuple[int, dict[str, str]]:
    run = run_command("vector", "check", folder, "--json", *options)
    assert run.stderr == ""
    document = json.loads(run.stdout)
    return run.returncode, {Path(entry["file"]).name: entry["verdict"] for entry in document["files"]}


def test_seven_fields_suffice(tmp_path: Path) -> None:
    run = run_command("vector", "check", write_vector(tmp_path / "vector.json", accepted_fields()))
    assert run.returncode == 0
    assert run.stdout.startswith("accepted")


def test_the_reference_backend_agrees(tmp_path: Path) -> None:
    path = write_vector(tmp_path / "vector.json", accepted_fields())
    assert run_command("vector", "check", path, "--backend", "py_ecc").returncode == 0
    fields = accepted_fields()
    flipped_last_byte(fields)
    assert run_command("vector", "check", write_vector(path, fields), "--backend", "py_ecc").returncode == 1


def test_a_true_key_and_table_are_accepted(tmp_path: Path) -> None:
    key = verifying_key(TINY, ceremony_setup())
    fields = accepted_fields() | {"vk": "0x" + key.digest.hex(), "table_commitment": "0x" + key.table_commitment.hex()}
    assert run_command("vector", "check", write_vector(tmp_path / "vector.json", fields)).returncode == 0


def test_every_mutation_is_rejected_and_the_original_accepted(tmp_path: Path) -> None:
    for name, mutate in REJECTED.items():
        fields = accepted_fields()
        mutate(fields)
        write_vector(tmp_path / f"{name}.json", fields)
    write_vector(tmp_path / "original.json", accepted_fields())
    code, judged = verdicts(tmp_path)
    assert code == 1
    assert judged.pop("original.json") == "accepted"
    assert judged == {f"{name}.json": "rejected" for name in REJECTED}


@pytest.mark.parametrize("name", ["cut proof", "off the curve", "no chunk", "other R", "flipped byte"])
def test_a_rejected_file_ends_with_code_one(tmp_path: Path, name: str) -> None:
    fields = accepted_fields()
    REJECTED[name](fields)
    run = run_command("vector", "check", write_vector(tmp_path / "vector.json", fields))
    assert run.returncode == 1
    assert run.stdout.startswith("rejected")
    assert run.stderr == ""


def test_unreadable_files(tmp_path: Path) -> None:
    for name, content in UNREADABLE.items():
        (tmp_path / f"{name}.json").write_bytes(content)
    for field in accepted_fields():
        fields = accepted_fields()
        del fields[field]
        write_vector(tmp_path / f"lacks {field}.json", fields)
    fields = accepted_fields()
    del fields["shape"]["k"]
    write_vector(tmp_path / "lacks k.json", fields)
    code, judged = verdicts(tmp_path)
    assert code == 2
    assert set(judged.values()) == {"unreadable"}
    assert len(judged) == len(UNREADABLE) + 7 + 1


@pytest.mark.parametrize("prepare", ["missing", "one folder up", "too large"])
def test_a_file_that_cannot_be_read_ends_with_code_two(tmp_path: Path, prepare: str) -> None:
    path = tmp_path / "vector.json"
    if prepare == "one folder up":
        path = write_vector(path, accepted_fields()) / "vector.json"
    if prepare == "too large":
        with path.open("wb") as file:
            file.truncate(LARGEST_FILE + 1)
    run = run_command("vector", "check", path)
    assert run.returncode == 2
    assert run.stdout.startswith("unreadable")


def test_numbers_that_would_take_long_to_convert_are_rejected(tmp_path: Path) -> None:
    text = json.dumps(accepted_fields()).replace('"books": 2', '"books": ' + "9" * 5_000_000)
    path = tmp_path / "vector.json"
    path.write_text(text)
    assert run_command("vector", "check", path, timeout=20).returncode == 1


@pytest.mark.parametrize("options", [(), ("--on-chain",)], ids=["off chain", "on chain"])
def test_a_huge_proof_is_rejected_in_little_time(tmp_path: Path, options: tuple[str, ...]) -> None:
    path = write_vector(tmp_path / "vector.json", accepted_fields() | {"proof": "0x" + "00" * (50 << 20)})
    assert run_command("vector", "check", path, *options, timeout=30).returncode == 1


def test_a_folder_gives_a_line_a_file_and_a_count(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    write_vector(tmp_path / "b.json", accepted_fields())
    write_vector(tmp_path / "inner" / "a.json", accepted_fields())
    (tmp_path / "README.md").write_text("not a vector")
    run = run_command("vector", "check", tmp_path)
    assert run.returncode == 0
    assert [line.split()[0] for line in run.stdout.splitlines()] == ["accepted", "accepted", "2"]
    assert run.stdout.splitlines()[-1] == "2 files: 2 accepted, 0 rejected, 0 unreadable"


def test_an_empty_folder_is_no_success(tmp_path: Path) -> None:
    assert run_command("vector", "check", tmp_path).returncode == 2


@pytest.mark.parametrize("options", [(), ("--on-chain",)], ids=["off chain", "on chain"])
def test_vectors_of_the_project_are_judged_as_they_must_be(options: tuple[str, ...]) -> None:
    for folder, expected in (("accept", "accepted"), ("reject", "rejected")):
        _, judged = verdicts(OWN_VECTORS / folder, *options)
        judged.pop("batch.json", None)
        assert len(judged) > 5
        assert set(judged.values()) == {expected}


def test_the_contract_names_its_errors(tmp_path: Path) -> None:
    expected = {
        "original": "",
        "flipped byte": "MarginVerifierRejected()",
        "cut proof": "MarginVerifierProofLength(length = 1263, expected = 1264)",
        "off the curve": "Bls12381InvalidPoint(",
        "outside the subgroup": "Bls12381InvalidPoint(",
        "no chunk": "at least one: no rows say nothing",
        "other R": "MarginVerifierRejected()",
        "R no power of two": "R = 24 must be a power of two",
    }
    for name in expected:
        fields = accepted_fields()
        if name in REJECTED:
            REJECTED[name](fields)
        write_vector(tmp_path / f"{name}.json", fields)
    run = run_command("vector", "check", tmp_path, "--on-chain", "--json")
    assert run.returncode == 1, run.stderr
    for entry in json.loads(run.stdout)["files"]:
        name = Path(entry["file"]).stem
        assert expected[name] in entry["reason"], name
        assert entry["verdict"] == ("rejected" if expected[name] else "accepted")


@pytest.mark.parametrize("folder", SHARED_VECTORS, ids=lambda folder: folder.name)
def test_given_vectors_are_accepted(folder: Path) -> None:
    for options in ((), ("--backend", "py_ecc"), ("--on-chain",)):
        _, judged = verdicts(folder, *options)
        assert judged.pop("batch.json", "unreadable") == "unreadable"
        assert set(judged.values()) == {"accepted"}
