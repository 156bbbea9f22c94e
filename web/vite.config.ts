import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import { textInRem } from './textInRem.ts'
import { serviceWorker } from './worker/plugin.ts'

const here = (path: string) => new URL(path, import.meta.url).pathname

export default defineConfig({
  plugins: [svelte(), serviceWorker(here('public'))],
  css: { postcss: { plugins: [textInRem] } },
  build: {
    outDir: '../chat_server/web',
    emptyOutDir: true,
    target: ['chrome111', 'firefox121', 'safari16.4'],
    // The content security policy allows no inline script or style and no data: script,
    // so every asset is a hashed file under /assets/.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: { index: here('index.html'), sw: here('worker/sw.ts') },
      output: {
        // Browsers look for a new version at the name they know.
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  test: {
    include: ['tests/**/*.test.ts'],
    environment: 'node',
    restoreMocks: true,
    // What the browser gets; node's own build reads files from disks.
    alias: { 'tus-js-client': here('node_modules/tus-js-client/lib.esm/browser/index.js') },
  },
})
