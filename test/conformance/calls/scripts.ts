import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest } from './call-test.js';

const nowhere = 999_999;
const file = (content: string): File => new File([content], 'script.sh');

export const scripts: readonly CallTest[] = [
  {
    call: 'GET /scripts',
    client: 'scripts.list',
    shows: 'all scripts',
    run: async ({ api }) => {
      expect((await all(api.scripts.list())).map(({ id }) => id)).toEqual([31, 32]);
      expect((await api.scripts.listPage({ limit: 1 })).hasMore).toBe(true);
    },
  },
  {
    call: 'GET /scripts/{SCRIPT_ID}',
    client: 'scripts.retrieve',
    shows: 'one script with its content',
    run: async ({ api }) => {
      expect((await api.scripts.retrieve(32)).attributes.content).toBe('#!/bin/bash\necho "Hello!"');
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.scripts.retrieve(nowhere) }],
  },
  {
    call: 'POST /scripts',
    client: 'scripts.create',
    shows: 'uploads a script unchanged',
    run: async ({ api }) => {
      const content = '#!/bin/zsh\r\necho "grün"\n';
      const made = await api.scripts.create({
        name: 'My New Script',
        file: file(content),
        variableSupport: true,
      });
      expect((await api.scripts.retrieve(made.id)).attributes).toMatchObject({
        name: 'My New Script',
        content,
        variable_support: true,
      });
    },
    refuses: [
      {
        when: 'the file has no shebang',
        status: 422,
        run: ({ api }) => api.scripts.create({ name: 'x', file: file('echo hello') }),
      },
      {
        when: 'the name is empty',
        status: 422,
        run: ({ api }) => api.scripts.create({ name: '', file: file('#!/bin/sh') }),
      },
    ],
  },
  {
    call: 'PATCH /scripts/{SCRIPT_ID}',
    client: 'scripts.update',
    shows: 'changes only the given attributes',
    run: async ({ api }) => {
      await api.scripts.update(32, { name: 'My Renamed Script', variableSupport: false });
      const changed = await api.scripts.update(32, { file: file('#!/bin/bash\necho "Goodbye!"') });
      expect(changed.attributes).toMatchObject({
        name: 'My Renamed Script',
        variable_support: false,
        content: '#!/bin/bash\necho "Goodbye!"',
      });
    },
    refuses: [
      {
        when: 'the file has no shebang',
        status: 422,
        run: ({ api }) => api.scripts.update(32, { file: file('echo hello') }),
      },
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => api.scripts.update(nowhere, { name: 'x' }),
      },
    ],
  },
  {
    call: 'DELETE /scripts/{SCRIPT_ID}',
    client: 'scripts.delete',
    shows: 'deletes the script and keeps its jobs',
    run: async ({ api }) => {
      const job = await api.scriptJobs.create({ scriptId: 32, deviceIds: [54] });
      expect(await api.scripts.delete(32)).toBe(204);
      expect((await all(api.scripts.list())).map(({ id }) => id)).toEqual([31]);
      expect((await api.scriptJobs.retrieve(job.id)).attributes.script_name).toBe('script-8ilpJ');
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.scripts.delete(nowhere) }],
  },
];
