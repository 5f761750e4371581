/**
 * Alerts as data: their kind, what they are about, and what can be done about it. Keys that contained two kinds, or a
 * slash, change with that.
 */
import { type Kysely, sql } from 'kysely';
import { columnTypes } from './column-types.ts';

const FORMER_KEYS = [
  /^(?<kind>failed|late|skipped|waiting):(?<job>.+)$/,
  /^(?<kind>edition|retraction|undelivered):(?<edition>\d+)(?::(?<domain>.+))?$/,
  /^(?<kind>complaints|bounces):(?<newsletter>[^/]+)\/(?<slot>[^@:]+)(?:@(?<revision>\d+))?(?::(?<scope>.+))?$/,
  /^(?<kind>approval-reminder):(?<newsletter>[^:]+):(?<slot>[^:]+):(?<minutes>\d+)$/,
  /^(?<kind>approval-changed|send|unconfigured):(?<newsletter>.+)$/,
  /^(?<kind>stranded-draft):(?<newsletter>[^/]+)\/(?<slot>.+)$/,
  /^(?<kind>service-messages):(?<template>.+)$/,
  /^(?<kind>outlet:held|outlet:feed|source|incomplete|withdrawals):(?<source>.+)$/,
  /^(?<kind>mail-provider:ended|mail-provider:unconfirmed):(?<topic>.+)$/,
];
const DEFAULTS: Record<string, string> = { revision: '1', scope: '' };
const NUMBERS = new Set(['edition', 'revision', 'minutes']);

export async function addAlertData(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const { text } = columnTypes(dialect);
  for (const [column, value] of [
    ['kind', ''],
    ['subject', '{}'],
    ['actions', '[]'],
  ]) {
    await sql.raw(`alter table alerts add column ${column} ${text} not null default '${value}'`).execute(db);
  }
  const { rows } = await sql<{ key: string }>`select key from alerts`.execute(db);
  for (const { key } of rows) {
    const parts = FORMER_KEYS.map((pattern) => pattern.exec(key)?.groups).find((groups) => groups !== undefined);
    const { kind: formerKind = key, ...names } = parts ?? {};
    const kind = formerKind.replace(':', '-');
    const subject = Object.entries(names).flatMap(([name, value = DEFAULTS[name]]) =>
      value === undefined ? [] : [[name, NUMBERS.has(name) ? Number(value) : value] as const],
    );
    const newKey = [kind, ...subject.map(([, value]) => value)].filter((part) => part !== '').join(':');
    await sql`update alerts set key = ${newKey}, kind = ${kind},
      subject = ${JSON.stringify(Object.fromEntries(subject))} where key = ${key}`.execute(db);
  }
}
