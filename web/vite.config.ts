import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../chat_server/web',
    emptyOutDir: true,
    target: ['chrome111', 'firefox121', 'safari16.4'],
    // The content security policy allows no inline script or style and no data: script,
    // so every asset is a hashed file under /assets/.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  test: {
    include: ['tests/**/*.test.ts'],
    environment: 'node',
    restoreMocks: true,
    // What the browser gets; node's own build reads files from disks.
    alias: { 'tus-js-client': new URL('node_modules/tus-js-client/lib.esm/browser/index.js', import.meta.url).pathname },
  },
})
