// Writes the JSON Schema of aquifer.config.json from the settings. Run it after changing them (a test compares the two).
import { writeFileSync } from 'node:fs';
import { configurationSchema } from 'aquifer';

const target = new URL('../packages/aquifer/aquifer.config.schema.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(configurationSchema(), null, 2)}\n`);
