import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Plugin } from 'vite'

const WORKER = 'sw.js'
const hash = (algorithm: string, content: string | Uint8Array) => createHash(algorithm).update(content)

/** Builds `sw.ts` as /sw.js, and tells it which files make up the page: what the server serves, byte for byte. */
export function serviceWorker(publicFolder: string): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const files = new Map<string, string>()
        for (const item of Object.values(bundle)) {
          if (item.fileName === WORKER) continue
          const content = item.type === 'chunk' ? item.code : item.source
          files.set(item.fileName === 'index.html' ? '/' : `/${item.fileName}`, integrity(content))
        }
        for (const entry of readdirSync(publicFolder, { recursive: true, withFileTypes: true })) {
          if (!entry.isFile()) continue
          const path = join(entry.parentPath, entry.name)
          files.set(`/${relative(publicFolder, path).replaceAll('\\', '/')}`, integrity(readFileSync(path)))
        }
        const list = [...files].sort(([a], [b]) => (a < b ? -1 : 1))
        const version = hash('sha256', JSON.stringify(list)).digest('hex').slice(0, 16)
        const worker = bundle[WORKER]
        if (worker?.type !== 'chunk') this.error('no service worker in the build')
        if (worker.imports.length > 0) this.error('the service worker must be one file')
        worker.code = worker.code.replaceAll('__PAGE__', JSON.stringify({ version, files: list }))
      },
    },
  }
}

function integrity(content: string | Uint8Array): string {
  return `sha256-${hash('sha256', content).digest('base64')}`
}
