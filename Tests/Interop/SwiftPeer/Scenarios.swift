/// What both sides must agree on, from the client's point of view, under the names that the C++
/// peer has for the same. The comment of each method in interop.capnp says what the server does.
let scenarios: [Scenario] =
  valueScenarios + objectScenarios + pipelineScenarios + streamScenarios
  + descriptorScenarios + failureScenarios
  + callbackScenarios + promiseScenarios + lifetimeScenarios
