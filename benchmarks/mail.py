"""How long it takes to write a message: a booking does so inside its transaction.

    python benchmarks/mail.py [--messages N] [--json FILE]

Every message is of an appointment of its own, with its own time, person and link; languages and modes take
turns. The first one, for which the texts are compiled, is told apart from all that follow.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice, product
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from booking_service.domain.county import Mode  # noqa: E402 - the path must be set first
from booking_service.mail.message import render  # noqa: E402
from booking_service.mail.notice import Kind, Notice, Sender, Venue  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE = Venue("Bürgerservicecenter Demmin", "Adolf-Pompe-Straße 12-15", "17109", "Demmin", 53.9055, 13.0346)
SENDER = Sender("Landkreis Seenplatte Terminservice", "termin@lk-seenplatte.example")
FIRST_DAY = datetime(2026, 11, 2, 7, tzinfo=UTC)


def notices(kind: Kind, number: int) -> Iterator[Notice]:
    """Make different notices of one kind."""
    forms = islice(cycle(product(("de", "en"), Mode)), number)
    for count, (language, mode) in enumerate(forms):
        start = FIRST_DAY + timedelta(days=count // 16, minutes=30 * (count % 16))
        yield Notice(
            kind=kind,
            recipient=f"citizen{count}@mail.example",
            recipient_name=f"Jörg Möller-{count}",
            language=language,
            reference=f"K7MW-{count:04}",
            start=start,
            end=start + timedelta(minutes=30),
            mode=mode,
            venue=None if mode is Mode.PHONE else SITE,
            manage_url=f"https://termin.lk-seenplatte.example/termin/K7MW-{count:04}/{count:032x}",
            office_group="Landkreis Seenplatte",
            uid=f"{count:032x}@termin.lk-seenplatte.example",
            sequence=1,
            created_at=FIRST_DAY - timedelta(days=9),
            revised_at=FIRST_DAY - timedelta(days=2),
            first_message_id=f"<{count:032x}.0.confirmation@lk-seenplatte.example>",
            sender=SENDER,
        )


def milliseconds(notice: Notice) -> float:
    """Write one message; nothing of it was written before."""
    began = time.perf_counter()
    render(notice)
    return 1000 * (time.perf_counter() - began)


def measure(kind: Kind, number: int) -> dict[str, float]:
    """First message, median and 99th percentile of the others, all in milliseconds."""
    first, *others = map(milliseconds, notices(kind, number + 1))
    return {
        "first": round(first, 2),
        "median": round(statistics.median(others), 3),
        "p99": round(statistics.quantiles(others, n=100)[-1], 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = {kind.value: measure(kind, arguments.messages) for kind in Kind}
    print("milliseconds   first  median     p99")
    for kind, row in found.items():
        print(f"{kind:12} {row['first']:7.2f} {row['median']:7.3f} {row['p99']:7.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
