import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The Markdown pages of the project, relative to its root. */
export function markdownPages(root: string): string[] {
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  return [...readdirSync(root), ...inDocs.map((name) => join('docs', name))]
    .filter((name) => name.endsWith('.md'))
    .sort();
}

/** The text of a page without its code blocks. */
export function withoutCodeBlocks(markdown: string): string {
  return markdown.replace(/^( *)(`{3,})[^`\n]*\n[^]*?^\1\2$/gm, '');
}

/** The anchors of a page's headings, as GitHub makes them. */
export function headingAnchors(path: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCodeBlocks(readFileSync(path, 'utf8')).matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let free = anchor;
    for (let count = 1; anchors.has(free); count += 1) free = `${anchor}-${count}`;
    anchors.add(free);
  }
  return anchors;
}
