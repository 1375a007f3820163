// The surface of editing: text in, text out.

export { applyEdit, type EditContext } from "./apply.js";
export { decodeText, utf8Length } from "./text.js";
export { renderView } from "./render-view.js";
export { unifiedDiff } from "./unified-diff.js";
