import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { PLATFORMS } from '../../../src/enrichment/platform.js';
import { FACTS } from '../../../src/enrichment/registry.js';
import { conditionValues, eventValue } from '../../../src/enrichment/rule-values.js';
import { fieldsOf, shapeOf } from '../../../src/enrichment/schema-shape.js';
import type { Shape } from '../../../src/rules/model/vocabulary.js';

describe('shapeOf', () => {
  test.each<[string, z.ZodType, Shape]>([
    ['name', z.string(), 'string'],
    ['name', z.string().min(1).nullish(), 'string'],
    ['enrolled_at', z.string().nullish(), 'time'],
    ['previous_scan_date', z.string().optional(), 'time'],
    ['format', z.string(), 'string'],
    ['update', z.string(), 'string'],
    ['count_at', z.number(), 'number'],
    ['count', z.int().nullable(), 'number'],
    ['capacity', z.union([z.number(), z.string().transform(Number)]).nullish(), 'number'],
    ['level', z.union([z.string(), z.number().transform(String)]).nullish(), 'string'],
    ['flag', z.boolean().default(false), 'bool'],
    ['parsed', z.string().transform(Number), 'string'],
    ['macs', z.array(z.string()).nullish(), { list: 'string' }],
    ['anything', z.unknown(), 'any'],
    ['map', z.record(z.string(), z.unknown()), 'any'],
    [
      'firewall',
      z.looseObject({ enabled: z.boolean().nullish(), set_at: z.string() }).nullish(),
      { fields: { enabled: 'bool', set_at: 'time' } },
    ],
    ['list', z.array(z.looseObject({ id: z.int() })), { list: { fields: { id: 'number' } } }],
  ])('%s', (name, schema, expected) => {
    expect(shapeOf(schema, name)).toEqual(expected);
  });

  test('fieldsOf has every field', () => {
    expect(fieldsOf(z.looseObject({ a: z.string(), b_at: z.string(), c: z.unknown() }))).toEqual({
      a: 'string',
      b_at: 'time',
      c: 'any',
    });
  });

  test('the device fact has the common fields and no secrets', () => {
    expect(FACTS['device']?.shape).toMatchObject({
      fields: {
        id: 'number',
        group_id: 'number',
        platform: { oneOf: [...PLATFORMS] },
        capacity_free_ratio: 'number',
        name: 'string',
        serial_number: 'string',
        is_supervised: 'bool',
        enrolled_at: 'time',
        last_seen_at: 'time',
        device_capacity: 'number',
        firewall: { fields: { enabled: 'bool' } },
        os_update: { fields: { previous_scan_date: 'time' } },
        ethernet_macs: { list: 'string' },
      },
    });
    expect(JSON.stringify(FACTS)).not.toMatch(
      /"(filevault_recovery_key|firmware_password|recovery_lock_password)"/,
    );
  });
});

describe('conditionValues', () => {
  const TEXT = '2024-01-01T00:00:00.000-07:00';
  const DATE = new Date(TEXT);

  test('times of the event and of facts become dates at any depth', () => {
    expect(
      conditionValues({
        event: { at: TEXT, received_at: TEXT, type: 'x' },
        device: { enrolled_at: TEXT, name: TEXT, os_update: { previous_scan_date: TEXT, catalog_url: TEXT } },
        apps: [{ discovered_at: TEXT, name: TEXT }],
        logs: [{ at: TEXT, source: TEXT }],
      }),
    ).toEqual({
      event: { at: DATE, received_at: DATE, type: 'x' },
      device: { enrolled_at: DATE, name: TEXT, os_update: { previous_scan_date: DATE, catalog_url: TEXT } },
      apps: [{ discovered_at: DATE, name: TEXT }],
      logs: [{ at: DATE, source: TEXT }],
    });
  });

  test('data of the account stays text', () => {
    const values = {
      event: { data: { at: TEXT, device: { enrolled_at: TEXT } } },
      attributes: { bought_at: TEXT },
      steps: { hello: { finished_at: TEXT } },
      unheard_of: { created_at: TEXT },
    };
    expect(conditionValues(values)).toEqual(values);
  });

  test('an invalid time becomes null; null and undefined are kept', () => {
    expect(
      conditionValues({
        device: { enrolled_at: 'yesterday', last_seen_at: null, location_updated_at: 5, firewall: null },
        apps: null,
        group: undefined,
      }),
    ).toEqual({
      device: { enrolled_at: null, last_seen_at: null, location_updated_at: null, firewall: null },
      apps: null,
      group: undefined,
    });
  });

  test('the input is not changed', () => {
    const values = { device: { enrolled_at: TEXT } };
    conditionValues(values);
    expect(values).toEqual({ device: { enrolled_at: TEXT } });
  });
});

test('eventValue has exactly the names that rules use', () => {
  const event = {
    id: 'i',
    account: 'default',
    type: 'test_event',
    at: '2024-01-01T00:00:00Z',
    receivedAt: '2024-01-01T00:00:01Z',
    source: 'webhook' as const,
    data: { a: 1 },
  };
  expect(eventValue(event)).toEqual({
    id: 'i',
    account: 'default',
    type: 'test_event',
    at: '2024-01-01T00:00:00Z',
    received_at: '2024-01-01T00:00:01Z',
    source: 'webhook',
    data: { a: 1 },
  });
});
