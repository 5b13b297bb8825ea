// A scan as a question: which scopes it may mean. ops/admission/ask.py in JavaScript.
//
// ask: {scan: {session_id, area_id, admit, override, ..}, direction, gate, at_ms,
//       code_kind, forged: () => boolean, profile}

export function candidates(plan, ask) {
  let sessionId = ask.scan.session_id ?? null;
  let areaId = ask.scan.area_id ?? null;
  if (sessionId === null && areaId === null && ask.gate) {
    sessionId = ask.gate.session_id ?? null;
    areaId = ask.gate.area_id;
  }
  if (sessionId !== null) {
    const scope = plan.scopeOfSession.get(sessionId);
    return scope ? [scope] : [];
  }
  if (areaId === null) return [];
  const sessions = plan.sessionsIn(areaId);
  const own = plan.ownScope(areaId);
  if (ask.direction === "out") return [...(own ? [own] : []), ...sessions];
  const open = sessions.filter((scope) => isOpen(scope, ask.at_ms));
  if (open.length) return open;
  if (own) return [own];
  return nearest(sessions, ask.at_ms);
}

// The scopes whose visits the decision will look at.
export function reads(plan, ask) {
  const wanted = candidates(plan, ask);
  if (ask.direction === "out" || wanted.length !== 1) return wanted;
  return [wanted[0], ...plan.above(wanted[0])];
}

function isOpen(scope, at) {
  const opened = (scope.opens_at ?? null) === null || scope.opens_at <= at;
  return opened && ((scope.closes_at ?? null) === null || at < scope.closes_at);
}

// With no open session, the one that opens next, else the one that closed last.
function nearest(sessions, at) {
  const coming = sessions.filter((scope) => scope.opens_at && scope.opens_at > at);
  if (coming.length) return [least(coming, (scope) => scope.opens_at)];
  const gone = sessions.filter((scope) => scope.closes_at);
  return gone.length ? [least(gone, (scope) => -scope.closes_at)] : [];
}

// The first of the smallest, as Python's min and max take it.
export function least(list, key) {
  return list.reduce((best, item) => (key(item) < key(best) ? item : best));
}
