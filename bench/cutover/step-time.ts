/** A step of a cutover, and the milliseconds that it took. */
export interface StepTime {
  readonly step: string;
  readonly ms: number;
}
