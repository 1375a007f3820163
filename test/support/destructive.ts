// The corpus of destructive forms: what an agent might run to destroy, replace or plant something, by family of attack.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { parse } from "yaml";

export interface Form {
  readonly id: string;
  /** Of the attack battery: X1 to X15 by how the text hides it, F1 to F17 by what it goes for. */
  readonly family: string;
  readonly text: string;
  readonly destroys: string;
  /** `quiet`: nothing is left to find, the kernel or the container took it all; `either`: depends on what the image has. */
  readonly expect?: "quiet" | "either";
}

const FOLDER = fileURLToPath(new URL("../../test/adversarial/destructive", import.meta.url));

export function destructiveForms(): readonly Form[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .flatMap((name) => parse(readFileSync(join(FOLDER, name), "utf8")) as readonly Form[]);
}
