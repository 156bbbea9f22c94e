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
  },
})
