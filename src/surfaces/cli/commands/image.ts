// `ringfence image list|build|check|sbom`: the sandbox images, what is in them, and whether they are what they should be.

import { writeFileSync } from "node:fs";
import { InvalidArgumentError, type Command } from "commander";
import { GuardError, count, printable, quietJson } from "../../../core/shared/index.js";
import type { Io } from "../io.js";
import type { CliContext } from "../main.js";
import { parseImage } from "../session-options.js";

export function registerImage(program: Command, context: CliContext): void {
  const image = program.command("image").description("sandbox images: which there are, building, checking, what is installed in them");
  image
    .command("list")
    .description("the images of this installation and what the engine has of them")
    .addHelpText("after", "\nExamples:\n  ringfence image list\n  ringfence image list --json")
    .action(async (_flags: unknown, command: Command) => {
      context.exit(await list(context.ioOf(command)));
    });
  image
    .command("build")
    .description("build images with the parents they need; one that is there already stays (no name: base and kimi-dev)")
    .argument("[name...]", "base, kimi-dev, python, node", parseNames)
    .option("--refresh", "build anew though nothing changed, for Debian's security updates")
    .addHelpText("after", "\nExit codes: 0 built or there already, 2 no such image, 75 it could not be built.\n\nExamples:\n  ringfence image build python\n  ringfence image build node python\n  ringfence image build --refresh kimi-dev\n  ringfence exec --image python -- pytest     builds it when it is not there")
    .action(async (names: readonly string[], flags: { readonly refresh?: boolean }, command: Command) => {
      context.exit(await run(["build", ...names, ...(flags.refresh === true ? ["--refresh"] : [])], context.ioOf(command)));
    });
  image
    .command("check")
    .description("run the check of each image inside it, without a network, and say whether it holds what it promises")
    .argument("[name...]", "base, kimi-dev, python, node", parseNames)
    .addHelpText("after", "\nExit codes: 0 all hold, 1 one does not, 2 no such image, 75 no engine.\n\nExamples:\n  ringfence image check\n  ringfence image check kimi-dev --json")
    .action(async (names: readonly string[], _flags: unknown, command: Command) => {
      context.exit(await run(["check", ...names], context.ioOf(command)));
    });
  image
    .command("sbom")
    .description("the software bill of materials of an image, as CycloneDX 1.6 JSON")
    .argument("<image>", "base, kimi-dev, python, node, or any image the engine has", parseImage)
    .option("-o, --output <file>", "write it to a file")
    .addHelpText("after", "\nThe packages are those that dpkg, pip and npm know inside the image, and its own Node. The same image gives the same bytes.\n\nExamples:\n  ringfence image sbom kimi-dev > kimi-dev.cdx.json\n  ringfence image sbom python -o python.cdx.json")
    .action(async (name: string, flags: { readonly output?: string }, command: Command) => {
      const { imageSbom } = await import("../../../compose-image.js");
      const io = context.ioOf(command);
      const text = quietJson(await imageSbom(name, io.env), io.options.json ? 0 : 2);
      if (flags.output === undefined) io.out(text);
      else {
        writeTo(flags.output, `${text}\n`);
        io.note(`written to ${printable(flags.output)}`);
      }
      context.exit(0);
    });
}

function writeTo(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    throw new GuardError("USAGE_INVALID", `\`${printable(path, 300)}\` cannot be written: ${code}`, { cause, hint: "name a file in a folder that is there" });
  }
}

/** Collects the words; what is no name is refused before anything is asked. */
function parseNames(name: string, before: readonly string[] | undefined): readonly string[] {
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/u.test(name)) throw new InvalidArgumentError("an image is named by lower-case letters, digits and dashes");
  return [...(before ?? []), name];
}

async function list(io: Io): Promise<number> {
  const { listImages } = await import("../../../compose-image.js");
  const images = await listImages(io.env);
  if (io.options.json) {
    for (const image of images) io.json(image);
    return 0;
  }
  const { paint } = io;
  for (const { name, summary, id, packages, onDemand } of images) {
    const state = id === null ? (onDemand ? paint.dim("built when asked for") : paint.red("not built")) : `${id.slice(0, 19)}  ${packages === null ? "packages not known" : count(packages, "package")}`;
    io.out(`${paint.bold(name.padEnd(10))} ${state}`);
    io.out(`${" ".repeat(11)}${paint.dim(printable(summary))}`);
  }
  return 0;
}

async function run(words: readonly string[], io: Io): Promise<number> {
  const { runImageScript } = await import("../../../compose-image.js");
  return runImageScript([...words, ...(io.options.json ? ["--json"] : [])], "stdout");
}
