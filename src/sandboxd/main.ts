// The supervisor inside the container: one channel to the orchestrator, one call at a time, everything ended when either ends.
// Must never outlive its input: process 1 ends with this program, and the kernel then ends every process of the container.

import { type Message, type StartMessage } from "../core/channel/index.js";
import { assertNever } from "../core/shared/assert-never.js";
import { startCall, type CallDeps, type RunningCall } from "./call.js";
import { openHostChannel, type HostChannel } from "./host-channel.js";
import { connectKiller } from "./killer.js";
import { RUNTIME_DIR } from "./paths.js";
import { selfTest, type Identity } from "./self-test.js";
import { connectSpawner } from "./spawner.js";
import { openLimitWatch } from "./limit-watch.js";
import { openTasks } from "./tasks.js";

async function main(): Promise<void> {
  const [uid = "", gid = "", root = "", nonceName = ""] = process.argv.slice(2);
  const identity: Identity = { uid: Number(uid), gid: Number(gid), root, nonceName };
  const spawner = connectSpawner(fail);
  const killer = connectKiller(fail);
  const session: { call: RunningCall | null } = { call: null };
  const channel: HostChannel = openHostChannel((stream, message) => receive(stream, message), leave);

  const tasks = openTasks();
  if (tasks === null) return fail("the container has no counter of its processes");
  const deps: CallDeps = { spawner, killer, tasks, limits: openLimitWatch(root), send: channel.send, sendFirst: channel.sendFirst, fail };

  function receive(stream: number, message: Message): void {
    const call = session.call;
    switch (message.type) {
      case "start":
        if (call !== null || tasks === null) return fail("a second call while one is running");
        session.call = startCall(stream, withProgram(message), deps, () => {
          session.call = null;
        });
        return;
      case "stdin":
        return stream === call?.stream ? call.input(message.bytes) : undefined;
      case "stdinEnd":
        return stream === call?.stream ? call.endInput() : undefined;
      case "credit":
        return stream === call?.stream ? call.credit(message.of, message.bytes) : undefined;
      case "kill":
        return stream === call?.stream ? call.cancel() : undefined;
      case "ping":
        return channel.sendFirst(stream, { type: "pong" });
      case "bye":
        return leave();
      case "hello":
      case "stdout":
      case "stderr":
      case "exit":
      case "pong":
      case "error":
        return fail(`unexpected message ${message.type}`);
      default:
        return assertNever(message);
    }
  }

  /** Tells the orchestrator, gives the message a moment to leave, and ends. */
  function fail(reason: string): void {
    process.stderr.write(`sandboxd: ${reason}\n`);
    channel.sendFirst(0, { type: "error", message: reason });
    setTimeout(() => process.exit(70), 200);
    void channel.flushed().then(() => setImmediate(() => process.exit(70)));
  }

  await killer.ready;
  channel.send(0, await selfTest(identity, spawner, tasks));
}

function leave(): void {
  process.exit(0);
}

/** The file tool is named by kind, so that its place in the container is no business of the orchestrator. It works below `cwd`. */
function withProgram(order: StartMessage): StartMessage {
  return order.kind === "program" ? order : { ...order, argv: [`${RUNTIME_DIR}/bin/rf-file`, order.cwd], cwd: "/", environment: [] };
}

process.on("uncaughtException", (error) => {
  process.stderr.write(`sandboxd: ${error.stack ?? error.message}\n`);
  process.exit(70);
});
void main();
