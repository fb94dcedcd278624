// A workflow that does nothing but end with a record, for record-keeping.test.ts.
export { keepRecord } from '../../workflows/record.ts';
