// An image's packages as a bill of materials: CycloneDX 1.6, JSON (ECMA-424). The same image gives the same bytes: no time and no
// serial number are made up. test/unit/image holds it against the published schema.

import type { InstalledPackage, Inventory } from "./inventory.js";

export interface SbomImage {
  /** What people call it. */
  readonly reference: string;
  /** Its id on the engine: `sha256:` and hex. */
  readonly id: string;
  /** Digest over its layers, where the engine tells them. */
  readonly content: string | null;
}

/** @param product name and version of what made it, parted by a space */
export function sbomOf(image: SbomImage, inventory: Inventory, product: string): object {
  const [tool = product, version = ""] = product.split(" ");
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      tools: { components: [{ type: "application", name: tool, ...(version === "" ? {} : { version }) }] },
      component: {
        "bom-ref": image.id,
        type: "container",
        name: image.reference,
        version: image.id,
        ...(/^sha256:[0-9a-f]{64}$/u.test(image.id) ? { hashes: [{ alg: "SHA-256", content: image.id.slice("sha256:".length) }] } : {}),
        properties: [...(image.content === null ? [] : [{ name: "ringfence:content", value: image.content }]), ...(inventory.system === null ? [] : [{ name: "ringfence:system", value: inventory.system }])],
      },
    },
    components: inventory.packages.map((one) => {
      const purl = packageUrl(one);
      return { "bom-ref": purl, type: one.kind === "bin" ? "application" : "library", name: one.name, version: one.version, purl };
    }),
    dependencies: [{ ref: image.id, dependsOn: inventory.packages.map(packageUrl) }],
  };
}

/** The package as a package URL (ECMA-427). */
export function packageUrl({ kind, name, version, arch }: InstalledPackage): string {
  const at = `@${escape(version)}`;
  if (kind === "deb") return `pkg:deb/debian/${escape(name)}${at}${arch === null ? "" : `?arch=${escape(arch)}`}`;
  if (kind === "bin") return `pkg:generic/${escape(name)}${at}`;
  if (kind === "pip") return `pkg:pypi/${escape(name)}${at}`;
  return `pkg:npm/${name.split("/").map(escape).join("/")}${at}`;
}

/** Everything but letters, digits, `.`, `-`, `_`, `~` and `:` is written by its bytes. */
function escape(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/gu, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`).replaceAll("%3A", ":");
}
