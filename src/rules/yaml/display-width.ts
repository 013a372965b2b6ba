const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Graphemes that terminals show two columns wide: emoji and East Asian scripts. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Emoji}\uFE0F|[\u1100-\u115F\u2E80-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}])/u;

/** Blanks of the same display width as a text. Tabs stay tabs, so that a caret below lines up. */
export function blanksFor(text: string): string {
  return Array.from(GRAPHEMES.segment(text), ({ segment }) =>
    segment === '\t' ? '\t' : WIDE.test(segment) ? '  ' : ' ',
  ).join('');
}
