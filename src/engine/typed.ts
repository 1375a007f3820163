// Lines typed for a program while its call runs, by the person at the terminal: each is judged as what the program reads, and on record,
// before it is sent. What needs a question is refused: the terminal belongs to the program meanwhile.

import type { CommandAction, ProcessKey } from "../core/action/index.js";
import { decide, type DecisionContext } from "../core/policy/index.js";
import { evaluateInput } from "../core/shell/index.js";
import { LIMITS, printable, type CallId } from "../core/shared/index.js";
import type { RunInput } from "../ports/sandbox.js";
import type { CallTerminal } from "./hooks.js";
import type { LiveSession } from "./live.js";
import { refusalText } from "./observation.js";
import { judgedEnvironment } from "./surroundings.js";

const KEYS: Readonly<Record<ProcessKey, number>> = { "C-c": 3, "C-d": 4, "C-z": 26, "C-\\": 28 };
const RECORDED_CHARS = 2_000;

/** The input of a call that has a terminal. */
export function typedInput(live: LiveSession, call: CallId, action: CommandAction, context: DecisionContext, terminal: CallTerminal): RunInput {
  const history: string[] = [];
  return {
    attach: (write, resize) => {
      const press = (key: ProcessKey): void => void write(Uint8Array.of(KEYS[key]));
      const send = async (text: string): Promise<string | null> => {
        const line = `${text}\n`;
        const size = history.reduce((sum, one) => sum + one.length, line.length);
        if (line.length > LIMITS.processInputChars || size > LIMITS.processHistoryChars) return "more was typed than is judged";
        const { root, home } = live.options.defaults;
        const { models } = live.options.policy;
        const effects = evaluateInput({ form: action.form, history, hasTerminal: true }, line, { cwd: action.cwd, home, root, environment: judgedEnvironment(live.surroundings, live.options.defaults), environmentIsWhole: true, ...(models === undefined ? {} : { programs: models }) });
        const decision = decide(live.options.policy, { kind: "command", form: { shell: line }, cwd: action.cwd, timeoutMs: null, effects }, context);
        const rules = decision.reasons.filter(({ effect }) => effect === decision.effect).map(({ rule }) => rule);
        await live.append([{ call, type: "input.typed", data: { text: printable(live.deps.redactor.text(text), RECORDED_CHARS), effect: decision.effect, rules } }]);
        if (decision.effect !== "allow") return refusalText(decision, null);
        if (!write(new TextEncoder().encode(line))) return "the program does not read what was typed before";
        history.push(line);
        return null;
      };
      return terminal.attach({ send, press, resize: (rows, columns) => resize(bounded(rows, LIMITS.terminalRows), bounded(columns, LIMITS.terminalColumns)) });
    },
  };
}

/** What is no number is one: none at all would be read as a character that was typed. */
function bounded(value: number, most: number): number {
  return Math.min(Math.max(1, Math.trunc(value) || 1), most);
}
