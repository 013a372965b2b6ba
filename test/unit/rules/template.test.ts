import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isTemplate } from '../../../src/rules/liquid/template.js';
import { problemWithTemplate, template } from './test-vocabulary.js';

const SECRET = 'the-secret-of-the-service';
const ENV = { SECRET };
const VALUES = {
  event: { type: 'device.enrolled', data: { n: 5, nothing: null } },
  device: { id: 4, name: 'Mac', firewall: null, tags: ['a', 'b'] },
  apps: [{ name: 'Slack' }, { name: 'Zoom' }],
  attributes: { room: 'A1' },
  steps: { hello: { status: 'completed' } },
};

function render(text: string, values: Readonly<Record<string, unknown>> = VALUES): string {
  return template(text).render(values, ENV);
}

test.each([
  ['plain', false],
  ['${env:SECRET}', false],
  ['{ {', false],
  ['{{ device.name }}', true],
  ['{% if true %}{% endif %}', true],
  ['{{', true],
])('isTemplate(%j) is %s', (text, expected) => {
  expect(isTemplate(text)).toBe(expected);
});

describe('rendering', () => {
  test.each([
    ['{{ device.name }} joined', 'Mac joined'],
    ['{{ device.name | upcase }}', 'MAC'],
    ['{{ device["name"] }}', 'Mac'],
    ['{{ attributes.room }}/{{ attributes["room"] }}', 'A1/A1'],
    ['{{ apps | map: "name" | join: ", " }}', 'Slack, Zoom'],
    ['{% for a in apps %}{{ a.name }};{% endfor %}', 'Slack;Zoom;'],
    ['{% if device.firewall.enabled %}on{% else %}off{% endif %}', 'off'],
    ['{% assign n = device.name %}{{ n }}', 'Mac'],
    ['{% raw %}{{ x }}{% endraw %}', '{{ x }}'],
    ['}} {{ device.id }}', '}} 4'],
  ])('%s', (text, expected) => {
    expect(render(text)).toBe(expected);
  });

  test('null renders empty and takes a default, and so does a missing field with a default', () => {
    expect(render('[{{ event.data.nothing }}]')).toBe('[]');
    expect(render('{{ event.data.nothing | default: "-" }}')).toBe('-');
    expect(render('{{ device.firewall.enabled | default: "-" }}')).toBe('-');
    expect(render('{{ event.data.absent | default: "-" }}')).toBe('-');
    expect(render('{{ event.data.absent.deeper | default: "-" }}')).toBe('-');
    expect(render('{{ steps.hello.response | default: "none" }}')).toBe('none');
  });

  test.each([
    ['{{ event.data.absent }}', 'event.data.absent'],
    ['before {{ attributes.absent }} after', 'attributes.absent'],
    ['{{ steps.hello.response }}', 'steps.hello.response'],
    ['{{ apps[7].name }}', 'apps.7'],
    ['{% for a in apps %}{{ a.nmae }}{% endfor %}', 'a.nmae'],
  ])('%s fails and names the part', (text, part) => {
    expect(() => render(text)).toThrow(part);
  });

  test('the message does not include the position of the library', () => {
    expect(() => render('x\n{{ event.data.absent }}')).toThrow(/^undefined variable: event\.data\.absent$/);
  });
});

describe('problems are found when the file loads', () => {
  test.each([
    ['{{ device.nmae }}', 'unknown field "nmae" of device; did you mean "name"?'],
    ['{{ devcie.name }}', 'unknown name "devcie"; did you mean "device"?'],
    ['{{ device.firewall.enbled }}', 'unknown field "enbled" of device.firewall; did you mean "enabled"?'],
    ['{{ device["nmae"] }}', 'unknown field "nmae" of device; did you mean "name"?'],
    ['{{ steps.later.status }}', 'no earlier step has the id "later"'],
    ['{% if device.nmae %}{% endif %}', 'unknown field "nmae" of device; did you mean "name"?'],
    ['{{ device.name | upcas }}', 'unknown filter "upcas"; did you mean "upcase"?'],
    ['{{ device.name', '"{{" is not closed: "}}" is missing'],
    ['{% frob %}', 'unknown tag "frob"; did you mean "for"?'],
  ])('%s', (text, message) => {
    expect(problemWithTemplate(text).message).toBe(message);
  });

  // The offset points into the braces, not to the same word before them.
  test.each([
    ['{{ device.nmae }}', '{{ '],
    ['Hi\n  {{ device.nmae }}', 'Hi\n  {{ '],
    ['a device: {{ device.nmae }}', 'a device: {{ '],
    ['{{ device.name }} {{ device.nmae }}', '{{ device.name }} {{ '],
  ])('the offset of a misspelled field: %j', (text, before) => {
    const { offset } = problemWithTemplate(text);
    expect([before.length, before.length + 'device.'.length]).toContain(offset);
  });

  test.each([
    ['Hi {{ device.name | upcas }}', 'Hi {{ device.name | '.length],
    ['one\ntwo {{ device.name | upcas }}', 'one\ntwo {{ device.name | '.length],
    ['${env:SECRET}\n{{ device.name | upcas }}', '${env:SECRET}\n{{ device.name | '.length],
    ['${env:SECRET} {{ device.name | upcas }}', '${env:SECRET} {{ device.name | '.length],
  ])('the offset of a syntax error: %j', (text, offset) => {
    expect(problemWithTemplate(text).offset).toBe(offset);
  });

  test.each<[string, string[]]>([
    ['{{ device.name }} {{ apps.size }}', ['apps', 'device']],
    ['{% for a in apps %}{{ a.name }} {{ group.name }}{% endfor %}', ['apps', 'group']],
    ['{% assign d = device %}{{ d.name }}', ['device']],
    ['{% if device.p %}{{ attributes.room }}{% endif %}', ['attributes', 'device']],
    ['{{ device.name | default: group.name }}', ['device', 'group']],
    ['${env:SECRET} {{ 1 }}', []],
  ])('%s names %j', (text, names) => {
    expect([...template(text).names].sort()).toEqual(names);
  });
});

