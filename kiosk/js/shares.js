// What a device that is alone may take of things that many take of: places of a limit, units
// of an item. Its share comes with the package; what it took since then and has not told
// the server counts against it. Pure.

// taken: [{id of the scan or redemption, places: {id of a place or an item: how many}}]
export function left(share, taken, of) {
  return taken.reduce((rest, { places }) => rest - (places[of] ?? 0), share);
}

// What the server has heard of is in the package that was asked for afterwards.
export function settled(taken, told) {
  const heard = new Set(told);
  return taken.filter(({ id }) => !heard.has(id));
}

// The places of limits that a decision takes, and gives back. An act past the limits is a
// person's, on record, and spends no share.
export function takenBy(plan, made) {
  const places = {};
  if (made.past_limits) return places;
  const count = (scope, by) => {
    for (const [place] of plan.limits(scope)) {
      places[place] = (places[place] ?? 0) + by;
      if (!places[place]) delete places[place];
    }
  };
  for (const { scope, must } of made.closes) if (must) count(scope, -1);
  for (const { scope, past } of made.opens) if (!past) count(scope, 1);
  return places;
}
