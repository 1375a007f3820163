// Command lines that only ask a program about itself.

import type { Field } from "./value.js";

/**
 * Tells whether a command asks for help alone: nothing but plain words in front of `--help` or `-h`, so that no option can take it as its
 * value; `-h` last of all, since it names a host elsewhere. Not for what starts another program, whose words may follow. @param most plain words in front of it at the most
 */
export function asksHelp(words: readonly Field[], most = 4): boolean {
  const at = words.findIndex(({ lead }, i) => i > 0 && lead.startsWith("-"));
  const flag = at < 0 || at > most + 1 ? null : (words[at]?.text ?? null);
  return (flag === "--help" || (flag === "-h" && at === words.length - 1)) && words.slice(0, at).every(({ text }) => text !== null);
}

/** Tells whether the only word behind the program asks for its version or its help. */
export function asksVersion(words: readonly Field[]): boolean {
  const text = words[1]?.text ?? null;
  return words.length === 2 && (text === "--version" || text === "--help");
}

/** Subcommands of clients of services that only work on this machine. */
const LOCAL: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  ["gh", "glab", "hub"].map((name) => [name, new Set("alias completion config help version accessibility actions environment exit-codes formatting mintty reference".split(" "))]),
);

/** An extension's repository must be called `gh-…`; `gh` looks for no other. */
function refusesExtension(words: readonly Field[]): boolean {
  const name = words[3]?.text ?? null;
  return words[2]?.text === "install" && words.length === 4 && name !== null && /^[\w-]+\/(?!gh-)[\w.-]+$/.test(name);
}

/** Tells whether a client's first word is a subcommand that stays on this machine. */
export function staysHere(program: string, words: readonly Field[]): boolean {
  const verb = words[1]?.text ?? null;
  // Who listens reaches for nobody.
  if (program === "iperf" || program === "iperf3") return words.some(({ text }) => /^(?:-[A-Za-z]*s|--server)$/.test(text ?? "")) && words.every(({ text }) => text !== null && !/^-[A-Za-z]*c|^--c/.test(text));
  if (program === "gh" && verb === "browse") return words.some(({ text }) => text === "-n" || text === "--no-browser");
  if (program === "gh" && (verb === "extension" || verb === "ext" || verb === "extensions")) return /^(?:list|ls|remove|exec|create)$/.test(words[2]?.text ?? "") || refusesExtension(words);
  // Without a name it asks for a choice from a menu first, and without a terminal it ends.
  if (program === "gh" && verb === "repo" && /^(?:create|new)$/.test(words[2]?.text ?? "")) return words.length === 3;
  return verb !== null && LOCAL.get(program)?.has(verb) === true;
}
