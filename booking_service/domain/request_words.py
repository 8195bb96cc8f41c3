"""The words for mistakes in requests, in German and English; see `mistakes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_WORDS: Mapping[str, Mapping[Literal["de", "en"], str]] = {
    "field_missing": {
        "de": "Diese Angabe fehlt.",
        "en": "This is missing.",
    },
    "field_null": {
        "de": "Diese Angabe darf nicht leer sein.",
        "en": "This must not be null.",
    },
    "field_unknown": {
        "de": "Diese Angabe kennen wir nicht.",
        "en": "There is no field of this name.",
    },
    "field_invalid": {
        "de": "Diese Angabe hat nicht die erwartete Form.",
        "en": "This does not have the expected form.",
    },
    "services_missing": {
        "de": "Bitte nennen Sie mindestens ein Anliegen.",
        "en": "Please name at least one service.",
    },
    "service_unknown": {
        "de": "Ein Anliegen „{service}“ gibt es nicht.",
        "en": "There is no service “{service}”.",
    },
    "service_twice": {
        "de": "Das Anliegen „{service}“ steht hier zweimal.",
        "en": "The service “{service}” is named twice.",
    },
    "service_referred": {
        "de": (
            "Für „{service}“ ist eine andere Stelle zuständig: {to}. Ihren Antrag nimmt jedes "
            "Bürgerservicecenter an; er gilt ab diesem Tag."
        ),
        "en": (
            "“{service}” is decided by another office: {to}. Every service centre takes your application; it "
            "counts from that day."
        ),
    },
    "service_not_bookable": {
        "de": "Für „{service}“ gibt es keine Termine. Kommen Sie bitte in die offene Sprechzeit.",
        "en": "There are no appointments for “{service}”. Please come during the open hours.",
    },
    "sites_missing": {
        "de": "Bitte nennen Sie mindestens einen Standort. Nur für Gespräche am Telefon geht es ohne.",
        "en": "Please name at least one site; only calls by phone need none.",
    },
    "site_unknown": {
        "de": "Einen Standort „{site}“ gibt es nicht.",
        "en": "There is no site “{site}”.",
    },
    "unit_unknown": {
        "de": "Eine Stelle „{unit}“ gibt es nicht.",
        "en": "There is no unit “{unit}”.",
    },
    "site_twice": {
        "de": "Der Standort „{site}“ steht hier zweimal.",
        "en": "The site “{site}” is named twice.",
    },
    "site_has_steps": {
        "de": "Der Standort „{site}“ ist nicht stufenlos erreichbar.",
        "en": "The site “{site}” cannot be reached without steps.",
    },
    "modes_missing": {
        "de": "Bitte nennen Sie mindestens eine Art des Gesprächs: on_site, video oder phone.",
        "en": "Please name at least one way of meeting: on_site, video or phone.",
    },
    "mode_not_offered": {
        "de": "„{service}“ gibt es nicht als „{mode}“.",
        "en": "“{service}” cannot be had as “{mode}”.",
    },
    "mode_twice": {
        "de": "Die Art „{mode}“ steht hier zweimal.",
        "en": "The way “{mode}” is named twice.",
    },
    "need_twice": {
        "de": "Der Bedarf „{need}“ steht hier zweimal.",
        "en": "The need “{need}” is named twice.",
    },
    "language_unknown": {
        "de": (
            "Die Sprache „{language}“ spricht hier niemand. Möglich sind: {known}. Für andere Sprachen "
            "bestellen wir eine Sprachmittlung: geben Sie dann den Bedarf „interpreter“ an und keine Sprache."
        ),
        "en": (
            "Nobody here speaks “{language}”. There are: {known}. For other languages we order an "
            "interpreter: give the need “interpreter” then, and no language."
        ),
    },
    "specialist_unknown": {
        "de": "Eine Fachkraft „{specialist}“ gibt es nicht.",
        "en": "There is no specialist “{specialist}”.",
    },
    "specialist_unfit": {
        "de": "Die Fachkraft „{specialist}“ bearbeitet keines der Anliegen.",
        "en": "The specialist “{specialist}” deals with none of the services.",
    },
    "time_without_zone": {
        "de": "Der Zeit fehlt die Zeitzone, zum Beispiel 2027-01-12T08:00:00+01:00.",
        "en": "The time has no zone; write it as 2027-01-12T08:00:00+01:00.",
    },
    "window_reversed": {
        "de": "Das Ende liegt nicht nach dem Anfang.",
        "en": "The end is not after the beginning.",
    },
    "window_past": {
        "de": "Diese Zeit ist schon vorbei.",
        "en": "This time is over.",
    },
    "window_too_far": {
        "de": "Diese Zeit liegt mehr als {days} Tage voraus.",
        "en": "This time is more than {days} days ahead.",
    },
    "window_outside_hours": {
        "de": "In dieser Zeit gibt es für das Anliegen an den genannten Standorten keine Sprechzeit.",
        "en": "In this time the service has no hours at the sites named.",
    },
    "name_missing": {
        "de": "Bitte nennen Sie einen Namen.",
        "en": "Please give a name.",
    },
    "name_too_long": {
        "de": "Der Name hat {length} Zeichen, möglich sind {most}.",
        "en": "The name has {length} characters, at most {most} are possible.",
    },
    "name_control": {
        "de": "Der Name enthält an Stelle {position} ein unsichtbares Steuerzeichen ({code_point}).",
        "en": "The name has an invisible control character ({code_point}) at position {position}.",
    },
    "contact_missing": {
        "de": "Bitte nennen Sie eine E-Mail-Adresse oder eine Telefonnummer.",
        "en": "Please give an e-mail address or a phone number.",
    },
    "email_needed": {
        "de": "Für die Nachricht per E-Mail fehlt die Adresse.",
        "en": "To hear by e-mail, an address is needed.",
    },
    "phone_needed": {
        "de": "Für ein Gespräch am Telefon fehlt die Telefonnummer.",
        "en": "For a call, a phone number is needed.",
    },
    "phone_wrong": {
        "de": "Das ist keine Telefonnummer, die wir wählen können.",
        "en": "This is no phone number that we could call.",
    },
    "address_empty": {
        "de": "Die E-Mail-Adresse ist leer.",
        "en": "The e-mail address is empty.",
    },
    "address_control": {
        "de": "Die E-Mail-Adresse enthält unsichtbare Zeichen oder einen Zeilenumbruch.",
        "en": "The e-mail address has invisible characters or a line break.",
    },
    "address_long": {
        "de": "Die E-Mail-Adresse ist zu lang.",
        "en": "The e-mail address is too long.",
    },
    "address_non_ascii": {
        "de": "Vor dem @ sind nur Buchstaben ohne Umlaute und Akzente möglich.",
        "en": "Before the @ only letters without accents are possible.",
    },
    "address_form": {
        "de": "Das ist keine E-Mail-Adresse. Sie hat die Form name@beispiel.de.",
        "en": "This is no e-mail address. It has the form name@example.org.",
    },
    "range_reversed": {
        "de": "Das Ende liegt vor dem Anfang.",
        "en": "The end lies before the beginning.",
    },
    "site_not_by_phone": {
        "de": "Für ein Gespräch am Telefon wird kein Standort genannt.",
        "en": "A call by phone has no site.",
    },
    "start_past": {
        "de": "Diese Zeit ist schon vorbei.",
        "en": "This time is over.",
    },
    "start_too_far": {
        "de": "So weit voraus können Sie noch keinen Termin vereinbaren.",
        "en": "Appointments cannot be made that far ahead yet.",
    },
    "start_off_raster": {
        "de": "Termine beginnen hier alle {minutes} Minuten, zu dieser Zeit nicht.",
        "en": "Appointments begin every {minutes} minutes here, not at this time.",
    },
    "start_not_offered": {
        "de": "Zu dieser Zeit gibt es hier keine Termine, oder sie ist zu nah.",
        "en": "There are no appointments here at this time, or it is too near.",
    },
    "place_unknown": {
        "de": "Diesen Ort gibt es im Landkreis nicht: „{place}“. Bitte geben Sie Postleitzahl und Ort an.",
        "en": "There is no such place in the county: “{place}”. Please give postcode and place.",
    },
    "place_ambiguous": {
        "de": "Zu dieser Postleitzahl gehören mehrere Orte: {places}. Bitte nennen Sie auch den Ort.",
        "en": "Several places share this postcode: {places}. Please name the place as well.",
    },
    "hold_of_other_services": {
        "de": "Reserviert ist ein Termin für etwas anderes. Ein Termin lässt sich nur für dasselbe verlegen.",
        "en": "The hold is for something else. An appointment can be moved for the same services only.",
    },
    "absence_too_long": {
        "de": "Eine Abwesenheit ist höchstens {days} Tage lang.",
        "en": "An absence is at most {days} days long.",
    },
    "absence_during_visit": {
        "de": "Bis dahin ist die Fachkraft in einem Gespräch, das schon begonnen hat, oder auf dem Rückweg.",
        "en": "Until then the specialist is in a talk that has begun, or on the way back from it.",
    },
    "key_reused": {
        "de": "Dieser Idempotency-Key wurde schon für eine andere Anfrage benutzt.",
        "en": "This Idempotency-Key has been used for another request.",
    },
}
