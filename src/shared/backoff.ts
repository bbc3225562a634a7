const FIRST_MS = 250;
const MOST_MS = 5_000;

/**
 * How long to wait before each further attempt at something that may take long to come: a quarter of a second, then
 * twice as long each time, five seconds at most; a fifth more or less, as a whole fleet may be waiting for the same.
 */
export function* backoffMs(): Generator<number, never> {
  for (let ms = FIRST_MS; ; ms = Math.min(MOST_MS, ms * 2))
    yield Math.round(ms * (0.8 + 0.4 * Math.random()));
}
