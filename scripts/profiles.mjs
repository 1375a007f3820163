// `node scripts/profiles.mjs`: writes src/core/risk/builtin-profiles.ts from policies/profiles/*.profile.yaml. A test holds the two together.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CHECKOUT } from "./setup/paths.mjs";

const folder = join(CHECKOUT, "policies", "profiles");
const profiles = Object.fromEntries(
  readdirSync(folder)
    .filter((name) => name.endsWith(".profile.yaml"))
    .sort()
    .map((name) => [name.slice(0, -".profile.yaml".length), parse(readFileSync(join(folder, name), "utf8"), { version: "1.2", schema: "core" })]),
);
const head = "// The built-in profiles as data, made from policies/profiles/*.profile.yaml by `node scripts/profiles.mjs`. Change the files, not this.\n\n";
writeFileSync(join(CHECKOUT, "src", "core", "risk", "builtin-profiles.ts"), `${head}export const BUILTIN_PROFILES = ${JSON.stringify(profiles, null, 2)} as const;\n`);
