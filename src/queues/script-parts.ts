/** Values of a part of a script: {@link TAKE_PART_LUA} reads them as one table. */
export type ScriptPart = readonly (string | number)[];

/** Joins parts for the end of the arguments of a script: before each part stands its length. */
export function joinedParts(parts: readonly ScriptPart[]): (string | number)[] {
  return parts.flatMap((part) => [part.length, ...part]);
}

/** Lua: `parts_from(at)` returns a function that returns the next of the {@link joinedParts} that begin at `ARGV[at]`. */
export const TAKE_PART_LUA = `
local function parts_from(at)
  return function()
    local count, part = tonumber(ARGV[at]), {}
    for i = 1, count do part[i] = ARGV[at + i] end
    at = at + count + 1
    return part
  end
end
`;
