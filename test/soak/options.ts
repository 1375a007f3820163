// The command line of `npm run soak`. Pure.

import { parseArgs } from "node:util";
import { SEED, type Suite } from "./suite.js";

export interface Options {
  readonly suites: readonly Suite[];
  readonly seed: number;
  /** null: each suite's full count. */
  readonly count: number | null;
  /** Where a slice begins in the list of the full count; null: no slice. */
  readonly from: number | null;
  /** Folder of the results; null: docs/soak for full counts, nowhere for less. */
  readonly out: string | null;
  readonly help: boolean;
  readonly list: boolean;
}

export const HELP = `npm run soak -- [options]: every law with its full count; one JSON result a suite in docs/soak

  --suite NAME   only this one; may be given again
  --seed N       everything random comes from it (default ${SEED})
  --count N      cases a suite instead of the full count; the result is then kept only with --out
  --from N        a slice: --count cases of the full list behind the first N, of a suite that is a list
  --out DIR      where results are written
  --list         names the suites and ends
  --help         this text

Exit: 0 every law held, 1 one did not, 2 usage, 130 interrupted (Ctrl-C; what ran is removed, nothing is written).
Examples:  npm run soak    ·    npm run soak -- --suite kills --count 10 --seed 7
`;

/** Throws an Error with one line for the person where the words are wrong. */
export function readOptions(words: readonly string[], known: readonly Suite[]): Options {
  const { values } = parseArgs({
    args: [...words],
    strict: true,
    options: {
      suite: { type: "string", multiple: true },
      seed: { type: "string" },
      count: { type: "string" },
      from: { type: "string" },
      out: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const suites = (values.suite ?? known.map((suite) => suite.name)).map((name) => {
    const found = known.find((suite) => suite.name === name);
    if (found === undefined) throw new Error(`there is no suite \`${name}\`; there are: ${known.map((suite) => suite.name).join(", ")}`);
    return found;
  });
  const from = whole("--from", values.from, 0);
  const unsliced = from === null ? undefined : suites.find((suite) => suite.slices !== true);
  if (unsliced !== undefined) throw new Error(`\`${unsliced.name}\` has no slices; leave --from out`);
  return {
    suites: [...new Set(suites)],
    from,
    seed: whole("--seed", values.seed, 0) ?? SEED,
    count: whole("--count", values.count, 1),
    out: values.out ?? null,
    help: values.help,
    list: values.list,
  };
}

function whole(name: string, text: string | undefined, least: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!/^[0-9]{1,10}$/u.test(text) || value < least) throw new Error(`${name} takes a whole number from ${least} on`);
  return value;
}
