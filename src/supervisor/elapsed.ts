/** "0.42 s" since a moment of performance.now(). */
export function secondsSince(begun: number): string {
  const ms = performance.now() - begun;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
