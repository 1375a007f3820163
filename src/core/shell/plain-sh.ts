// Finds syntax that only bash reads as bash does. Given to another `sh`, such text means something else, so it is opaque.

import { forEachChild, type ParsedScript, type SyntaxNode } from "unbash";

const MAX_NODES = 5_000;

/** Tells whether a script uses syntax that dash and its like read differently. */
export function usesBashOnly(script: ParsedScript, source: string): boolean {
  if (!mayUse(source)) return false;
  let left = MAX_NODES;
  let found = false;
  const visit = (node: SyntaxNode): void => {
    left -= 1;
    if (found || left < 0) {
      found = true;
      return;
    }
    found = isBashOnly(node) || (node.type === "Function" && source.startsWith("function", node.pos));
    if (!found) forEachChild(node, visit);
  };
  visit(script);
  return found;
}

/** Quick look: none of these characters, none of that syntax. */
function mayUse(source: string): boolean {
  return source.includes("((") || source.includes("[[") || source.includes("&>") || source.includes("|&") || source.includes("$'") || source.includes('$"') || source.includes("<(") || source.includes(">(") || source.includes("<<<") || source.includes("=(") || source.includes("function") || source.includes("coproc") || source.includes("select") || source.includes(">&");
}

function isBashOnly(node: SyntaxNode): boolean {
  switch (node.type) {
    case "ArithmeticCommand":
    case "ArithmeticFor":
    case "TestCommand":
    case "AnsiCQuoted":
    case "LocaleString":
    case "ProcessSubstitution":
    case "ArrayValue":
    case "HereString":
    case "Coproc":
    case "Select":
    case "ExtendedGlob":
      return true;
    case "Redirect":
      return node.operator === "&>" || node.operator === "&>>" || (node.operator === ">&" && node.target !== undefined && !/^(?:\d+|-)$/.test(node.target.text));
    case "Pipeline":
      return node.operators.includes("|&");
    default:
      return false;
  }
}
