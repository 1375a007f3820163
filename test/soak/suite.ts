// What a soak suite is: one law, and how to try it on as many inputs as asked. The full count is for `npm run soak`, a seeded
// sample of the same code for `npm test`.

export interface Task {
  /** Everything random comes from it: the same seed and count give the same cases. */
  readonly seed: number;
  /** Of a slice: cases of the full list that are left out before the first. null: no slice, a list of its own of `count` cases. */
  readonly from: number | null;
  /** Cases to try. A suite may end early only by rejecting or on an abort. */
  readonly count: number;
  readonly report: Report;
  /** Aborted by Ctrl-C: the suite ends soon, and removes what it made. */
  readonly signal: AbortSignal;
}

export interface Report {
  /** So many more cases were tried, whatever came of them. */
  done(cases?: number): void;
  /** A case in which the law did not hold: how to try it again, and what was seen. */
  fail(what: string, seen: string): void;
  /** Adds to a count of its own in the result, for instance how often each moment was met. */
  tally(name: string, by?: number): void;
  /** Puts a figure into the result. */
  figure(name: string, value: number | string): void;
}

export interface Suite {
  /** Lower case and dashes; also the name of its result, `docs/soak/NAME.json`. */
  readonly name: string;
  /** The law in one sentence. */
  readonly law: string;
  /** What one case is, for the reader of the count. */
  readonly unit: string;
  /** `engine`: a container engine with the images, and root; these never run side by side. */
  readonly needs: "nothing" | "engine";
  /** Cases of `npm run soak`. */
  readonly full: number;
  /** Its cases are a list of which a part can be run by itself (`--from`). */
  readonly slices?: boolean;
  /** Cases within `npm test`; 0 where the same law has a test of its own there. */
  readonly sample: number;
  /** Rejects only when the law could not be tried; that counts as a failure too. */
  run(task: Task): Promise<void>;
}

/** The seed where none is asked for. */
export const SEED = 20_261_122;

/** Failures that are kept with their text; the rest is only counted. */
export const MAX_KEPT = 50;
const MAX_TEXT = 4_000;

export interface Kept {
  readonly case: string;
  readonly seen: string;
}

export interface Tried {
  readonly cases: number;
  readonly failed: number;
  readonly failures: readonly Kept[];
  readonly tallies: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, number | string>>;
}

/** Runs a suite and gives what it reported. Never rejects. */
export async function tryOut(suite: Suite, task: Omit<Task, "report" | "from"> & { readonly from?: number | null }, onProgress: (cases: number, failed: number) => void = () => undefined): Promise<Tried> {
  const failures: Kept[] = [];
  const tallies: Record<string, number> = {};
  const figures: Record<string, number | string> = {};
  const seen = { cases: 0, failed: 0 };
  const fail = (what: string, text: string): void => {
    seen.failed += 1;
    if (failures.length < MAX_KEPT) failures.push({ case: what.slice(0, MAX_TEXT), seen: text.slice(0, MAX_TEXT) });
    onProgress(seen.cases, seen.failed);
  };
  const report: Report = {
    done: (cases = 1) => {
      seen.cases += cases;
      onProgress(seen.cases, seen.failed);
    },
    fail,
    tally: (name, by = 1) => void (tallies[name] = (tallies[name] ?? 0) + by),
    figure: (name, value) => void (figures[name] = value),
  };
  try {
    await suite.run({ from: null, ...task, report });
    if (seen.cases < task.count && !task.signal.aborted) fail("the suite itself", `it ended after ${seen.cases} of ${task.count} cases`);
  } catch (error) {
    if (!task.signal.aborted) fail("the suite itself", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return { ...seen, failures, tallies, figures };
}
