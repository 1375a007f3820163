// Images as a person meets them: what is in one, as a bill of materials that others can read; the same on record with every session; an
// image that set-up never saw asked by the session itself.

import { readFileSync } from "node:fs";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import Docker from "dockerode";
import { afterAll, describe, expect, it } from "vitest";
import { createImageFacts } from "../../src/adapters/docker/image-facts.js";
import { currentLease } from "../../src/adapters/system/lease.js";
import { packageList } from "../../src/core/image/index.js";
import { createRig, sessionOf, whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());

interface Opened {
  readonly type: string;
  readonly data: { readonly image: { readonly reference: string; readonly id: string; readonly content: string; readonly packages: { readonly count: number; readonly blob: string } } };
}

describe.skipIf(missing !== null)("images", () => {
  it("put id, content and package list on record with every session, and the bill of materials tells the same", async () => {
    const ran = await rig.run(["exec", "--image", "kimi-dev", "--workspace", rig.workspace({ "a.txt": "one\n" }), "--", "true"]);
    const session = sessionOf(ran);
    const opened = JSON.parse(readFileSync(rig.ledger(session), "utf8").split("\n")[0] ?? "") as Opened;
    const { reference, id, content, packages } = opened.data.image;
    expect(reference).toBe("ringfence/kimi-dev:latest");
    expect(id).toBe(rig.docker("image", "inspect", "--format", "{{.Id}}", reference).trim());
    expect(content).toMatch(/^sha256:[0-9a-f]{64}$/u);

    const sbom = await rig.run(["image", "sbom", "kimi-dev", "--json"]);
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(sbom.out)).toBeNull();
    const bom = JSON.parse(sbom.out) as { readonly components: readonly { readonly purl: string }[] };
    expect(bom.components).toHaveLength(packages.count);
    const purls = bom.components.map(({ purl }) => purl);
    for (const known of [/^pkg:deb\/debian\/git@/u, /^pkg:deb\/debian\/ripgrep@/u, /^pkg:pypi\/pytest@/u, /^pkg:npm\/npm@11/u, /^pkg:generic\/node@20/u]) expect(purls.some((purl) => known.test(purl))).toBe(true);

    // An installation that listed nothing: the session's own way of asking gives the same list, whose digest is on record.
    const asked = createImageFacts({ docker: async () => new Docker(), installed: `${rig.scratch}/none`, kept: `${rig.scratch}/kept`, script: new URL("../../sandbox-images/inventory.sh", import.meta.url).pathname, lease: currentLease() });
    const facts = await asked.describe(id, new AbortController().signal);
    expect(facts.content).toBe(content);
    const { createHash } = await import("node:crypto");
    expect(`sha256:${createHash("sha256").update(facts.inventory === null ? "" : packageList(facts.inventory)).digest("hex")}`).toBe(packages.blob);
  });

  it("are checked inside, and one that does not exist is told", async () => {
    const checked = await rig.run(["image", "check", "base", "--json"]);
    expect([checked.code, JSON.parse(checked.out)]).toMatchObject([0, { image: "base", state: "holds", problem: null }]);
    const strange = await rig.run(["image", "check", "nothing-of-that-name"]);
    expect([strange.code, strange.out]).toEqual([2, ""]);
    expect(strange.err).toMatch(/there is no sandbox image `nothing-of-that-name`[\s\S]*base, kimi-dev/u);
  });
});
