// `set`, `shopt`, `trap`, `alias`, `enable`: how the shell goes on reading and what it keeps for later.

import { addEnvironment } from "./assign.js";
import { addEffect, addOpaque, deeper, excerpt, SILENT, type Call, type Output } from "./run.js";
import { become, fork, join, MAX_TRAPS } from "./state.js";
import { dropPrefix, UNKNOWN_MANY } from "./value.js";

/** `trap`: handlers are judged where they are set, after what changes the shell, and at the end. */
export function evaluateTrap(call: Call): Output {
  const words = call.words[1]?.text === "--" ? call.words.slice(2) : call.words.slice(1);
  const [handler] = words;
  if (handler === undefined || words.length === 1 || handler.text === "-" || handler.text === "" || handler.lead.startsWith("-")) return SILENT;
  if (handler.text === null) {
    addOpaque(call.run, "`trap` of text that cannot be told", call.from);
    return SILENT;
  }
  const inner = deeper(call.run, call.frame, call.from);
  if (inner === null) return SILENT;
  const { state } = call;
  const handled = { ...fork(state), traps: [] };
  call.run.runText(handler.text, handled, inner);
  // A handler runs at any time in this very shell, so what it assigns may hold from now on.
  become(state, { ...join(state, { ...handled, ended: false }), traps: state.traps });
  if (state.traps.length >= MAX_TRAPS) addOpaque(call.run, "more `trap`s than are followed", call.from);
  else if (!state.traps.includes(handler.text)) state.traps = [...state.traps, handler.text];
  return SILENT;
}

/** Options that change how words are read: with them nothing evaluated here need hold. */
const REREADS = new Set(["-k", "+B", "-okeyword", "+obraceexpand"]);

/** `set`. */
export function evaluateSet(call: Call): Output {
  const { words, state } = call;
  for (let i = 1; i < words.length; i += 1) {
    const word = words[i]?.text ?? null;
    if (word === null) {
      state.positional = null;
      return SILENT;
    }
    if (word === "--" || word === "-" || !/^[-+]/.test(word)) {
      state.positional = words.slice(word === "--" || word === "-" ? i + 1 : i);
      return SILENT;
    }
    for (const letter of word.slice(1)) {
      if (letter === "o") i += 1;
      setOption(call, word[0] ?? "-", letter === "o" ? `o${words[i] === undefined ? "" : (words[i]?.text ?? "?")}` : letter);
    }
  }
  return SILENT;
}

function setOption(call: Call, sign: string, option: string): void {
  const { state } = call;
  const on = sign === "-";
  if (option === "ohistory") call.run.history = true;
  if (option === "oposix") {
    call.run.aliasing = true;
    call.run.posix = true;
  }
  if (option === "e" || option === "oerrexit") state.errexit = on;
  if (option === "u" || option === "onounset") state.nounset = on;
  if (option === "a" || option === "oallexport") state.allexport = on;
  if (REREADS.has(sign + option) || option === "o?") addOpaque(call.run, "an option that changes how the shell reads words", call.from);
}

/** `shopt`. */
export function evaluateShopt({ words, state, run }: Call): Output {
  if (words.some((word) => word.text === "lastpipe" || word.text === null)) state.lastpipe = true;
  if (words.some((word) => word.text === "expand_aliases" || word.text === null)) {
    run.aliasing = true;
    if (run.unknownAlias) addOpaque(run, "an alias that cannot be told", "shopt");
  }
  if (words.some((word) => word.text === "xpg_echo" || word.text === null)) run.echoReads = true;
  if (words.some((word) => word.text === "dotglob" || word.text === null)) run.dots = true;
  if (words.some((word) => word.text === "execfail" || word.text === null)) run.stays = true;
  return SILENT;
}

/** `alias`. */
export function evaluateAlias(call: Call): Output {
  for (const word of call.words.slice(1)) {
    const at = word.lead.indexOf("=");
    if (at <= 0) continue;
    const name = word.lead.slice(0, at);
    const value = dropPrefix(word, `${name}=`);
    addEnvironment(call.run, `alias ${name}`, value ?? UNKNOWN_MANY, call.from);
    if (value?.text != null) call.state.aliases.set(name, value.text);
    else if (call.run.aliasing || call.frame.plain) addOpaque(call.run, "an alias that cannot be told", call.from);
    else call.run.unknownAlias = true;
  }
  return SILENT;
}

/** `enable`: turns builtins off, or loads more of them from a file. */
export function evaluateEnable(call: Call): Output {
  call.run.stays = true;
  for (const [i, word] of call.words.entries()) {
    if (word.text === "-f") {
      const file = call.words[i + 1];
      addEffect(call.run, { kind: "runs-code", source: "file", program: "enable", code: file?.text ?? null, upstream: [], from: excerpt(call.from) });
    }
  }
  return SILENT;
}
