@0xe3a7c05b91d2648f;

interface Probe {
  # The object of the tests.

  echo @0 (number :UInt64) -> (number :UInt64);
  hold @1 () -> (number :UInt64);
  # Returns once the test lets it.
  child @2 () -> (probe :Probe);
}
