import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: {
      // The transport imports Daily's library for its default media manager, which then loads
      // code from a CDN. We bring our own (src/media.ts), so the library is left out entirely.
      "@daily-co/daily-js": "/src/no-daily.ts",
    },
  },
  build: {
    assetsDir: "assets",
    target: "es2022",
    // The dist folder is committed and compared byte for byte: nothing in it may depend on when
    // or where it was built.
    sourcemap: false,
    reportCompressedSize: true,
  },
  server: {
    // `npm run dev` beside a running server: the page from Vite, everything else from Salon.
    proxy: Object.fromEntries(
      ["/api", "/start", "/sessions"].map((path) => [path, "http://127.0.0.1:7860"]),
    ),
  },
  test: {
    include: ["tests/**/*.test.ts"],
    // Vitest leaves dependencies to Node, which ignores the alias above.
    server: { deps: { inline: [/@pipecat-ai/] } },
  },
});
