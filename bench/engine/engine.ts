import type { Place } from '../measurement.ts';

/** Something that performs workflows of steps durably. */
export interface Engine {
  /** As the table calls it. */
  readonly name: string;
  /** Starts it, and whatever performs its steps, for as long as the measurement lasts. */
  readonly open: (place: Place) => Promise<OpenEngine>;
}

export interface OpenEngine {
  /** Performs a workflow of that many steps that do nothing, to its end. */
  perform(id: string, steps: number): Promise<void>;
  stop(): Promise<void>;
}
