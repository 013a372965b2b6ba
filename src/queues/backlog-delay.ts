/**
 * The delay of a job in the backlog, in milliseconds: BullMQ then takes it out by itself. That is the last resort, for a backlog that was
 * deleted by hand: a shorter time would dump a long backlog into the queue. The odd milliseconds tell it from other delays: a wait of a
 * day is shorter by the time since it began.
 */
export const BACKLOG_DELAY_MS = 24 * 60 * 60 * 1000 + 7;
