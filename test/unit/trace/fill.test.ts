// Placeholders of example lines are filled with values of their kind.

import { expect, test } from "vitest";
import { fillPlaceholders, withVariables } from "../../support/trace/fill.js";

test.each<[string, string | null]>([
  ["nc {{[-l|--listen]}} {{port}}", "nc -l 8080"],
  ["ping -c {{count}} {{host}}", "ping -c 3 host.example"],
  ["traceroute -w {{wait_time}} {{ip_address|hostname}}", "traceroute -w 3 192.0.2.7"],
  ["git fetch {{remote_name}} {{branch}}", "git fetch origin feature"],
  ["git push {{remote_name}} {{local_branch}}:{{remote_branch}}", "git push origin feature:feature"],
  ["apt install {{package1 package2 ...}}", "apt install package1"],
  ["{{start|stop}} x", "start x"],
  ["gh workflow run x {{--raw-field param1=value1 --raw-field param2=value2 ...}}", "gh workflow run x --raw-field param1=value1"],
  ["rm {{path/to/file}}", "rm path/to/file"],
  ["echo '{{a \\{ b}}'", null],
])("%s", (raw, filled) => {
  expect(fillPlaceholders(raw)).toBe(filled);
});

test.each<[string, string]>([
  ["mv $file $1", "set -- file1.txt file2.txt; file=file.txt; mv $file $1"],
  ["for i in *; do rm $i; done", "for i in *; do rm $i; done"],
  ["while read f; do cp $f ${TARGET_DIR}; done", "TARGET_DIR=dir; while read f; do cp $f ${TARGET_DIR}; done"],
  ["A=1; echo $A $HOME $? $#", "A=1; echo $A $HOME $? $#"],
])("variables that are taken for given: %s", (text, filled) => {
  expect(withVariables(text)).toBe(filled);
});
