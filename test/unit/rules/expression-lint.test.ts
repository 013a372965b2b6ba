import { describe, expect, test } from '@jest/globals';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';

const problemsWith = (condition: string): readonly string[] => {
  const text = `rules:\n  - id: r\n    on: device.enrolled\n    if: |\n      ${condition}\n    do: [log: hi]\n`;
  const { problems } = compileRuleFiles([{ name: 'r.yaml', text }], serviceVocabulary({}, ['default']));
  return problems.map((problem) => problem.text);
};

describe('a comparison that may be meant is not a problem', () => {
  test.each([
    'event.data.growth_ratio > 1.5',
    'event.data.device.compression_ratio == 3',
    'attributes.aspect_ratio == "16"',
    'device.capacity_free_ratio < 0.1',
    'device.platform == null || device.platform != "macOS"',
    'device.platform in ["iOS", "iPadOS"]',
    'event.data.platform == "MacOS"',
    'device.os_version == "15.1" || device.os_version.startsWith("15.")',
    'version(device.os_version) >= version("15") && version(device.os_version) < version("16")',
    'apps.exists(platform, platform.identifier == "com.example.mac")',
    'apps.filter(a, a.managed == true).size() > 3 && apps.exists(a, a.version != null)',
    'device.attributes.department == "Sales" || has(attributes.room)',
    'cel.bind(name, device.name, name.startsWith("lab-") || glob(name, "*-lab"))',
    'size(logs.filter(l, l.event_type == "script.ran")) > 0',
  ])('%s', (condition) => {
    expect(problemsWith(condition)).toEqual([]);
  });
});

describe('a comparison that cannot be meant is a problem', () => {
  test.each([
    ['device.capacity_free_ratio < 10', 'is a ratio between 0 and 1; write 0.1 for 10 %'],
    ['device.platform == "MacOS"', 'did you mean "macOS"?'],
    ['device.os_version < "15.1"', 'write version(device.os_version) < version("15.1")'],
    ['apps.exists(a, a.version < "9")', 'write version(a.version) < version("9")'],
  ])('%s', (condition, message) => {
    expect(problemsWith(condition)).toEqual([expect.stringContaining(message)]);
  });
});
