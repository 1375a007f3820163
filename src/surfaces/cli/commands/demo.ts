// `ringfence demo`: a manipulated Kimi-Dev session on a real package with a real vulnerability.

import type { Command } from "commander";
import type { CliContext } from "../main.js";
import { run } from "./run.js";

const EXAMPLE = "minimist";

export function registerDemo(program: Command, context: CliContext): void {
  program
    .command("demo")
    .description("the main job on real code: a Kimi-Dev session on minimist 1.2.5, manipulated on the way")
    .option("--example <name>", "another folder of examples/", EXAMPLE)
    .addHelpText("after", "\nExamples:\n  ringfence demo\n  ringfence demo --example qs\n  ringfence demo --json > events.jsonl")
    .action(async (flags: { readonly example: string }, command: Command) => {
      const io = context.ioOf(command);
      const { exampleTrajectory, prepareExample } = await import("../../../compose-demo.js");
      const workspace = await prepareExample(flags.example, io.env, (line) => io.note(line));
      context.exit(await run({ workspace, policy: [], trajectory: exampleTrajectory(flags.example) }, "demo", io));
    });
}
