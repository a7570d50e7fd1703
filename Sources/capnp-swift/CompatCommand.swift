import ArgumentParser
import CapnProto
import CapnProtoSchema
import Foundation

struct CompatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compat",
    abstract: "Compare two versions of a schema.",
    discussion: """
      Lists what the new version changes, by the rules for evolving a protocol, and what each \
      change breaks: messages between programs of the two versions (the wire), source that uses \
      the generated code, or nothing.

      The exit status is 0 if the new version is compatible, 1 if not, 2 if a file is no schema.
      """)

  @Argument(help: "The old version.")
  var old: String

  @Argument(help: "The new version.")
  var new: String

  @Flag(help: "Take the new version for incompatible if it breaks source, too.")
  var source = false

  @Flag(help: "Print the list as JSON.")
  var json = false

  @OptionGroup var schemas: SchemaOptions

  func run() throws {
    let (oldSchema, oldFile) = try schemas.load(old)
    let (newSchema, newFile) = try schemas.load(new)
    let differences = oldSchema.differences(to: newSchema, files: [oldFile, newFile])
    let limit: SchemaDifference.Effect = source ? .source : .wire
    let isCompatible = differences.allSatisfy { $0.effect < limit }
    if json {
      try printJSON(differences, isCompatible)
    } else {
      for difference in differences {
        try StandardOutput.write(line: "\(difference)".escapedForDisplay)
      }
    }
    if !isCompatible { throw ExitCode(1) }
  }

  private func printJSON(_ differences: [SchemaDifference], _ isCompatible: Bool) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let report = Report(
      compatible: isCompatible,
      differences: differences.map {
        Report.Entry(
          path: $0.path, kind: $0.kind.word, breaks: $0.effect.rawValue,
          description: "\($0.kind)")
      })
    try StandardOutput.write(Array(try encoder.encode(report)) + [UInt8(ascii: "\n")], of: .json)
  }

  private struct Report: Encodable {
    let compatible: Bool
    let differences: [Entry]

    struct Entry: Encodable {
      let path: String
      let kind: String
      let breaks: String
      let description: String
    }
  }
}
