// Takes the engine's own framing off an attached stream: an 8-byte head says which output follows and how long.
// Pieces are handed on as they come, never joined.

export interface DockerDemux {
  readonly push: (chunk: Uint8Array) => void;
}

const HEAD_BYTES = 8;

/** `onStdout` and `onStderr` get views of the received bytes. An unknown output number is reported once by `onFault`. */
export function createDockerDemux(sinks: {
  readonly onStdout: (bytes: Uint8Array) => void;
  readonly onStderr: (bytes: Uint8Array) => void;
  readonly onFault: (why: string) => void;
}): DockerDemux {
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  let headFilled = 0;
  let left = 0;
  let output = 0;
  let broken = false;
  return {
    push: (chunk) => {
      let at = 0;
      while (at < chunk.length && !broken) {
        if (left > 0) {
          const piece = chunk.subarray(at, at + left);
          left -= piece.length;
          at += piece.length;
          if (output === 1) sinks.onStdout(piece);
          else sinks.onStderr(piece);
          continue;
        }
        const take = Math.min(HEAD_BYTES - headFilled, chunk.length - at);
        head.set(chunk.subarray(at, at + take), headFilled);
        headFilled += take;
        at += take;
        if (headFilled < HEAD_BYTES) continue;
        headFilled = 0;
        output = view.getUint8(0);
        left = view.getUint32(4);
        if (output !== 1 && output !== 2) {
          broken = true;
          sinks.onFault(`the engine sent output number ${output}`);
        }
      }
    },
  };
}
