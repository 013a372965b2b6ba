import type { ChannelType } from './channel.js';
import { discord } from './discord.js';
import { email } from './email.js';
import { googleChat } from './google-chat.js';
import { ntfy } from './ntfy.js';
import { pagerDuty } from './pagerduty.js';
import { slack } from './slack.js';
import { teams } from './teams.js';
import { webhook } from './webhook.js';

/** The types of channels, by their name in rule files. */
export const CHANNEL_TYPES: Readonly<Record<string, ChannelType>> = {
  slack,
  teams,
  discord,
  google_chat: googleChat,
  email,
  webhook,
  ntfy,
  pagerduty: pagerDuty,
};
