// The names of the forms a session can be written in; apart, so that help reads nothing else.

/** The names `--as` takes. */
export const EXPORT_FORMATS = ["sarif", "markdown", "junit", "atif", "asciicast", "ocsf", "otel"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
