// Reads a HAR from standard input; fails with what the published schema has against it.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import * as schemas from 'har-schema';

const ajv = new Ajv({ allErrors: true, schemaId: 'auto', unknownFormats: 'ignore' });
ajv.addMetaSchema((await import('ajv/lib/refs/json-schema-draft-06.json', { with: { type: 'json' } })).default);
for (const schema of Object.values(schemas.default)) ajv.addSchema(schema);
if (!ajv.validate('har.json', JSON.parse(readFileSync(0, 'utf8')))) throw new Error(ajv.errorsText());
