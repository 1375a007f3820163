// Steps of a session that is run again: edits, programs, git, refusals, tests, times, names of temporary files, carried variables.

export interface PlayedCall {
  readonly id: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** What the folder holds before. */
export const RERUN_FILES: Readonly<Record<string, string>> = {
  "package.json": '{"name":"steps","scripts":{"test":"node --test"}}\n',
  "src/base.js": "module.exports = 1;\n",
  "test/base.test.js": 'require("node:test")("base", () => require("node:assert").equal(require("../src/base.js"), 1));\n',
  ".env": "TOKEN=abc\n",
};

/** A command whose output is another each time. */
export const PLANTED = "cat /proc/sys/kernel/random/uuid";

/** @param planted the step, from 1, in whose place the planted difference stands; null for none */
export function rerunSteps(count: number, planted: number | null): readonly PlayedCall[] {
  return Array.from({ length: count }, (_, at): PlayedCall => {
    const id = String(at + 1);
    if (at + 1 === planted) return { id, tool: "bash", arguments: { command: PLANTED } };
    const edit = (values: Readonly<Record<string, unknown>>): PlayedCall => ({ id, tool: "str_replace_editor", arguments: values });
    const bash = (command: string): PlayedCall => ({ id, tool: "bash", arguments: { command } });
    const round = Math.floor(at / 10);
    const file = `/workspace/src/m${String(round)}.js`;
    switch (at % 10) {
      case 0:
        return bash("ls -la && date");
      case 1:
        return edit({ command: "create", path: file, file_text: `module.exports = ${String(round)};\n` });
      case 2:
        return bash(`node -e 'console.log(require("${file}") + 1, process.pid > 0)'; mktemp`);
      case 3:
        return edit({ command: "str_replace", path: file, old_str: `= ${String(round)}`, new_str: `= ${String(round)} * 2` });
      case 4:
        return bash(`sed -i 's/\\* 2/* 3/' src/m${String(round)}.js && cat src/m${String(round)}.js`);
      case 5:
        // Policy pauses a session that is refused again and again.
        return bash(round < 3 ? "rm -rf /etc/passwd" : `rm -f src/m${String(round - 1)}.js; ls src | tr a-z A-Z`);
      case 6:
        return bash("npm test --silent; exit 3");
      case 7:
        return bash(`export STEP=${String(at)}; mkdir -p out/${String(round)} && cd out/${String(round)} && date > when.txt && echo "started pid: $$"`);
      case 8:
        return bash("echo $STEP in $PWD; ls; cat ../../.env; cd /workspace");
      default:
        return bash("grep -rn exports src | sort; find . -name '*.js' | wc -l");
    }
  });
}
