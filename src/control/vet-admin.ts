import type { Config } from '../config/schema/config.ts';
import type { Complaints } from './complaints.ts';
import { tokenProblem } from './token-file.ts';

/** The file with the token must be there, and hold one. */
export function vetAdmin({ admin }: Config, complaints: Complaints): void {
  if (admin.tokenFile === undefined) return;
  const problem = tokenProblem(admin.tokenFile);
  if (problem === null) return;
  complaints.add(['admin', 'tokenFile'], { code: 'HG0101', message: `cannot use “${admin.tokenFile}”: ${problem}` });
}
