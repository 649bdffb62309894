/** Builds what `npm pack` ships: compiled JavaScript with types, the guard for old Node, the dashboard and the JSON Schema. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
copyFileSync('src/cli/headgate.js', 'dist/cli/headgate.js');
chmodSync('dist/cli/headgate.js', 0o755);
cpSync('src/admin/dashboard', 'dist/admin/dashboard', { recursive: true });
copyFileSync('docs/headgate.schema.json', 'dist/headgate.schema.json');
