import CapnProtoFuzzTargets

#if LIBFUZZER
  // Sound: libFuzzer's bytes are there during the call, which copies them.
  @_cdecl("LLVMFuzzerTestOneInput")
  public func fuzzOneInput(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    unsafe FuzzTarget.run([UInt8](UnsafeBufferPointer(start: data, count: count)))
    return 0
  }
#else
  import Foundation

  /// Runs the inputs of the files that are named, as libFuzzer does without `make fuzz`.
  @main enum Driver {
    static func main() throws {
      for path in CommandLine.arguments.dropFirst() {
        FuzzTarget.run([UInt8](try Data(contentsOf: URL(filePath: path))))
      }
    }
  }
#endif
