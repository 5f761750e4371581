/** The oldest Node that daywire runs on, as in package.json: with 24.14 and older, SQLite is experimental. */
const OLDEST = [24, 15];

/**
 * @param {string} version of Node, such as `24.15.0`
 * @returns {string | null} why daywire cannot run on it, and what to do; null where it can
 */
export function nodeProblem(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return null;
  return (
    `this is Node ${version}, and daywire needs ${OLDEST.join('.')} or newer.\n` +
    '  In the folder of your newsroom: "npm install node@24", then "npx daywire …" uses that Node.\n' +
    '  For the whole machine: install Node 24 from https://nodejs.org/, then "npm install -g" daywire again.\n' +
    '  In a checkout: "npm ci" brings Node 24; use "npm start" or "npx daywire …".'
  );
}
