// Given, when, then
export { AggregateOutcome, type ErrorFields, type When } from './aggregate-outcome';
export { AggregateScenario } from './aggregate-scenario';
export type { OpenStore } from './event-store/rule-book';
export { eventStoreSuite } from './event-store-suite';
export type { ExpectedState, SomeState } from './expected-state';
export { type FixedClock, fixedClock } from './fixed-clock';
export type { ScenarioOptions } from './history';
export { ProjectionOutcome } from './projection-outcome';
export { ProjectionScenario } from './projection-scenario';
export type { OpenedProjections, OpenProjections } from './projection-store/rule-book';
export type { Tally } from './projection-store/tally';
export { projectionStoreSuite } from './projection-store-suite';
export { scenario } from './scenario';
export { sequentialIds } from './sequential-ids';
export type { Matchers, TestRunner } from './test-runner';
