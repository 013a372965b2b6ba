import { fairShares, truncateToSize } from '../alerts/display-text.js';
import type { Message, MessageSection } from '../alerts/message.js';
import { headTexts, itemText, sectionLines, tailTexts } from './plain-text.js';

/** What a service accepts. */
export interface TextLimits {
  /** The size of all parts together. */
  readonly maxSize: number;
  /** The size of one part. */
  readonly maxPart?: number;
  /** The size of a text, character by character: two texts together are as large as both. */
  readonly sizeOf: (text: string) => number;
}

/** A shorter beginning of a text says nothing. */
const MIN_TEXT_SIZE = 24;

/**
 * The parts of a message between title and fields, within limits. Each alert keeps its title; the space that is left is shared fairly
 * between the texts, which keep their beginning. The number of texts that have no space is shown.
 */
export function fittingParts(message: Message, limits: TextLimits): string[] {
  const { maxSize, maxPart = maxSize, sizeOf } = limits;
  const parts = [
    ...headTexts(message).map((text) => ({
      fixed: 0,
      whole: sizeOf(text),
      fit: (size: number) => truncateToSize(text, size, sizeOf),
    })),
    ...message.sections.map((section) => ({
      fixed: Math.min(sizeOf(sectionText(withoutTexts(section))), maxPart),
      whole: sizeOf(sectionText(section)),
      fit: (size: number) => fittingSection(section, size, sizeOf),
    })),
    ...tailTexts(message).map((text) => ({
      fixed: sizeOf(text),
      whole: sizeOf(text),
      fit: (size: number) => truncateToSize(text, size, sizeOf),
    })),
  ];
  const fixed = fairShares(
    parts.map((part) => part.fixed),
    maxSize,
  );
  const left = maxSize - fixed.reduce((sum, size) => sum + size, 0);
  const extra = fairShares(
    parts.map(({ whole }, index) => Math.max(0, Math.min(whole, maxPart) - (fixed[index] ?? 0))),
    left,
  );
  return parts.flatMap(({ fit }, index) => {
    const size = (fixed[index] ?? 0) + (extra[index] ?? 0);
    return size === 0 ? [] : [fit(size)];
  });
}

/** A message whose texts have at most `maxLength` characters together, each its fair share. */
export function withFittingTexts(message: Message, maxLength: number): Message {
  const texts = message.sections.flatMap(({ text, items }) => [text, ...items.map((item) => item.text)]);
  const shares = fairShares(
    texts.map((text) => text.length),
    maxLength,
  );
  let next = 0;
  const fit = (text: string): string => truncateToSize(text, shares[next++] ?? 0, (part) => part.length);
  return {
    ...message,
    sections: message.sections.map((section) => ({
      ...section,
      text: fit(section.text),
      items: section.items.map((item) => ({ ...item, text: fit(item.text) })),
    })),
  };
}

const sectionText = (section: MessageSection): string => sectionLines(section).join('\n');

const withoutTexts = (section: MessageSection): MessageSection => ({
  ...section,
  text: '',
  items: section.items.map((item) => ({ ...item, text: '' })),
});

function fittingSection(section: MessageSection, maxSize: number, sizeOf: (text: string) => number): string {
  const whole = sectionText(section);
  if (sizeOf(whole) <= maxSize) return whole;
  const bare = withoutTexts(section);
  const lineBreak = sizeOf('\n');
  const texts = [section.text, ...section.items.map(({ text }) => text)];
  // Room for the line that says how many texts are left out.
  const left = maxSize - sizeOf(sectionText(bare)) - lineBreak - sizeOf(leftOut(texts.length));
  const needs = texts.map((text, index) =>
    text === '' ? 0 : lineBreak + sizeOf(index === 0 ? text : itemText(text)),
  );
  const shares = fairShares(needs, left);
  let omitted = 0;
  const fit = (text: string, index: number): string => {
    const share = shares[index] ?? 0;
    if (text === '' || share >= (needs[index] ?? 0)) return text;
    if (share < MIN_TEXT_SIZE) {
      omitted += 1;
      return '';
    }
    const shown = (part: string): string => (index === 0 ? part : itemText(part));
    // Each line is indented, so what counts is the size as shown.
    return truncateToSize(
      text,
      share - lineBreak - sizeOf(shown('')),
      (part) => sizeOf(shown(part)) - sizeOf(shown('')),
    );
  };
  const fitted = {
    ...section,
    text: fit(section.text, 0),
    items: section.items.map((item, index) => ({ ...item, text: fit(item.text, index + 1) })),
  };
  const lines = [...sectionLines(fitted), ...(omitted > 0 ? [leftOut(omitted)] : [])].join('\n');
  return truncateToSize(lines, maxSize, sizeOf);
}

const leftOut = (count: number): string =>
  `… without the ${count === 1 ? 'text of 1 alert' : `texts of ${count} alerts`}`;
