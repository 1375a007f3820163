// What would be noted of recorded commands, one by one: their text, the code that stands in them, and the script that a here-document writes.

import { saidByCode } from "../../src/core/action/index.js";
import { checkQuestion, noteSaid, type DecisionContext, type PolicySet } from "../../src/core/policy/index.js";
import { evaluateShell } from "../../src/core/shell/index.js";
import { corpusRows } from "./corpora.js";

export interface NotedCommands {
  readonly commands: number;
  readonly allowed: number;
  readonly noted: number;
  readonly sessions: number;
  readonly sessionsNoted: number;
  readonly rules: Readonly<Record<string, number>>;
}

interface Row {
  readonly instance: string;
  readonly command: string;
}

/** The commands of 250 SWE-bench sessions of one model, under a policy; null where they are not there. */
export function swebenchNoted(policy: PolicySet): NotedCommands | null {
  const rows = corpusRows<Row>("swebench-mini-gemini/commands.jsonl");
  if (rows === null) return null;
  const place = { cwd: "/testbed", home: "/home/agent", root: "/testbed" };
  const context: DecisionContext = { ...place, role: null, containment: "attested" };
  const sessions = new Map<string, boolean>();
  const rules: Record<string, number> = {};
  let [allowed, noted] = [0, 0];
  for (const { instance, command } of rows) {
    sessions.set(instance, sessions.get(instance) ?? false);
    const decision = checkQuestion(policy, { subject: { kind: "command", text: command }, role: null, root: place.root, cwd: place.cwd }, { home: place.home, containment: "attested" });
    if (decision.effect !== "allow") continue;
    allowed += 1;
    const shell = { ...place, environment: new Map<string, string>(), environmentIsWhole: true };
    const inline = evaluateShell(command, shell).effects.flatMap((effect) => (effect.kind === "runs-code" && effect.source === "inline" && effect.code !== null ? [effect.code] : []));
    const written = /<<\s*['"]?(\w+)['"]?[^\n]*\n([\s\S]*?)\n\1/u.exec(command)?.[2];
    const said = [...inline, ...(written === undefined ? [] : [written])].flatMap((code) => {
      const { effects, commands } = saidByCode(code, place);
      return [...effects, ...commands.flatMap((one) => (typeof one === "string" ? evaluateShell(one, shell).effects : []))];
    });
    const all = noteSaid(policy, decision, said, context).noted ?? [];
    if (all.length === 0) continue;
    noted += 1;
    sessions.set(instance, true);
    for (const { rule } of all) rules[rule] = (rules[rule] ?? 0) + 1;
  }
  return { commands: rows.length, allowed, noted, sessions: sessions.size, sessionsNoted: [...sessions.values()].filter((one) => one).length, rules };
}
