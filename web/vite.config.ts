import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/**
 * The transports import Daily's library for their default media manager, which then loads code from
 * a CDN. We bring our own (src/media.ts): only the way through Daily gets the library, in its own file.
 */
const dailyOnlyForDaily: Plugin = {
  name: "daily-only-for-daily",
  enforce: "pre",
  resolveId(source, importer) {
    if (source !== "@daily-co/daily-js" || importer?.includes("/daily-transport/")) return null;
    return this.resolve("/src/no-daily.ts");
  },
};

export default defineConfig({
  plugins: [dailyOnlyForDaily],
  build: {
    assetsDir: "assets",
    target: "es2022",
    // The dist folder is committed and compared byte for byte: nothing in it may depend on when
    // or where it was built.
    sourcemap: false,
    reportCompressedSize: true,
    rollupOptions: {
      input: { index: "index.html", "salon-call": "src/embed/salon-call.ts" },
      output: {
        // Other people's pages name this file, so its name may not change with what is in it.
        entryFileNames: ({ name }) =>
          name === "salon-call" ? "assets/salon-call.js" : "assets/[name]-[hash].js",
      },
    },
  },
  server: {
    // `npm run dev` beside a running server: the page from Vite, everything else from Salon.
    proxy: Object.fromEntries(
      ["/api", "/start", "/sessions"].map((path) => [path, "http://127.0.0.1:7860"]),
    ),
  },
  test: {
    include: ["tests/**/*.test.ts"],
    // Vitest leaves dependencies to Node, which ignores the plugin above.
    server: { deps: { inline: [/@pipecat-ai/] } },
  },
});
