import { expect, it } from "vitest";
import { bash, createRig, never, typesOf } from "../support/rig.js";
it("try", async () => {
  const rig = createRig({ programs: { "python3 x.py": { stdout: "hi\n", changes: (tree) => tree.set("src/a.js", { kind: "file", content: "two\n" }) } } });
  const session = await rig.open();
  const obs = await session.call(bash("python3 x.py"), {}, never);
  await session.close("finished");
  console.log(obs, typesOf(await rig.events(session)), rig.journal, rig.lines);
  expect(1).toBe(1);
});
