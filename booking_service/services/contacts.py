"""Who somebody is and how to reach them: looked at by the same rules wherever it is given."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import phonenumbers

from booking_service.domain.bookings import Contact, Entry, Notify
from booking_service.domain.county import Mode
from booking_service.domain.mistakes import Mistake
from booking_service.mail.addresses import BadAddress, clean_address
from booking_service.store.booking_tables import ContactRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from booking_service.domain.county import County

LONGEST_NAME = 200
NOT_IN_NAMES = ("Cc", "Cs", "Co", "Zl", "Zp")
BIDI_CONTROLS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


def clean_contact(
    contact: Contact, notify: Notify | None, modes: Sequence[Mode], entry: Entry
) -> tuple[Contact, list[Mistake]]:
    """The contact as it is kept, and what is wrong with it, by JSON pointer.

    At a desk nobody needs an e-mail address or a phone; for a call everybody needs a number.
    """
    mistakes = [*_name_mistakes(contact.name)]
    email = phone = None
    if contact.email:
        try:
            email = clean_address(contact.email)
        except BadAddress as error:
            mistakes.append(Mistake("/contact/email", error.code))
    if contact.phone:
        phone = clean_phone(contact.phone)
        if phone is None:
            mistakes.append(Mistake("/contact/phone", "phone_wrong"))
    if not (contact.email or contact.phone) and entry is not Entry.DESK:
        mistakes.append(Mistake("/contact", "contact_missing"))
    if notify is Notify.EMAIL and not contact.email:
        mistakes.append(Mistake("/contact/email", "email_needed"))
    mistakes += call_mistakes(contact, modes)
    return Contact(" ".join(contact.name.split()), email, phone), mistakes


def call_mistakes(contact: Contact, modes: Sequence[Mode]) -> list[Mistake]:
    """For a call everybody needs a number."""
    needed = Mode.PHONE in modes and not contact.phone
    return [Mistake("/contact/phone", "phone_needed")] if needed else []


def _name_mistakes(name: str) -> Iterator[Mistake]:
    place = "/contact/name"
    wrong = next(
        (c for c in name if unicodedata.category(c) in NOT_IN_NAMES or c in BIDI_CONTROLS),
        None,
    )
    if not name.strip():
        yield Mistake(place, "name_missing")
    elif len(name) > LONGEST_NAME:
        yield Mistake(place, "name_too_long", {"most": LONGEST_NAME, "length": len(name)})
    if wrong is not None:
        yield Mistake(
            place, "name_control", {"code_point": f"U+{ord(wrong):04X}", "position": name.index(wrong) + 1}
        )


def clean_phone(text: str) -> str | None:
    """The number in international form; numbers without a country are German."""
    try:
        number = phonenumbers.parse(text, "DE")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class Addressee(NamedTuple):
    """What is kept of a contact: the columns of its row."""

    name: str
    email: str | None
    phone: str | None
    language: str
    notify: Notify


def addressee(county: County, contact: Contact, notify: Notify | None, language: str | None) -> Addressee:
    """A cleaned contact as it is kept; mails are in `language` where the county has it, else in German."""
    return Addressee(
        name=contact.name,
        email=contact.email,
        phone=contact.phone,
        language=language if language in county.settings.languages else "de",
        notify=notify or (Notify.EMAIL if contact.email else Notify.PRINT),
    )


def contact_row(county: County, contact: Contact, notify: Notify | None, language: str | None) -> ContactRow:
    """The same as a row."""
    return ContactRow(**addressee(county, contact, notify, language)._asdict())
