// The package list of an image and its bill of materials: held against the published schema of CycloneDX and another reader of package URLs.

import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { PackageURL } from "packageurl-js";
import { describe, expect, it } from "vitest";
import { packageList, packageUrl, parseInventory, sbomOf } from "../../../src/core/image/index.js";

const LISTING = ["os\tDebian GNU/Linux 12 (bookworm)", "deb\tlibc6\t2.36-9+deb12u10\tamd64", "deb\tadduser\t3.134\tall", "deb\tlibc6\t2.36-9+deb12u10\tamd64", "pip\tMore_Itertools\t8.10.0", "npm\t@npmcli/arborist\t9.1.1", "npm", "bin\tnode\t20.20.2", "deb\tgit\t1:2.39.5-0+deb12u2\tamd64", "pip\t\t", "done", ""].join("\n");

describe("the package list of an image", () => {
  it("is sorted, names each package once and counts what it could not read", () => {
    const inventory = parseInventory(LISTING);
    expect(inventory?.system).toBe("Debian GNU/Linux 12 (bookworm)");
    expect(inventory?.unread).toBe(2);
    expect(packageList(inventory ?? { system: null, packages: [], unread: 0 })).toBe("bin node 20.20.2\ndeb adduser 3.134 all\ndeb git 1:2.39.5-0+deb12u2 amd64\ndeb libc6 2.36-9+deb12u10 amd64\nnpm @npmcli/arborist 9.1.1\npip more-itertools 8.10.0\n");
  });

  it.each([
    ["cut off", LISTING.slice(0, -6)],
    ["empty", ""],
    ["longer than is kept", `${"deb\ta\t1\tall\n".repeat(50_001)}done\n`],
  ])("is none when it is %s", (_what, text) => {
    expect(parseInventory(text)).toBeNull();
  });

  it("takes no control character and no space into a name", () => {
    const inventory = parseInventory("deb\tevil\u001b[2J\t1\tall\nnpm\ta b\t1\npip\tx\t1 2\ndone\n");
    expect(inventory).toEqual({ system: null, packages: [], unread: 3 });
  });
});

describe("a bill of materials", () => {
  const inventory = parseInventory(LISTING) ?? { system: null, packages: [], unread: 0 };
  const bom = sbomOf({ reference: "ringfence/kimi-dev:latest", id: `sha256:${"ab".repeat(32)}`, content: `sha256:${"cd".repeat(32)}` }, inventory, "ringfence 0.1.0");

  it("is CycloneDX 1.6 by its published schema", async () => {
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(JSON.stringify(bom))).toBeNull();
  });

  it("is the same for the same image", () => {
    expect(JSON.stringify(sbomOf({ reference: "ringfence/kimi-dev:latest", id: `sha256:${"ab".repeat(32)}`, content: `sha256:${"cd".repeat(32)}` }, inventory, "ringfence 0.1.0"))).toBe(JSON.stringify(bom));
  });

  it("names packages as another reader of package URLs reads them", () => {
    for (const one of inventory.packages) {
      const url = PackageURL.fromString(packageUrl(one));
      expect([url.namespace === "debian" || url.namespace === undefined || url.namespace === null ? url.name : `${url.namespace}/${url.name}`, url.version]).toEqual([one.name, one.version]);
      expect(url.type).toBe({ deb: "deb", npm: "npm", pip: "pypi", bin: "generic" }[one.kind]);
    }
  });
});
