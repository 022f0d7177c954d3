import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { JSDOM } from "jsdom";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";
import { junitOf } from "./junit.ts";
import { markdownOf } from "./markdown.ts";
import { makeNightDirectory, nightFiles, nightsOf, readSummary } from "./night-directory.ts";
import { summaryPage } from "./summary-page.ts";
import type { FailureGroup, JobSummary, NightSummary } from "./summary.ts";
import { writeSummary } from "./write-summary.ts";

const hostile = `</script><script>document.title="owned"</script><img src=x onerror=alert(1)>&"'\`|*_ ]]>\u0000\u0007`;

function job(id: string, change: Partial<JobSummary> = {}): JobSummary {
  return {
    id,
    subject: { kind: "run", name: "register", where: "zookeeper 3.9.5", faults: "kill,pause", seed: 7 },
    ...{ status: "done", verdict: "holds", detail: "", directory: `runs/${id}/register/20260101T000000Z-7` },
    ...{ command: `zabcheck run register --seed 7`, failed: [], held: ["order"], vacuous: [] },
    ...{ operations: 1200, seconds: 61.5, starts: 1 },
    ...change,
  };
}

function group(change: Partial<FailureGroup> = {}): FailureGroup {
  return {
    ...{ key: "order | register", property: "session-order", where: "register on zookeeper 3.9.5" },
    ...{ verdict: "violated", summary: `what a session saw ran back ${hostile}` },
    ...{ since: "2026-01-01T22:00:00.000Z", isNew: true },
    jobs: Array.from({ length: 7 }, (_, i) => ({
      ...{ id: `job-${i}`, faults: "kill,pause", seed: i, directory: `runs/job+${i}/register/x` },
      command: `zabcheck run register --seed ${i} --option 'a=${hostile}'`,
    })),
    ...change,
  };
}

const figures = {
  ...{ runs: 3, operations: 120_000, elections: 9, deposedLeaders: 4, disconnections: 40, movedSessions: 90 },
  ...{
    synchronizations: { DIFF: 12, TRUNC: 1, SNAP: 3 },
    expiredSessions: 2,
    unanswered: 80,
    staleReads: 700,
  },
  ...{ operationsInFlight: 10, watchesPending: 4, exercised: ["order"], vacuous: ["multi"] },
};

const summary: NightSummary = {
  ...{ format: "zabcheck-night-summary", formatVersion: 1, zabcheck: "0.1.0", plan: "docker", seed: 3 },
  ...{ startedAt: "2026-01-02T22:00:00.000Z", endedAt: "2026-01-03T06:00:00.000Z", ending: "out of time" },
  verdict: "violated",
  failures: [
    group(),
    group({ key: "watches", property: "watches", isNew: false, jobs: group().jobs.slice(0, 1) }),
    group({ key: "hung", property: "hung", verdict: "unknown", summary: "it did not end within 5 min" }),
  ],
  gone: [
    { key: "multi", property: "multi", where: "register on embedded", since: "2026-01-01T22:00:00.000Z" },
  ],
  comparedWith: "2026-01-01T22:00:00.000Z",
  jobs: [
    job("good"),
    job("bad", {
      verdict: "violated",
      failed: [{ name: "session-order", verdict: "violated", summary: hostile }],
    }),
    job("undecided", {
      verdict: "unknown",
      failed: [{ name: "writes", verdict: "unknown", summary: "no time" }],
    }),
    job("hanging", {
      verdict: "unknown",
      status: "hung",
      detail: `it did not end ${hostile}`,
      directory: null,
    }),
    job("late", {
      verdict: "unknown",
      status: "not run",
      detail: "there was no time left for it",
      directory: null,
    }),
    job("model", {
      subject: { kind: "exploration", name: "zab", where: "model", faults: "", seed: null },
      operations: 0,
    }),
  ],
  coverage: {
    cells: [
      { workload: "leader-election", fault: "kill", runs: 2, applied: 6, effective: 6 },
      { workload: "register", fault: "kill", runs: 3, applied: 9, effective: 7 },
      { workload: "register", fault: "pause", runs: 3, applied: 4, effective: 0 },
    ],
    figures: [
      { workload: "leader-election", where: "zookeeper 3.9.5", ...figures },
      { workload: "register", where: "zookeeper 3.9.5", ...figures },
    ],
    never: ["pause with an effect: in register", `zookeeper 3.9.5: ${hostile}`],
    unplanned: ["the fault partition"],
  },
  command: "zabcheck nightly docker --fresh --seed 3",
};

test("the page tells what broke, what is new, what is gone, what was exercised and how to see it again; nothing gets in unescaped", () => {
  const page = summaryPage(summary);
  for (const words of [
    "2 new failures",
    "gone: <b>multi</b>",
    "since the night of 2026-01-01 22:00",
    "7/9",
    "0/4",
    "The plan&#39;s time was up: 1 job was not run",
    "zabcheck nightly docker --fresh --seed 3",
    "The plan does not ask for the fault partition.",
    'href="runs/job%2B0/register/x/report.html"',
  ]) {
    expect(page).toContain(words);
  }
  expect(page).not.toContain("<script>document");
  expect(page).not.toContain("<img");
  expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
});

