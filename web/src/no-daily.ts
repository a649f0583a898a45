/** Stands in for `@daily-co/daily-js` (see vite.config.ts): reached only by a transport built without a media manager. */
function refuse(): never {
  throw new Error("Salon's transport needs a media manager of its own.");
}

export default { getCallInstance: refuse, createCallObject: refuse };
