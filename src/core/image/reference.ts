// What names an image on an engine. It becomes part of a request's address, so nothing is asked for that could lead the address elsewhere.

const MOST_CHARS = 512;
const HOST = String.raw`(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?`;
const PART = String.raw`[a-z0-9]+(?:(?:[.]|__?|-+)[a-z0-9]+)*`;
const REFERENCE = new RegExp(String.raw`^(?:${HOST}/)?${PART}(?:/${PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`, "u");
const ID = /^sha256:[0-9a-f]{64}$/u;

/** Tells whether it is the name of an image as engines have them, with registry, tag or digest, or an image's id. */
export function isImageReference(text: string): boolean {
  return text.length <= MOST_CHARS && !text.endsWith("\n") && (ID.test(text) || REFERENCE.test(text));
}
