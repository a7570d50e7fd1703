// Sound: libFuzzer's bytes are there during the call, which copies them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  unsafe FuzzTarget.run([UInt8](UnsafeBufferPointer(start: data, count: count)))
  return 0
}
