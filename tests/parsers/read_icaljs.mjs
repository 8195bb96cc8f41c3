// Prints what ical.js reads from one iCalendar file, as JSON; see readers.py for the fields.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(process.argv[2], "utf-8")));
for (const zone of calendar.getAllSubcomponents("vtimezone")) {
  ICAL.TimezoneService.register(zone);
}
const events = calendar.getAllSubcomponents("vevent");
if (events.length !== 1) {
  throw new Error(`${events.length} events instead of one`);
}
const [event] = events;

function instant(name) {
  const time = event.getFirstPropertyValue(name);
  if (time.zone === ICAL.Timezone.localTimezone) {
    throw new Error(`${name} floats: its time zone is not known`);
  }
  return new Date(time.toUnixTime() * 1000).toISOString().replace(".000Z", "Z");
}

const text = (name) => event.getFirstPropertyValue(name);
const addresses = (name) => event.getAllProperties(name).map((property) => property.getFirstValue());

console.log(JSON.stringify({
  method: calendar.getFirstPropertyValue("method"),
  uid: text("uid"),
  sequence: text("sequence"),
  status: text("status"),
  start: instant("dtstart"),
  end: instant("dtend"),
  stamp: instant("dtstamp"),
  created: instant("created"),
  modified: instant("last-modified"),
  summary: text("summary"),
  location: text("location"),
  description: text("description"),
  organizer: addresses("organizer"),
  attendees: addresses("attendee"),
}));
