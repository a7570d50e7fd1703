import Foundation

/// Targets that FUZZ_TARGETS names; all without.
private let wanted: [FuzzTarget] = {
  let names = ProcessInfo.processInfo.environment["FUZZ_TARGETS"]?.split(separator: " ") ?? []
  let known = FuzzTarget.allCases.map { String(describing: $0)[...] }
  for name in names where !known.contains(name) {
    print("capnproto-fuzz: there is no target \(name); they are \(known.joined(separator: " "))")
    fflush(nil)
    // Not by `exit`, which libFuzzer takes for a crash.
    _exit(64)
  }
  return names.isEmpty
    ? FuzzTarget.allCases
    : FuzzTarget.allCases.filter { names.contains(String(describing: $0)[...]) }
}()

// Sound: libFuzzer's bytes are there during the call, which copies them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  FuzzTarget.isAlone.store(true, ordering: .relaxed)
  unsafe FuzzTarget.run([UInt8](UnsafeBufferPointer(start: data, count: count)), among: wanted)
  return 0
}
