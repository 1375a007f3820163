// Rows of other guards' tests that are denied there and allowed here, with the reason. Explains figures; no rule reads it.

/** `harmless`: run as written on Linux it destroys and discloses nothing, by the reason given. */
export const REMAINING = [
  { ids: ["dcg-0067", "dcg-0068", "dcg-0983", "dcg-1007", "ccsn-170", "ccsn-171"], harmless: false, why: "deletes below `/tmp`, which is the session's own scratch folder and in memory" },
  { ids: ["ccsn-189", "ccsn-193"], harmless: false, why: "deletes `*.pyc`, which Python writes again at the next start" },
  { ids: ["dcg-0105", "ccsn-063", "ccsn-068"], harmless: true, why: "`rm -rf` gets no operand here and deletes nothing" },
  { ids: ["ccsn-091"], harmless: true, why: "GNU `xargs` has no `-J` and ends with an error" },
  { ids: ["ccsn-086", "ccsn-105"], harmless: true, why: "runs the word `ok`, which is no program" },
  { ids: ["ccsn-087", "ccsn-093"], harmless: true, why: "`bash -c` gets the first word alone: `ok`, or `rm` without operands" },
  { ids: ["dcg-0945", "dcg-0948", "dcg-0950"], harmless: true, why: "only the first line of a here-document; nothing follows" },
  { ids: ["dcg-0952"], harmless: true, why: "the dashes are other characters: `git` takes the word for a path and ends with an error" },
  { ids: ["dcg-0973"], harmless: true, why: "two commands: a `git reset` that keeps the files, and `--hard`, which is no program" },
  { ids: ["dcg-0976"], harmless: true, why: "git has no `RESET` and ends with an error" },
  { ids: ["dcg-1002"], harmless: true, why: "a backslash and a `t` in front of `rm`, so `trm` is started, which is no program" },
  { ids: ["ccsn-002"], harmless: true, why: "there is no program `GIT` where names have letter case" },
  { ids: ["ccsn-145"], harmless: true, why: "GNU `env` has no `-P` and ends with an error" },
  { ids: ["ccsn-148", "ccsn-149", "ccsn-150"], harmless: true, why: "`command -v` and `-V` print where the program is and run nothing" },
  { ids: ["ccsn-152", "ccsn-153", "ccsn-154"], harmless: true, why: "the first word is no assignment to bash, so it is taken for a program, which there is not" },
  { ids: ["ccsn-135", "ccsn-136", "ccsn-137", "ccsn-138"], harmless: true, why: "begins with an operator: bash refuses the whole line and runs nothing" },
  { ids: ["ccsn-161", "ccsn-163", "ccsn-165"], harmless: true, why: "shell text given to an interpreter of another language: a syntax error" },
  { ids: ["ccsn-167", "ccsn-168"], harmless: true, why: "prints `ok`" },
  { ids: ["ccsn-210"], harmless: true, why: "the unquoted `;` ends the command, so `find` misses its own and ends with an error" },
  { ids: ["ccsn-213", "ccsn-214", "ccsn-221"], harmless: true, why: "a team's own taste in that test; destroys nothing" },
  { ids: ["ccsn-312"], harmless: true, why: "`-n` makes `git clean` only print" },
];
