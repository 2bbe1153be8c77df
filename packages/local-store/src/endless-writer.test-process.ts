// Run by the durability tests as a process of its own: writes documents until it is killed, or one and then nothing.
import { sketchDocument, suiteAnalyser, suiteManifest } from '@aquifer/contracts/testing';
import { openLocalStore } from './open-local-store.js';

const [location = '', how] = process.argv.slice(2);
const store = await openLocalStore({ location, analyser: suiteAnalyser });
await store.writeManifest(suiteManifest(4));
const write = (id: string, version: number): Promise<void> =>
  store.replaceDocument(
    sketchDocument(
      id,
      Array.from({ length: 3 + (version % 5) }, (_, index) => ({
        id: `${version}:${id}:${index}`,
        text: `shared words of version ${version}`,
      })),
    ),
  );
await write('changing', 0);
if (how === 'idle') {
  // An open channel to the parent would keep the process alive as well.
  process.disconnect();
} else {
  for (let version = 1; ; version++) {
    await write('changing', version);
    await write(`${process.pid} ${version % 40}`, version);
    if (version === 1) process.send?.('writing');
  }
}
