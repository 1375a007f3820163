// `ringfence completion`: a script that completes commands, options and session ids in bash, zsh or fish.

import { Argument, type Command } from "commander";
import type { CliContext } from "../main.js";

export function registerCompletion(program: Command, context: CliContext): void {
  program
    .command("completion")
    .description("print a completion script for your shell")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
    .addHelpText("after", "\nExamples:\n  source <(ringfence completion bash)\n  ringfence completion fish > ~/.config/fish/completions/ringfence.fish")
    .action((shell: "bash" | "zsh" | "fish", _flags: unknown, command: Command) => {
      context.ioOf(command).out(script(shell, describe(program)));
    });
}

interface Described {
  readonly name: string;
  readonly words: readonly string[];
  readonly takesSession: boolean;
}

function describe(program: Command): readonly Described[] {
  return program.commands.map((command) => ({
    name: command.name(),
    words: [...command.commands.map((sub) => sub.name()), ...new Set([command, ...command.commands].flatMap((one) => one.options.flatMap((option) => (option.long === undefined ? [] : [option.long])))), "--help"],
    takesSession: [command, ...command.commands].some((one) => one.registeredArguments.some((argument) => argument.name() === "session") || (one !== command && one.registeredArguments.length > 0 && (command.name() === "log" || command.name() === "replay"))),
  }));
}

function script(shell: "bash" | "zsh" | "fish", commands: readonly Described[]): string {
  const names = commands.map((command) => command.name).join(" ");
  if (shell === "fish") {
    const lines = commands.flatMap((command) => [
      `complete -c ringfence -n __fish_use_subcommand -a ${command.name}`,
      `complete -c ringfence -n "__fish_seen_subcommand_from ${command.name}" -a "${command.words.join(" ")}"`,
      ...(command.takesSession ? [`complete -c ringfence -n "__fish_seen_subcommand_from ${command.name}" -a "(ringfence sessions --json 2>/dev/null | string match -rg '\\"id\\":\\"(ses_[a-z0-9]+)')"`] : []),
    ]);
    return lines.join("\n");
  }
  const cases = commands.map((command) => {
    const sessions = command.takesSession ? ` $(ringfence sessions --json 2>/dev/null | sed -n 's/.*"id":"\\(ses_[a-z0-9]*\\)".*/\\1/p')` : "";
    return `    ${command.name}) words="${command.words.join(" ")}${sessions}" ;;`;
  });
  const body = [
    "_ringfence() {",
    '  local current="${COMP_WORDS[COMP_CWORD]}" words=""',
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    `    *) words="${names}" ;;`,
    "  esac",
    `  [ "$COMP_CWORD" -eq 1 ] && words="${names}"`,
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    "}",
    "complete -o default -F _ringfence ringfence",
  ].join("\n");
  return shell === "bash" ? body : `autoload -U +X bashcompinit && bashcompinit\n${body}`;
}
