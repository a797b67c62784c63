/** Jest runs what tsc compiled: the tests see exactly the code that ships. */
module.exports = {
  roots: ['<rootDir>/dist/spec', '<rootDir>/dist/samples'],
  testMatch: ['**/*.spec.js'],
  transform: {},
  setupFiles: ['source-map-support/register'],
  testEnvironment: 'node',
  reporters: ['default', '<rootDir>/spec/reporter.cjs'],
};
