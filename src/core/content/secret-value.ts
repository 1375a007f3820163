// Tells a secret from a placeholder, a variable or a piece of code, for values known only by the name they are given to.

/** Shannon entropy in bits a character. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let sum = 0;
  for (const count of counts.values()) sum -= (count / text.length) * Math.log2(count / text.length);
  return sum;
}

const PLACEHOLDER = /^(?:x+|\*+|\.+|-+|_+|0+|1234(?:5678?)?9?0?|true|false|null|none|nil|undefined|string|number|boolean|required|optional|changeme|change-me|example|placeholder|redacted|hidden|secret|password|passwd|token|your[_-]?.*|my[_-]?.*|<.*|\$.*|%.*|\{\{.*|\{[^0-9]*|\[redacted:.*)$/i;
/** `config.password`, `process.env.X`, `getToken()`, `os.environ[...]`. */
const CODE = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+$|^[A-Za-z_$][\w$.]*[([]/;
const IDENTIFIER = /^[A-Za-z_][A-Za-z_-]*$/;
const PATH = /^(?:\.{0,2}\/|~\/|[A-Za-z]:\\)/;

/**
 * Tells whether a value given to something called a password or token is one. A bare value may be code, so that it must hold
 * a digit; a quoted one is data.
 */
export function isPlausibleSecret(value: string, form: "quoted" | "bare"): boolean {
  if (PLACEHOLDER.test(value) || PATH.test(value)) return false;
  if (form === "bare" && (CODE.test(value) || IDENTIFIER.test(value))) return false;
  // A digest is public.
  if (/^sha(?:256|512)[:-]/.test(value)) return false;
  return entropy(value) >= (form === "bare" ? 2.5 : 2.2);
}
