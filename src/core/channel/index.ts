export {
  CONTROL_PAYLOAD_BYTES,
  DATA_PAYLOAD_BYTES,
  FRAME,
  FRAME_HEADER_BYTES,
  PROTOCOL_VERSION,
  START_PAYLOAD_BYTES,
  STREAM_WINDOW_BYTES,
  encodeFrame,
  encodeHeader,
  isDataType,
  isFrameType,
  type Frame,
  type FrameName,
  type FrameType,
} from "./frame.js";
export { createFrameParser, type FrameLimits, type FrameParser, type ParsedFrames } from "./parser.js";
export { decodeMessage, encodeMessage, type ExitMessage, type HelloMessage, type Message, type StreamName } from "./message.js";
export { encodeStart, type StartOrder } from "./start-order.js";
export { createProgramReader, encodeVerdict, type ProgramReader, type ProgramRecord, type StartedRecord } from "./programs.js";
export { createCreditReturn, createCreditWindow, type CreditWindow } from "./credit.js";
export { decodeAsciiJson, encodeAsciiJson } from "./ascii-json.js";
