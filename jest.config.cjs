/** Jest runs what tsc compiled: the tests see exactly the code that ships. */
const project = {
  testMatch: ['**/*.spec.js'],
  transform: {},
  setupFiles: ['source-map-support/register'],
  testEnvironment: 'node',
};

module.exports = {
  globalSetup: '<rootDir>/spec/global-setup.cjs',
  // Databases that other specs keep busy answer late.
  testTimeout: 120_000,
  // Many specs wait for databases and processes.
  maxWorkers: 3,
  reporters: ['default', '<rootDir>/spec/reporter.cjs'],
  testSequencer: '<rootDir>/spec/sequencer.cjs',
  projects: [
    { ...project, displayName: 'specs', roots: ['<rootDir>/dist/spec', '<rootDir>/dist/samples'] },
    {
      ...project,
      displayName: 'TypeORM 0.3',
      globals: { isEarlierTypeOrm: true },
      roots: ['<rootDir>/dist/spec/adapters/typeorm'],
      moduleNameMapper: { '^typeorm(/.*)?$': 'typeorm-03$1' },
      // What depends on the release: transactions, schemas, metadata. Processes that a spec starts find the other TypeORM.
      testPathIgnorePatterns: [
        '-process\\.spec\\.js$',
        '/faults/',
        '/(gathered-appends|guards|lag|large-events|order|order-under-load|random-transactions)\\.spec\\.js$',
        '/projections/(?!entity-(columns|generations|mistakes|table))',
      ],
    },
  ],
};
