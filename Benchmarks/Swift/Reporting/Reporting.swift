// Safety. One call hands the bytes of an array, with their count, to the C library.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Prints the line of JSON that every benchmark program prints.
public func report(
  _ name: String, by implementation: String = "swift", iterations: Int, elapsed: Duration,
  checksum: UInt64
) {
  let nanoseconds = elapsed / .nanoseconds(1) / Double(iterations)
  print(
    #"{"case":"\#(name)","implementation":"\#(implementation)","iterations":\#(iterations),"#
      + #""ns":\#((nanoseconds * 10).rounded() / 10),"checksum":"\#(checksum)"}"#)
}

/// Ends the program with the line on standard error.
public func fail(_ line: String, code: Int32) -> Never {
  let bytes = Array("\(line)\n".utf8)
  _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  exit(code)
}
