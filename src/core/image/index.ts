export { packageLine, packageList, parseInventory, type InstalledPackage, type Inventory } from "./inventory.js";
export { isImageReference } from "./reference.js";
export { packageUrl, sbomOf, type SbomImage } from "./sbom.js";
