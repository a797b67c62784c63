// A store in memory for the tests of a Nest application
export { EventSourcingTestingModule, type EventSourcingTestingOptions } from './event-sourcing-testing-module';
