import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';

const folder = 'docs/images';
/** Of one image, in bytes: the pages that show them are read at night, over whatever connection there is. */
export const imageLimit = 150_000;

/**
 * Keeps what the page shows as an image of the guides, where `CUTOVER_WRITE_IMAGES` is set; else does nothing. The tests
 * that come here have asserted what it shows.
 *
 * @param name of the file, without its ending
 * @param down to where the page is shown: a height in pixels, or the lower edge of something on it
 */
export async function keepImage(page: Page, name: string, down: number | Locator): Promise<void> {
  if (process.env['CUTOVER_WRITE_IMAGES'] === undefined) return;
  const file = path.join(folder, `${name}.png`);
  const { width = 1280, height = 0 } = page.viewportSize() ?? {};
  const lower = typeof down === 'number' ? down : await lowerEdge(down);
  await page.screenshot({
    path: file,
    clip: { x: 0, y: 0, width, height: Math.min(height, lower) },
    animations: 'disabled',
    caret: 'hide',
  });
  const { size } = await stat(file);
  if (size > imageLimit) throw new Error(`${file} has ${size} bytes, and ${imageLimit} are the most`);
}

async function lowerEdge(locator: Locator): Promise<number> {
  const box = await locator.boundingBox();
  if (box === null) throw new Error('what an image ends with is not on the page');
  return Math.ceil(box.y + box.height + 24);
}
