import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { defineConfig, type Plugin } from "vitest/config";

const pack = { gzip: promisify(gzip), brotli: promisify(brotliCompress) };

/** Leaves a .gz and a .br beside every built file that is worth it; the API sends them as they are. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    async writeBundle({ dir }) {
      const folder = dir ?? "dist";
      const names = await readdir(folder, { recursive: true });
      const worth = names.filter((name) => /\.(js|mjs|css|html|svg|webmanifest)$/.test(name));
      const packing = worth.map(async (name) => {
        const file = join(folder, name);
        const plain = await readFile(file);
        const level = {
          params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
        };
        await writeFile(`${file}.gz`, await pack.gzip(plain, { level: 9 }));
        await writeFile(`${file}.br`, await pack.brotli(plain, level));
      });
      await Promise.all(packing);
    },
  };
}

export default defineConfig({
  plugins: [packed()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the policy of the page lets scripts and styles come from files alone
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_200, // the map's engine
    manifest: true,
    rolldownOptions: {
      input: { index: "index.html", worker: "src/worker.ts" },
      output: {
        // the service worker's name must stay, and it must lie at the top
        entryFileNames: ({ name }) => (name === "worker" ? "worker.js" : "assets/[name]-[hash].js"),
      },
      checks: { pluginTimings: false }, // packing takes its time, as is meant
    },
  },
  server: { proxy: { "/v1": "http://127.0.0.1:8080", "/page.json": "http://127.0.0.1:8080" } },
  test: { include: ["src/**/*.test.ts"], environment: "node", pool: "threads" },
});
