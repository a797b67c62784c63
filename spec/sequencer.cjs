const Sequencer = require('@jest/test-sequencer').default;

/** Files that take long though they are short: a suite of rules on every database, and processes that are waited for. */
const long = /(-suite|-process|on-every-store|on-databases|migrations|package)\.spec\.js$|\/promises\/|flights\.spec\.js$/;

/** Begins with what takes long, so that no worker waits for another at the end. */
module.exports = class LongFirstSequencer extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const rank = ({ path }) => (long.test(path) ? 0 : 1);
    return [...sorted].sort((a, b) => rank(a) - rank(b));
  }
};
