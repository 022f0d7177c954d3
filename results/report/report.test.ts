import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { chromium, type Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Verdict } from "../../checkers/index.ts";
import { HistoryBuilder, type Event } from "../../model/index.ts";
import { markup } from "./html.ts";
import { historyPage } from "./run-report.ts";
import { timelineData } from "./timeline-data.ts";

const hostile = `</script><script>document.title="owned"</script><img src=x onerror=alert(1)>&"'`;

/** Some clients that write and read, a fault in the middle, and one read that is nobody's value. */
function history(operations: number): readonly Event[] {
  const builder = new HistoryBuilder();
  const every = 1_000_000;
  const clients = 8;
  for (let i = 0; i < operations; i++) {
    const process = i % clients;
    if (i === Math.floor(operations / 3)) {
      builder.add({
        process: "faults",
        type: "info",
        f: "kill",
        value: {
          id: 0,
          action: "apply",
          plan: { target: "leader" },
          fault: { kind: "kill", servers: ["server-2"] },
        },
      });
    }
    if (i === Math.floor(operations / 2)) {
      builder.add({ process: "faults", type: "info", f: "kill", value: { id: 0, action: "undone" } });
    }
    builder.at(i * every).invoke(process, i % 3 === 0 ? "setData" : "getData", {
      path: "/a",
      ...(i % 3 === 0 ? { data: hostile } : {}),
    });
    builder.at(i * every + 700_000 + (i % 7) * 30_000);
    if (i % 97 === 5) builder.fail(process, null, { error: "BadVersion" });
    else
      builder.ok(
        process,
        { data: hostile, stat: { version: i } },
        { server: "server-1", zxid: 4294967296 + i },
      );
  }
  return builder.events;
}

function page(events: readonly Event[]): string {
  const wrong = events.filter(({ type }) => type === "ok").at(-3);
  const invoked = events.find(({ index }) => index === (wrong?.index ?? 0) - 1);
  const verdicts: readonly Verdict[] = [
    { name: "session-order", verdict: "holds", detail: `all ${hostile}`, counts: { reads: 12 } },
    { name: "multi", verdict: "holds", detail: "nothing", vacuous: true },
    {
      name: "writes-linearizable",
      verdict: "violated",
      detail: "a read of nobody's value",
      violation: {
        summary: hostile,
        events: [invoked, wrong].filter((event) => event !== undefined),
        ...(wrong === undefined ? {} : { earliest: wrong }),
      },
    },
  ];
  return historyPage({
    title: `register ${hostile}`,
    subtitle: "seed 1",
    lead: markup`${hostile}`,
    verdicts,
    finished: true,
    events,
    more: [],
  });
}

test("nothing out of a history gets into the page unescaped, and nothing outside is referred to", () => {
  const text = page(history(200));
  expect(text).not.toContain("<img src=x");
  expect(text).not.toContain("</script><script>document");
  expect(text).not.toMatch(/(?:src|href)=["']?(?:https?:)?\/\//);
  expect(text).toContain("default-src &#39;none&#39;".replaceAll("&#39;", "'"));
});

test("every text is escaped by the template, whatever it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(markup`<p title="${text}">${text}</p>`.text).not.toMatch(/<(?!\/?p[ >])|"[^"]*"[^>]*"/);
    }),
  );
});

test("a process that another one replaces leaves it its row", () => {
  const builder = new HistoryBuilder();
  builder
    .invoke(0, "getData")
    .invoke(1, "getData")
    .info(0)
    .invoke(5, "getData")
    .ok(5)
    .ok(1)
    .invoke(10, "getData")
    .ok(10);
  const data = timelineData(builder.events, []);
  expect(data.lanes).toEqual(["client 0", "client 1"]);
  expect(data.lane).toEqual([0, 1, 0, 0]);
  expect(data.kind).toEqual([3, 0, 0, 0]);
});

const browserPath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

async function inBrowser(
  text: string,
  scheme: "light" | "dark",
  look: (page: Page, complaints: readonly string[]) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "zabcheck-report-"));
  const browser = await chromium.launch({ executablePath: browserPath, args: flags });
  try {
    const file = join(folder, "report.html");
    writeFileSync(file, text);
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: scheme });
    const opened = await context.newPage();
    const complaints: string[] = [];
    opened.on("console", (message) => void complaints.push(message.text()));
    opened.on("pageerror", (error) => void complaints.push(error.message));
    opened.on("request", (request) => {
      if (!request.url().startsWith("file:")) complaints.push(`asks for ${request.url()}`);
    });
    await opened.goto(pathToFileURL(file).href);
    await opened.waitForSelector("#timeline[data-drawn]", { timeout: 30_000 });
    await look(opened, complaints);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Different colours on the timeline's canvas: an empty one has none. */
const coloursDrawn = `(() => {
  const canvas = document.querySelector("canvas.view");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
  return seen.size;
})()`;

test.skipIf(!existsSync(browserPath))(
  `in a browser (${browserPath}; CHROMIUM names another) the timeline is drawn, tells about operations and goes to the violation`,
  { timeout: 120_000 },
  async () => {
    const text = page(history(600));
    for (const scheme of ["light", "dark"] as const) {
      await inBrowser(text, scheme, async (opened, complaints) => {
        expect(await opened.title()).toContain("violated");
        expect(await opened.evaluate(coloursDrawn)).toBeGreaterThan(8);
        const whole = await opened.textContent("#timeline-span");
        await opened.click("#timeline-violation");
        await opened.waitForFunction(
          (before) => document.querySelector("#timeline-span")?.textContent !== before,
          whole,
        );
        await opened.click("#timeline-all");
        await opened.click("tr[data-operation]");
        const view = await opened.locator("canvas.view").boundingBox();
        await opened.mouse.move(
          (view?.x ?? 0) + (view?.width ?? 0) / 2,
          (view?.y ?? 0) + (view?.height ?? 0) / 2,
        );
        await opened.locator("canvas.view").hover({ position: { x: 700, y: 60 } });
        await opened.keyboard.press("Tab");
        expect(complaints).toEqual([]);
      });
    }
  },
);

test.skipIf(!existsSync(browserPath))(
  "a hundred thousand operations can be looked at",
  { timeout: 120_000 },
  async () => {
    await inBrowser(page(history(100_000)), "light", async (opened, complaints) => {
      expect(await opened.getAttribute("#timeline", "data-drawn")).toBe("100000");
      expect(await opened.evaluate(coloursDrawn)).toBeGreaterThan(8);
      await opened.click("#timeline-in");
      expect(complaints).toEqual([]);
    });
  },
);

test("what a client does above znodes has a row of its own, below those of its requests", () => {
  const builder = new HistoryBuilder().invoke("client-3", "acquire-write", "lock-0");
  builder.invoke(3, "create", { path: "/lock-0/a" }).ok(3, { path: "/lock-0/a" }).ok("client-3");
  builder.add({ process: "client-3", type: "info", f: "lost", value: "lock-0" });
  const { lanes, process } = timelineData(builder.events, []);
  expect(lanes).toEqual(["client 0", "client-3"]);
  expect(process).toEqual(["client-3", 3]);
});