describe('${env:NAME}', () => {
  test('is resolved where the author wrote it', () => {
    expect(render('token ${env:SECRET} for {{ device.name }}')).toBe(`token ${SECRET} for Mac`);
  });

  test('fails the template when the variable is not set', () => {
    expect(() => template('${env:NOPE} {{ device.name }}').render(VALUES, ENV)).toThrow(/NOPE/);
  });

  test('is plain text in a value', () => {
    const values = { ...VALUES, device: { name: '${env:SECRET} {{ env_of_the_service.SECRET }}' } };
    expect(render('{{ device.name }}', values)).toBe('${env:SECRET} {{ env_of_the_service.SECRET }}');
    expect(render('${env:SECRET} {{ device.name }}', values)).toBe(
      `${SECRET} \${env:SECRET} {{ env_of_the_service.SECRET }}`,
    );
  });

  test('any name of a device renders unchanged', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '${env:SECRET}',
        '{{ env_of_the_service.SECRET }}',
        '{{',
        '}}',
        '{% include "x" %}',
        '{% raw %}',
        '$',
        '$&',
        '$1',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        const name = pieces.join('');
        fc.pre(!name.includes(SECRET));
        const values = { ...VALUES, device: { name } };
        expect(render('<{{ device.name }}>', values)).toBe(`<${name}>`);
        expect(render('${env:SECRET}<{{ device.name }}>', values)).toBe(`${SECRET}<${name}>`);
      }),
    );
  });

  test('its value is not a template', () => {
    const env = { SECRET: '{{ device.name }} ${env:SECRET}' };
    expect(template('${env:SECRET} {{ device.id }}').render(VALUES, env)).toBe(
      '{{ device.name }} ${env:SECRET} 4',
    );
  });

  test.each([
    '{{ env_of_the_service.SECRET }}',
    '{{ env_of_the_service }}',
    '{{ env_of_the_service | json }}',
  ])('no name gives access to the environment: %s', (text) => {
    expect(problemWithTemplate(text).message).toContain('unknown name');
    expect(problemWithTemplate(`\${env:OTHER} ${text}`).message).toContain('unknown name');
  });

  test.each([
    ['in a quoted text of a tag', '{{ "${env:SECRET}" }}'],
    ['as the argument of a filter', '{{ device.name | append: "${env:SECRET}" }}'],
    ['in a raw block', '{% raw %}${env:SECRET}{% endraw %}'],
  ])('%s the reference is resolved, kept or rejected, but never changed', (_where, text) => {
    let output: string;
    try {
      output = render(text);
    } catch (error) {
      output = String(error);
    }
    expect(output).not.toContain('env_of_the_service');
  });
});

describe('a template reaches nothing but its values', () => {
  test.each([
    "{% include '/etc/passwd' %}",
    "{% include 'package.json' %}",
    "{% render 'package.json' %}",
    "{% layout 'package.json' %}",
  ])('%s is a problem when the file loads', (text) => {
    expect(problemWithTemplate(text).message).not.toBe('');
  });

  test.each(['{% include device.name %}', '{% render device.name %}'])('%s fails', (text) => {
    const values = { ...VALUES, device: { name: 'package.json' } };
    expect(() => template(text).render(values, ENV)).toThrow();
  });

  test.each([
    '{{ event.constructor }}',
    '{{ event.__proto__ }}',
    '{{ event["constructor"] }}',
    '{{ event.data["__proto__"] }}',
    '{{ event.toString }}',
    '{{ event.type.constructor }}',
    '{{ event.data.constructor.constructor }}',
    '{{ attributes.hasOwnProperty }}',
  ])('%s fails', (text) => {
    expect(() => render(text)).toThrow(/undefined variable/);
  });

  test.each(['constructor', 'map'])('a list has no %s', (name) => {
    expect(problemWithTemplate(`{{ apps.${name} }}`).message).toContain(
      `apps is a list and has no "${name}"`,
    );
  });

  test('a prototype member of a known record is a problem when the file loads', () => {
    expect(problemWithTemplate('{{ device.constructor }}').message).toContain('unknown field "constructor"');
    expect(problemWithTemplate('{{ constructor }}').message).toContain('unknown name "constructor"');
  });
});

describe('limits', () => {
  test.each([
    ['a huge range', '{% for i in (1..100000000) %}{% endfor %}'],
    ['nested loops', '{% for i in (1..5000) %}{% for j in (1..5000) %}x{% endfor %}{% endfor %}'],
    [
      'a text that doubles',
      '{% assign s = "aaaaaaaaaa" %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}{{ s }}',
    ],
  ])('%s ends with an error within two seconds of the processor', (_what, text) => {
    const startedAt = process.cpuUsage();
    expect(() => render(text)).toThrow(/limit/);
    // The time of the processor: another program that is busy does not count.
    expect(process.cpuUsage(startedAt).user / 1000).toBeLessThan(2000);
  });

  test('a template of more than 100,000 characters is rejected', () => {
    expect(problemWithTemplate(`{{ 1 }}${'x'.repeat(100_000)}`).message).toContain('limit');
    expect(render(`{{ 1 }}${'x'.repeat(90_000)}`)).toHaveLength(90_001);
  });
});
