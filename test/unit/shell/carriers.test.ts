// `xargs`, `parallel` and `fd`: what they put into the commands they run is divided, cut and grouped as they do it.

import { describe, expect, test } from "vitest";
import { evaluateShell } from "../../../src/core/shell/index.js";
import { aContext, touches } from "./support.js";

const argvs = (text: string): readonly string[] => evaluateShell(text, aContext()).effects.flatMap((effect) => (effect.kind === "exec" ? [effect.argv.map((word) => word ?? "?").join(" ")] : []));

describe("xargs", () => {
  test.each([
    ["printf '.env,b' | xargs -d, cat", "read /w/.env"],
    ["printf '.env:b' | xargs --delimiter=: cat", "read /w/.env"],
    ["printf '.env\\tb' | xargs -d '\\t' cat", "read /w/.env"],
    ["printf 'a b\\0.env' | xargs -0 cat", "read /w/a b"],
    ["printf '  .env\\n' | xargs -I{} cat {}", "read /w/.env"],
    ["printf '%s\\n' a{1..90} .env | xargs -I{} cat {}", "read /w/.env"],
    ["printf '%s\\n' \"'.env'\" | xargs -I{} cat {}", "read /** ~ tree"],
    ["echo .env | xargs -I{} -n2 cat x", "read /w/.env"],
  ])("%s: %s", (text, effect) => expect(touches(text)).toContain(effect));

  test("-n and -L divide the words among several commands", () => {
    expect(argvs("echo push --force | xargs -n1 git")).toContain("git push");
    expect(argvs("echo a b c | xargs -n2 rm").slice(-2)).toEqual(["rm a b", "rm c"]);
    expect(argvs("printf 'a b\\nc\\n' | xargs -L1 rm").slice(-2)).toEqual(["rm a b", "rm c"]);
  });
});

describe("parallel", () => {
  test.each([
    ["parallel cat ::: a{1..90} .env", "read /w/.env"],
    ["parallel cat {.} ::: .env.bak", "read /w/.env"],
    ["parallel cat {/} ::: x/.env", "read /w/.env"],
    ["parallel cat {//} ::: .env/x", "read /w/.env"],
    ["parallel cat {/.} ::: x/.env.bak", "read /w/.env"],
    ["echo x | parallel cat :::: list", "read /** ~ tree"],
  ])("%s: %s", (text, effect) => expect(touches(text)).toContain(effect));

  test.each(["parallel -N2 git ::: push --force", "parallel git ::: push ::: --force", "echo 'rm x' | parallel --pipe bash", "parallel -I, rm , ::: x", "parallel --colsep , rm ::: a,b"])("how words are put together is not guessed: %s", (text) => expect(touches(text)).toContain("opaque"));
});

describe("fd", () => {
  test("a part of a name found is not the name", () => {
    expect(touches("fd . src -x rm {/}")).toContain("opaque");
    expect(touches("fd . src -x rm {}")).toContain("delete /w/src/** ~");
  });
});

describe("pip hash", () => {
  test("reads what it is given", () => expect(touches("pip hash x.whl")).toContain("read /w/x.whl"));
});

describe("shred", () => {
  test("-u removes what it wrote over", () => expect(touches("shred -u x")).toContain("delete /w/x"));
});
