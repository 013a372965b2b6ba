import type { Environment } from '@marcbachmann/cel-js';
import { isNativeError } from 'node:util/types';
import { didYouMean } from '../config/nearest-name.js';
import { errorText } from '../telemetry/error-text.js';
import { EVENT_SHAPE } from './vocabulary.js';
import type { Shape } from './vocabulary.js';

/** A problem in an expression and how many characters into it. */
export interface ExpressionProblem {
  readonly message: string;
  readonly offset: number;
}

/** What the library found wrong with an expression, in words for the author of a rule. */
export function problemFrom(
  error: unknown,
  text: string,
  shapes: Readonly<Record<string, Shape>>,
  checking: Environment,
): ExpressionProblem {
  const summary = summaryOf(error);
  const offset = offsetOf(error);
  const names = { event: EVENT_SHAPE, ...shapes };
  const field = /^No such key: (\S+)/.exec(summary)?.[1];
  if (field !== undefined)
    return { message: `unknown field "${field}"${didYouMean(field, fieldNames(names))}`, offset };
  const variable = /^Unknown variable: (\S+)/.exec(summary)?.[1];
  if (variable !== undefined) {
    return {
      message: `unknown name "${variable}"${didYouMean(variable, Object.keys(names))} (known here: ${Object.keys(names).join(', ')})`,
      offset,
    };
  }
  const called = /for '(?:.*\.)?(\w+)\(/.exec(summary)?.[1];
  if (called !== undefined) {
    const functions = checking.getDefinitions().functions.map((definition) => definition.name);
    if (!functions.includes(called)) {
      return {
        message: `unknown function "${called}"${didYouMean(called, functions)}`,
        offset: Math.max(offset, text.indexOf(called, offset)),
      };
    }
  }
  return { message: readableType(summary), offset };
}

function fieldNames(shapes: Readonly<Record<string, Shape>>): string[] {
  return Object.values(shapes).flatMap((shape): string[] => {
    if (typeof shape === 'string') return [];
    if ('list' in shape) return fieldNames({ item: shape.list });
    if ('mapOf' in shape) return [];
    return [...Object.keys(shape.fields), ...fieldNames(shape.fields)];
  });
}

export function readableType(text: string): string {
  return text
    .replace(/Fact_(\w+)/g, '$1')
    .replace(/google\.protobuf\.Timestamp/g, 'time')
    .replace(/\bdouble\b/g, 'number')
    .replace(/^no such overload: /, 'these do not go together: ')
    .replace(/^found no matching overload for /, 'this cannot be called so: ');
}

export function summaryOf(error: unknown): string {
  return isNativeError(error) && 'summary' in error && typeof error.summary === 'string'
    ? error.summary
    : errorText(error);
}

export function codeOf(error: unknown): unknown {
  return isNativeError(error) && 'code' in error ? error.code : undefined;
}

function offsetOf(error: unknown): number {
  if (!isNativeError(error) || !('range' in error)) return 0;
  const { range } = error;
  return typeof range === 'object' && range !== null && 'start' in range && typeof range.start === 'number'
    ? range.start
    : 0;
}
