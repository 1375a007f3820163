// The surface of import: text of other tools to one common form. Total: what cannot be read is counted and named, never thrown.

import { atifReader } from "./atif.js";
import { claudeCodeReader } from "./claude-code.js";
import { codexReader } from "./codex.js";
import type { Collector, FormatReader } from "./collector.js";
import type { ImportFormat } from "./form.js";
import { geminiCliReader } from "./gemini-cli.js";
import { kimiWireReader } from "./kimi-wire.js";
import { chatReader, miniReader } from "./messages.js";
import { openHandsReader } from "./openhands.js";
import { sweAgentReader } from "./swe-agent.js";

export { sameCall, type Again } from "./again.js";
export { printedOutput, shownOutput } from "./printed.js";
export { createCollector, type Collector, type FormatReader } from "./collector.js";
export { documentFormat, lineFormat, linesFormat } from "./detect.js";
export { foldCall, keepsShell, type Folded, type FoldContext } from "./fold.js";
export { IMPORT_FORMATS, isImportFormat, kindTexts, RECORD_KINDS, type ImportedCall, type ImportedResult, type ImportFormat, type ImportTally, type Skipped, type Trajectory } from "./form.js";
export { parseImported } from "./read.js";

const READERS: Readonly<Record<ImportFormat, (collector: Collector) => FormatReader>> = {
  "swe-agent": sweAgentReader,
  "mini-swe-agent": miniReader,
  openhands: openHandsReader,
  atif: atifReader,
  "claude-code": claudeCodeReader,
  codex: codexReader,
  "gemini-cli": geminiCliReader,
  "kimi-wire": kimiWireReader,
  chat: chatReader,
};

/** A reader of one session in a format. */
export function createReader(format: ImportFormat, collector: Collector): FormatReader {
  return READERS[format](collector);
}
