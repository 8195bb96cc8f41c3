"""Mistakes in what people or files give us: a code, the place, and words in German and English.

A mistake names its place the way the sender thinks of it: a JSON pointer for the API, file, line and
column for a county folder. All mistakes of one input are collected and told at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from booking_service.domain.request_words import REQUEST_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Language: TypeAlias = Literal["de", "en"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong. `values` fill the words of its code."""

    place: str
    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    def words(self, language: Language = "de") -> str:
        """What is wrong, in one sentence without the place."""
        return ALL_WORDS[self.code][language].format(**self.values)


class Rejected(Exception):
    """The input has mistakes; nothing of it was kept."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(f"{m.place}: {m.words('en')}" for m in self.mistakes))


WORDS: Mapping[str, Mapping[Language, str]] = {
    "file_no_folder": {
        "de": "Hier wird ein Ordner erwartet, aber es gibt keinen mit diesem Namen.",
        "en": "A folder is expected here, but there is none of this name.",
    },
    "file_foreign": {
        "de": (
            "In diesem Ordner liegen andere Dateien ({names}). Geschrieben wird nur in einen neuen oder "
            "leeren Ordner oder über einen früheren Export."
        ),
        "en": (
            "This folder holds other files ({names}). Only a new or empty folder or an earlier export is "
            "written to."
        ),
    },
    "file_missing": {
        "de": "Die Datei fehlt.",
        "en": "The file is missing.",
    },
    "file_no_file": {
        "de": "Hier wird eine Datei erwartet, gefunden wurde etwas anderes.",
        "en": "A file is expected here, something else was found.",
    },
    "file_unreadable": {
        "de": "Die Datei lässt sich nicht lesen ({reason}).",
        "en": "The file cannot be read ({reason}).",
    },
    "file_too_large": {
        "de": "Die Datei ist zu groß: höchstens {bytes} Bytes und {lines} Zeilen.",
        "en": "The file is too large: at most {bytes} bytes and {lines} lines.",
    },
    "file_empty": {
        "de": "Die Datei ist leer; auch ohne Einträge braucht sie ihre erste Zeile.",
        "en": "The file is empty; even without entries it needs its first line.",
    },
    "file_encoding": {
        "de": (
            "Zeile {line}, Zeichen {position}: Das Byte {byte} ist kein UTF-8. Vermutlich wurde die Datei"
            " als Windows-1252 oder Latin-1 gespeichert; bitte als UTF-8 speichern."
        ),
        "en": (
            "Line {line}, character {position}: the byte {byte} is not UTF-8. The file was probably saved"
            " as Windows-1252 or Latin-1; save it as UTF-8."
        ),
    },
    "file_utf16": {
        "de": "Die Datei ist als UTF-16 („Unicode-Text“) gespeichert; bitte als UTF-8 speichern.",
        "en": "The file was saved as UTF-16 (“Unicode text”); save it as UTF-8.",
    },
    "file_nul": {
        "de": "Die Zeile enthält ein NUL-Byte; das ist keine Textdatei in UTF-8.",
        "en": "The line contains a NUL byte; this is no text file in UTF-8.",
    },
    "file_separator": {
        "de": (
            "Die Spalten sind mit {separator} getrennt; erwartet wird das Komma (beim Speichern als "
            "Feldtrenner wählen)."
        ),
        "en": (
            "The columns are separated by {separator}; a comma is expected (choose it as field delimiter "
            "when saving)."
        ),
    },
    "file_column_unknown": {
        "de": "Die Spalte „{column}“ (die {position}.) gibt es nicht. Erwartet werden: {expected}.",
        "en": "There is no column “{column}” (number {position}). Expected are: {expected}.",
    },
    "file_column_repeated": {
        "de": "Die Spalte „{column}“ kommt mehrmals vor.",
        "en": "The column “{column}” occurs more than once.",
    },
    "file_column_missing": {
        "de": "Die Spalte „{column}“ fehlt.",
        "en": "The column “{column}” is missing.",
    },
    "file_toml": {
        "de": (
            "Ab Zeichen {position} ist die Zeile kein gültiges TOML (Schlüssel = Wert, Texte in "
            "Anführungszeichen)."
        ),
        "en": (
            "From character {position} on the line is not valid TOML (key = value, texts in quotation marks)."
        ),
    },
    "cell_count": {
        "de": (
            "Die Zeile hat {found} Zellen statt {expected}. Ein Text mit Komma muss in Anführungszeichen "
            "stehen, eine Zahl braucht einen Punkt."
        ),
        "en": (
            "The row has {found} cells instead of {expected}. A text with a comma must be in quotation "
            "marks, a number needs a point."
        ),
    },
    "cell_quote": {
        "de": (
            "Ein Anführungszeichen öffnet hier eine Zelle, die nicht richtig geschlossen wird: Nach dem "
            "schließenden muss ein Komma oder das Zeilenende stehen."
        ),
        "en": (
            "A quotation mark opens a cell here that is not closed properly: after the closing one a "
            "comma or the end of the line must follow."
        ),
    },
    "cell_quote_inside": {
        "de": (
            "Ein Anführungszeichen steht mitten in einer Zelle. Dann muss die ganze Zelle in "
            "Anführungszeichen stehen und das innere verdoppelt sein."
        ),
        "en": (
            "A quotation mark is in the middle of a cell. Then the whole cell must be in quotation marks "
            "and the inner one doubled."
        ),
    },
    "cell_control": {
        "de": (
            "Das {position}. Zeichen ist ein unsichtbares Steuer- oder Ersatzzeichen ({codepoint}) und "
            "muss entfernt werden."
        ),
        "en": (
            "Character {position} is an invisible control or replacement character ({codepoint}) and must"
            " be removed."
        ),
    },
    "cell_empty": {
        "de": "Hier muss etwas stehen.",
        "en": "This must not be empty.",
    },
    "cell_long": {
        "de": "Der Text hat {length} Zeichen; höchstens {limit} sind erlaubt.",
        "en": "The text has {length} characters; at most {limit} are allowed.",
    },
    "cell_choice": {
        "de": "„{value}“ ist nicht vorgesehen. Erlaubt sind: {allowed}.",
        "en": "“{value}” is not provided for. Allowed are: {allowed}.",
    },
    "cell_code": {
        "de": (
            "„{value}“ ist kein Kürzel: 1 bis 32 Großbuchstaben A–Z, Ziffern und Bindestriche, vorn kein "
            "Bindestrich."
        ),
        "en": (
            "“{value}” is no code: 1 to 32 capital letters A–Z, digits and hyphens, not beginning with a "
            "hyphen."
        ),
    },
    "cell_zip": {
        "de": "„{value}“ ist keine Postleitzahl: fünf Ziffern.",
        "en": "“{value}” is no postcode: five digits.",
    },
    "cell_county_code": {
        "de": "„{value}“ ist kein Kreisschlüssel: fünf Ziffern.",
        "en": "“{value}” is no county code: five digits.",
    },
    "cell_leika": {
        "de": "„{value}“ ist kein LeiKa-Schlüssel: vierzehn Ziffern.",
        "en": "“{value}” is no LeiKa key: fourteen digits.",
    },
    "cell_language": {
        "de": (
            "„{value}“ ist kein Sprachkürzel nach ISO 639: zwei oder drei Kleinbuchstaben, etwa de oder gsg."
        ),
        "en": "“{value}” is no ISO 639 language code: two or three lower-case letters such as de or gsg.",
    },
    "cell_number": {
        "de": "„{value}“ ist keine ganze Zahl.",
        "en": "“{value}” is no whole number.",
    },
    "cell_decimal": {
        "de": "„{value}“ ist keine Zahl mit Dezimalpunkt und höchstens sechs Nachkommastellen.",
        "en": "“{value}” is no number with a decimal point and at most six decimal places.",
    },
    "cell_decimal_comma": {
        "de": "„{value}“ hat ein Komma; eine Zahl braucht einen Punkt: {expected}.",
        "en": "“{value}” has a comma; a number needs a point: {expected}.",
    },
    "cell_range": {
        "de": "{value} ist außerhalb des Erlaubten: {low} bis {high}.",
        "en": "{value} is out of range: {low} to {high}.",
    },
    "cell_time": {
        "de": "„{value}“ ist keine Uhrzeit HH:MM von 00:00 bis 24:00, etwa 08:30.",
        "en": "“{value}” is no time HH:MM from 00:00 to 24:00, such as 08:30.",
    },
    "cell_spans": {
        "de": "„{value}“ ist keine Zeitspanne wie 12:00-12:30; mehrere werden mit | getrennt.",
        "en": "“{value}” is no span of time such as 12:00-12:30; several are separated by |.",
    },
    "cell_span_order": {
        "de": "In „{value}“ liegt das Ende nicht nach dem Anfang.",
        "en": "In “{value}” the end is not after the beginning.",
    },
    "cell_date": {
        "de": "„{value}“ ist kein Datum JJJJ-MM-TT zwischen {earliest} und {latest}, etwa 2027-03-08.",
        "en": "“{value}” is no date YYYY-MM-DD between {earliest} and {latest}, such as 2027-03-08.",
    },
    "cell_moment": {
        "de": "„{value}“ ist weder ein Tag (2027-03-08) noch ein Zeitpunkt (2027-03-08T12:30).",
        "en": "“{value}” is neither a day (2027-03-08) nor a time on a day (2027-03-08T12:30).",
    },
    "cell_month_day": {
        "de": "„{value}“ ist kein Tag des Jahres MM-TT, etwa 12-24.",
        "en": "“{value}” is no day of the year MM-DD, such as 12-24.",
    },
    "cell_surnames": {
        "de": "„{value}“ ist kein Buchstabenbereich wie A-F (zwei Großbuchstaben A–Z in dieser Folge).",
        "en": "“{value}” is no range of letters such as A-F (two capital letters A–Z in this order).",
    },
    "cell_stays_open": {
        "de": "„{value}“ ist weder Einheit (INF) noch Einheit am Standort (BSC@NB-BSC) noch Kanal (phone).",
        "en": "“{value}” is neither a unit (INF) nor a unit at a site (BSC@NB-BSC) nor a channel (phone).",
    },
    "cell_item_empty": {
        "de": (
            "Ein Eintrag der Liste ist leer; zwischen zwei Einträgen steht genau ein Semikolon, am Ende "
            "keines."
        ),
        "en": (
            "An item of the list is empty; exactly one semicolon stands between two items and none at the"
            " end."
        ),
    },
    "cell_item_repeated": {
        "de": "„{item}“ steht mehrmals in der Liste.",
        "en": "“{item}” is in the list more than once.",
    },
    "cell_zone": {
        "de": "„{value}“ ist keine bekannte Zeitzone; erwartet wird etwa Europe/Berlin.",
        "en": "“{value}” is no known time zone; expected is one such as Europe/Berlin.",
    },
    "cell_address": {
        "de": "„{value}“ ist keine E-Mail-Adresse wie termin@landkreis.example.",
        "en": "“{value}” is no e-mail address such as termin@county.example.",
    },
    "county_key_missing": {
        "de": "Die Einstellung „{key}“ fehlt.",
        "en": "The setting “{key}” is missing.",
    },
    "county_key_unknown": {
        "de": "Diese Einstellung gibt es nicht. Bekannt sind: {known}.",
        "en": "There is no such setting. Known are: {known}.",
    },
    "county_not_a_table": {
        "de": "Erwartet wird ein Abschnitt mit eigenen Einstellungen.",
        "en": "A section with settings of its own is expected.",
    },
    "county_not_a_text": {
        "de": "{value} ist kein Text; erwartet wird ein Text in Anführungszeichen.",
        "en": "{value} is no text; a text in quotation marks is expected.",
    },
    "county_not_a_list": {
        "de": "{value} ist keine Liste; erwartet wird eine Liste in eckigen Klammern.",
        "en": "{value} is no list; a list in square brackets is expected.",
    },
    "county_duplicate": {
        "de": "„{value}“ steht schon in Zeile {line}.",
        "en": "“{value}” is already in line {line}.",
    },
    "county_unknown": {
        "de": "„{value}“ gibt es in {file} nicht.",
        "en": "There is no “{value}” in {file}.",
    },
    "county_validity": {
        "de": "Die Gültigkeit endet ({end}), bevor sie beginnt ({begin}).",
        "en": "The validity ends ({end}) before it begins ({begin}).",
    },
    "county_order": {
        "de": "Das Ende ({end}) liegt nicht nach dem Anfang ({begin}).",
        "en": "The end ({end}) is not after the beginning ({begin}).",
    },
    "county_tick": {
        "de": "{value} passt nicht in das Raster von {tick} Minuten.",
        "en": "{value} does not fit the grid of {tick} minutes.",
    },
    "county_overlap": {
        "de": "Die Zeit überschneidet sich mit Zeile {line}.",
        "en": "The time overlaps with line {line}.",
    },
    "county_break_outside": {
        "de": "Die Pause {value} liegt nicht ganz in der Arbeitszeit {begin}-{end}.",
        "en": "The break {value} is not wholly inside the working time {begin}-{end}.",
    },
    "county_break_order": {
        "de": "Die Pause {value} beginnt vor dem Ende einer früheren.",
        "en": "The break {value} begins before an earlier one ends.",
    },
    "county_travel_self": {
        "de": "Der Weg von {site} nach {site} dauert 0 Minuten.",
        "en": "The way from {site} to {site} takes 0 minutes.",
    },
    "county_travel_missing": {
        "de": "Der Weg von {origin} nach {destination} fehlt.",
        "en": "The way from {origin} to {destination} is missing.",
    },
    "county_refer_to": {
        "de": "Wer an eine andere Stelle verweist (competence = refer), muss sie nennen.",
        "en": "A service that is referred (competence = refer) must name the authority.",
    },
    "county_no_variant": {
        "de": (
            "Für {service} gibt es keine Zeile in {file}, obwohl Termine bei Fachkräften buchbar sein sollen."
        ),
        "en": (
            "There is no row for {service} in {file} although appointments with specialists are to be "
            "bookable."
        ),
    },
    "county_desk_skill": {
        "de": "{service} erledigt der Schalter; als Fähigkeit einer Fachkraft ist es nicht vorgesehen.",
        "en": "{service} is served at the desk; it cannot be a specialist's skill.",
    },
    "county_desk_contingent": {
        "de": "{service} erledigt der Schalter; freigehalten wird nur die Zeit von Fachkräften.",
        "en": "{service} is served at the desk; only specialists' time is kept free.",
    },
    "county_no_such_variant": {
        "de": "Für {service} gibt es keine Zeile mit {mode} in {file}.",
        "en": "There is no row for {service} with {mode} in {file}.",
    },
    "county_least_most": {
        "de": "Der Höchstwert ({most}) liegt unter dem Mindestwert ({least}).",
        "en": "The greatest value ({most}) is below the least ({least}).",
    },
    "county_still_used": {
        "de": "„{code}“ fehlt jetzt, wird aber noch von Anfragen oder Terminen gebraucht.",
        "en": "“{code}” is gone now, but requests or appointments still need it.",
    },
    "county_stays_open": {
        "de": (
            "„{value}“ ist keine Einheit aus units.csv, auch mit @ und Standort aus sites.csv nicht, und "
            "kein Kanal ({channels})."
        ),
        "en": (
            "“{value}” is no unit of units.csv, with or without @ and a site of sites.csv, and no channel"
            " ({channels})."
        ),
    },
    "county_skipped_time": {
        "de": "{value} gibt es in {zone} nicht: Die Uhr wird in dieser Stunde vorgestellt.",
        "en": "{value} does not occur in {zone}: the clock is put forward in this hour.",
    },
}

ALL_WORDS: Mapping[str, Mapping[Language, str]] = {**WORDS, **REQUEST_WORDS}
