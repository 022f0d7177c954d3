import { expect, test } from "vitest";
import { InputError } from "../../model/index.ts";
import { type DockerClusterOptions, validate } from "./options.ts";

test("options that make no sense are refused with what was expected", () => {
  const refused: readonly (readonly [Partial<DockerClusterOptions>, RegExp])[] = [
    [{ servers: 0 }, /0 servers/],
    [{ servers: 1.5 }, /1.5 servers/],
    [{ observers: 10 }, /10 observers/],
    [{ observers: -1 }, /-1 observers/],
    [{ servers: 1, observers: 2 }, /one server alone has no observers/],
    [{ publishPort: 65_534, observers: 1 }, /no 4 ports begin at 65534/],
    [{ image: "x" }, /which ZooKeeper/],
    [{ release: [] }, /0 releases/],
    [{ release: ["3.9.5", "3.8.6", "3.9.5", "3.8.6"] }, /4 releases for 3 servers/],
  ];
  for (const [options, message] of refused) {
    const whole = { release: "3.9.5", servers: 3, ...options };
    expect(() => validate(whole), JSON.stringify(options)).toThrow(InputError);
    expect(() => validate(whole)).toThrow(message);
  }
  expect(() => validate({ servers: 3, observers: 1, image: ["a", "b", "c"] })).toThrow(
    /3 images for 4 servers/,
  );
});

test("shapes that make sense are not", () => {
  validate({ release: "3.9.5", servers: 1 });
  validate({ release: ["3.8.6", "3.9.5"], servers: 3, observers: 2 });
  validate({ image: "any", servers: 5, publishPort: 1024 });
});
