export { productionCutover } from './cutover.ts';
export { stagingSoak } from './staging-soak.ts';
export { rotateCredential, startRotation } from './rotation.ts';
