// Hosts in URLs and remote paths. Where a host cannot be told it is null, never a guess.

import { touch } from "./files.js";
import { addEffect, excerpt, type Call } from "./run.js";
import { dropPrefix, exact, type Field } from "./value.js";

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;

/** The host in a URL or `host[:port][/path]`, lower case; null when there is none that is certain. */
export function hostOf(lead: string, complete: boolean): string | null {
  const rest = lead.replace(SCHEME, "");
  const end = rest.search(/[/?#\\]/);
  if (end < 0 && !complete) return null;
  const authority = end < 0 ? rest : rest.slice(0, end);
  const at = authority.lastIndexOf("@");
  const place = authority.slice(at + 1);
  if (place.startsWith("[")) {
    const close = place.indexOf("]");
    return close < 0 ? null : place.slice(1, close).toLowerCase();
  }
  const host = place.split(":", 1)[0] ?? "";
  return host === "" || /[\s{}[\]$*]/.test(host) ? null : host.toLowerCase().replace(/\.$/, "");
}

/** Records a connection to what a word names; `file://` is a file read instead. */
export function addConnect(call: Call, word: Field): void {
  if (word.lead.startsWith("file://")) {
    touch(call, "read", word.text === null ? word : exact(word.text.slice(7)), false);
    return;
  }
  connectTo(call, hostOf(word.lead, word.text !== null), word.text);
}

/** Records a connection. */
export function connectTo(call: Call, host: string | null, url: string | null): void {
  addEffect(call.run, { kind: "connect", host, url, by: call.program, from: excerpt(call.from) });
}

/** `user@host:path`, `host::module`, or a URL: no local path. */
export function isRemote(word: Field): boolean {
  const { lead } = word;
  if (SCHEME.test(lead)) return !lead.startsWith("file://");
  const colon = lead.indexOf(":");
  if (colon <= 0) return false;
  const slash = lead.indexOf("/");
  return slash < 0 || colon < slash;
}

/** The local path in a word that may be a `file://` URL. */
export function localFile(word: Field): Field {
  return word.lead.startsWith("file://") ? (dropPrefix(word, "file://") ?? word) : word;
}

/** Records the connection of a remote path. */
export function connectRemote(call: Call, word: Field): void {
  if (SCHEME.test(word.lead)) {
    addConnect(call, word);
    return;
  }
  const colon = word.lead.indexOf(":");
  const place = word.lead.slice(0, colon);
  connectTo(call, place.slice(place.lastIndexOf("@") + 1).toLowerCase() || null, word.text);
}
