/** How this device appears in the person's list of devices. Only what helps to recognise it; `other`: a browser that is
 * not known. */
export function deviceName(agent: string, other: string): string {
  const browser = agent.includes('Edg/')
    ? 'Edge'
    : agent.includes('Firefox/')
      ? 'Firefox'
      : agent.includes('Chrome/')
        ? 'Chrome'
        : agent.includes('Safari/')
          ? 'Safari'
          : other
  const system = agent.includes('iPhone')
    ? 'iPhone'
    : agent.includes('iPad')
      ? 'iPad'
      : agent.includes('Android')
        ? 'Android'
        : agent.includes('Windows')
          ? 'Windows'
          : agent.includes('Mac OS')
            ? 'Mac'
            : agent.includes('Linux')
              ? 'Linux'
              : ''
  return system === '' ? browser : `${browser}(${system})`
}
