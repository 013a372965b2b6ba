import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { envReferencesIn, resolveEnvReferences } from '../../../src/config/env-reference.js';
import { didYouMean, nearestName } from '../../../src/errors/did-you-mean.js';

describe('nearestName', () => {
  test.each<[string, string[], string | undefined]>([
    ['lgo', ['log', 'notify'], 'log'],
    ['asign_device_group', ['assign_device_group', 'log'], 'assign_device_group'],
    ['Device', ['group', 'device'], 'device'],
    ['nmae', ['name', 'model_name'], 'name'],
    ['completely_different', ['log', 'notify'], undefined],
    ['x', [], undefined],
    ['name', ['name', 'nam'], 'name'],
  ])('%s among %j is %s', (name, candidates, expected) => {
    expect(nearestName(name, candidates)).toBe(expected);
    expect(didYouMean(name, candidates)).toBe(expected === undefined ? '' : `; did you mean "${expected}"?`);
  });

  test('one wrong letter in a long name always finds the name', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{6,20}$/), fc.nat(), (name, position) => {
        const at = position % name.length;
        expect(nearestName(`${name.slice(0, at)}_${name.slice(at + 1)}`, [name])).toBe(name);
      }),
    );
  });
});

describe('${env:NAME}', () => {
  test.each<[string, string[]]>([
    ['plain', []],
    ['${env:A}', ['A']],
    ['x ${env:A} y ${env:_B2}', ['A', '_B2']],
    ['${env:1A} ${env:} ${ENV:A} $env:A {env:A} ${env:A-B}', []],
  ])('%s refers to %j', (text, names) => {
    expect(envReferencesIn(text)).toEqual(names);
  });

  test('values are inserted verbatim and not expanded again', () => {
    const env = { A: '$& ${env:B} $1', B: 'b' };
    expect(resolveEnvReferences('<${env:A}> ${env:B}', env)).toBe('<$& ${env:B} $1> b');
  });

  test('an empty variable is valid; a missing variable is an error with its name', () => {
    expect(resolveEnvReferences('${env:A}', { A: '' })).toBe('');
    expect(() => resolveEnvReferences('${env:A} ${env:NOPE}', { A: 'a' })).toThrow(
      'the environment variable NOPE is not set',
    );
  });
});
