import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const out = join(import.meta.dirname, "../src/lucheng/static/dist");

/** The server sends a compressed copy where one lies beside a file, so nothing is compressed while someone waits. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|css|svg)$/.test(entry.name)) continue;
        const file = join(entry.parentPath, entry.name);
        const body = readFileSync(file);
        writeFileSync(`${file}.gz`, gzipSync(body, { level: 9 }));
        writeFileSync(`${file}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
      }
    },
  };
}

export default defineConfig({
  base: "/static/dist/",
  publicDir: false,
  worker: { format: "es" },
  build: {
    outDir: out,
    emptyOutDir: true,
    manifest: "manifest.json",
    target: ["chrome87", "safari14", "firefox78"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The map is the one large part, and no page loads it before someone asks for a map.
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: { main: join(import.meta.dirname, "src/main.ts") },
      checks: { pluginTimings: false },
    },
  },
  plugins: [compressed()],
});
