import type { Machine } from './machine.ts';
import { keychain } from './macos.ts';
import { nssStores } from './nss.ts';
import type { Authority, TrustStore } from './store.ts';
import { systemStore } from './system-linux.ts';
import { rootStore } from './windows.ts';

/** Every trust store of the machine as it is now, that of the system first. Only looks. */
export async function trustStores(machine: Machine, authority: Authority | null): Promise<TrustStore[]> {
  if (machine.platform === 'darwin') return [await keychain(machine, authority)];
  if (machine.platform === 'win32') return [await rootStore(machine, authority)];
  return [systemStore(machine, authority), ...(await nssStores(machine, authority))];
}

/** True if somebody on this machine would believe it. The system's store is looked at first: that costs no process. */
export async function isTrusted(machine: Machine, authority: Authority): Promise<boolean> {
  if (machine.platform === 'linux' && systemStore(machine, authority).trusted) return true;
  return (await trustStores(machine, authority)).some(({ trusted }) => trusted);
}
