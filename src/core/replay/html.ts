// HTML by construction: what is put into a template is escaped unless it is HTML already. Text of an agent can only ever be text.

import { printableBlock } from "../shared/index.js";

/** A piece of markup of ours. Only `html` makes one. */
export interface Html {
  readonly markup: string;
}

type Part = Html | readonly Html[] | string | number | null;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "`": "&#96;" };

/** Text as it may stand between tags and in quoted attributes: no control, bidi or invisible character survives, line feeds and tabs do. */
export function escapeHtml(text: string): string {
  return printableBlock(text).replace(/[&<>"'`]/gu, (sign) => ENTITIES[sign] ?? "");
}

/** A template. Texts and numbers in it are escaped; null is nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { markup: strings.reduce((out, piece, index) => out + piece + (index < parts.length ? markupOf(parts[index] ?? null) : ""), "") };
}

function markupOf(part: Part): string {
  if (part === null) return "";
  if (typeof part === "string") return escapeHtml(part);
  if (typeof part === "number") return String(part);
  return "markup" in part ? part.markup : part.map(({ markup }) => markup).join("");
}

/** Markup that is part of this program: a style sheet or a script. Never text from elsewhere. */
export function trusted(markup: string): Html {
  return { markup };
}
