export { productionCutover } from './cutover.ts';
export { rotateCredential, startRotation } from './rotation.ts';
