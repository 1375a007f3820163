// Times of a record, which are ISO 8601 in UTC with milliseconds, as numbers. Core has no clock and no calendar of the platform's.

const FORM = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z$/u;

/** Milliseconds since 1970; 0 for a text in another form. */
export function epochMs(time: string): number {
  const [, ...parts] = FORM.exec(time) ?? [];
  const [year, month, day, hour, minute, second, milli] = parts.map(Number);
  if (year === undefined || month === undefined || day === undefined || hour === undefined || minute === undefined || second === undefined || milli === undefined) return 0;
  return ((daysTo(year, month, day) * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + milli;
}

/** Days from 1970-01-01 in the Gregorian calendar, years counted from March. */
function daysTo(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}
