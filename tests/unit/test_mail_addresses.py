"""Addresses: one ASCII form that every relay takes, or a refusal while it can still be corrected."""

from __future__ import annotations

import pytest

from booking_service.mail.addresses import BadAddress, bare_address, clean_address


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("anna@citizen.example", "anna@citizen.example"),
        ("  Anna.Schmidt+termin@Citizen.EXAMPLE ", "Anna.Schmidt+termin@citizen.example"),
        ("o'brian@citizen.example", "o'brian@citizen.example"),
        ("anna@müller.example", "anna@xn--mller-kva.example"),
        ("anna@xn--mller-kva.example", "anna@xn--mller-kva.example"),
    ],
)
def test_an_address_is_kept_in_ascii(typed, kept):
    assert clean_address(typed) == kept


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "address_empty"),
        ("   ", "address_empty"),
        ("anna@citizen.example\r\nBcc: eve@evil.example", "address_control"),
        ("anna@citizen.example\n", "address_control"),
        ("an\x00na@citizen.example", "address_control"),
        ("anna\u202e@citizen.example", "address_control"),
        ("ännä@citizen.example", "address_non_ascii"),
        ("a" * 65 + "@citizen.example", "address_long"),
        ("anna@" + ".".join(["b" * 60] * 4) + ".example", "address_long"),
        ("anna@" + "ü" * 200 + ".example", "address_form"),
        ("anna", "address_form"),
        ("anna@", "address_form"),
        ("@citizen.example", "address_form"),
        ("anna@citizen", "address_form"),
        ("anna@localhost", "address_form"),
        ("anna@[127.0.0.1]", "address_form"),
        ("anna@citizen.example,ben@citizen.example", "address_form"),
        ("Anna <anna@citizen.example>", "address_form"),
        ("an na@citizen.example", "address_form"),
        ('"an na"@citizen.example', "address_form"),
    ],
)
def test_what_mail_cannot_reach_is_refused_with_a_code(typed, code):
    with pytest.raises(BadAddress) as refusal:
        clean_address(typed)
    assert refusal.value.code == code


def test_the_refusal_does_not_repeat_what_was_typed():
    with pytest.raises(BadAddress) as refusal:
        clean_address("secret person@citizen.example")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "address",
    ["Anna.Schmidt+termin@citizen.example", "o'brian@citizen.example", "anna@xn--mller-kva.example"],
)
def test_a_cleaned_address_may_stand_in_a_header_as_it_is(address):
    assert bare_address(clean_address(address)) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "anna@citizen.example\n",
        "anna@citizen.example\r\nBcc: eve@evil.example",
        "anna@citizen.example,eve@evil.example",
        "<anna@citizen.example>",
        '"an,na"@citizen.example',
        "anna;CN=x@citizen.example",
        "anna:x@citizen.example",
        "ännä@citizen.example",
        "anna@müller.example",
        "a" * 250 + "@citizen.example",
    ],
)
def test_what_a_header_would_read_as_more_than_one_address_is_refused(address):
    with pytest.raises(BadAddress) as refusal:
        bare_address(address)
    assert refusal.value.code == "address_form"
    assert not address or address not in str(refusal.value)
