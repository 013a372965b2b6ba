import type { Script } from './fleet.js';

/** The scripts of the reference (Scripts, List all). */
export const initialScripts: readonly Script[] = [
  {
    id: 31,
    name: 'Say hi',
    content:
      '#!/bin/bash\r\ncurrentUser=$( echo "show State:/Users/ConsoleUser" | scutil | awk \'/Name :/ { print $3 }\' )\r\nuid=$(id -u "$currentUser")\r\nlaunchctl asuser $uid say hi',
    variable_support: false,
    created_at: '2022-01-05T11:33:33.600-08:00',
    updated_at: '2022-01-05T11:33:33.600-08:00',
  },
  {
    id: 32,
    name: 'script-8ilpJ',
    content: '#!/bin/bash\necho "Hello!"',
    variable_support: true,
    created_at: '2022-05-31T10:56:50.232-07:00',
    updated_at: '2022-05-31T10:56:50.232-07:00',
  },
];
