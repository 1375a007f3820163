// Bytes in the forms that the record needs.

export { asciiBytes, base64ToBytes, bytesToBase64, bytesToHex, concatBytes, hexToBytes, utf8Length } from "../shared/bytes.js";
