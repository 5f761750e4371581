import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configurationDocs } from '../../../scripts/configuration-docs.ts';
import { configJsonSchema } from '../../../src/core/config/config.ts';

describe('the configuration reference', () => {
  it('is current: "npm run docs:config" writes docs/configuration.md', () => {
    const file = readFileSync(join(import.meta.dirname, '../../../docs/configuration.md'), 'utf8');
    expect(configurationDocs()).toBe(file);
  });

  it('contains every key of the JSON Schema, and each key has a description there', () => {
    const keys = [...keysOf(configJsonSchema() as JsonSchema, '')];
    expect(keys.length).toBeGreaterThan(100);
    // Each is a promise for years: a key that no newsroom would set is a constant.
    expect(new Set(keys.map(({ path }) => path)).size).toBeLessThanOrEqual(180);
    expect(keys.filter(({ description }) => !/^\S.*\.$/.test(description)).map(({ path }) => path)).toEqual([]);
    const headings = configurationDocs().matchAll(/^##+ `(.+)`$/gm);
    expect(keys.map(({ path }) => path).sort()).toEqual([...headings].map(([, path]) => path).sort());
  });
});

interface JsonSchema {
  description?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  additionalProperties?: JsonSchema | false;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

function* keysOf(schema: JsonSchema, path: string): Iterable<{ path: string; description: string }> {
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? name : `${path}.${name}`;
    yield { path: at, description: inner.description ?? '' };
    yield* keysOf(inner, at);
  }
  if (schema.items !== undefined) yield* keysOf(schema.items, `${path}[]`);
  if (schema.additionalProperties) yield* keysOf(schema.additionalProperties, `${path}.*`);
  const ofForms = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((form) => [...keysOf(form, path)]);
  // A key that several forms have is described once.
  yield* new Map(ofForms.toReversed().map((key) => [key.path, key])).values();
}
