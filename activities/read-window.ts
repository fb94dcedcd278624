import { canonicalDigest } from './canonical-json.ts';
import { windowAt } from './change-window.ts';
import type { Services } from './services.ts';
import type { StepId } from '../workflows/steps.ts';

export type WindowAnswer =
  | { readonly open: true }
  /** `digest` is what a person names who lets the write begin all the same. */
  | { readonly open: false; readonly opensAt: number; readonly why: string; readonly digest: string };

export interface WindowQuestion {
  readonly app: string;
  readonly step: StepId;
}

/** Whether a write of an app may begin now, by the change windows and freezes of its target file. */
export async function readWindow({ targets }: Services, { app, step }: WindowQuestion): Promise<WindowAnswer> {
  const { windows, freezes } = await targets.read(app);
  const state = windowAt(windows, freezes, Date.now());
  if (state.open) return state;
  return { ...state, digest: canonicalDigest({ gate: 'window', app, step, opensAt: state.opensAt }) };
}
