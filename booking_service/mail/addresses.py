"""E-mail addresses as they may be written to: checked by form alone, nobody is asked over the network.

Relays without SMTPUTF8 are common, so a domain is kept in its ASCII form and a local part with other
letters is refused while the citizen can still correct it.
"""

from __future__ import annotations

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

_LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1
_LONGEST_ADDRESS = 254
# RFC 5322, 3.4.1: dot-atom on both sides; no quotes, no comments, no address literals
_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_BARE = re.compile(rf"{_WORD}(?:\.{_WORD})*@{_LABEL}(?:\.{_LABEL})*")


class BadAddress(ValueError):
    """No address that mail can be sent to.

    `code` is one of `address_empty`, `address_control`, `address_long`, `address_non_ascii` (letters
    outside ASCII before the @) and `address_form`.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def clean_address(text: str) -> str:
    """Return the address in ASCII, without surrounding spaces; raise BadAddress.

    The text itself is never part of the error: errors are logged.
    """
    address = text.strip(" ")
    if not address:
        raise BadAddress("address_empty", "no address")
    if any(unicodedata.category(sign) in {"Cc", "Cf", "Zl", "Zp"} for sign in address):
        raise BadAddress("address_control", "line breaks or control characters in the address")
    local_part = address.rpartition("@")[0]
    if not local_part.isascii():
        raise BadAddress("address_non_ascii", "before the @ only letters without accents are possible")
    if len(local_part) > _LONGEST_LOCAL_PART or len(address) > _LONGEST_ADDRESS:
        raise BadAddress("address_long", "the address is too long")
    return _in_ascii(address)


def bare_address(address: str) -> str:
    """Return an address that stands as it is in a header or a link; raise BadAddress for anything else.

    For addresses that were cleaned when they came in, hence quick and without a second opinion.
    """
    if len(address) > _LONGEST_ADDRESS or not _BARE.fullmatch(address):
        raise BadAddress("address_form", "not the form name@domain")
    return address


def _in_ascii(address: str) -> str:
    try:
        checked = validate_email(address, allow_smtputf8=False, check_deliverability=False)
    except EmailNotValidError as error:
        raise BadAddress("address_form", "not the form name@domain") from error
    ascii_address = checked.ascii_email
    if ascii_address is None or len(ascii_address) > _LONGEST_ADDRESS:
        raise BadAddress("address_long", "the address is too long")
    return ascii_address
