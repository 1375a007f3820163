// One record: an event sealed into a line of the ledger, and the same line opened again. docs/log-format.md says it in words.

import type { AuditEvent, EventDraft } from "../session/event.js";
import { GuardError, LIMITS, type Digest, type Hasher, type SessionId } from "../shared/index.js";
import { utf8Length } from "./bytes.js";
import { canonicalJson } from "./canonical.js";

/** Put before what is hashed, so that no hash of one kind is ever one of another. */
export const DOMAIN = { genesis: "ringfence/ledger/v1/genesis\n", record: "ringfence/ledger/v1/record\n" } as const;

const HASH_MARK = ',"hash":"';
const DIGEST = "sha256:[0-9a-f]{64}";
const TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z";
const TAIL = new RegExp(
  `^,"hash":"(${DIGEST})","prev":"(${DIGEST})","seq":(0|[1-9][0-9]{0,14}),"session":"(ses_[a-z0-9]{4,40})","time":"(${TIME})","type":"([a-z][a-z0-9.-]{0,63})","v":1\\}$`,
);
const TIME_FORM = new RegExp(`^${TIME}$`);
/** Longest end of a line, from the hash on, in bytes. */
const TAIL_BYTES = 512;
/** Longest line without its line feed, in bytes. */
export const LINE_BYTES = LIMITS.recordBytes + TAIL_BYTES;

/** The `prev` of the first record of a session. */
export function genesis(hasher: Hasher, session: SessionId): Digest {
  return hasher(DOMAIN.genesis + session);
}

/** Place of a new record. */
export interface RecordPlace {
  readonly seq: number;
  readonly prev: Digest;
  readonly session: SessionId;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
}

/** A record ready to be written: its line with the line feed, and what the next one needs. */
export interface SealedRecord {
  readonly event: AuditEvent;
  readonly line: string;
  readonly hash: Digest;
}

/**
 * Seals one event. Keys come out in the order of RFC 8785, so that only `call` and `data` have to be canonicalised.
 * @throws GuardError INTERNAL_BUG when the draft has no canonical form; LEDGER_APPEND_FAILED when `call` and `data` are past
 * `LIMITS.recordBytes`
 */
export function sealRecord(draft: EventDraft, place: RecordPlace, hasher: Hasher): SealedRecord {
  if (!TIME_FORM.test(place.time)) throw new GuardError("INTERNAL_BUG", "the clock gave no ISO 8601 time in UTC with milliseconds");
  const head = `{"call":${canonicalJson(draft.call)},"data":${canonicalJson(draft.data)}`;
  if (head.length * 3 > LIMITS.recordBytes && utf8Length(head) > LIMITS.recordBytes) throw new GuardError("LEDGER_APPEND_FAILED", `record of type ${draft.type} is past ${LIMITS.recordBytes} bytes`);
  const tail = `,"prev":"${place.prev}","seq":${place.seq},"session":"${place.session}","time":"${place.time}","type":"${draft.type}","v":1}`;
  const hash = hasher(DOMAIN.record + head + tail);
  const event: AuditEvent = { v: 1, seq: place.seq, time: place.time, session: place.session, ...draft };
  return { event, line: `${head}${HASH_MARK}${hash}"${tail}\n`, hash };
}

/** The fixed members of a line, not yet checked against each other. */
export interface OpenedRecord {
  readonly hash: Digest;
  readonly prev: Digest;
  readonly seq: number;
  readonly session: SessionId;
  readonly time: string;
  readonly type: string;
  /** The hash that the rest of the line really has. */
  readonly computed: Digest;
}

/** Opens a line without its line feed; null when it does not end as every record ends. */
export function openRecord(text: string, hasher: Hasher): OpenedRecord | null {
  const at = text.lastIndexOf(HASH_MARK);
  if (at < 0 || text.length - at > TAIL_BYTES) return null;
  const match = TAIL.exec(text.slice(at));
  if (match === null) return null;
  const [, hash = "", prev = "", seq = "", session = "", time = "", type = ""] = match;
  const rest = text.slice(at + HASH_MARK.length + hash.length + 1);
  return {
    hash: hash as Digest,
    prev: prev as Digest,
    seq: Number(seq),
    session: session as SessionId,
    time,
    type,
    computed: hasher(DOMAIN.record + text.slice(0, at) + rest),
  };
}

/** The event of a verified line: the record without `hash` and `prev`. */
export function eventOf(parsed: Readonly<Record<string, unknown>>): AuditEvent {
  const { v, seq, time, session, call, type, data } = parsed;
  return { v, seq, time, session, call, type, data } as AuditEvent;
}
