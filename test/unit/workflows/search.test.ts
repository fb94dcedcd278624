import { expect, test } from '@jest/globals';
import { searchValues } from '../../../workflows/search.ts';
import type { RunState } from '../../../workflows/state.ts';
import { view } from '../../../workflows/view.ts';
import { events } from './events.ts';
import { failed, opened, passed, preflight, read, started, walk, walkOn, walkTo } from './walk.ts';

const found = (state: RunState): string[] => Object.values(searchValues(view(state)));

test('a run is found by its target, its phase and the message that it waits for', () => {
  expect(found(walk(read))).toEqual(['an-app', 'preflight', 'nothing']);
  expect(found(walk(...preflight, opened('go')))).toEqual(['an-app', 'preflight', 'approve go']);
  expect(found(walk(...preflight, ...passed('go'), started('smoke'), failed('smoke')))[2]).toBe('resolve smoke');
  expect(found(walkOn(walkTo('launch'), opened('launch')))).toEqual(['an-app', 'watch', 'launch']);
  expect(found(walk(read, events.ended))).toEqual(['an-app', 'end', 'nothing']);
});

test('nothing of it is people’s text', () => {
  expect(found(walk(read, opened('window', { about: 'frozen: **quarter end**' })))[2]).toBe('approve window');
});
