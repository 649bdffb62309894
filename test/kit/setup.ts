import { afterAll, afterEach } from 'vitest';
import { stopFile, stopTest } from './stop.ts';

// Vitest runs this before every test file, also where files share a process and its modules: hooks that a module of the kit
// registers while it is loaded would belong to the first file that imports it, and to no other.
afterEach(stopTest);
afterAll(stopFile);
