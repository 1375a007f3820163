// The surface of exports: a session in the forms of others, each a pure function of its record.

import type { Hasher } from "../shared/index.js";
import type { Step, Timeline } from "../replay/timeline.js";
import type { StepTexts } from "../replay/page-step.js";
import type { ExportFormat } from "./formats.js";
import { asciicastOf } from "./asciicast.js";
import { atifOf } from "./atif.js";
import { junitOf } from "./junit.js";
import { markdownOf } from "./markdown.js";
import { ocsfOf } from "./ocsf.js";
import { otelOf } from "./otel.js";
import { sarifOf } from "./sarif.js";

export { otelRequests } from "./otel.js";
export { EXPORT_FORMATS, type ExportFormat } from "./formats.js";

export interface ExportTools {
  readonly hash: Hasher;
  /** Of this program, without its name. */
  readonly version: string;
  readonly textsOf: (step: Step) => StepTexts;
}

/** Formats that show arguments and outputs, which lie outside the records when they are long. */
export function needsTexts(format: ExportFormat): boolean {
  return format === "atif" || format === "asciicast";
}

/** A session as text of a format. */
export function exportSession(timeline: Timeline, format: ExportFormat, tools: ExportTools): string {
  switch (format) {
    case "sarif":
      return sarifOf(timeline, tools);
    case "markdown":
      return markdownOf(timeline);
    case "junit":
      return junitOf(timeline);
    case "atif":
      return atifOf(timeline, `Ringfence ${tools.version}`, tools.textsOf);
    case "asciicast":
      return asciicastOf(timeline, tools.textsOf);
    case "ocsf":
      return ocsfOf(timeline, tools);
    case "otel":
      return otelOf(timeline, tools);
  }
}
