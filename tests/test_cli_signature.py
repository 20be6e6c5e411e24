"""Signing on the command line, and the one setting that demands a signature."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import (
    new_signing_key,
    read_manifest,
    read_private_key,
    read_public_key,
)
from responder_model.cli.app import app
from responder_model.errors import ResponderModelError
from responder_model.model.example import example_model

pytest.importorskip("cryptography")

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

TRUSTED = "RESPONDER_MODEL_TRUSTED_KEYS"


def run(*arguments: object):
    return CliRunner().invoke(app, [str(part) for part in arguments])


def write_keys(folder: Path, name: str = "") -> tuple[Path, Path]:
    private, public = new_signing_key()
    key = ed25519.Ed25519PrivateKey.from_private_bytes(private)
    paths = folder / f"{name}private.pem", folder / f"{name}public.pem"
    paths[0].write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    paths[1].write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    assert (read_private_key(paths[0]), read_public_key(paths[1])) == (private, public)
    return paths


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(TRUSTED, raising=False)
    return rm.save_model(example_model(), tmp_path / "models" / "centre")


def test_sign_and_verify_say_who_released_a_folder(model: Path, tmp_path: Path) -> None:
    private, public = write_keys(tmp_path)
    signed = run("sign", model, "--key", private)
    assert signed.exit_code == 0, signed.output
    assert signed.stdout.strip() == read_public_key(public).hex()
    done = run("verify", model, "--trusted-key", public)
    assert done.exit_code == 0
    digest = read_manifest(model).digest
    assert done.stdout == f"intact, digest {digest}\nsigned by a trusted key\n"
    done = run("verify", model, "--trusted-key", public, "--json")
    assert json.loads(done.stdout) == {"digest": digest, "signed_by_trusted_key": True}


def test_verify_without_keys_says_that_no_signature_was_asked_for(model: Path) -> None:
    done = run("verify", model)
    assert done.exit_code == 0
    assert done.stdout.startswith("intact, digest ")
    assert "no signature was asked for" in done.stderr


def test_verify_refuses_an_altered_and_an_unsigned_folder(
    model: Path, tmp_path: Path
) -> None:
    public = write_keys(tmp_path)[1]
    done = run("verify", model, "--trusted-key", public)
    assert done.exit_code == 1
    assert "must be signed by a trusted key" in done.stderr
    (model / "MODEL_CARD.md").write_text("altered")
    done = run("verify", model)
    assert done.exit_code == 1
    assert "its SHA-256 differs" in done.stderr


@pytest.mark.parametrize("command", ["inspect", "predict", "explain", "scorecard"])
def test_commands_demand_a_signature_where_the_setting_names_keys(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    private, public = write_keys(tmp_path)
    other = write_keys(tmp_path, "other_")[1]
    monkeypatch.setenv(TRUSTED, os.pathsep.join([str(other), str(public)]))
    more = ("--known", "age", "--out", tmp_path / "card")
    arguments = [command, model, *(more if command == "scorecard" else ())]
    done = run(*arguments)
    assert done.exit_code == 1
    assert "must be signed by a trusted key, got no signature" in done.stderr
    run("sign", model, "--key", private)
    assert run(*arguments).exit_code == 0
    assert run("verify", model).stdout.endswith("signed by a trusted key\n")
    monkeypatch.setenv(TRUSTED, str(other))
    assert "must be of a trusted key, got another" in run(*arguments).stderr


def test_models_lists_an_unsigned_folder_with_its_reason(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRUSTED, str(write_keys(tmp_path)[1]))
    row = json.loads(run("models", model.parent, "--json").stdout)[-1]
    assert row["model"] == str(model)
    assert row["problem"] == (
        "model folder must be signed by a trusted key, got no signature."
    )


def test_named_models_need_no_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRUSTED, str(write_keys(tmp_path)[1]))
    assert run("predict", "emcs_success", "--age", "54").exit_code == 0


def test_setting_that_names_no_key_is_refused(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value, message in (
        ("", f"{TRUSTED} must name files of public keys, got none"),
        (str(tmp_path / "absent.pem"), "must be a key file that can be read: no such"),
    ):
        monkeypatch.setenv(TRUSTED, value)
        done = run("inspect", model)
        assert done.exit_code == 1
        assert message in " ".join(done.stderr.split())


def private_pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_private_keys_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = ed25519.Ed25519PrivateKey.generate()
    encrypted = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    public = key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    other = private_pem(ec.generate_private_key(ec.SECP256R1()))
    for data, message in (
        (encrypted, "must be a key without a password, got an encrypted one"),
        (other, "must be an Ed25519 private key in PEM"),
        (public, "must be an Ed25519 private key in PEM"),
        (b"", "must be an Ed25519 private key in PEM"),
    ):
        path.write_bytes(data)
        with pytest.raises(ResponderModelError, match=message):
            read_private_key(path)
    with pytest.raises(ResponderModelError, match="can be read: it is a folder"):
        read_private_key(tmp_path)
    with pytest.raises(ResponderModelError, match="can be read: the name is too long"):
        read_private_key("x" * 5000)


def test_public_key_must_be_a_public_one(tmp_path: Path) -> None:
    private = write_keys(tmp_path)[0]
    with pytest.raises(ResponderModelError, match="must be an Ed25519 public key"):
        read_public_key(private)


def test_sign_refuses_a_place_that_cannot_be_written(
    model: Path, tmp_path: Path
) -> None:
    private = write_keys(tmp_path)[0]
    # no room in the name for that of the draft
    renamed = model.rename(model.with_name("x" * 250))
    done = run("sign", renamed, "--key", private)
    assert done.exit_code == 1
    assert "must be ones that can be written: the name is too long" in done.stderr
