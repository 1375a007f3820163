export { packageLine, packageList, parseInventory, type InstalledPackage, type Inventory } from "./inventory.js";
export { packageUrl, sbomOf, type SbomImage } from "./sbom.js";
