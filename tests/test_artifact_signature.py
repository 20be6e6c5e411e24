"""Signatures say who released a model folder; any doubt is a refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from responder_model.artifact import (
    load_model,
    new_signing_key,
    read_manifest,
    save_model,
    sign_model,
    verify_model,
)
from responder_model.artifact.manifest import sha256
from responder_model.artifact.strict_json import canonical_json
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.model.example import example_model


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, bytes]:
    pytest.importorskip("cryptography")
    private, public = new_signing_key()
    folder = save_model(example_model(), tmp_path / "model")
    assert sign_model(folder, private) == public.hex()
    return folder, public


def test_signed_folder_loads_with_its_key(signed: tuple[Path, bytes]) -> None:
    folder, public = signed
    load_model(folder)
    load_model(folder, trusted_keys=[public])
    other = new_signing_key()[1]
    load_model(folder, trusted_keys=[other, public.hex().upper()])
    assert verify_model(folder, [public]) == read_manifest(folder).digest


def test_signature_of_another_key_is_refused(signed: tuple[Path, bytes]) -> None:
    other = new_signing_key()[1]
    with pytest.raises(UntrustedModelError, match="must be of a trusted key"):
        load_model(signed[0], trusted_keys=[other])


def test_unsigned_folder_is_refused_when_a_signature_is_asked_for(
    tmp_path: Path,
) -> None:
    folder = save_model(example_model(), tmp_path / "model")
    with pytest.raises(UntrustedModelError, match="must be signed by a trusted key"):
        load_model(folder, trusted_keys=[b"\0" * 32])
    with pytest.raises(UntrustedModelError, match="must be signed by a trusted key"):
        load_model(folder, trusted_keys=[])


def test_signature_moved_to_another_model_is_refused(
    signed: tuple[Path, bytes], tmp_path: Path
) -> None:
    folder, public = signed
    other = save_model(example_model(seed=9), tmp_path / "other")
    (other / "signature.json").write_bytes((folder / "signature.json").read_bytes())
    with pytest.raises(UntrustedModelError, match="must sign this manifest"):
        load_model(other, trusted_keys=[public])


def test_every_flipped_byte_of_a_signature_is_refused(
    signed: tuple[Path, bytes],
) -> None:
    path = signed[0] / "signature.json"
    data = path.read_bytes()
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1
        path.write_bytes(bytes(flipped))
        with pytest.raises(UntrustedModelError, match=r"signature\.json"):
            load_model(signed[0])


def test_saving_again_removes_the_signature(signed: tuple[Path, bytes]) -> None:
    save_model(example_model(), signed[0])
    assert not (signed[0] / "signature.json").exists()


def test_keys_of_another_length_are_refused(signed: tuple[Path, bytes]) -> None:
    with pytest.raises(ResponderModelError, match="private_key must have 32 bytes"):
        sign_model(signed[0], b"short")
    with pytest.raises(ResponderModelError, match="trusted key must have 32 bytes"):
        load_model(signed[0], trusted_keys=["abcd"])


def test_a_key_that_stands_alone_is_a_list_of_one(signed: tuple[Path, bytes]) -> None:
    folder, public = signed
    for key in (public, public.hex()):
        load_model(folder, trusted_keys=key)
        assert verify_model(folder, key) == read_manifest(folder).digest


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([None], "must be bytes or hexadecimal text, got NoneType"),
        (5, "must be a list of keys, got int"),
        (["z" * 64], "must be in hexadecimal"),
    ],
    ids=["none", "number", "letters"],
)
def test_keys_that_are_no_keys_are_refused(
    signed: tuple[Path, bytes], keys: Any, message: str
) -> None:
    with pytest.raises(ResponderModelError, match=message):
        load_model(signed[0], trusted_keys=keys)


def test_verify_model_refuses_to_verify_without_keys(
    signed: tuple[Path, bytes],
) -> None:
    with pytest.raises(ResponderModelError, match="trusted_keys must be Ed25519"):
        verify_model(signed[0], None)  # type: ignore[arg-type]


def test_signature_of_another_algorithm_is_refused(signed: tuple[Path, bytes]) -> None:
    path = signed[0] / "signature.json"
    content = json.loads(path.read_bytes())
    del content["digest"]
    content["algorithm"] = "none"
    digest = sha256(canonical_json(content))
    path.write_bytes(canonical_json({**content, "digest": digest}))
    with pytest.raises(UntrustedModelError, match="must be an ed25519 signature"):
        load_model(signed[0], trusted_keys=[signed[1]])
