import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'
import { textInRem } from './textInRem.ts'

/**
 * The page of those who hand in files by a link: built on its own, after the client and into the same folder. So neither
 * loads a byte of the other, and the service worker, which keeps the client's files on a device, does not know of it.
 */
export default defineConfig({
  plugins: [svelte()],
  css: { postcss: { plugins: [textInRem] } },
  publicDir: false,
  build: {
    outDir: '../chat_server/web',
    emptyOutDir: false,
    target: ['chrome111', 'firefox121', 'safari16.4'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: { handin: new URL('handin.html', import.meta.url).pathname },
    },
  },
})