test("the JUnit file is XML, whatever a message holds, and counts as CI systems do", () => {
  const document = new JSDOM(junitOf(summary), { contentType: "text/xml" }).window.document;
  const root = document.documentElement;
  expect(root.tagName).toBe("testsuites");
  const counts = ["tests", "failures", "errors", "skipped"].map((name) => root.getAttribute(name));
  expect(counts).toEqual(["6", "1", "2", "1"]);
  expect(document.querySelectorAll("testsuite")).toHaveLength(2);
  const kinds = [...document.querySelectorAll("testcase")].map((each) => [
    each.getAttribute("name"),
    each.firstElementChild?.tagName ?? "passed",
  ]);
  expect(kinds).toEqual([
    ["good", "passed"],
    ["bad", "failure"],
    ["undecided", "error"],
    ["hanging", "error"],
    ["late", "skipped"],
    ["model", "passed"],
  ]);
  expect(document.querySelector("failure")?.getAttribute("type")).toBe("session-order");
  expect(document.querySelector("failure")?.textContent).toContain("again: zabcheck run register --seed 7");
});

test("whatever text there is, the JUnit file stays XML", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 30, maxLength: 60 }), (texts) => {
      const bad = texts.map((text) =>
        job(text, { verdict: "violated", failed: [{ name: text, verdict: "violated", summary: text }] }),
      );
      const xml = junitOf({ ...summary, plan: texts.join(""), jobs: bad });
      const { document } = new JSDOM(xml, { contentType: "text/xml" }).window;
      expect(document.querySelectorAll("failure")).toHaveLength(bad.length);
    }),
    { numRuns: 5 },
  );
});

test("the Markdown is for people who see little of it: failures first, the rest folded, and no markup of others", () => {
  const text = markdownOf(summary);
  expect(text).toMatch(/^## ❌ zabcheck nightly docker: violated\n/);
  expect(text).toContain("### ❌ session-order: register on zookeeper 3.9.5 (**new**, 7 jobs)");
  expect(text).toContain("# and 5 more");
  expect(text).toContain("| register | 7/9 | 0/4 |");
  expect(text).toContain("**Gone:** multi (register on embedded)");
  const outside = text.replaceAll(/(`{3,})sh\n[^]*?\n\1/g, "");
  expect(outside).not.toMatch(/<(script|img)/);
});

test("a summary that is written is read back, nights are in order of time, and what is none is refused", () => {
  const results = mkdtempSync(join(tmpdir(), "zabcheck-nights-"));
  try {
    const [second, first] = ["2026-01-02T00:00:00.000Z", "2026-01-01T00:00:00.000Z"].map((startedAt) =>
      makeNightDirectory(results, "docker", startedAt, 7),
    );
    expect(nightsOf(results, "docker")).toEqual([first, second]);
    expect(nightsOf(results, "other")).toEqual([]);
    expect(readSummary(first!)).toBeUndefined();
    writeSummary(first!, summary);
    expect(readSummary(first!)).toEqual(summary);
    for (const name of ["page", "markdown", "junit"] as const)
      expect(existsSync(join(first!, nightFiles[name]))).toBe(true);
    writeFileSync(join(first!, nightFiles.summary), '{"format":"other"}');
    expect(() => readSummary(first!)).toThrow(/summary\.json: format: /);
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
});

const browserPath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

test.skipIf(!existsSync(browserPath))(
  `in a browser (${browserPath}; CHROMIUM names another) the page is whole, its links lead to the runs, and it asks for nothing else`,
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "zabcheck-page-"));
    const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
    try {
      const run = join(folder, "runs", "job+0", "register", "x");
      mkdirSync(run, { recursive: true });
      writeFileSync(join(run, "report.html"), "<title>the run</title>");
      writeSummary(folder, summary);
      for (const scheme of ["light", "dark"] as const) {
        const page = await browser.newPage({ colorScheme: scheme, viewport: { width: 1280, height: 900 } });
        const complaints: string[] = [];
        page.on("console", (message) => void complaints.push(message.text()));
        page.on("pageerror", (error) => void complaints.push(error.message));
        await page.goto(pathToFileURL(join(folder, nightFiles.page)).href);
        expect(await page.title()).toBe("nightly docker: violated");
        expect(await page.locator(".failure").count()).toBe(3);
        expect(await page.locator(".badge.new").count()).toBe(2);
        expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
        expect(complaints).toEqual([]);
        await page.locator(".failure a").first().click();
        expect(await page.title()).toBe("the run");
        await page.close();
      }
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
