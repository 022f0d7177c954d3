import { expect, test } from "vitest";
import { z } from "zod";
import { outputs } from "./output.ts";

for (const [command, schema] of Object.entries(outputs)) {
  test(`the JSON Schema of '${command} --json' is up to date`, async () => {
    const generated = JSON.stringify(z.toJSONSchema(schema, { io: "output" }), null, 2) + "\n";
    await expect(generated, "run: npx vitest run results/schemas -u").toMatchFileSnapshot(
      `${command}.schema.json`,
    );
  });
}

test("a verdict that is none of the three is refused", () => {
  const output = { verdict: "passed", checks: [] };
  expect(outputs["check"]?.safeParse(output).success).toBe(false);
});
