// Fails when dist/ is not what the source builds to.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";

async function contents(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const pairs = files.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    return [path.slice(folder.length), (await readFile(path)).toString("base64")];
  });
  return Object.fromEntries((await Promise.all(pairs)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const fresh = await mkdtemp(join(tmpdir(), "salon-web-"));
try {
  await build({ logLevel: "error", build: { outDir: fresh, emptyOutDir: true } });
  const [expected, actual] = await Promise.all([
    contents(fresh),
    contents(join(process.cwd(), "dist")),
  ]);
  if (JSON.stringify(expected) !== JSON.stringify(actual)) {
    console.error("web/dist is not built from web/src: run `npm run build` in web/.");
    process.exitCode = 1;
  }
} finally {
  await rm(fresh, { recursive: true });
}
