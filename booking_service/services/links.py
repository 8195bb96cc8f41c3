"""References and links that citizens get: easy to say on the phone, impossible to guess."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

# without 0/O, 1/I/L, and without vowels that could make words
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 8
TOKEN_BYTES = 20


def new_reference() -> str:
    """A random reference such as `K7MW-92QX` (about 38 bits; it opens nothing without the token)."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(REFERENCE_LENGTH))
    return f"{text[:4]}-{text[4:]}"


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the links of one deployment. Tokens are derived from the secret key and stored nowhere."""

    public_url: str
    secret_key: str

    def token(self, reference: str) -> str:
        """The citizen's key to the request or appointment with this reference (160 bits)."""
        digest = hmac.digest(self.secret_key.encode(), b"manage:" + reference.encode(), hashlib.sha256)
        return base64.b32encode(digest[:TOKEN_BYTES]).decode().lower()

    def opens(self, reference: str, token: str) -> bool:
        """Whether the token belongs to the reference."""
        return hmac.compare_digest(self.token(reference).encode(), token.encode())

    def manage_url(self, reference: str) -> str:
        """The page of an appointment, as it stands in mails."""
        return f"{self.public_url}/termin/{reference}/{self.token(reference)}"
