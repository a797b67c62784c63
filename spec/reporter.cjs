/** Lists the skipped specs, and ends the output with one line: how many specs passed, failed and were skipped. */
module.exports = class ClosingLineReporter {
  onRunComplete(
    _contexts,
    { testResults, numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites },
  ) {
    const specs = testResults.flatMap(({ displayName, testResults: results }) => {
      return results.map(({ fullName, status }) => ({ name: nameIn(displayName, fullName), status }));
    });
    const skipped = specs.filter(({ status }) => ['pending', 'skipped', 'disabled', 'todo'].includes(status));
    const lines = skipped.map(({ name }) => `skipped: ${name}`);
    // A file that could not be run is a failure too, though none of its specs is known.
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    lines.push(`${numPassedTests} passed, ${failed} failed, ${numPendingTests + numTodoTests} skipped`);
    // Jest prints its own summary after the last reporter.
    process.once('exit', () => process.stdout.write(`\n${lines.join('\n')}\n`));
  }
};

/** The first project is the plain one; what runs in another says so. */
function nameIn(project, name) {
  return project === undefined || project.name === 'specs' ? name : `${name} (${project.name})`;
}
