import type { Message, MessageSection } from '../alerts/message.js';

/** The text of an alert below its title. Each line is indented, so that no text can look like another alert. */
export const itemText = (text: string): string => `  ${text.replace(/\n+/g, '\n  ')}`;

/** A section: its heading, its items, and the number of remaining alerts. */
export function sectionLines({ heading, text, items, more }: MessageSection): string[] {
  return [
    ...(heading === undefined ? [] : [heading]),
    ...(text === '' ? [] : [text]),
    ...items.flatMap((item) => [`• ${item.title}`, ...(item.text === '' ? [] : [itemText(item.text)])]),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ];
}

/** The fields of a message on one line. */
export function fieldLine(fields: Message['fields']): string {
  return fields.map(({ name, value }) => `${name}: ${value}`).join('  ·  ');
}

/** The parts of a message before its sections. */
export const headTexts = ({ text }: Message): string[] => (text === '' ? [] : [text]);

/** The parts of a message behind its sections. */
export function tailTexts({ moreGroups }: Message): string[] {
  if (moreGroups === 0) return [];
  return [moreGroups === 1 ? '… and 1 more group' : `… and ${moreGroups} more groups`];
}

/** A message without its title, in full. */
export function bodyText(message: Message): string {
  const sections = message.sections.map((section) => sectionLines(section).join('\n'));
  return [...headTexts(message), ...sections, ...tailTexts(message), fieldLine(message.fields)]
    .filter((part) => part !== '')
    .join('\n\n');
}
