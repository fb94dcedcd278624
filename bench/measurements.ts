import { approval } from './approval/index.ts';
import { cutover } from './cutover/index.ts';
import { dbosCost, engineCost } from './engine/index.ts';
import { historyCost } from './history/index.ts';
import { many } from './many/index.ts';
import type { Measurement } from './measurement.ts';
import type { MeasurementId } from './options.ts';
import { start } from './start/index.ts';
import { together } from './together/index.ts';

export const measurements: Readonly<Record<MeasurementId, Measurement>> = {
  history: historyCost,
  start,
  approval,
  many,
  together,
  cutover,
  engine: engineCost,
  dbos: dbosCost,
};
