export { productionCutover } from './cutover.ts';
export { stagingSoak } from './staging-soak.ts';
