import ArgumentParser
import QEMURunner

struct ImageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "image",
    abstract: "Build the guest's image: the uncompressed kernel and its first root directory.")

  @Option(help: "The guest's static executable, which becomes /init.")
  var `init`: String

  @Option(help: "The compiled boot manifest, which becomes /etc/boot-manifest.bin.")
  var manifest: String?

  @Option(help: "The folder into which 'make setup' unpacked the kernel package.")
  var kernel = "build/kernel"

  @Option(help: "The folder to write the image into.")
  var output = "build/guest"

  func run() async throws {
    let image = GuestImage(directory: output)
    try await image.build(initPath: `init`, manifestPath: manifest, kernelRoot: kernel)
    try line("image: \(image.kernelPath) and \(image.rootPath)")
  }
}
