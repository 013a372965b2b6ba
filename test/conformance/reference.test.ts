import { describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { EXCERPT, readExcerpt, readReference } from './reference/read-reference.js';
import { withoutProse } from './reference/without-prose.js';

const reference = readExcerpt();
const fullText = process.env['SIMPLEMDM_API_REFERENCE'];

describe('the reference', () => {
  test('documents 99 calls, one of them misprinted', () => {
    const calls = reference.calls.map(({ call }) => call);
    expect(calls).toHaveLength(99);
    expect(new Set(calls).size).toBe(99);
    expect(calls).toContain('DELETE /enrollments/{ENROLLMENT_ID}');
  });

  test('has the mistakes that corrections.ts corrects', () => {
    expect(reference.unusedCorrections).toEqual([]);
  });

  test.each([
    ['Account', 2],
    ['Apps', 6],
    ['Assignment Groups', 13],
    ['Custom Attributes', 9],
    ['Custom Configuration Profiles', 9],
    ['DEP Servers', 5],
    ['Devices', 21],
    ['Device Groups', 4],
    ['Enrollments', 4],
    ['Installed Apps', 4],
    ['Logs', 2],
    ['Lost Mode', 4],
    ['Managed App Configs', 4],
    ['Push Certificate', 3],
    ['Scripts', 5],
    ['Script Jobs', 4],
  ])('section %s has %i calls', (section, count) => {
    expect(reference.calls.filter((call) => call.section === section)).toHaveLength(count);
  });

  test('its curl examples match their calls', () => {
    const others = reference.calls.flatMap(({ section, title, call, curl }) => {
      if (curl === undefined) return [];
      const shape = call.replace(/\{\w+\}/g, '*');
      const pattern = new RegExp(`^${call.replace(/\{\w+\}/g, '[^/]+')}$`);
      return pattern.test(curl) ? [] : [`${section} / ${title}: ${curl} is not ${shape}`];
    });
    expect(others).toEqual([]);
  });

  test('has examples of an error, a page and a webhook', () => {
    expect([...reference.general.keys()]).toEqual(['Errors', 'Pagination', 'Webhooks']);
  });

  test('names the arguments, and which of them are required', () => {
    const create = reference.calls.find(({ call }) => call === 'POST /scripts');
    expect(create?.arguments).toEqual([
      { name: 'name', required: true },
      { name: 'variable_support', required: false },
      { name: 'file', required: true },
    ]);
  });
});

/** Set SIMPLEMDM_API_REFERENCE to the file with the whole text to check the excerpt, and UPDATE_REFERENCE=1 to write it. */
(fullText === undefined ? test.skip : test)('the excerpt is the whole reference without its prose', () => {
  const text = readFileSync(fullText ?? '', 'utf8');
  if (process.env['UPDATE_REFERENCE'] !== undefined) writeFileSync(EXCERPT, withoutProse(text));
  expect(readFileSync(EXCERPT, 'utf8')).toBe(withoutProse(text));
  expect(readReference(text)).toEqual(readExcerpt());
});
