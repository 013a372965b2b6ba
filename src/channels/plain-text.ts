import type { Message, MessageSection } from '../alerts/message.js';

/** A section: its heading, its items, and the number of remaining alerts. */
function sectionText({ heading, items, more }: MessageSection): string {
  return [
    ...(heading === undefined ? [] : [heading]),
    ...items.map(({ title }) => `• ${title}`),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ].join('\n');
}

/** The fields of a message on one line. */
export function fieldLine(fields: Message['fields']): string {
  return fields.map(({ name, value }) => `${name}: ${value}`).join('  ·  ');
}

/** The parts of a message between title and fields. */
export function bodyParts({ text, sections, moreGroups }: Message): string[] {
  const more = moreGroups === 1 ? '… and 1 more group' : `… and ${moreGroups} more groups`;
  return [text, ...sections.map(sectionText), moreGroups > 0 ? more : ''].filter((part) => part !== '');
}

/** A message without its title. */
export function bodyText(message: Message): string {
  return [...bodyParts(message), fieldLine(message.fields)].filter((part) => part !== '').join('\n\n');
}
