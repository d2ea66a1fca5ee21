'use strict';

// Are the dependencies fit to be used: licences, sources, and known vulnerabilities. A step of its own beside the lint,
// because it needs what the others do not: cargo-deny, and for the vulnerabilities the network. On a machine without
// them it says what it could not look at, and fails: `npm run lint` and `npm test` do not depend on it.

const { capture, npm, run, runSteps } = require('./run');

/** The version whose configuration deny.toml is written for. */
const DENY = '0.20';

function deny(...checks) {
  if (!capture('cargo', ['deny', '--version']).ok) {
    console.error(
      'cargo-deny is not there. Install it (some minutes), or take the binary of its releases:\n' +
        `  cargo install cargo-deny --locked --version ^${DENY}`,
    );
    return false;
  }
  return run('cargo', ['deny', 'check', ...checks]);
}

runSteps('audit', [
  [
    'Licences, bans and sources of the crates (cargo deny)',
    () => deny('licenses', 'bans', 'sources'),
  ],
  ['Known vulnerabilities of the crates (cargo deny)', () => deny('advisories')],
  ['Known vulnerabilities of the npm packages (npm audit)', () => npm(['audit'])],
]);
