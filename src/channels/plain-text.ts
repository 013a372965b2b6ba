import type { Message, MessageSection } from '../alerts/message.js';

/** The lines of a section: its heading, its items, and how many more there are. */
export function sectionLines({ heading, items, more }: MessageSection): string[] {
  return [
    ...(heading === undefined ? [] : [heading]),
    ...items.map(({ title }) => `• ${title}`),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ];
}

/** A section as a text. */
export function sectionText(section: MessageSection): string {
  return sectionLines(section).join('\n');
}

/** What is known about a message, on one line. */
export function fieldLine(fields: Message['fields']): string {
  return fields.map(({ name, value }) => `${name}: ${value}`).join('  ·  ');
}

/** A whole message as a text, without its title. */
export function bodyText({ text, sections, fields }: Message): string {
  return [text, ...sections.map(sectionText), fieldLine(fields)].filter((part) => part !== '').join('\n\n');
}
