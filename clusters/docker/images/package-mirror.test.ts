import { expect, test } from "vitest";
import { debianMirror, parseSources, parseSourcesList } from "./package-mirror.ts";

const sources = `# A comment
Types: deb deb-src
# Another, in the middle
URIs: http://mirror.invalid/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.invalid/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://off.invalid/debian
Suites: bookworm
Components: main
`;

test("reads the paragraphs of .sources files, without those that are switched off", () => {
  expect(parseSources(sources)).toEqual([
    { uri: "http://mirror.invalid/debian", suite: "bookworm", components: ["main", "contrib"] },
    { uri: "http://mirror.invalid/debian", suite: "bookworm-updates", components: ["main", "contrib"] },
    { uri: "http://mirror.invalid/debian-security", suite: "bookworm-security", components: ["main"] },
  ]);
});

test("reads continued lines of .sources files", () => {
  const text =
    "Types: deb\nURIs:\n http://a.invalid/debian\n http://b.invalid/debian\nSuites: trixie\nComponents: main\n";
  expect(parseSources(text).map(({ uri }) => uri)).toEqual([
    "http://a.invalid/debian",
    "http://b.invalid/debian",
  ]);
});

test("reads the entries of .list files, with and without options", () => {
  const text = [
    "# deb http://no.invalid/debian bookworm main",
    "deb-src http://no.invalid/debian bookworm main",
    "deb [signed-by=/x.gpg arch=amd64] http://a.invalid/debian bookworm main non-free # why not",
    "deb http://b.invalid/apt/ stable main",
  ].join("\n");
  expect(parseSourcesList(text)).toEqual([
    { uri: "http://a.invalid/debian", suite: "bookworm", components: ["main", "non-free"] },
    { uri: "http://b.invalid/apt/", suite: "stable", components: ["main"] },
  ]);
});

test("takes Debian's own archive and nobody else's", () => {
  expect(debianMirror(parseSources(sources))).toBe("http://mirror.invalid/debian");
  expect(debianMirror(parseSourcesList("deb http://b.invalid/apt/ stable main"))).toBeUndefined();
  expect(debianMirror(parseSources(sources).slice(2))).toBeUndefined();
});
