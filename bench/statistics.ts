/**
 * The value below which a share of the values lies, by the nearest rank: always one that was measured.
 *
 * @param share from 0 to 1
 * @throws RangeError where there is no value
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('no value was measured');
  return value;
}

/**
 * The middle value, or the mean of the two in the middle.
 *
 * @throws RangeError where there is no value
 */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError('no value was measured');
  return (lower + upper) / 2;
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * The slope and intercept of the straight line that is nearest to the points by least squares, and the largest distance
 * of a point from it: how a figure grows with the work, and whether it does so evenly.
 *
 * @throws RangeError where the points have fewer than two places
 */
export function straightLine(points: readonly (readonly [number, number])[]): {
  slope: number;
  intercept: number;
  off: number;
} {
  const n = points.length;
  const meanX = sum(points.map(([x]) => x)) / n;
  const meanY = sum(points.map(([, y]) => y)) / n;
  const spread = sum(points.map(([x]) => (x - meanX) ** 2));
  if (!(spread > 0)) throw new RangeError('a line wants points at two places at least');
  const slope = sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spread;
  const intercept = meanY - slope * meanX;
  const off = Math.max(...points.map(([x, y]) => Math.abs(y - intercept - slope * x)));
  return { slope, intercept, off };
}
