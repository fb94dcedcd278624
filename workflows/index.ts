export { productionCutover } from './cutover.ts';
