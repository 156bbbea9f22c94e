/** Ends of names that a closed network leads to by itself. */
const INSIDE = ['.local', '.lan', '.internal', '.localdomain', '.lgwan.jp']
const PRIVATE = /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[::1\]|\[f[cde])/

/**
 * Whether a link leads out of a closed network: not to this server, a host without a domain, or a private address. What
 * would open nothing but an error is shown as an address to take along instead.
 */
export function leadsOutside(href: string, own: string): boolean {
  const host = new URL(href).hostname.toLowerCase()
  if (host === own.toLowerCase() || PRIVATE.test(host)) return false
  return host.startsWith('[') || (host.includes('.') && !INSIDE.some((end) => host.endsWith(end)))
}
