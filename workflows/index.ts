export { productionCutover } from './cutover.ts';
export { rotateCredential } from './rotation.ts';
